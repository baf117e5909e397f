"""Whether a chain stands still: one plain line for each thing that is behind, and what to do about it."""

from dataclasses import dataclass

_SAFE_LAG_L1_BLOCKS = 10  # a batch takes two or three; a few more are an L1 reorganisation or a full block
_LATE_BLOCKS = 5
STALL_NAMES = ("safe head", "L2 blocks", "L1 blocks")


@dataclass(slots=True, frozen=True)
class ChainProgress:
    """Where a node's heads are: numbers of blocks, times in seconds.

    posts: False where the safe head is not expected to move, until the batcher is started by hand.
    """

    now: float
    l1_time: int
    l1_block_time: int
    l2_head: int
    l2_time: int
    l2_block_time: int
    safe_head: int
    safe_time: int
    is_sequencing: bool
    is_batching: bool
    posts: bool = True


def stalls(progress: ChainProgress) -> dict[str, str]:
    """The parts of a node that have fallen behind, each with a text; empty while everything keeps its pace."""
    found = {}
    lag = progress.l2_time - progress.safe_time
    if (progress.posts or progress.is_batching) and lag > _SAFE_LAG_L1_BLOCKS * max(
        progress.l1_block_time, progress.l2_block_time
    ):
        found["safe head"] = (
            f"block {progress.safe_head} is {progress.l2_head - progress.safe_head} blocks ({lag} s) behind the head; "
            + ("the lines of the batcher say why" if progress.is_batching else "admin_startBatcher starts the batcher")
        )
    late = progress.now - progress.l2_time
    if progress.is_sequencing and late > _LATE_BLOCKS * progress.l2_block_time:
        found["L2 blocks"] = f"the newest is {late:.0f} s old; blocks take longer to build than --block-time allows"
    late = progress.now - progress.l1_time
    if late > 2 * progress.l1_block_time + _LATE_BLOCKS:
        found["L1 blocks"] = (
            f"the newest is {late:.0f} s old; L2 blocks carry no transactions once L1 is too far behind"
        )
    return found
