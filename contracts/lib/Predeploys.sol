// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice Where the OP Stack's own accounts live on L2 (specs: protocol/predeploys.md, protocol/deposits.md).
library Predeploys {
    address internal constant DEPOSITOR = 0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001;
    address internal constant L1_BLOCK = 0x4200000000000000000000000000000000000015;
    address payable internal constant MESSAGE_PASSER = payable(0x4200000000000000000000000000000000000016);
}
