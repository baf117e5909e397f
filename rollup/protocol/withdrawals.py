"""Withdrawals: messages from L2 to L1, stored by L2ToL1MessagePasser (specs protocol/withdrawals.md)."""

from dataclasses import dataclass

from rollup.protocol.primitives import Address, Hash, keccak256
from rollup.protocol.receipt import Log

MESSAGE_PASSED = keccak256(b"MessagePassed(uint256,address,address,uint256,uint256,bytes,bytes32)")
_HEAD = 6 * 32  # bytes before the data in the ABI encoding of the six fields
_LOG_HEAD = 4 * 32


class WithdrawalError(ValueError):
    """A log that is not a MessagePassed log, or one that contradicts itself."""


@dataclass(slots=True, frozen=True)
class Withdrawal:
    """One message; nonce with its version in the high 16 bits, value in wei, gas_limit in gas on L1."""

    nonce: int
    sender: Address
    target: Address
    value: int
    gas_limit: int
    data: bytes

    @property
    def hash(self) -> Hash:
        """The withdrawal hash: keccak of the ABI encoding of all fields (Hashing.hashWithdrawal)."""
        words = (
            self.nonce.to_bytes(32, "big"),
            self.sender.rjust(32, b"\0"),
            self.target.rjust(32, b"\0"),
            self.value.to_bytes(32, "big"),
            self.gas_limit.to_bytes(32, "big"),
            _HEAD.to_bytes(32, "big"),
            len(self.data).to_bytes(32, "big"),
            self.data.ljust((len(self.data) + 31) // 32 * 32, b"\0"),
        )
        return keccak256(b"".join(words))

    @property
    def slot(self) -> Hash:
        """The storage slot in which L2ToL1MessagePasser marks it as sent."""
        return withdrawal_slot(self.hash)


def withdrawal_slot(withdrawal_hash: Hash) -> Hash:
    """The slot of a withdrawal in sentMessages, the mapping at slot 0 of L2ToL1MessagePasser."""
    return keccak256(withdrawal_hash + bytes(32))


def decode_message_passed(log: Log) -> Withdrawal:
    """The withdrawal of a MessagePassed log; raises WithdrawalError."""
    if len(log.topics) != 4 or log.topics[0] != MESSAGE_PASSED:
        raise WithdrawalError("not a MessagePassed log")
    _, nonce, sender, target = log.topics
    if any(sender[:12]) or any(target[:12]):
        raise WithdrawalError("an address topic has more than 20 bytes")
    words = [log.data[start : start + 32] for start in range(0, _LOG_HEAD + 32, 32)]
    if len(words[-1]) != 32 or int.from_bytes(words[2], "big") != _LOG_HEAD:
        raise WithdrawalError(f"MessagePassed data of {len(log.data)} bytes")
    length = int.from_bytes(words[4], "big")
    data = log.data[_LOG_HEAD + 32 : _LOG_HEAD + 32 + length]
    if len(data) != length:
        raise WithdrawalError(f"MessagePassed says {length} bytes and has {len(data)}")
    withdrawal = Withdrawal(
        int.from_bytes(nonce, "big"),
        sender[12:],
        target[12:],
        int.from_bytes(words[0], "big"),
        int.from_bytes(words[1], "big"),
        data,
    )
    if withdrawal.hash != words[3]:
        raise WithdrawalError(f"MessagePassed says hash 0x{words[3].hex()}, it is 0x{withdrawal.hash.hex()}")
    return withdrawal
