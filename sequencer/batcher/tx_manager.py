"""Gets transactions into L1: nonces, fees, resubmission, confirmations.

A transaction is followed until its owner lets it go: an L1 reorg that drops it has it sent again, one that waits too
long is replaced by the same with higher fees.
"""

from dataclasses import dataclass, field, replace

from rollup.l1.kzg import BLOB_SIZE
from rollup.l1.l1_client import AlreadyPooled, L1Client, L1Receipt, PatientL1Client, TransactionRefused
from rollup.l1.sidecar import BlobSidecar, make_sidecar
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.keys import address_of_key
from rollup.protocol.primitives import Address
from rollup.protocol.transaction import BLOB, DYNAMIC_FEE, Transaction
from sequencer.batcher.da import L1Prices, calldata_gas

_BUMP_PERCENT = 10  # what geth's pool asks of a replacement; of a blob transaction twice the price
_BLOB_BUMP_PERCENT = 100


class NonceTaken(Exception):
    """Another transaction of the same account went in: what was sent here can never be included."""


@dataclass(slots=True, frozen=True)
class TxCandidate:
    """A transaction to send, with calldata or blobs (131,072 bytes each). gas_limit None: computed for plain data."""

    to: Address
    data: bytes = b""
    sidecar: BlobSidecar | None = None
    value: int = 0
    gas_limit: int | None = None


@dataclass(slots=True, frozen=True)
class _Version:
    """A signed transaction, and its blobs where it carries some."""

    transaction: Transaction
    sidecar: BlobSidecar | None


@dataclass(slots=True)
class TrackedTx:
    """One nonce's transaction, every version of it that was signed, and its receipt while it is included."""

    candidate: TxCandidate
    nonce: int
    versions: list["_Version"] = field(default_factory=list)
    tip: int = 0
    fee_cap: int = 0
    blob_fee_cap: int = 0
    sent_at: int | None = None  # L1 head at the last sending
    receipt: L1Receipt | None = None
    takes_over: bool = False  # it stands where an earlier run's transaction waits, whose fees are not known here
    is_underpriced: bool = False  # L1's pool wants more for it than for what it holds

    def is_confirmed(self, head: int, confirmations: int) -> bool:
        """True when included that many L1 blocks deep, its own counted."""
        return self.receipt is not None and head - self.receipt.block_number + 1 >= confirmations


@dataclass(slots=True, frozen=True)
class TxSnapshot:
    """The state of a transaction manager at one moment: each transaction that it followed, and a copy of its fields."""

    tracked: list[tuple[TrackedTx, TrackedTx]]
    next_nonce: int | None
    last_refusal: str | None


