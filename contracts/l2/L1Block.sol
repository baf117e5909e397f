// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Predeploys} from "../lib/Predeploys.sol";

/// @notice What L2 knows of L1: written by the first transaction of every block, read by every fee rule.
/// @dev    The slots are consensus: execution engines read fee parameters from storage, not through these functions.
///         Calldata of the packed setters: specs, protocol/{ecotone,isthmus,jovian}/l1-attributes.md.
contract L1Block {
    error NotDepositor();

    uint64 public number;
    uint64 public timestamp;
    uint256 public basefee;
    bytes32 public hash;
    uint64 public sequenceNumber;
    uint32 public blobBaseFeeScalar;
    uint32 public baseFeeScalar;
    bytes32 public batcherHash;
    uint256 public l1FeeOverhead;
    uint256 public l1FeeScalar;
    uint256 public blobBaseFee;
    uint64 public operatorFeeConstant;
    uint32 public operatorFeeScalar;
    uint16 public daFootprintGasScalar;

    string public constant version = "1.8.0";

    function DEPOSITOR_ACCOUNT() external pure returns (address) {
        return Predeploys.DEPOSITOR;
    }

    /// @notice The stand-in for "the chain's own coin", as bridges know it.
    function gasPayingToken() external pure returns (address, uint8) {
        return (0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE, 18);
    }

    function gasPayingTokenName() external pure returns (string memory) {
        return "Ether";
    }

    function gasPayingTokenSymbol() external pure returns (string memory) {
        return "ETH";
    }

    function isCustomGasToken() external pure returns (bool) {
        return false;
    }

    /// @notice The attributes of a block before Ecotone (specs: protocol/deposits.md, L1 attributes).
    function setL1BlockValues(
        uint64 _number,
        uint64 _timestamp,
        uint256 _basefee,
        bytes32 _hash,
        uint64 _sequenceNumber,
        bytes32 _batcherHash,
        uint256 _l1FeeOverhead,
        uint256 _l1FeeScalar
    ) external {
        require(
            msg.sender == Predeploys.DEPOSITOR, "L1Block: only the depositor account can set L1 block values"
        );
        number = _number;
        timestamp = _timestamp;
        basefee = _basefee;
        hash = _hash;
        sequenceNumber = _sequenceNumber;
        batcherHash = _batcherHash;
        l1FeeOverhead = _l1FeeOverhead;
        l1FeeScalar = _l1FeeScalar;
    }

    function setL1BlockValuesEcotone() external {
        _setPacked();
    }

    function setL1BlockValuesIsthmus() external {
        _setPacked();
        assembly {
            // Bytes 164..175 are operator fee scalar, operator fee constant.
            sstore(operatorFeeConstant.slot, shr(160, calldataload(164)))
        }
    }

    function setL1BlockValuesJovian() external {
        _setPacked();
        assembly {
            // Bytes 176..177, the DA footprint scalar, go above the two operator fee fields.
            let fees := calldataload(164)
            sstore(operatorFeeConstant.slot, or(shr(160, fees), shl(96, and(shr(144, fees), 0xffff))))
        }
    }

    function _setPacked() private {
        if (msg.sender != Predeploys.DEPOSITOR) revert NotDepositor();
        assembly {
            // Bytes 4..19 are base fee scalar, blob base fee scalar, sequence number: slot 3 from its high end down.
            sstore(sequenceNumber.slot, shr(128, calldataload(4)))
            // Bytes 20..35 are timestamp, number.
            sstore(number.slot, shr(128, calldataload(20)))
            sstore(basefee.slot, calldataload(36))
            sstore(blobBaseFee.slot, calldataload(68))
            sstore(hash.slot, calldataload(100))
            sstore(batcherHash.slot, calldataload(132))
        }
    }
}
