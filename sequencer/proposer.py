"""The proposer: puts output roots of L2 blocks into the L2OutputOracle contract on L1.

Source: specs protocol/proposals.md, "Proposing L2 Output Commitments".
"""

from collections.abc import Callable
from dataclasses import dataclass

from rollup.execution.chain import Chain
from rollup.execution.state.database import StateUnavailable
from rollup.l1.l1_client import L1Client, PatientL1Client, TransactionRefused
from rollup.protocol.block import Block
from rollup.protocol.blockref import L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.outputs import output_root
from rollup.protocol.predeploys import L2_TO_L1_MESSAGE_PASSER
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, Address, Hash, keccak256
from sequencer.batcher.tx_manager import NonceTaken, TrackedTx, TxCandidate, TxManager, TxSnapshot

_PROPOSE = keccak256(b"proposeL2Output(bytes32,uint256,bytes32,uint256)")[:4]
_NEXT_BLOCK_NUMBER = keccak256(b"nextBlockNumber()")[:4]
_SUBMISSION_INTERVAL = keccak256(b"SUBMISSION_INTERVAL()")[:4]
_MAX_PENDING = 64  # proposals on the way at once: an L1 block may come after many of the oracle's intervals
_PROPOSE_GAS = 300_000  # two storage slots of a new array element and an event, with room


class ProposalRefused(Exception):
    """The output oracle reverted a proposal: not the proposer's key, or an L1 block it does not know any more."""


class ProposerStateError(ValueError):
    """The proposer is running already, or is stopped already."""


class OutputUnavailable(Exception):
    """The output root of a block cannot be computed: before Isthmus it needs the block's state, which is gone."""


@dataclass(slots=True, frozen=True)
class OutputPosted:
    """A proposal included on L1; cost in wei."""

    l2_block: int
    output_root: Hash
    transaction_hash: Hash
    l1_block: int
    cost: int


@dataclass(slots=True, frozen=True)
class _Proposal:
    """A proposal on the way."""

    tracked: TrackedTx
    number: int
    root: Hash


@dataclass(slots=True, frozen=True)
class ProposerSnapshot:
    """A proposer's unfinished work."""

    manager: TxSnapshot
    pending: list["_Proposal"]
    is_active: bool


