// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {AddressAlias} from "../lib/AddressAlias.sol";
import {GasCall} from "../lib/GasCall.sol";
import {StorageProof} from "../lib/StorageProof.sol";
import {WithdrawalTransaction, Withdrawals} from "../lib/Withdrawal.sol";
import {L2OutputOracle, OutputProposal} from "./L2OutputOracle.sol";
import {ResourceConfig, ResourceMetering} from "./ResourceMetering.sol";
import {SuperchainConfig} from "./SuperchainConfig.sol";
import {SystemConfig} from "./SystemConfig.sol";

/// @notice The door between the layers: deposits go in as events, withdrawals come out by proof.
/// @dev    Specs: protocol/deposits.md, protocol/withdrawals.md. Initial values are put in storage by the genesis.
contract OptimismPortal is ResourceMetering {
    error BadTarget();
    error LargeCalldata();
    error SmallGasLimit();
    error CallPaused();
    error GasEstimation();
    error NonReentrant();

    /// @dev What an output root is the hash of (specs: protocol/proposals.md, L2 output commitment construction).
    struct OutputRootProof {
        bytes32 version;
        bytes32 stateRoot;
        bytes32 messagePasserStorageRoot;
        bytes32 latestBlockhash;
    }

    struct ProvenWithdrawal {
        bytes32 outputRoot;
        uint128 timestamp;
        uint128 l2OutputIndex;
    }

    string public constant version = "2.8.0";
    uint256 private constant DEPOSIT_VERSION = 0;
    uint64 private constant RECEIVE_GAS_LIMIT = 100_000;
    uint256 private constant MAX_CALLDATA = 120_000; // a deposit must fit a gossiped L2 block
    address private constant NO_L2_SENDER = 0x000000000000000000000000000000000000dEaD;
    address private constant ESTIMATION_ORIGIN = address(1);
    uint256 private constant SENT_MESSAGES_SLOT = 0;

    address public l2Sender;
    mapping(bytes32 => bool) public finalizedWithdrawals;
    mapping(bytes32 => ProvenWithdrawal) public provenWithdrawals;
    bool private spacer_53_0_1;
    SuperchainConfig public superchainConfig;
    L2OutputOracle public l2Oracle;
    SystemConfig public systemConfig;

    event TransactionDeposited(address indexed from, address indexed to, uint256 indexed version, bytes opaqueData);
    event WithdrawalProven(bytes32 indexed withdrawalHash, address indexed from, address indexed to);
    event WithdrawalFinalized(bytes32 indexed withdrawalHash, bool success);

    modifier whenNotPaused() {
        if (paused()) revert CallPaused();
        _;
    }

    /// @notice A plain transfer deposits the coins for the sender.
    receive() external payable {
        depositTransaction(msg.sender, msg.value, RECEIVE_GAS_LIMIT, false, "");
    }

    /// @notice Takes coins without minting any on L2.
    function donateETH() external payable {}

    /// @notice Sends a transaction to L2; the coins that come along are minted there for the sender.
    function depositTransaction(address _to, uint256 _value, uint64 _gasLimit, bool _isCreation, bytes memory _data)
        public
        payable
        metered(_gasLimit)
    {
        if (_isCreation && _to != address(0)) revert BadTarget();
        if (_gasLimit < minimumGasLimit(uint64(_data.length))) revert SmallGasLimit();
        if (_data.length > MAX_CALLDATA) revert LargeCalldata();
        address from = msg.sender == tx.origin ? msg.sender : AddressAlias.apply_(msg.sender);
        bytes memory opaqueData = abi.encodePacked(msg.value, _value, _gasLimit, _isCreation, _data);
        emit TransactionDeposited(from, _to, DEPOSIT_VERSION, opaqueData);
    }

    /// @notice Shows that L2 stored this withdrawal, by the storage proof of its hash under a proposed output root.
    function proveWithdrawalTransaction(
        WithdrawalTransaction memory _tx,
        uint256 _l2OutputIndex,
        OutputRootProof calldata _outputRootProof,
        bytes[] calldata _withdrawalProof
    ) external whenNotPaused {
        // spec: withdrawal.output-exists, withdrawal.conditions
        // As a message of this contract a withdrawal could forge deposits.
        if (_tx.target == address(this)) revert BadTarget();
        bytes32 outputRoot = l2Oracle.getL2Output(_l2OutputIndex).outputRoot;
        require(
            outputRoot == keccak256(abi.encode(_outputRootProof)), "OptimismPortal: invalid output root proof"
        );
        bytes32 withdrawalHash = Withdrawals.hash(_tx);
        ProvenWithdrawal memory proven = provenWithdrawals[withdrawalHash];
        // Proving again would start its waiting time anew: only if the output it was proven against is gone.
        require(
            proven.timestamp == 0 || l2Oracle.getL2Output(proven.l2OutputIndex).outputRoot != proven.outputRoot,
            "OptimismPortal: withdrawal hash has already been proven"
        );
        bytes32 slot = keccak256(abi.encode(withdrawalHash, SENT_MESSAGES_SLOT));
        bytes memory value =
            StorageProof.get(_outputRootProof.messagePasserStorageRoot, slot, _withdrawalProof);
        require(
            keccak256(value) == keccak256(hex"01"), "OptimismPortal: invalid withdrawal inclusion proof"
        );
        provenWithdrawals[withdrawalHash] =
            ProvenWithdrawal(outputRoot, uint128(block.timestamp), uint128(_l2OutputIndex));
        emit WithdrawalProven(withdrawalHash, _tx.sender, _tx.target);
    }

    /// @notice Executes a proven withdrawal once its time is up; its own failure is final, too.
    function finalizeWithdrawalTransaction(WithdrawalTransaction memory _tx) external whenNotPaused {
        // spec: withdrawal.by-contracts, withdrawal.once
        if (l2Sender != NO_L2_SENDER) revert NonReentrant();
        bytes32 withdrawalHash = Withdrawals.hash(_tx);
        _checkFinalizable(provenWithdrawals[withdrawalHash]);
        require(!finalizedWithdrawals[withdrawalHash], "OptimismPortal: withdrawal has already been finalized");
        finalizedWithdrawals[withdrawalHash] = true;
        l2Sender = _tx.sender;
        bool success = GasCall.callWithMinGas(_tx.target, _tx.gasLimit, _tx.value, _tx.data);
        l2Sender = NO_L2_SENDER;
        emit WithdrawalFinalized(withdrawalHash, success);
        // An estimate must not take a failed inner call for a good one that needs little gas.
        if (!success && tx.origin == ESTIMATION_ORIGIN) revert GasEstimation();
    }

    function isOutputFinalized(uint256 _l2OutputIndex) external view returns (bool) {
        return _isOver(l2Oracle.getL2Output(_l2OutputIndex).timestamp);
    }

    function balance() external view returns (uint256) {
        return address(this).balance;
    }

    function guardian() external view returns (address) {
        return superchainConfig.guardian();
    }

    function paused() public view returns (bool) {
        return superchainConfig.paused();
    }

    /// @notice What a deposit must buy at least, so that its calldata is paid for even if L1's price is near zero.
    function minimumGasLimit(uint64 _byteCount) public pure returns (uint64) {
        // spec: deposit.min-gas
        return _byteCount * 40 + 21_000;
    }

    function resourceConfig() internal view override returns (ResourceConfig memory) {
        return systemConfig.resourceConfig();
    }

    function _checkFinalizable(ProvenWithdrawal memory proven) private view {
        require(proven.timestamp != 0, "OptimismPortal: withdrawal has not been proven yet");
        require(
            proven.timestamp >= l2Oracle.startingTimestamp(),
            "OptimismPortal: withdrawal timestamp less than L2 Oracle starting timestamp"
        );
        require(
            _isOver(proven.timestamp), "OptimismPortal: proven withdrawal finalization period has not elapsed"
        );
        OutputProposal memory proposal = l2Oracle.getL2Output(proven.l2OutputIndex);
        require(
            proposal.outputRoot == proven.outputRoot,
            "OptimismPortal: output root proven is not the same as current output root"
        );
        require(
            _isOver(proposal.timestamp), "OptimismPortal: output proposal finalization period has not elapsed"
        );
    }

    function _isOver(uint256 since) private view returns (bool) {
        return block.timestamp > since + l2Oracle.FINALIZATION_PERIOD_SECONDS();
    }
}
