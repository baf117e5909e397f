// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {FeeVault} from "./FeeVault.sol";

/// @notice Where L1 data fees go.
contract L1FeeVault is FeeVault {
    string public constant version = "1.5.0";

    constructor(address _recipient, uint256 _minWithdrawalAmount, WithdrawalNetwork _withdrawalNetwork)
        FeeVault(_recipient, _minWithdrawalAmount, _withdrawalNetwork)
    {}
}
