"""The start of a derived chain whose states are gone: it goes back as far as it must and is derived again from L1.

A directory gets so by an older version, which kept the states of fewer blocks, or by damage. Everything of an L2 chain
up to its safe head is in L1 data. Users' transactions of later blocks go back into the pool.
"""

from collections.abc import Callable

from derivation.driver import Progress, Verifier
from derivation.errors import StatesGone
from rollup.events import WentBack
from rollup.execution.chain import Chain
from rollup.execution.chain_recovery import empty, go_back, lacks_states, newest_with_state
from rollup.pool.journal import PoolJournal
from rollup.protocol.blockref import L1BlockRef, L2BlockRef

Opener = Callable[[bool], Chain]
OnProgress = Callable[[L1BlockRef, L2BlockRef], None]  # the L1 block that is being read, and the safe head
_STEPS = 100  # of derivation, between two looks
_REPORTED_EVERY = 100  # L1 blocks


def open_derived(
    name: str, opened: Opener, derivation_of: Callable[[Chain], Verifier], on_progress: OnProgress
) -> tuple[Chain, WentBack | None]:
    """Opens a chain from which derivation can continue, and says what had to be done for it.

    opened opens the chain, and is given whether the head's state must be there. on_progress is called now and then
    while L1 is read. Raises Critical, StoreError.
    """
    chain = opened(False)
    if not lacks_states(chain):
        return chain, None
    head, safe = chain.head.number, chain.safe.number
    reason = "" if chain.has_state(chain.head.header) else f"the state of the head, block {head}, is missing"
    if not reason:
        reason = _derive(derivation_of(chain), on_progress)
        if not reason:
            return chain, None  # L1 contradicts nothing: the states that are gone are not needed
    _keep_transactions(chain)
    target = newest_with_state(chain, safe)
    went_to = 0 if target is None else target.number
    if target is not None:
        go_back(chain, target)
        chain = opened(True)
    if target is None or _derive(derivation_of(chain), on_progress):
        empty(chain.store)
        chain, went_to = opened(True), 0
        _derive(derivation_of(chain), on_progress)
    return chain, WentBack(name, head, went_to, chain.head.number, reason)


def _derive(derivation: Verifier, on_progress: OnProgress) -> str:
    """Derives all that L1 has; returns why it cannot continue without older states, or None."""
    on_progress(derivation.current_l1, derivation.safe_head)
    reported = derivation.current_l1.number
    try:
        while derivation.sync(_STEPS) not in (Progress.IDLE, Progress.RETRY):
            if derivation.current_l1.number >= reported + _REPORTED_EVERY:
                reported = derivation.current_l1.number
                on_progress(derivation.current_l1, derivation.safe_head)
    except StatesGone as error:
        return str(error)
    return ""


def _keep_transactions(chain: Chain) -> None:
    """Writes the users' transactions of blocks that are not safe into the pool's journal, from where it takes them."""
    kept = []
    for number in range(chain.safe.number + 1, chain.head.number + 1):
        block = chain.block_by_number(number)
        if block is not None:
            kept += [item for item in block.transactions if not item.is_deposit]
    journal = PoolJournal(chain.store)
    journal.load()
    journal.update(kept)
