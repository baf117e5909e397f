"""The proposer: puts output roots of L2 blocks into the L2OutputOracle contract on L1.

Source: specs protocol/proposals.md, "Proposing L2 Output Commitments".
"""

from collections.abc import Callable
from dataclasses import dataclass

from rollup.execution.chain import Chain
from rollup.execution.state.database import StateUnavailable
from rollup.l1.l1_client import L1Client, PatientL1Client, TransactionRefused
from rollup.protocol.block import Block
from rollup.protocol.blockref import L2BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.outputs import output_root
from rollup.protocol.predeploys import L2_TO_L1_MESSAGE_PASSER
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, Address, Hash, keccak256
from sequencer.batcher.tx_manager import NonceTaken, TrackedTx, TxCandidate, TxManager, TxSnapshot

_PROPOSE = keccak256(b"proposeL2Output(bytes32,uint256,bytes32,uint256)")[:4]
_NEXT_BLOCK_NUMBER = keccak256(b"nextBlockNumber()")[:4]
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
class ProposerSnapshot:
    """What a proposer had under way."""

    manager: TxSnapshot
    pending: tuple[TrackedTx, int, Hash] | None
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
        self._pending: tuple[TrackedTx, int, Hash] | None = None
        self._active = True

    @property
    def address(self) -> Address:
        """Who proposes."""
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

    def step(self) -> OutputPosted | None:
        """Follows the proposal that is out, or makes the next one; returns a proposal once it is confirmed.

        Raises ProposalRefused when the oracle reverted one; OutputUnavailable when the next one cannot be computed;
        derivation.errors.Temporary when L1 cannot be asked.
        """
        # spec: output.interval
        try:
            head = self._manager.step()
        except NonceTaken:
            self._manager.reset()
            self._pending = None
            return None
        if self._pending is not None:
            return self._settle(self._pending, head.number)
        if not self._active:
            return None
        number = self.next_block_number()
        if self._proposable_head().number < number:
            return None
        block = self._chain.block_by_number(number)
        if block is None:
            return None
        root = self.output_root(block)
        data = _PROPOSE + root + number.to_bytes(32, "big") + head.hash + head.number.to_bytes(32, "big")
        tracked = self._manager.submit(TxCandidate(self._oracle, data, gas_limit=_PROPOSE_GAS))
        self._pending = (tracked, number, root)
        self._manager.step()
        return None

    def capture(self) -> ProposerSnapshot:
        """What is under way now."""
        return ProposerSnapshot(self._manager.capture(), self._pending, self._active)

    def restore(self, snapshot: ProposerSnapshot) -> None:
        """Goes on as it would have gone on then."""
        self._manager.restore(snapshot.manager)
        self._pending, self._active = snapshot.pending, snapshot.is_active

    def next_block_number(self) -> int:
        """The L2 block the oracle wants next; raises ProposalRefused where the oracle does not answer."""
        try:
            answer = self._client.call(self._oracle, _NEXT_BLOCK_NUMBER)
        except TransactionRefused as error:
            raise ProposalRefused(f"the output oracle does not answer nextBlockNumber(): {error}") from error
        return int.from_bytes(answer, "big")

    def output_root(self, block: Block) -> Hash:
        """The output root of an L2 block of ours; raises OutputUnavailable."""
        return output_root(block.header.state_root, self._message_passer_root(block), block.hash)

    def _message_passer_root(self, block: Block) -> Hash:
        """From Isthmus it is in the header (specs protocol/isthmus/exec-engine.md); before, in the state."""
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

    def _settle(self, pending: tuple[TrackedTx, int, Hash], head: int) -> OutputPosted | None:
        tracked, number, root = pending
        receipt = tracked.receipt
        if receipt is None or not tracked.is_confirmed(head, self._manager.confirmations):
            return None
        self._pending = None
        if receipt.status != 1:
            raise ProposalRefused(f"the output oracle reverted the proposal of L2 block {number}")
        return OutputPosted(number, root, receipt.transaction_hash, receipt.block_number, receipt.cost)
