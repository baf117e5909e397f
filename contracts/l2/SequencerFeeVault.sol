// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {FeeVault} from "./FeeVault.sol";

/// @notice Where priority fees go.
contract SequencerFeeVault is FeeVault {
    string public constant version = "1.5.0";

    constructor(address _recipient, uint256 _minWithdrawalAmount, WithdrawalNetwork _withdrawalNetwork)
        FeeVault(_recipient, _minWithdrawalAmount, _withdrawalNetwork)
    {}

    /// @notice The recipient under the name of the first version.
    function l1FeeWallet() external view returns (address) {
        return RECIPIENT;
    }
}
