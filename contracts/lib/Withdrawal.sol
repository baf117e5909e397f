// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice A message from L2 to L1 (specs: protocol/withdrawals.md).
struct WithdrawalTransaction {
    uint256 nonce;
    address sender;
    address target;
    uint256 value;
    uint256 gasLimit;
    bytes data;
}

library Withdrawals {
    function hash(WithdrawalTransaction memory w) internal pure returns (bytes32) {
        return keccak256(abi.encode(w.nonce, w.sender, w.target, w.value, w.gasLimit, w.data));
    }
}
