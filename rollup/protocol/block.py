"""A block: header, transactions, and on L1 its withdrawals (the mock L1 has none)."""

from dataclasses import dataclass, field

from rollup.protocol.header import Header
from rollup.protocol.primitives import (
    Address,
    Hash,
    RlpError,
    RlpItem,
    from_int_bytes,
    rlp_decode,
    rlp_encode,
    to_int_bytes,
)
from rollup.protocol.receipt import Receipt
from rollup.protocol.transaction import Transaction, decode_transaction


@dataclass(slots=True, frozen=True)
class Withdrawal:
    """A validator's withdrawal (EIP-4895): the amount in gwei."""

    index: int
    validator_index: int
    address: Address
    amount: int

    def encode(self) -> bytes:
        """The RLP in the withdrawals trie."""
        numbers = to_int_bytes(self.index), to_int_bytes(self.validator_index)
        return rlp_encode([*numbers, self.address, to_int_bytes(self.amount)])

    @classmethod
    def from_fields(cls, fields: object) -> "Withdrawal":
        """Builds a withdrawal from its RLP list; raises RlpError."""
        if not isinstance(fields, list) or len(fields) != 4 or not all(isinstance(field, bytes) for field in fields):
            raise RlpError("not a withdrawal: a list of 4 fields is expected")
        index, validator_index, address, amount = fields
        if len(address) != 20:
            raise RlpError(f"not a withdrawal: an address of {len(address)} bytes")
        return cls(from_int_bytes(index, 8), from_int_bytes(validator_index, 8), address, from_int_bytes(amount, 8))


@dataclass(slots=True)
class Block:
    """A sealed block; hash is its header's, computed once."""

    header: Header
    transactions: list[Transaction] = field(default_factory=list)
    hash: Hash = b""
    withdrawals: list[Withdrawal] = field(default_factory=list)  # L1 only
    _size: int | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.hash:
            self.hash = self.header.hash

    @property
    def number(self) -> int:
        """The block's height."""
        return self.header.number

    @property
    def timestamp(self) -> int:
        """Seconds since the epoch."""
        return self.header.timestamp

    @property
    def size(self) -> int:
        """Bytes of the block's RLP, counted once."""
        if self._size is None:
            self._size = len(self.encode())
        return self._size

    def encode(self) -> bytes:
        """The block RLP of debug_getRawBlock: header, transactions, uncles, and withdrawals where the fork has them."""
        transactions = [rlp_decode(tx.encode()) if tx.tx_type == 0 else tx.encode() for tx in self.transactions]
        body: list[RlpItem] = [rlp_decode(self.header.encode()), transactions, []]
        if self.header.withdrawals_root is not None:
            body.append([rlp_decode(withdrawal.encode()) for withdrawal in self.withdrawals])
        return rlp_encode(body)

    @classmethod
    def decode(cls, data: bytes) -> "Block":
        """The reverse of encode; raises RlpError, or TransactionError for an invalid transaction. A block with uncles,
        or with withdrawals that its header does not commit to, is invalid (EIP-3675, EIP-4895).
        """
        body = rlp_decode(data)
        if not isinstance(body, list) or not 3 <= len(body) <= 4 or not all(isinstance(part, list) for part in body):
            raise RlpError("not a block: a list of 3 or 4 lists is expected")
        header = Header.from_fields(body[0])
        if body[2]:
            raise RlpError("not a block: it has uncles")
        if (len(body) == 4) != (header.withdrawals_root is not None):
            raise RlpError("not a block: withdrawals and the header's withdrawals root go together")
        transactions = [decode_transaction(_envelope(item)) for item in body[1]]
        withdrawals = [Withdrawal.from_fields(item) for item in body[3]] if len(body) == 4 else []
        return cls(header, transactions, withdrawals=withdrawals)


def _envelope(item: RlpItem) -> bytes:
    """A transaction's bytes in a block's list; a legacy transaction is a list there."""
    if isinstance(item, bytes):
        if not item or item[0] >= 0xC0:
            raise RlpError("not a block: a legacy transaction is written as bytes")
        return item
    return rlp_encode(item)


@dataclass(slots=True)
class ExecutedBlock:
    """A block and the results of its execution: one receipt per transaction."""

    block: Block
    receipts: list[Receipt]
