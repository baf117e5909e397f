"""The opcode loop, faster than py-evm's and to the same effect.

py-evm looks up, charges and runs opcode by opcode, checking the stack's depth and types at every push and pop. Here a
code is read once into basic blocks (blocks.py), each with the gas of its opcodes and the stack it needs, checked on
entry. Blocks that run often are compiled to Python functions (compiler.py).
"""

from typing import Any

from eth.exceptions import FullStack, Halt, InsufficientStack

from rollup.execution.vms.blocks import BRANCH, JUMP, JUMPI, NEXT, RETURN, STOP
from rollup.execution.vms.frame import STACK_LIMIT, Frame


def run(computation: Any) -> None:
    """Runs a computation's code to its end; raises py-evm's VMError subclasses as its own loop does."""
    program = computation.state.execution_context.programs.of(computation)
    program.warm_up()
    blocks, stack = program.blocks, computation._stack.values
    frame, meter = Frame(computation, program), computation._gas_meter
    position = 0
    try:
        while True:
            block = blocks.get(position)
            if block is None:
                block = program.read(position)
            needed, gained, gas, handlers, kind, target, position = block
            size = len(stack)
            if size < needed:
                raise InsufficientStack(f"Wanted {needed} stack items, only had {size}")
            if size + gained > STACK_LIMIT:
                raise FullStack("Stack limit reached")
            left = meter.gas_remaining - gas
            if left < frame.floor:
                frame.pass_floor(left)
            meter.gas_remaining = left
            for handler, argument in handlers:
                handler(frame, stack, argument)
            if kind == NEXT:
                if target >= 0:
                    position = target
            elif kind == BRANCH:
                if stack.pop():
                    position = target
            elif kind == JUMP:
                position = program.jump(stack.pop())
            elif kind == JUMPI:
                destination = stack.pop()
                if stack.pop():
                    position = program.jump(destination)
            elif kind == RETURN:
                computation.output = frame.read(stack.pop(), stack.pop())
                return
            elif kind == STOP:
                return
            else:
                position = target(frame, stack)
                if position < 0:
                    return
    except Halt:
        return
