"""What batcher and proposer ask of L1: a few calls of its JSON-RPC, as a protocol.

`rollup.l1` gives two: one over the mock L1 in the same process, one over HTTP.
"""

from dataclasses import dataclass
from typing import Protocol

from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.primitives import Address, Hash


class TransactionRefused(ValueError):
    """L1's pool does not take a transaction; the text is the pool's (geth's words)."""


@dataclass(slots=True, frozen=True)
class L1Receipt:
    """Where a transaction landed in the canonical chain and what it cost; prices in wei a unit of (blob) gas."""

    transaction_hash: Hash
    block_hash: Hash
    block_number: int
    status: int  # 1 success, 0 failure
    gas_used: int
    effective_gas_price: int
    blob_gas_used: int = 0
    blob_gas_price: int = 0

    @property
    def cost(self) -> int:
        """Wei paid for gas and blobs."""
        return self.gas_used * self.effective_gas_price + self.blob_gas_used * self.blob_gas_price


class L1Client(Protocol):
    """An L1 node. Every call may raise derivation.errors.Temporary when the node cannot be reached."""

    def head(self) -> L1BlockRef:
        """The latest block."""

    def nonce(self, address: Address) -> int:
        """The account's nonce at the latest block."""

    def pending_nonce(self, address: Address) -> int:
        """The account's next nonce, counting what waits in the pool."""

    def base_fee(self) -> int:
        """The base fee of the next block, in wei."""

    def blob_base_fee(self) -> int:
        """The blob base fee of the next block, in wei."""

    def suggested_tip(self) -> int:
        """A priority fee that gets included, in wei."""

    def send_raw_transaction(self, raw: bytes) -> Hash:
        """Hands in EIP-2718 bytes, a blob transaction in its network form; raises TransactionRefused."""

    def receipt(self, tx_hash: Hash) -> L1Receipt | None:
        """The receipt while the transaction is in the canonical chain."""

    def call(self, to: Address, data: bytes) -> bytes:
        """eth_call at the latest block; raises TransactionRefused when it reverts."""
