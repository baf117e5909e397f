"""A block as a layer keeps it: header, transactions, and on L1 its withdrawals (always none here)."""

from dataclasses import dataclass, field

from rollup.protocol.header import Header
from rollup.protocol.primitives import Hash, rlp_decode, rlp_encode
from rollup.protocol.receipt import Receipt
from rollup.protocol.transaction import Transaction


@dataclass(slots=True)
class Block:
    """A sealed block; hash is its header's, computed once."""

    header: Header
    transactions: list[Transaction] = field(default_factory=list)
    hash: Hash = b""

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

    def encode(self) -> bytes:
        """The block RLP of debug_getRawBlock: header, transactions, uncles, and withdrawals where the fork has them."""
        transactions = [rlp_decode(tx.encode()) if tx.tx_type == 0 else tx.encode() for tx in self.transactions]
        body: list[object] = [rlp_decode(self.header.encode()), transactions, []]
        if self.header.withdrawals_root is not None:
            body.append([])
        return rlp_encode(body)  # type: ignore[arg-type]


@dataclass(slots=True)
class ExecutedBlock:
    """A block with what its execution left: a receipt a transaction."""

    block: Block
    receipts: list[Receipt]
