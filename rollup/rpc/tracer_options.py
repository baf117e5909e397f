"""Which tracer a request wants, and how: geth's TraceConfig and TraceCallConfig (eth/tracers/api.go).

An option that is null is absent; an option that is not known is passed over, as by geth.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rollup.execution.block_context import BlockOverrides
from rollup.execution.overrides import StateOverride
from rollup.execution.tracers.budget import Budget
from rollup.execution.tracers.call import CallTracer
from rollup.execution.tracers.flat_call import FlatCallTracer, TraceContext
from rollup.execution.tracers.four_byte import FourByteTracer
from rollup.execution.tracers.mux import MuxTracer, NoopTracer
from rollup.execution.tracers.prestate import PrestateOptions, PrestateTracer
from rollup.execution.tracers.struct_log import StructLogger, StructLogOptions
from rollup.protocol.primitives import Address
from rollup.rpc.errors import InvalidParams, RpcError
from rollup.rpc.eth_calls import block_overrides
from rollup.rpc.limits import MAX_TRACERS, TRACE_SECONDS
from rollup.rpc.params import Invalid, boolean, given_members, integer, mapping, quantity64, state_overrides, text

_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)[^\d.]+(?:(?:\d+\.?\d*|\.\d+)[^\d.]+)*")
_PART = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]+)")


class MakesTracer(Protocol):
    """The choice of a tracer. seconds: how long one transaction may run."""

    @property
    def seconds(self) -> float: ...

    def make(self, context: TraceContext, budget: Budget) -> Any:
        """A tracer for one transaction; raises RpcError."""


@dataclass(slots=True)
class TraceOptions:
    """tracer None is the struct logger. seconds: how long one transaction may run."""

    tracer: str | None = None
    tracer_config: Mapping[str, Any] = field(default_factory=dict)
    struct_log: StructLogOptions = field(default_factory=StructLogOptions)
    seconds: float = TRACE_SECONDS

    def make(self, context: TraceContext, budget: Budget) -> Any:
        """A tracer for one transaction; raises RpcError."""
        if self.tracer is None:
            return StructLogger(self.struct_log, budget)
        return make_tracer(self.tracer, self.tracer_config, context, budget)


@dataclass(slots=True)
class TraceCallOptions:
    """The options of debug_traceCall: those of a trace, and overrides of the state and the block."""

    trace: MakesTracer = field(default_factory=TraceOptions)
    state: dict[Address, StateOverride] | None = None
    block: BlockOverrides | None = None
    index: int | None = None


def trace_options(value: Any) -> TraceOptions:
    """`{tracer, tracerConfig, timeout}` and the options of the struct logger, each optional (tracing.md)."""
    given = given_members(value)
    name, config = given.get("tracer"), given.get("tracerConfig")
    return TraceOptions(
        None if name is None else _field("tracer", text, name),
        {} if config is None else _field("tracerConfig", mapping, config),
        StructLogOptions(
            disable_stack=_flag(given, "disableStack"),
            disable_storage=_flag(given, "disableStorage"),
            enable_memory=_flag(given, "enableMemory"),
            enable_return_data=_flag(given, "enableReturnData"),
            limit=_field("limit", integer, given.get("limit", 0)),
        ),
        TRACE_SECONDS if given.get("timeout") is None else duration(_field("timeout", text, given["timeout"])),
    )


def trace_call_options(value: Any) -> TraceCallOptions:
    """Trace options, and `{stateOverrides, blockOverrides, txIndex}`, each of them optional."""
    given = given_members(value)
    state, block, index = given.get("stateOverrides"), given.get("blockOverrides"), given.get("txIndex")
    return TraceCallOptions(
        trace_options(value),
        None if state is None else state_overrides(state),
        None if block is None else block_overrides(block),
        None if index is None else _field("txIndex", quantity64, index),
    )


def make_tracer(name: str, config: Mapping[str, Any], context: TraceContext, budget: Budget) -> Any:
    """A tracer by geth's name; raises RpcError for an unknown name, Invalid for an option of another type."""
    if name == "callTracer":
        return CallTracer(budget, _flag(config, "onlyTopCall"), _flag(config, "withLog"), context.first_log)
    if name == "flatCallTracer":
        return FlatCallTracer(
            budget, context, _flag(config, "convertParityErrors"), _flag(config, "includePrecompiles")
        )
    if name == "prestateTracer":
        return PrestateTracer(_prestate_options(config), budget)
    if name == "4byteTracer":
        return FourByteTracer(budget)
    if name == "noopTracer":
        return NoopTracer()
    if name == "muxTracer":
        if len(config) > MAX_TRACERS:
            raise RpcError(f"at most {MAX_TRACERS} tracers may run at once")
        return MuxTracer(
            {inner: make_tracer(inner, _inner_config(inner, given), context, budget) for inner, given in config.items()}
        )
    raise RpcError("tracer not found")


def _inner_config(name: str, given: Any) -> Mapping[str, Any]:
    if name == "muxTracer":
        raise RpcError("a muxTracer does not run another one")
    return {} if given is None else given_members(_field(name, mapping, given))


def _prestate_options(config: Mapping[str, Any]) -> PrestateOptions:
    names = ("diffMode", "disableCode", "disableStorage", "includeEmpty")
    options = PrestateOptions(*(_flag(config, name) for name in names))
    if options.diff_mode and options.include_empty:
        raise RpcError("cannot use diffMode with includeEmpty")
    return options


def duration(value: str) -> float:
    """Seconds of a Go duration such as 300ms, 1m30s; raises RpcError in Go's words (time.ParseDuration)."""
    if value in ("0", "+0", "-0"):
        return 0.0
    if not _DURATION.fullmatch(value):
        is_number = bool(re.fullmatch(r"[+-]?(?:\d+\.?\d*|\.\d+)", value))
        problem = "missing unit in" if is_number else "invalid"
        raise RpcError(f'time: {problem} duration "{value[:100]}"')
    total = 0.0
    for number, unit in _PART.findall(value):
        if unit not in _SECONDS:
            raise RpcError(f'time: unknown unit "{unit[:100]}" in duration "{value[:100]}"')
        total += float(number) * _SECONDS[unit]
    return -total if value[0] == "-" else total


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name)
    return False if value is None else bool(_field(name, boolean, value))


def _field(name: str, parser: Any, value: Any) -> Any:
    try:
        return parser(value)
    except InvalidParams as error:
        raise Invalid(f"{name}: {error}") from error
