"""The interface between the precompile and the machine that runs it.

The methods use only `Host`, so the same code runs inside an EVM, over a flat state journal, in a unit test and in the
benchmark.
"""

from typing import Protocol


class Host(Protocol):
    """One call frame at the precompile's address. Addresses and slots are integers, amounts wei, times unix seconds.

    A method that charges raises the host's own out-of-gas exception if the frame cannot pay, before it touches
    anything. The host restores storage, balances, logs, warmth and refunds when the frame ends in an exception.
    """

    @property
    def caller(self) -> int:
        """msg.sender."""

    @property
    def value(self) -> int:
        """msg.value, already in the precompile's balance."""

    @property
    def is_static(self) -> bool:
        """Whether this frame or one above it is a STATICCALL."""

    @property
    def is_delegate(self) -> bool:
        """Whether the storage in effect belongs to another account: DELEGATECALL, CALLCODE, an EIP-7702 delegation."""

    @property
    def timestamp(self) -> int:
        """block.timestamp."""

    @property
    def chain_id(self) -> int:
        """block.chainid."""

    @property
    def balance(self) -> int:
        """The precompile's own balance."""

    def charge(self, amount: int) -> None:
        """Takes `amount` gas from the frame."""

    def mapping(self, key: int, slot: int) -> int:
        """The slot of `key`'s entry in the mapping at `slot`, after charging gas.MAPPING for the hash."""

    def sload(self, slot: int) -> int:
        """Charges and reads a storage slot of the precompile (EIP-2929)."""

    def sstore(self, slot: int, value: int) -> None:
        """Charges and writes a storage slot (EIP-2200 sentry and net metering, EIP-2929, EIP-3529)."""

    def log(self, topics: tuple[int, ...], data: bytes) -> None:
        """Charges and appends a log of the precompile."""

    def pay(self, recipient: int, amount: int) -> bool:
        """A CALL with `amount` wei, no data, and no gas except the stipend. Charged like the CALL opcode. May
        re-enter.
        """

    def ecrecover(self, digest: bytes, v: int, r: int, s: int) -> int:
        """The signer's address, or 0 for an invalid signature. The precompile has already charged for it."""
