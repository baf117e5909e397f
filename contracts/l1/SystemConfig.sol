// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ResourceConfig} from "./ResourceMetering.sol";

/// @notice The settings of the rollup that its owner may change while it runs; L2 learns of them by the event.
/// @dev    Specs: protocol/system-config.md and the same page of holocene, isthmus, jovian. Initial values are put in
///         storage by the genesis.
contract SystemConfig {
    enum UpdateType {
        BATCHER,
        FEE_SCALARS,
        GAS_LIMIT,
        UNSAFE_BLOCK_SIGNER,
        EIP_1559_PARAMS,
        OPERATOR_FEE_PARAMS,
        MIN_BASE_FEE,
        DA_FOOTPRINT_GAS_SCALAR
    }

    uint256 public constant VERSION = 0;
    string public constant version = "3.11.0";
    bytes32 public constant UNSAFE_BLOCK_SIGNER_SLOT = keccak256("systemconfig.unsafeblocksigner");
    bytes32 public constant OPTIMISM_PORTAL_SLOT = bytes32(uint256(keccak256("systemconfig.optimismportal")) - 1);
    bytes32 public constant BATCH_INBOX_SLOT = bytes32(uint256(keccak256("systemconfig.batchinbox")) - 1);
    bytes32 public constant START_BLOCK_SLOT = bytes32(uint256(keccak256("systemconfig.startBlock")) - 1);
    uint64 private constant MAX_GAS_LIMIT = 500_000_000;
    uint256 private constant ECOTONE_SCALAR_VERSION = 1;

    // The official contract inherits from upgradeable bases that take the slots up to 100.
    uint8 private _initialized;
    bool private _initializing;
    uint256[50] private __contextGap;
    address public owner;
    uint256[49] private __ownableGap;

    uint256 public overhead;
    uint256 public scalar;
    bytes32 public batcherHash;
    uint64 public gasLimit;
    uint32 public basefeeScalar;
    uint32 public blobbasefeeScalar;
    ResourceConfig private _resourceConfig;
    uint32 public eip1559Denominator;
    uint32 public eip1559Elasticity;
    uint32 public operatorFeeScalar;
    uint64 public operatorFeeConstant;
    uint256 public l2ChainId;
    address public superchainConfig;
    uint64 public minBaseFee;
    uint16 public daFootprintGasScalar;

    event ConfigUpdate(uint256 indexed version, UpdateType indexed updateType, bytes data);
    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);

    modifier onlyOwner() {
        // spec: config.owner-only
        require(msg.sender == owner, "Ownable: caller is not the owner");
        _;
    }

    function transferOwnership(address newOwner) external onlyOwner {
        require(newOwner != address(0), "Ownable: new owner is the zero address");
        _transferOwnership(newOwner);
    }

    function renounceOwnership() external onlyOwner {
        _transferOwnership(address(0));
    }

    function setUnsafeBlockSigner(address _unsafeBlockSigner) external onlyOwner {
        // spec: config.set-signer
        bytes32 slot = UNSAFE_BLOCK_SIGNER_SLOT;
        assembly {
            sstore(slot, _unsafeBlockSigner)
        }
        _announce(UpdateType.UNSAFE_BLOCK_SIGNER, abi.encode(_unsafeBlockSigner));
    }

    function setBatcherHash(bytes32 _batcherHash) external onlyOwner {
        // spec: config.set-batcher
        batcherHash = _batcherHash;
        _announce(UpdateType.BATCHER, abi.encode(_batcherHash));
    }

    /// @notice The fee parameters from before Ecotone; the highest byte of the scalar is its version and must be 0.
    function setGasConfig(uint256 _overhead, uint256 _scalar) external onlyOwner {
        // spec: config.set-gas-config
        require(_scalar >> 248 == 0, "SystemConfig: scalar exceeds max.");
        overhead = _overhead;
        scalar = _scalar;
        _announce(UpdateType.FEE_SCALARS, abi.encode(_overhead, _scalar));
    }

    function setGasConfigEcotone(uint32 _basefeeScalar, uint32 _blobbasefeeScalar) external onlyOwner {
        // spec: config.set-gas-config-ecotone
        basefeeScalar = _basefeeScalar;
        blobbasefeeScalar = _blobbasefeeScalar;
        scalar = ECOTONE_SCALAR_VERSION << 248 | uint256(_blobbasefeeScalar) << 32 | _basefeeScalar;
        _announce(UpdateType.FEE_SCALARS, abi.encode(overhead, scalar));
    }

    function setGasLimit(uint64 _gasLimit) external onlyOwner {
        // spec: config.max-gas-limit, config.set-gas-limit
        require(_gasLimit >= minimumGasLimit(), "SystemConfig: gas limit too low");
        require(_gasLimit <= MAX_GAS_LIMIT, "SystemConfig: gas limit too high");
        gasLimit = _gasLimit;
        _announce(UpdateType.GAS_LIMIT, abi.encode(_gasLimit));
    }

    function setEIP1559Params(uint32 _denominator, uint32 _elasticity) external onlyOwner {
        // spec: config.eip1559-event, config.eip1559-owner, config.eip1559-above-zero, config.set-eip1559
        require(_denominator >= 1, "SystemConfig: denominator must be >= 1");
        require(_elasticity >= 1, "SystemConfig: elasticity must be >= 1");
        eip1559Denominator = _denominator;
        eip1559Elasticity = _elasticity;
        _announce(UpdateType.EIP_1559_PARAMS, abi.encode(uint256(_denominator) << 32 | _elasticity));
    }

    function setOperatorFeeScalars(uint32 _operatorFeeScalar, uint64 _operatorFeeConstant) external onlyOwner {
        // spec: config.operator-fee-owner, config.set-operator-fee
        operatorFeeScalar = _operatorFeeScalar;
        operatorFeeConstant = _operatorFeeConstant;
        _announce(
            UpdateType.OPERATOR_FEE_PARAMS, abi.encode(uint256(_operatorFeeScalar) << 64 | _operatorFeeConstant)
        );
    }

    function setMinBaseFee(uint64 _minBaseFee) external onlyOwner {
        // spec: config.set-min-base-fee
        minBaseFee = _minBaseFee;
        _announce(UpdateType.MIN_BASE_FEE, abi.encode(_minBaseFee));
    }

    function setDAFootprintGasScalar(uint16 _daFootprintGasScalar) external onlyOwner {
        // spec: config.set-footprint
        daFootprintGasScalar = _daFootprintGasScalar;
        _announce(UpdateType.DA_FOOTPRINT_GAS_SCALAR, abi.encode(_daFootprintGasScalar));
    }

    /// @notice The smallest gas limit that still holds all deposits a block may have to take.
    function minimumGasLimit() public view returns (uint64) {
        return uint64(_resourceConfig.maxResourceLimit) + _resourceConfig.systemTxMaxGas;
    }

    function maximumGasLimit() external pure returns (uint64) {
        return MAX_GAS_LIMIT;
    }

    function resourceConfig() external view returns (ResourceConfig memory) {
        return _resourceConfig;
    }

    function unsafeBlockSigner() external view returns (address) {
        return address(uint160(_read(UNSAFE_BLOCK_SIGNER_SLOT)));
    }

    function optimismPortal() external view returns (address) {
        return address(uint160(_read(OPTIMISM_PORTAL_SLOT)));
    }

    function batchInbox() external view returns (address) {
        return address(uint160(_read(BATCH_INBOX_SLOT)));
    }

    function startBlock() external view returns (uint256) {
        return _read(START_BLOCK_SLOT);
    }

    function gasPayingToken() external pure returns (address, uint8) {
        return (0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE, 18);
    }

    function isCustomGasToken() external pure returns (bool) {
        return false;
    }

    function _announce(UpdateType updateType, bytes memory data) private {
        // spec: config.update-event
        emit ConfigUpdate(VERSION, updateType, data);
    }

    function _transferOwnership(address newOwner) private {
        emit OwnershipTransferred(owner, newOwner);
        owner = newOwner;
    }

    function _read(bytes32 slot) private view returns (uint256 value) {
        assembly {
            value := sload(slot)
        }
    }
}
