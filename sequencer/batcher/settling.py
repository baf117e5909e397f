"""Where the batcher begins: at the safe head, once L1 has nothing of it left that derivation has not read."""

from dataclasses import dataclass, replace
from typing import Protocol

from rollup.l1.l1_client import L1Client
from rollup.protocol.blockref import BlockId, L1BlockRef, L2BlockRef
from sequencer.batcher.tx_manager import TxManager

_NOT_BEGUN = -1


class DerivationStatus(Protocol):
    """The progress of the node's own derivation; implemented by derivation.driver.Verifier."""

    @property
    def safe_head(self) -> L2BlockRef:
        """The newest L2 block derived from L1 data."""

    @property
    def current_l1(self) -> L1BlockRef | None:
        """The L1 block whose data is being read. All blocks before it are done. None before derivation has begun."""


def derived_to(status: DerivationStatus) -> int:
    """The number of the L1 block that derivation is reading, -1 before it has begun."""
    current = status.current_l1
    return current.number if current is not None else _NOT_BEGUN


@dataclass(slots=True)
class SettlingState:
    """The progress of Settling: the L1 block that derivation must reach, and the nonce that is stuck and since when."""

    reach: int | None = None
    stuck_since: tuple[int, int] | None = None  # the account's nonce, and the L1 block it was first seen at


class Settling:
    """Waits after a start until no transaction of the key is pending and derivation has read all of L1's chain."""

    def __init__(self, client: L1Client, manager: TxManager, status: DerivationStatus, resubmit_after: int) -> None:
        """resubmit_after: L1 blocks after which a transaction of an earlier run is replaced."""
        self._client = client
        self._manager = manager
        self._status = status
        self._resubmit_after = resubmit_after
        self._state = SettlingState()

    def reset(self) -> None:
        """Begins to wait again."""
        self._state = SettlingState()

    def start_from(self, head: L1BlockRef) -> BlockId | str:
        """The L2 block to continue from, or in words what the batcher must wait for. May send transactions."""
        state, address = self._state, self._manager.address
        foreign = self._manager.foreign_in_flight()
        if foreign:
            state.reach = None
            self._replace_if_stuck(head)
            return f"{foreign} transactions of 0x{address.hex()} sent before the start"
        state.stuck_since = None
        if state.reach is None:
            state.reach = head.number if self._client.nonce(address) else _NOT_BEGUN
        if derived_to(self._status) < state.reach:
            return f"derivation to reach L1 block {state.reach}"
        return self._status.safe_head.id

    def capture(self) -> SettlingState:
        """A copy of the current state."""
        return replace(self._state)

    def restore(self, state: SettlingState) -> None:
        """Restores a state of capture."""
        self._state = replace(state)

    def _replace_if_stuck(self, head: L1BlockRef) -> None:
        """Replaces a transaction of an earlier run that L1 does not include because its fees have become too low. It
        would block every batch.
        """
        nonce, since = self._client.nonce(self._manager.address), self._state.stuck_since
        if since is None or since[0] != nonce or head.number < since[1]:
            self._state.stuck_since = nonce, head.number
        elif head.number - since[1] >= self._resubmit_after:
            self._manager.take_over()
            self._manager.step()
