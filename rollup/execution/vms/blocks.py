"""Basic blocks: runs of opcodes that begin at one place and end at a jump, or where gas becomes visible.

What ends a block early is an exceptional halt, which takes all gas and undoes the frame. So the gas of a block is
charged, and the stack that it needs is checked, when it begins.
"""

from collections.abc import Callable
from typing import Any

from rollup.execution.vms.frame import Frame
from rollup.execution.vms.opcodes import Handler, Stack

# How the code continues after a block. COMPILED: its target is a Region, which stands for the block and those after it.
NEXT, JUMP, JUMPI, BRANCH, STOP, RETURN, COMPILED = range(7)
# Stack needed, stack gained at most, gas, (handler, argument) pairs, how it continues, jump target or -1, next
# position.
Block = tuple[int, int, int, tuple[tuple[Handler, Any], ...], int, Any, int]
# Runs in a frame and returns the position where the code continues; below 0 if the frame has ended.
Region = Callable[[Frame, Stack], int]


def count(frame: Frame, stack: Stack, counter: list[int]) -> None:
    """Counts a run of the block that begins here. counter: the block's position, and its runs so far."""
    counter[1] += 1
    if frame.program.is_due(counter[1]):
        frame.program.compile(counter[0])
