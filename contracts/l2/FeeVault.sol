// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Predeploys} from "../lib/Predeploys.sol";
import {L2ToL1MessagePasser} from "./L2ToL1MessagePasser.sol";

/// @notice Collects one kind of fee and hands it to a recipient fixed at genesis (specs: protocol/predeploys.md).
abstract contract FeeVault {
    enum WithdrawalNetwork {
        L1,
        L2
    }

    uint256 public immutable MIN_WITHDRAWAL_AMOUNT;
    address public immutable RECIPIENT;
    WithdrawalNetwork public immutable WITHDRAWAL_NETWORK;

    uint256 private constant L1_GAS_LIMIT = 400_000;

    /// @notice Wei withdrawn so far.
    uint256 public totalProcessed;

    event Withdrawal(uint256 value, address to, address from);
    event Withdrawal(uint256 value, address to, address from, WithdrawalNetwork withdrawalNetwork);

    constructor(address _recipient, uint256 _minWithdrawalAmount, WithdrawalNetwork _withdrawalNetwork) {
        RECIPIENT = _recipient;
        MIN_WITHDRAWAL_AMOUNT = _minWithdrawalAmount;
        WITHDRAWAL_NETWORK = _withdrawalNetwork;
    }

    receive() external payable {}

    function minWithdrawalAmount() external view returns (uint256) {
        return MIN_WITHDRAWAL_AMOUNT;
    }

    function recipient() external view returns (address) {
        return RECIPIENT;
    }

    function withdrawalNetwork() external view returns (WithdrawalNetwork) {
        return WITHDRAWAL_NETWORK;
    }

    /// @notice Sends the whole balance to the recipient; anyone may ask.
    function withdraw() external returns (uint256 value) {
        value = address(this).balance;
        require(
            value >= MIN_WITHDRAWAL_AMOUNT,
            "FeeVault: withdrawal amount must be greater than minimum withdrawal amount"
        );
        totalProcessed += value;
        emit Withdrawal(value, RECIPIENT, msg.sender);
        emit Withdrawal(value, RECIPIENT, msg.sender, WITHDRAWAL_NETWORK);
        if (WITHDRAWAL_NETWORK == WithdrawalNetwork.L2) {
            (bool success,) = RECIPIENT.call{value: value}("");
            require(success, "FeeVault: failed to send ETH to L2 fee recipient");
        } else {
            L2ToL1MessagePasser(Predeploys.MESSAGE_PASSER).initiateWithdrawal{value: value}(
                RECIPIENT, L1_GAS_LIMIT, ""
            );
        }
    }
}
