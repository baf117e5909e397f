// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice A call that either gives its target the gas promised or does not happen.
library GasCall {
    /// @dev What the call itself and the code after it may use.
    uint256 private constant RESERVED = 40_000;

    /// @notice Calls and ignores what comes back, so that a large answer cannot use up the caller's gas.
    function callWithMinGas(address target, uint256 minGas, uint256 value, bytes memory data)
        internal
        returns (bool success)
    {
        // A call passes on at most 63/64 of what is left (EIP-150): gas * 63 / 64 must reach minGas.
        require(gasleft() * 63 >= minGas * 64 + RESERVED * 63, "SafeCall: Not enough gas");
        assembly {
            success := call(gas(), target, value, add(data, 32), mload(data), 0, 0)
        }
    }
}
