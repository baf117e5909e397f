// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice An output root and when L1 learnt of it.
struct OutputProposal {
    bytes32 outputRoot;
    uint128 timestamp;
    uint128 l2BlockNumber;
}

/// @notice Output roots of L2, one per interval of blocks. Withdrawals are proven against them (specs:
///         protocol/proposals.md). Initial values are put in storage by the genesis.
contract L2OutputOracle {
    string public constant version = "1.8.0";

    uint8 private _initialized;
    bool private _initializing;
    uint256 public startingBlockNumber;
    uint256 public startingTimestamp;
    OutputProposal[] private l2Outputs;
    uint256 public submissionInterval;
    uint256 public l2BlockTime;
    address public challenger;
    address public proposer;
    uint256 public finalizationPeriodSeconds;

    event OutputProposed(
        bytes32 indexed outputRoot, uint256 indexed l2OutputIndex, uint256 indexed l2BlockNumber, uint256 l1Timestamp
    );
    event OutputsDeleted(uint256 indexed prevNextOutputIndex, uint256 indexed newNextOutputIndex);

    function SUBMISSION_INTERVAL() external view returns (uint256) {
        return submissionInterval;
    }

    function L2_BLOCK_TIME() external view returns (uint256) {
        return l2BlockTime;
    }

    function CHALLENGER() external view returns (address) {
        return challenger;
    }

    function PROPOSER() external view returns (address) {
        return proposer;
    }

    function FINALIZATION_PERIOD_SECONDS() external view returns (uint256) {
        return finalizationPeriodSeconds;
    }

    /// @notice Drops this output and all after it, unless it is final already.
    function deleteL2Outputs(uint256 _l2OutputIndex) external {
        require(msg.sender == challenger, "L2OutputOracle: only the challenger address can delete outputs");
        require(
            _l2OutputIndex < l2Outputs.length, "L2OutputOracle: cannot delete outputs after the latest output index"
        );
        require(
            block.timestamp - l2Outputs[_l2OutputIndex].timestamp < finalizationPeriodSeconds,
            "L2OutputOracle: cannot delete outputs that have already been finalized"
        );
        uint256 previous = l2Outputs.length;
        // Only the length shrinks, as officially: the cost of a deletion does not grow with what it deletes.
        assembly {
            sstore(l2Outputs.slot, _l2OutputIndex)
        }
        emit OutputsDeleted(previous, _l2OutputIndex);
    }

    /// @param _l1BlockHash if not zero, L1 must know this hash at `_l1BlockNumber`: a proposal then cannot outlive
    ///        a reorg of the L1 blocks it was derived from
    function proposeL2Output(
        bytes32 _outputRoot,
        uint256 _l2BlockNumber,
        bytes32 _l1BlockHash,
        uint256 _l1BlockNumber
    ) external payable {
        // spec: output.interval
        require(msg.sender == proposer, "L2OutputOracle: only the proposer address can propose new outputs");
        require(
            _l2BlockNumber == nextBlockNumber(),
            "L2OutputOracle: block number must be equal to next expected block number"
        );
        require(
            computeL2Timestamp(_l2BlockNumber) < block.timestamp,
            "L2OutputOracle: cannot propose L2 output in the future"
        );
        require(_outputRoot != bytes32(0), "L2OutputOracle: L2 output proposal cannot be the zero hash");
        require(
            _l1BlockHash == bytes32(0) || blockhash(_l1BlockNumber) == _l1BlockHash,
            "L2OutputOracle: block hash does not match the hash at the expected height"
        );
        emit OutputProposed(_outputRoot, l2Outputs.length, _l2BlockNumber, block.timestamp);
        l2Outputs.push(OutputProposal(_outputRoot, uint128(block.timestamp), uint128(_l2BlockNumber)));
    }

    function getL2Output(uint256 _l2OutputIndex) external view returns (OutputProposal memory) {
        return l2Outputs[_l2OutputIndex];
    }

    /// @notice The first output that covers an L2 block.
    function getL2OutputIndexAfter(uint256 _l2BlockNumber) public view returns (uint256) {
        require(
            _l2BlockNumber <= latestBlockNumber(),
            "L2OutputOracle: cannot get output for a block that has not been proposed"
        );
        require(
            l2Outputs.length > 0, "L2OutputOracle: cannot get output as no outputs have been proposed yet"
        );
        uint256 low;
        uint256 high = l2Outputs.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (l2Outputs[middle].l2BlockNumber < _l2BlockNumber) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    function getL2OutputAfter(uint256 _l2BlockNumber) external view returns (OutputProposal memory) {
        return l2Outputs[getL2OutputIndexAfter(_l2BlockNumber)];
    }

    function latestOutputIndex() external view returns (uint256) {
        return l2Outputs.length - 1;
    }

    function nextOutputIndex() external view returns (uint256) {
        return l2Outputs.length;
    }

    function latestBlockNumber() public view returns (uint256) {
        uint256 count = l2Outputs.length;
        return count == 0 ? startingBlockNumber : l2Outputs[count - 1].l2BlockNumber;
    }

    function nextBlockNumber() public view returns (uint256) {
        return latestBlockNumber() + submissionInterval;
    }

    function computeL2Timestamp(uint256 _l2BlockNumber) public view returns (uint256) {
        return startingTimestamp + (_l2BlockNumber - startingBlockNumber) * l2BlockTime;
    }
}
