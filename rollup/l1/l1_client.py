"""The L1 calls that batcher and proposer need: a few methods of its JSON-RPC, as a protocol. `rollup.l1` has two
implementations: the mock L1 in the same process, and HTTP.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from derivation.errors import Temporary
from rollup.l1.sidecar import BlobSidecar
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.transaction import Transaction

_Answer = TypeVar("_Answer")


class TransactionRefused(ValueError):
    """L1's pool refuses a transaction. The text is the pool's (geth's wording)."""


class AlreadyPooled(TransactionRefused):
    """L1's pool already holds this transaction, which counts as accepted."""


@dataclass(slots=True, frozen=True)
class L1Receipt:
    """The place of a transaction in the canonical chain and its cost. Prices are in wei per unit of (blob) gas."""

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
    """An L1 node. Every call raises derivation.errors.Temporary if the node cannot be reached."""

    def head(self) -> L1BlockRef:
        """The latest block."""

    def nonce(self, address: Address) -> int:
        """The account's nonce at the latest block."""

    def pending_nonce(self, address: Address) -> int:
        """The account's next nonce, counting what waits in the pool."""

    def base_fee(self) -> int:
        """The base fee of the next block, in wei."""

    def blob_base_fee(self) -> int | None:
        """The blob base fee of the next block, in wei; None where it takes no blobs."""

    def suggested_tip(self) -> int:
        """A priority fee that gets included, in wei."""

    def send_raw_transaction(self, raw: bytes) -> Hash:
        """Hands in EIP-2718 bytes, a blob transaction in its network form; raises TransactionRefused."""

    def send_blob_transaction(self, transaction: Transaction, sidecar: BlobSidecar) -> Hash:
        """Hands in a blob transaction with blobs that this process has committed to; raises TransactionRefused."""

    def receipt(self, tx_hash: Hash) -> L1Receipt | None:
        """The receipt while the transaction is in the canonical chain."""

    def call(self, to: Address, data: bytes) -> bytes:
        """eth_call at the latest block; raises TransactionRefused when it reverts."""


class PatientL1Client:
    """An L1 client that repeats a call a few times at once if it fails temporarily, for nodes that drop some calls.

    A call that fails every time still raises Temporary, and the caller's next step tries again. A transaction that is
    sent twice is `already known` to the pool, which counts as accepted.
    """

    def __init__(self, client: L1Client, attempts: int = 3) -> None:
        self._client = client
        self._attempts = attempts

    def head(self) -> L1BlockRef:
        """The latest block."""
        return self._ask(self._client.head)

    def nonce(self, address: Address) -> int:
        """The account's nonce at the latest block."""
        return self._ask(lambda: self._client.nonce(address))

    def pending_nonce(self, address: Address) -> int:
        """The account's next nonce, counting what waits in the pool."""
        return self._ask(lambda: self._client.pending_nonce(address))

    def base_fee(self) -> int:
        """The base fee of the next block, in wei."""
        return self._ask(self._client.base_fee)

    def blob_base_fee(self) -> int | None:
        """The blob base fee of the next block, in wei; None where it takes no blobs."""
        return self._ask(self._client.blob_base_fee)

    def suggested_tip(self) -> int:
        """A priority fee that gets included, in wei."""
        return self._ask(self._client.suggested_tip)

    def send_raw_transaction(self, raw: bytes) -> Hash:
        """Hands in EIP-2718 bytes, a blob transaction in its network form; raises TransactionRefused."""
        return self._ask(lambda: self._client.send_raw_transaction(raw))

    def send_blob_transaction(self, transaction: Transaction, sidecar: BlobSidecar) -> Hash:
        """Hands in a blob transaction with blobs that this process has committed to; raises TransactionRefused."""
        return self._ask(lambda: self._client.send_blob_transaction(transaction, sidecar))

    def receipt(self, tx_hash: Hash) -> L1Receipt | None:
        """The receipt while the transaction is in the canonical chain."""
        return self._ask(lambda: self._client.receipt(tx_hash))

    def call(self, to: Address, data: bytes) -> bytes:
        """eth_call at the latest block; raises TransactionRefused when it reverts."""
        return self._ask(lambda: self._client.call(to, data))

    def _ask(self, question: Callable[[], _Answer]) -> _Answer:
        for _ in range(self._attempts - 1):
            try:
                return question()
            except Temporary:
                continue
        return question()
