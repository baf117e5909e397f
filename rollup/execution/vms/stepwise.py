"""The opcode loop one opcode at a time, for tracers: the handlers and the gas table of interpreter.py."""

from typing import Any

from eth.exceptions import (
    ContractCreationCollision,
    Halt,
    InsufficientFunds,
    OutOfGas,
    StackDepthLimit,
    VMError,
)
from eth.vm.gas_meter import GasMeter

from rollup.execution.contract_address import address_of_word, create2_address, create_address
from rollup.execution.halts import CodeStoreOutOfGas, CodeTooLarge, NonceOverflow, StackOverflow, StackUnderflow
from rollup.execution.tracing import (
    CALL,
    CALLCODE,
    CALLS,
    CREATE,
    CREATE2,
    CREATIONS,
    DELEGATECALL,
    SELFDESTRUCT,
    STATICCALL,
    STOP,
    Step,
    Tracer,
)
from rollup.execution.vms.blocks import JUMP, JUMPI, NEXT, RETURN, Block
from rollup.execution.vms.frame import STACK_LIMIT, Frame
from rollup.execution.vms.program import Program, Programs

_DEPTH_LIMIT = 1024
_CALL_STIPEND = 2_300
_CREATE_GAS, _LOG_GAS, _LOG_BYTE_GAS = 32_000, 375, 8
_MAX_CODE = 24_576  # bytes (EIP-170)
_MAX_NONCE = 2**64 - 1
_STEPS_IN_A_ROW = 64  # opcodes between two questions to check_interrupt
_LOGS = frozenset(range(0xA0, 0xA5))
_FRAMES = CALLS | CREATIONS
_SEEN = _FRAMES | _LOGS | {SELFDESTRUCT}


class TracedMeter(GasMeter):
    """A gas meter that remembers the amount it was asked for last."""

    asked = 0

    def consume_gas(self, amount: int, reason: str) -> None:
        """Takes gas, or raises OutOfGas."""
        self.asked = amount
        super().consume_gas(amount, reason)


