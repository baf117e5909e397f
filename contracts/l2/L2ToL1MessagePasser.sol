// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {WithdrawalTransaction, Withdrawals} from "../lib/Withdrawal.sol";

/// @notice Where withdrawals start: a message's hash stored here is proven on L1 against this account's storage root.
/// @dev    Slot 0 is the mapping L1's portal proves against (specs: protocol/withdrawals.md).
contract L2ToL1MessagePasser {
    uint16 public constant MESSAGE_VERSION = 1;
    string public constant version = "1.1.2";
    uint256 private constant RECEIVE_GAS_LIMIT = 100_000;

    mapping(bytes32 => bool) public sentMessages;
    uint240 private msgNonce;

    event MessagePassed(
        uint256 indexed nonce,
        address indexed sender,
        address indexed target,
        uint256 value,
        uint256 gasLimit,
        bytes data,
        bytes32 withdrawalHash
    );
    event WithdrawerBalanceBurnt(uint256 indexed amount);

    receive() external payable {
        initiateWithdrawal(msg.sender, RECEIVE_GAS_LIMIT, "");
    }

    /// @notice Takes this contract's balance out of L2's supply: those coins now belong to L1.
    function burn() external {
        uint256 amount = address(this).balance;
        new Burner{value: amount}();
        emit WithdrawerBalanceBurnt(amount);
    }

    function initiateWithdrawal(address _target, uint256 _gasLimit, bytes memory _data) public payable {
        uint256 nonce = messageNonce();
        bytes32 withdrawalHash =
            Withdrawals.hash(WithdrawalTransaction(nonce, msg.sender, _target, msg.value, _gasLimit, _data));
        sentMessages[withdrawalHash] = true;
        emit MessagePassed(nonce, msg.sender, _target, msg.value, _gasLimit, _data, withdrawalHash);
        unchecked {
            ++msgNonce;
        }
    }

    /// @notice The next message's nonce, its version in the two highest bytes.
    function messageNonce() public view returns (uint256) {
        return uint256(MESSAGE_VERSION) << 240 | msgNonce;
    }
}

/// @dev Born with coins and gone in the same transaction, which EIP-6780 still lets destroy them.
contract Burner {
    constructor() payable {
        selfdestruct(payable(address(this)));
    }
}
