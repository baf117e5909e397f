// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice A contract of L1 acts on L2 under a shifted address, so that it cannot pose as the contract at the same
///         address there (specs: protocol/deposits.md, address aliasing).
library AddressAlias {
    uint160 private constant OFFSET = uint160(0x1111000000000000000000000000000000001111);

    function apply_(address l1Address) internal pure returns (address) {
        // spec: deposit.alias
        unchecked {
            return address(uint160(l1Address) + OFFSET);
        }
    }
}