class Tracing:
    """Connects the EVM and a tracer: the open frames, and the opcode that makes the next one.

    refund is the transaction's refund counter without the newest frame's own additions.
    """

    __slots__ = ("_arguments", "_calling", "_frames", "programs", "refund", "tracer")

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self.programs = Programs(single_step=True)
        self.refund = 0
        self._calling: Step | None = None
        self._arguments: list[int] = []  # what that opcode takes from the stack, the top first
        self._frames: list[tuple[Any, int]] = []  # open frames, each with the refund counter before it

    def begin(self, refund: int) -> None:
        """Called before a transaction's outermost frame. refund: the gas that its authorizations refund (EIP-7702)."""
        self._frames.clear()
        self._calling = None
        self.refund = refund

    # ------------------------------------------------------------ frames
    def enter(self, computation: Any) -> None:
        """A frame begins."""
        message, step, self._calling = computation.msg, self._calling, None
        kind = step.opcode if step is not None else CREATE if message.is_create else CALL
        caller, target = message.sender, message.to
        if kind in CREATIONS:
            target = message.storage_address
        elif kind in (CALLCODE, DELEGATECALL):
            caller, target = message.storage_address, address_of_word(self._arguments[1])
        if step is not None:
            spent = step.gas - step.frame._gas_meter.gas_remaining
            step.cost = spent - message.gas if kind in CREATIONS else spent
        before = self.refund
        if self._frames:
            self.refund += self._frames[-1][0]._gas_meter.gas_refunded
        self._frames.append((computation, before))
        computation._gas_meter = TracedMeter(message.gas)
        data = message.code if message.is_create else message.data_as_bytes
        value = None if kind == STATICCALL else message.value
        self.tracer.on_enter(message.depth, kind, caller, target, value, message.gas, data)

    def leave(self, computation: Any) -> None:
        """The newest frame has ended."""
        self.refund = self._frames.pop()[1]  # what the frame adds is then in the meter of the one around it
        error = computation._error
        if isinstance(error, OutOfGas) and computation.msg.is_create and computation._output:
            # Its code ran to the end: what it returned could not be kept.
            size = len(computation._output)
            error = CodeTooLarge(size, _MAX_CODE) if size > _MAX_CODE else CodeStoreOutOfGas()
        output = b"" if error is not None and error.burns_gas else computation.output
        self.tracer.on_exit(computation.msg.depth, output, computation.get_gas_used(), error)

    def refuse(self, message: Any, error: VMError) -> None:
        """A transaction's own creation cannot begin, because its address is taken."""
        address, gas = message.storage_address, message.gas
        self.tracer.on_enter(0, CREATE, message.sender, address, message.value, gas, message.code)
        self.tracer.on_exit(0, b"", gas, error)

    # ------------------------------------------------------------ opcodes
    def forget(self) -> None:
        """The opcode that was to make a frame has failed."""
        self._calling = None

    def before(self, step: Step) -> None:
        """A call, a creation or SELFDESTRUCT is about to run."""
        self._calling = step
        self._arguments = step.stack[-1:-8:-1]

    def after_call(self, step: Step) -> None:
        """A call or a creation has run. Where no frame began, geth shows one that failed."""
        if self._calling is None:
            return
        self._calling = None
        if step.opcode in CREATIONS:
            self._failed_creation(step)
        else:
            self._failed_call(step)

    def _failed_call(self, step: Step) -> None:
        """Too deep, or without the funds: the gas that it was given has come back, the stipend too."""
        kind, arguments, message = step.opcode, self._arguments, step.frame.msg
        value = arguments[2] if kind in (CALL, CALLCODE) else message.value if kind == DELEGATECALL else None
        start, size = arguments[3:5] if kind in (CALL, CALLCODE) else arguments[2:4]
        stipend = _CALL_STIPEND if kind in (CALL, CALLCODE) and value else 0
        available = step.frame._gas_meter.gas_remaining - stipend
        gas = min(arguments[0], available - available // 64)
        step.cost = step.gas - available + gas
        error = StackDepthLimit() if step.depth > _DEPTH_LIMIT else InsufficientFunds()
        data, depth = bytes(step.frame._memory._bytes[start : start + size]), message.depth + 1
        target = address_of_word(arguments[1])
        self.tracer.on_enter(depth, kind, message.storage_address, target, value, gas + stipend, data)
        self.tracer.on_exit(depth, b"", 0, error)

    def _failed_creation(self, step: Step) -> None:
        """Too deep, without the funds, with a nonce at its end, or where something is."""
        frame, (value, start, size) = step.frame, self._arguments[:3]
        message, accounts = frame.msg, step.accounts
        creator = message.storage_address
        code = bytes(frame._memory._bytes[start : start + size])
        nonce, meter = accounts.get_nonce(creator), frame._gas_meter
        spent, left, used = step.gas - meter.gas_remaining, meter.gas_remaining, 0
        gas = left - left // 64
        error: VMError
        if step.depth > _DEPTH_LIMIT:
            error = StackDepthLimit()
        elif accounts.get_balance(creator) < value:
            error = InsufficientFunds()
        elif nonce >= _MAX_NONCE:
            error = NonceOverflow()
        else:  # the creation's gas was the last that it asked for, and is lost
            error = ContractCreationCollision()
            nonce, gas = nonce - 1, meter.asked
            used = gas
        step.cost = spent - used
        is_salted = step.opcode == CREATE2
        target = create2_address(creator, self._arguments[3], code) if is_salted else create_address(creator, nonce)
        depth = message.depth + 1
        self.tracer.on_enter(depth, step.opcode, creator, target, value, gas, code)
        self.tracer.on_exit(depth, b"", used, error)

    def after_selfdestruct(self, step: Step, balance: int) -> None:
        """A contract has given its balance away."""
        self._calling = None
        message = step.frame.msg
        depth, heir = message.depth + 1, address_of_word(self._arguments[0])
        self.tracer.on_enter(depth, SELFDESTRUCT, message.storage_address, heir, balance, 0, b"")
        self.tracer.on_exit(depth, b"", 0, None)


def run_stepwise(computation: Any, tracing: Tracing) -> None:
    """Runs a computation's code to its end, as interpreter.run does, and raises the same errors."""
    program, tracer = tracing.programs.of(computation), tracing.tracer
    frame = Frame(computation, program)
    code, depth, meter, wants_opcodes = (
        computation.msg.code,
        computation.msg.depth + 1,
        frame.meter,
        tracer.wants_opcodes,
    )
    position: int | None = 0 if code else None
    steps = 0
    while position is not None:
        block = program.blocks.get(position) or program.read(position)
        opcode = code[position] if position < len(code) else STOP
        if not steps % _STEPS_IN_A_ROW:
            frame.check_interrupt()
        steps += 1
        step, taken = None, []
        if wants_opcodes or opcode in _SEEN:
            taken = computation._stack.values[-1:-3:-1]
            step = Step(position, opcode, depth, tracing.refund + meter.gas_refunded, computation)
            if wants_opcodes:
                tracer.on_opcode(step)
        try:
            _begin(frame, block)
            if opcode in _SEEN:
                assert step is not None
                _run_seen(tracing, frame, block, step)
            else:
                for handler, argument in block[3]:
                    handler(frame, computation._stack.values, argument)
            position = _following(program, frame, block)
        except Halt:
            return
        except VMError as error:
            if step is not None:
                _fail(step, block, error, taken)
            tracing.forget()
            raise
        if step is not None and opcode not in _FRAMES:
            step.cost = step.gas - meter.gas_remaining


def _begin(frame: Frame, block: Block) -> None:
    """The stack that an opcode needs, and its static gas."""
    needed, gained, gas = block[:3]
    size = len(frame.computation._stack.values)
    frame.meter.asked = 0
    if size < needed:
        raise StackUnderflow(size, needed)
    if size + gained > STACK_LIMIT:
        raise StackOverflow(size, STACK_LIMIT - gained)
    if gas:
        frame.charge(gas)


def _run_seen(tracing: Tracing, frame: Frame, block: Block, step: Step) -> None:
    """Runs an opcode that has hooks: a call, a creation, a log, or SELFDESTRUCT, which ends the frame."""
    stack, computation = frame.computation._stack.values, frame.computation
    balance = step.accounts.get_balance(step.address) if step.opcode == SELFDESTRUCT else 0
    if step.opcode not in _LOGS:
        tracing.before(step)
    for handler, argument in block[3]:
        try:
            handler(frame, stack, argument)
        except Halt:
            tracing.after_selfdestruct(step, balance)
            step.cost = step.gas - frame.meter.gas_remaining
            raise
    if step.opcode in _LOGS:
        tracing.tracer.on_log(*computation._log_entries[-1][1:])
    else:
        tracing.after_call(step)


def _following(program: Program, frame: Frame, block: Block) -> int | None:
    """The position after an opcode; None if the code ends there."""
    kind, following = block[4], block[6]
    computation = frame.computation
    stack = computation._stack.values
    if kind == NEXT:
        return following
    if kind == JUMP:
        return program.jump(stack.pop())
    if kind == JUMPI:
        destination = stack.pop()
        return program.jump(destination) if stack.pop() else following
    if kind == RETURN:
        computation.output = frame.read(stack.pop(), stack.pop())
    return None


def _fail(step: Step, block: Block, error: VMError, taken: list[int]) -> None:
    """Completes the step of an opcode that failed. If gas ran out, its cost is the gas it would have needed.

    taken: the items that it took from the stack, the top first.
    """
    meter = step.frame._gas_meter
    step.cost = step.gas - meter.gas_remaining
    if isinstance(error, StackUnderflow | StackOverflow):
        step.cost, step.error = block[2], error
    elif isinstance(error, OutOfGas):
        step.cost, step.error = step.cost + meter.asked, error
        if step.opcode in CREATIONS and step.gas < _CREATE_GAS:
            step.cost = _CREATE_GAS  # geth's static gas of it
        elif step.opcode in _LOGS:
            step.cost = _log_cost(step.opcode - 0xA0, taken[0], taken[1], len(step.memory))


def _log_cost(topics: int, start: int, size: int, memory: int) -> int:
    """LOG's gas, with that of the memory it needs; geth counts all of it before it takes any."""
    before, after = memory // 32, max(memory // 32, (start + size + 31) // 32 if size else 0)
    expansion = 3 * (after - before) + after * after // 512 - before * before // 512
    return _LOG_GAS * (1 + topics) + _LOG_BYTE_GAS * size + expansion