class TxManager:
    """Sends from one key. Every verb may raise derivation.errors.Temporary and can simply be called again."""

    def __init__(
        self,
        client: L1Client,
        private_key: bytes,
        chain_id: int,
        *,
        confirmations: int = 1,
        resubmit_after: int = 3,
        follow_depth: int = 64,
    ) -> None:
        """Numbers of L1 blocks: resubmit_after until fees are raised, follow_depth until a transaction is final."""
        self._client: L1Client = PatientL1Client(client)
        self._key = private_key
        self._chain_id = chain_id
        self.confirmations = confirmations
        self._resubmit_after = resubmit_after
        self._follow_depth = follow_depth
        self.address: Address = address_of_key(private_key)
        self._tracked: list[TrackedTx] = []
        self._next_nonce: int | None = None
        self.last_refusal: str | None = None

    @property
    def in_flight(self) -> int:
        """How many followed transactions are not in a block."""
        return sum(1 for tracked in self._tracked if tracked.receipt is None)

    @property
    def followed(self) -> int:
        """How many transactions are held with their data, so that they can be sent again."""
        return len(self._tracked)

    def foreign_in_flight(self) -> int:
        """Transactions of this account that wait in L1's pool and were not sent from here (before a restart)."""
        waiting = self._client.pending_nonce(self.address) - self._client.nonce(self.address)
        return max(
            0, waiting - sum(1 for tracked in self._tracked if tracked.receipt is None and tracked.sent_at is not None)
        )

    def submit(self, candidate: TxCandidate) -> TrackedTx:
        """Takes the next nonce for a candidate; the next step sends it."""
        if self._next_nonce is None:
            self._next_nonce = self._client.pending_nonce(self.address)
        tracked = TrackedTx(candidate, self._next_nonce)
        self._next_nonce += 1
        self._tracked.append(tracked)
        return tracked

    def take_over(self) -> int:
        """Puts an empty transaction in the place of each that foreign_in_flight counts; returns how many.

        Their fees are not known, so each is raised until L1's pool takes it. One that L1 includes nevertheless shows as
        NonceTaken.
        """
        first, last = self._client.nonce(self.address), self._client.pending_nonce(self.address)
        followed = {tracked.nonce for tracked in self._tracked}
        taken = [nonce for nonce in range(first, last) if nonce not in followed]
        self._tracked += [TrackedTx(TxCandidate(self.address), nonce, takes_over=True) for nonce in taken]
        self._next_nonce = last if self._next_nonce is None else max(last, self._next_nonce)
        return len(taken)

    def reset(self) -> None:
        """Stops following everything; the next nonce is asked of L1 again."""
        self._tracked.clear()
        self._next_nonce = None

    def capture(self) -> TxSnapshot:
        """A snapshot of the transactions that are followed now."""
        copies = [(tracked, replace(tracked, versions=list(tracked.versions))) for tracked in self._tracked]
        return TxSnapshot(copies, self._next_nonce, self.last_refusal)

    def restore(self, snapshot: TxSnapshot) -> None:
        """Follows the same transactions as then. They are the same objects, with the fields that they had."""
        for tracked, then in snapshot.tracked:
            for name in TrackedTx.__slots__:
                setattr(tracked, name, getattr(then, name))
            tracked.versions = list(then.versions)
        self._tracked = [tracked for tracked, _ in snapshot.tracked]
        self._next_nonce, self.last_refusal = snapshot.next_nonce, snapshot.last_refusal

    def step(self) -> L1BlockRef:
        """Sends what is unsent, looks for receipts, resends and raises fees; returns the L1 head it saw.

        Raises NonceTaken when a followed transaction can never be included.
        """
        # spec: holocene.batcher-order
        head = self._client.head()
        account_nonce = self._client.nonce(self.address)
        self._fill_gap(account_nonce)
        for tracked in self._tracked:
            self._follow(tracked, head, account_nonce)
        self._tracked = [item for item in self._tracked if not item.is_confirmed(head.number, self._follow_depth)]
        return head

    def prices(self) -> L1Prices:
        """The prices of the next L1 block."""
        blob_base_fee = self._client.blob_base_fee()
        has_blobs = blob_base_fee is not None
        return L1Prices(self._client.base_fee(), self._client.suggested_tip(), blob_base_fee or 0, has_blobs)

    def _fill_gap(self, account_nonce: int) -> None:
        """Puts empty transactions where L1's pool has lost some that another program sent with this key. What is
        followed has later nonces, and would wait for them without an end.
        """
        waiting = [tracked.nonce for tracked in self._tracked if tracked.receipt is None]
        first = min(waiting, default=account_nonce)
        if account_nonce >= first or self._client.pending_nonce(self.address) > account_nonce:
            return
        followed = {tracked.nonce for tracked in self._tracked}  # those also that a reorg of L1 has taken out again
        missing = [nonce for nonce in range(account_nonce, first) if nonce not in followed]
        self._tracked[:0] = [TrackedTx(TxCandidate(self.address), nonce, takes_over=True) for nonce in missing]

    def _follow(self, tracked: TrackedTx, head: L1BlockRef, account_nonce: int) -> None:
        tracked.receipt = self._find_receipt(tracked)
        if tracked.receipt is not None:
            return
        if tracked.nonce < account_nonce:
            if self._client.head() != head:
                return  # L1 moved between the two questions: ask again at the next step
            raise NonceTaken(f"nonce {tracked.nonce} of 0x{self.address.hex()} went to another transaction")
        if tracked.sent_at is None or head.number - tracked.sent_at >= self._resubmit_after:
            self._send_new_version(tracked, head)
        elif head.number < tracked.sent_at or self._client.pending_nonce(self.address) <= tracked.nonce:
            self._send(tracked, head, tracked.versions[-1])  # L1's pool lost it: a reorg, a restart

    def _find_receipt(self, tracked: TrackedTx) -> L1Receipt | None:
        for version in reversed(tracked.versions):
            receipt = self._client.receipt(version.transaction.hash)
            if receipt is not None:
                return receipt
        return None

    def _send_new_version(self, tracked: TrackedTx, head: L1BlockRef) -> None:
        """Sends at L1's prices, for a replacement at least a pool's bump above the last."""
        prices = self.prices()
        has_blobs = tracked.candidate.sidecar is not None
        bump = 0
        if tracked.sent_at is not None or tracked.is_underpriced:
            bump = _BLOB_BUMP_PERCENT if has_blobs else _BUMP_PERCENT
        before = tracked.tip, tracked.fee_cap, tracked.blob_fee_cap
        tracked.tip = max(prices.tip, _raised(tracked.tip, bump))
        # Twice the base fee holds for six full blocks in a row.
        tracked.fee_cap = max(2 * prices.base_fee + tracked.tip, _raised(tracked.fee_cap, bump))
        if has_blobs:
            tracked.blob_fee_cap = max(2 * prices.blob_base_fee, _raised(tracked.blob_fee_cap, bump))
        version = self._sign(tracked)
        tracked.versions.append(version)  # before sending: an answer that is lost may have been a yes
        if self._send(tracked, head, version):
            tracked.is_underpriced = False
            return
        tracked.versions.remove(version)
        refusal = self.last_refusal or ""
        tracked.is_underpriced = "underpriced" in refusal
        if not tracked.is_underpriced:
            tracked.tip, tracked.fee_cap, tracked.blob_fee_cap = before
        if tracked.takes_over and "already reserved" in refusal and not has_blobs:
            # Only a blob transaction may take a blob transaction's place (geth core/txpool/errors.go).
            tracked.candidate = replace(tracked.candidate, sidecar=make_sidecar((bytes(BLOB_SIZE),)))

    def _sign(self, tracked: TrackedTx) -> _Version:
        candidate = tracked.candidate
        sidecar = candidate.sidecar
        transaction = Transaction(
            DYNAMIC_FEE if sidecar is None else BLOB,
            nonce=tracked.nonce,
            gas_limit=candidate.gas_limit if candidate.gas_limit is not None else calldata_gas(candidate.data),
            to=candidate.to,
            value=candidate.value,
            data=candidate.data,
            chain_id=self._chain_id,
            max_fee_per_gas=tracked.fee_cap,
            max_priority_fee_per_gas=tracked.tip,
            max_fee_per_blob_gas=tracked.blob_fee_cap,
            blob_versioned_hashes=sidecar.versioned_hashes if sidecar is not None else (),
        ).signed(self._key)
        return _Version(transaction, sidecar)

    def _send(self, tracked: TrackedTx, head: L1BlockRef, version: _Version) -> bool:
        """Hands one version in; false when L1's pool refuses it, and last_refusal says why."""
        try:
            if version.sidecar is None:
                self._client.send_raw_transaction(version.transaction.encode())
            else:
                self._client.send_blob_transaction(version.transaction, version.sidecar)
        except AlreadyPooled:
            pass  # an earlier call handed it in, and its answer was lost
        except TransactionRefused as error:
            self.last_refusal = str(error)
            return False
        self.last_refusal = None
        tracked.sent_at = head.number
        return True


def _raised(price: int, percent: int) -> int:
    """The price plus a bump in percent, rounded up: at least one wei more."""
    return price if percent == 0 else max(price + 1, -(-price * (100 + percent) // 100))
