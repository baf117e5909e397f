"""callTracer: the tree of calls (geth eth/tracers/native/call.go)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from eth.exceptions import Revert, VMError

from rollup.cooperative import pause
from rollup.execution.halts import describe_error
from rollup.execution.revert_reason import revert_reason
from rollup.execution.tracers.budget import Budget
from rollup.execution.tracing import CALL, CREATE, CREATIONS, OPCODE_NAMES, Tracer
from rollup.protocol.primitives import Address
from rollup.protocol.transaction import Transaction

if TYPE_CHECKING:
    from rollup.execution.evm import Evm, Outcome

_FRAME_WEIGHT, _LOG_WEIGHT = 1_000, 600  # approximate bytes of a frame and of a log without their data


@dataclass(slots=True)
class CallLog:
    """A log; index counts the block's logs, position the calls of its frame before it."""

    address: Address
    topics: tuple[int, ...]
    data: bytes
    index: int
    position: int

    def to_json(self) -> dict[str, Any]:
        """geth's callLog."""
        return {
            "address": _hex(self.address),
            "topics": [f"0x{topic:064x}" for topic in self.topics],
            "data": _hex(self.data),
            "index": hex(self.index),
            "position": hex(self.position),
        }


@dataclass(slots=True)
class CallFrame:
    """One frame. kind is the opcode that made it. target is None for a creation that failed."""

    kind: int
    caller: Address
    target: Address | None
    value: int | None
    gas: int
    data: bytes
    gas_used: int = 0
    output: bytes | None = None
    error: VMError | None = None
    calls: list["CallFrame"] = field(default_factory=list)
    logs: list[CallLog] = field(default_factory=list)

    def end(self, output: bytes, gas_used: int, error: VMError | None) -> None:
        """Only a success and a revert have an output."""
        self.gas_used, self.error = gas_used, error
        if error is None or (isinstance(error, Revert) and output):
            self.output = output
        if error is not None and self.kind in CREATIONS:
            self.target = None

    def to_json(self) -> dict[str, Any]:
        """geth's callFrame, without the frames below."""
        result: dict[str, Any] = {
            "from": _hex(self.caller),
            "gas": hex(self.gas),
            "gasUsed": hex(self.gas_used),
            "input": _hex(self.data),
        }
        if self.target is not None:
            result["to"] = _hex(self.target)
        if self.output:
            result["output"] = _hex(self.output)
        if self.error is not None:
            result["error"] = describe_error(self.error)
            reason = revert_reason(self.output or b"")
            if reason is not None:
                result["revertReason"] = reason
        if self.logs:
            result["logs"] = [log.to_json() for log in self.logs]
        if self.value is not None:
            result["value"] = hex(self.value)
        result["type"] = OPCODE_NAMES[self.kind]
        return result


class CallTracer(Tracer):
    """The calls of a transaction as a tree. first_log: the number of the block's logs before it."""

    def __init__(self, budget: Budget, only_top_call: bool = False, with_log: bool = False, first_log: int = 0) -> None:
        self._budget = budget
        self._only_top_call = only_top_call
        self._with_log = with_log
        self._logs = first_log
        self._open: list[CallFrame] = []
        self._logs_before: list[int] = []  # the number of logs before each open frame, shown or not
        self._depth = 0
        self._gas_limit = 0
        self._is_system_call = False
        self._transaction: Transaction | None = None
        self.top: CallFrame | None = None

    def on_system_call_start(self) -> None:
        """geth leaves the protocol's own calls out."""
        self._is_system_call = True

    def on_system_call_end(self) -> None:
        """Frames again."""
        self._is_system_call = False

    def on_tx_start(self, evm: "Evm", transaction: Transaction, sender: Address) -> None:
        """The outermost frame shows the transaction's gas limit."""
        self._transaction, self._gas_limit = transaction, transaction.gas_limit

    def on_enter(
        self, depth: int, kind: int, caller: Address, target: Address, value: int | None, gas: int, data: bytes
    ) -> None:
        """A frame below the newest."""
        self._depth = depth
        self._logs_before.append(self._logs)
        if self._is_system_call or (self._only_top_call and depth > 0):
            return
        self._budget.take(len(data) + _FRAME_WEIGHT)
        self._open.append(CallFrame(kind, caller, target, value, gas if depth else self._gas_limit, data))

    def on_exit(self, depth: int, output: bytes, gas_used: int, error: VMError | None) -> None:
        """The newest frame's end."""
        self._depth = depth - 1
        logs_before = self._logs_before.pop()
        if error is not None:
            self._logs = logs_before
        if self._is_system_call or (self._only_top_call and depth > 0):
            return
        self._budget.take(len(output))
        frame = self._open.pop()
        frame.end(output, gas_used, error)
        if error is not None:
            _forget_logs(frame)
        if self._open:
            self._open[-1].calls.append(frame)
        else:
            self.top = frame

    def on_log(self, address: Address, topics: tuple[int, ...], data: bytes) -> None:
        """A log of the newest frame."""
        index = self._logs
        self._logs += 1
        if not self._with_log or self._is_system_call or (self._only_top_call and self._depth > 0):
            return
        self._budget.take(len(data) + _LOG_WEIGHT)
        frame = self._open[-1]
        frame.logs.append(CallLog(address, topics, data, index, len(frame.calls)))

    def on_tx_end(self, evm: "Evm", outcome: "Outcome") -> None:
        """Sets the transaction's gas in the outermost frame. A deposit may fail before its first frame."""
        transaction = self._transaction
        assert transaction is not None
        if self.top is None:
            kind, sender = CREATE if transaction.to is None else CALL, transaction.sender
            self.top = CallFrame(
                kind, sender, transaction.to, transaction.value, transaction.gas_limit, transaction.data
            )
            self.top.error = outcome.error
        self.top.gas_used = outcome.gas_used

    def result(self) -> Any:
        """The outermost frame, with those below it under calls."""
        assert self.top is not None
        return nested(self.top)


def nested(top: CallFrame) -> orjson.Fragment:
    """A frame and all below it, as JSON text. The tree may be deeper than what orjson nests."""
    pieces = bytearray()
    rest: list[CallFrame | bytes] = [top]
    while rest:
        item = rest.pop()
        if isinstance(item, bytes):
            pieces += item
            continue
        pause()
        text = orjson.dumps(item.to_json())
        if not item.calls:
            pieces += text
            continue
        pieces += text[:-1] + b',"calls":['
        rest.append(b"]}")
        for index, call in reversed(list(enumerate(item.calls))):
            rest.append(call)
            if index:
                rest.append(b",")
    return orjson.Fragment(bytes(pieces))


def _forget_logs(frame: CallFrame) -> None:
    """A frame that failed takes the logs below it along."""
    rest = [frame]
    while rest:
        found = rest.pop()
        found.logs = []
        rest += found.calls


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