class Proposer:
    """Proposes at every block the oracle asks for, once that block is safe (or finalized)."""

    def __init__(
        self,
        config: RollupConfig,
        chain: Chain,
        client: L1Client,
        private_key: bytes,
        oracle: Address,
        *,
        proposable_head: Callable[[], L2BlockRef],
        confirmations: int = 1,
    ) -> None:
        """proposable_head: the newest L2 block that may be proposed; finalized is safe from L1 reorgs."""
        self._config = config
        self._chain = chain
        self._client: L1Client = PatientL1Client(client)
        self._oracle = oracle
        self._proposable_head = proposable_head
        self._manager = TxManager(client, private_key, config.l1_chain_id, confirmations=confirmations)
        self._pending: list[_Proposal] = []  # in the order of their blocks
        self._active = True

    @property
    def address(self) -> Address:
        """The account that proposes."""
        return self._manager.address

    @property
    def is_active(self) -> bool:
        """False while stopped."""
        return self._active

    def start(self) -> None:
        """Makes proposals again; raises ProposerStateError while it does."""
        if self._active:
            raise ProposerStateError("proposer is already running")
        self._active = True

    def stop(self) -> None:
        """Makes no more proposals, while one that is out is followed; raises ProposerStateError while stopped."""
        if not self._active:
            raise ProposerStateError("proposer is not running")
        self._active = False

    def step(self) -> list[OutputPosted]:
        """Follows the proposals that are out, and makes the next ones; returns those that are confirmed now.

        Raises ProposalRefused when the oracle reverted one; OutputUnavailable when the next one cannot be computed;
        derivation.errors.Temporary when L1 cannot be asked.
        """
        # spec: output.interval
        try:
            head = self._manager.step()
        except NonceTaken:
            self._manager.reset()
            self._pending.clear()
            return []
        posted = self._settle(head.number)
        if self._active and not posted:
            self._propose(head)
        return posted

    def _propose(self, head: L1BlockRef) -> None:
        """Sends a proposal for each block that the oracle will want, as far as blocks may be proposed.

        Several at once: an L1 block may be longer than the oracle's interval, and before Isthmus an output needs the
        block's state, which is pruned once the block is final.
        """
        number = self._pending[-1].number + self._interval() if self._pending else self.next_block_number()
        last = self._proposable_head().number
        count = len(self._pending)
        try:
            while number <= last and len(self._pending) < _MAX_PENDING:
                block = self._chain.block_by_number(number)
                if block is None:
                    break
                root = self.output_root(block)
                data = _PROPOSE + root + number.to_bytes(32, "big") + head.hash + head.number.to_bytes(32, "big")
                tracked = self._manager.submit(TxCandidate(self._oracle, data, gas_limit=_PROPOSE_GAS))
                self._pending.append(_Proposal(tracked, number, root))
                number += self._interval()
        finally:
            if len(self._pending) > count:
                self._manager.step()

    def capture(self) -> ProposerSnapshot:
        """The unfinished work."""
        return ProposerSnapshot(self._manager.capture(), list(self._pending), self._active)

    def restore(self, snapshot: ProposerSnapshot) -> None:
        """Continues the captured work."""
        self._manager.restore(snapshot.manager)
        self._pending, self._active = list(snapshot.pending), snapshot.is_active

    def next_block_number(self) -> int:
        """The L2 block the oracle wants next; raises ProposalRefused where the oracle does not answer."""
        return self._ask("nextBlockNumber()", _NEXT_BLOCK_NUMBER)

    def _interval(self) -> int:
        """L2 blocks between two outputs."""
        return max(self._ask("SUBMISSION_INTERVAL()", _SUBMISSION_INTERVAL), 1)

    def _ask(self, name: str, selector: bytes) -> int:
        try:
            answer = self._client.call(self._oracle, selector)
        except TransactionRefused as error:
            raise ProposalRefused(f"the output oracle does not answer {name}: {error}") from error
        return int.from_bytes(answer, "big")

    def output_root(self, block: Block) -> Hash:
        """The output root of an L2 block of this chain; raises OutputUnavailable."""
        return output_root(block.header.state_root, self._message_passer_root(block), block.hash)

    def _message_passer_root(self, block: Block) -> Hash:
        """The withdrawals root. From Isthmus it is in the header (specs protocol/isthmus/exec-engine.md)."""
        if self._config.is_isthmus(block.timestamp) and block.header.withdrawals_root is not None:
            return block.header.withdrawals_root
        try:
            account = self._chain.state_at(block.hash).account(L2_TO_L1_MESSAGE_PASSER)
        except StateUnavailable as error:
            raise OutputUnavailable(
                f"the state of L2 block {block.number} is no longer kept, and its output root needs it; "
                "only a node that ran with --archive from the beginning can propose it"
            ) from error
        return account.storage_root if account is not None else EMPTY_TRIE_ROOT

    def _settle(self, head: int) -> list[OutputPosted]:
        """Takes the confirmed proposals off the list, oldest first; raises ProposalRefused for one that reverted."""
        posted: list[OutputPosted] = []
        while self._pending:
            proposal = self._pending[0]
            receipt = proposal.tracked.receipt
            if receipt is None or not proposal.tracked.is_confirmed(head, self._manager.confirmations):
                break
            if receipt.status != 1:
                if posted:
                    break  # said at the next step: what was posted is reported first
                del self._pending[0]
                raise ProposalRefused(f"the output oracle reverted the proposal of L2 block {proposal.number}")
            del self._pending[0]
            posted.append(
                OutputPosted(
                    proposal.number, proposal.root, receipt.transaction_hash, receipt.block_number, receipt.cost
                )
            )
        return posted
