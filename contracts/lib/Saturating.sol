// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice Arithmetic that stops at 2**256 - 1 (specs: protocol/isthmus/predeploys.md, getOperatorFee is capped).
library Saturating {
    function add(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            uint256 sum = a + b;
            return sum < a ? type(uint256).max : sum;
        }
    }

    function mul(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            if (a == 0) return 0;
            uint256 product = a * b;
            return product / a == b ? product : type(uint256).max;
        }
    }
}
