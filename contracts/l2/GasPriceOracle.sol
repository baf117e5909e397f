// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {FastLz} from "../lib/FastLz.sol";
import {Predeploys} from "../lib/Predeploys.sol";
import {Saturating} from "../lib/Saturating.sol";
import {L1Block} from "./L1Block.sol";

/// @notice The fees that a transaction will pay in addition to its gas: L1 data fee and operator fee, by the rules of the active fork.
/// @dev    An estimate for wallets: consensus charges from L1Block's storage. Specs: protocol/exec-engine.md (L1-Cost
///         fees), protocol/fjord/exec-engine.md, protocol/{isthmus,jovian}/exec-engine.md (operator fee).
contract GasPriceOracle {
    uint256 public constant DECIMALS = 6;
    string public constant version = "1.6.0";

    int256 private constant COST_INTERCEPT = -42_585_600;
    uint256 private constant COST_FASTLZ_COEFFICIENT = 836_500;
    int256 private constant MIN_TRANSACTION_SIZE_SCALED = 100e6;
    uint256 private constant SIGNATURE_BYTES = 68; // what a signature adds to an unsigned transaction
    uint256 private constant JOVIAN_OPERATOR_FEE_MULTIPLIER = 100;

    bool public isEcotone;
    bool public isFjord;
    bool public isIsthmus;
    bool public isJovian;

    /// @param _data an RLP-encoded transaction without its signature
    function getL1Fee(bytes memory _data) external view returns (uint256) {
        if (isFjord) return _fjordFee(FastLz.compressedLength(_data) + SIGNATURE_BYTES);
        uint256 gas = _calldataGas(_data);
        if (isEcotone) return gas * _weightedGasPrice() / (16 * 10 ** DECIMALS);
        return (gas + _l1Block().l1FeeOverhead()) * l1BaseFee() * _l1Block().l1FeeScalar() / 10 ** DECIMALS;
    }

    /// @notice The fee of the least compressible transaction of a size in bytes, without its signature.
    function getL1FeeUpperBound(uint256 _unsignedTxSize) external view returns (uint256) {
        require(isFjord, "GasPriceOracle: getL1FeeUpperBound only supports Fjord");
        uint256 size = _unsignedTxSize + SIGNATURE_BYTES;
        return _fjordFee(size + size / 255 + 16);
    }

    function getL1GasUsed(bytes memory _data) external view returns (uint256) {
        if (isFjord) return _fjordSizeScaled(FastLz.compressedLength(_data) + SIGNATURE_BYTES) * 16 / 10 ** DECIMALS;
        uint256 gas = _calldataGas(_data);
        return isEcotone ? gas : gas + _l1Block().l1FeeOverhead();
    }

    function getOperatorFee(uint256 _gasUsed) external view returns (uint256) {
        if (!isIsthmus) return 0;
        uint256 scalar_ = _l1Block().operatorFeeScalar();
        uint256 constant_ = _l1Block().operatorFeeConstant();
        if (isJovian) return _gasUsed * scalar_ * JOVIAN_OPERATOR_FEE_MULTIPLIER + constant_;
        return Saturating.add(Saturating.mul(_gasUsed, scalar_) / 10 ** DECIMALS, constant_);
    }

    function setEcotone() external {
        require(
            msg.sender == Predeploys.DEPOSITOR,
            "GasPriceOracle: only the depositor account can set isEcotone flag"
        );
        require(!isEcotone, "GasPriceOracle: Ecotone already active");
        isEcotone = true;
    }

    function setFjord() external {
        require(
            msg.sender == Predeploys.DEPOSITOR, "GasPriceOracle: only the depositor account can set isFjord flag"
        );
        require(isEcotone, "GasPriceOracle: Fjord can only be activated after Ecotone");
        require(!isFjord, "GasPriceOracle: Fjord already active");
        isFjord = true;
    }

    function setIsthmus() external {
        // spec: oracle.set-isthmus
        require(
            msg.sender == Predeploys.DEPOSITOR,
            "GasPriceOracle: only the depositor account can set isIsthmus flag"
        );
        require(isFjord, "GasPriceOracle: Isthmus can only be activated after Fjord");
        require(!isIsthmus, "GasPriceOracle: Isthmus already active");
        isIsthmus = true;
    }

    function setJovian() external {
        require(
            msg.sender == Predeploys.DEPOSITOR,
            "GasPriceOracle: only the depositor account can set isJovian flag"
        );
        require(isIsthmus, "GasPriceOracle: Jovian can only be activated after Isthmus");
        require(!isJovian, "GasPriceOracle: Jovian already active");
        isJovian = true;
    }

    function gasPrice() external view returns (uint256) {
        return block.basefee;
    }

    function baseFee() external view returns (uint256) {
        return block.basefee;
    }

    function overhead() external view returns (uint256) {
        // spec: oracle.overhead-ignored
        require(!isEcotone, "GasPriceOracle: overhead() is deprecated");
        return _l1Block().l1FeeOverhead();
    }

    function scalar() external view returns (uint256) {
        require(!isEcotone, "GasPriceOracle: scalar() is deprecated");
        return _l1Block().l1FeeScalar();
    }

    function l1BaseFee() public view returns (uint256) {
        return _l1Block().basefee();
    }

    function blobBaseFee() public view returns (uint256) {
        return _l1Block().blobBaseFee();
    }

    function baseFeeScalar() public view returns (uint32) {
        return _l1Block().baseFeeScalar();
    }

    function blobBaseFeeScalar() public view returns (uint32) {
        return _l1Block().blobBaseFeeScalar();
    }

    function decimals() external pure returns (uint256) {
        // spec: oracle.overhead-ignored
        return DECIMALS;
    }

    function _l1Block() private pure returns (L1Block) {
        return L1Block(Predeploys.L1_BLOCK);
    }

    /// @dev Wei a byte of calldata gas costs, times 16e6.
    function _weightedGasPrice() private view returns (uint256) {
        return uint256(baseFeeScalar()) * 16 * l1BaseFee() + uint256(blobBaseFeeScalar()) * blobBaseFee();
    }

    function _fjordFee(uint256 fastLzSize) private view returns (uint256) {
        return _fjordSizeScaled(fastLzSize) * _weightedGasPrice() / 10 ** (2 * DECIMALS);
    }

    /// @dev The estimated brotli size in bytes, times 1e6.
    function _fjordSizeScaled(uint256 fastLzSize) private pure returns (uint256) {
        int256 size = COST_INTERCEPT + int256(COST_FASTLZ_COEFFICIENT * fastLzSize);
        return uint256(size < MIN_TRANSACTION_SIZE_SCALED ? MIN_TRANSACTION_SIZE_SCALED : size);
    }

    function _calldataGas(bytes memory data) private pure returns (uint256 gas) {
        gas = SIGNATURE_BYTES * 16;
        for (uint256 i; i < data.length; ++i) {
            gas += data[i] == 0 ? 4 : 16;
        }
    }
}
