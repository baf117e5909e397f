"""4byteTracer: which selectors are called, with how many bytes of arguments (geth eth/tracers/native/4byte.go)."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from rollup.execution.tracers.budget import Budget
from rollup.execution.tracing import CALLS, Tracer
from rollup.protocol.primitives import Address
from rollup.protocol.transaction import Transaction

if TYPE_CHECKING:
    from rollup.execution.evm import Evm

_ENTRY_WEIGHT = 150


class FourByteTracer(Tracer):
    """Counts calls by selector and size of the arguments. The protocol's precompiles have no selectors."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._found: Counter[str] = Counter()
        self._precompiles: frozenset[Address] = frozenset()

    def on_tx_start(self, evm: "Evm", transaction: Transaction, sender: Address) -> None:
        """The precompiles are those of the block's fork."""
        self._precompiles = evm.rules.protocol_precompiles

    def on_enter(
        self, depth: int, kind: int, caller: Address, target: Address, value: int | None, gas: int, data: bytes
    ) -> None:
        """A call with a selector counts."""
        if len(data) < 4 or kind not in CALLS or target in self._precompiles:
            return
        key = f"0x{data[:4].hex()}-{len(data) - 4}"
        if key not in self._found:
            self._budget.take(_ENTRY_WEIGHT)
        self._found[key] += 1

    def result(self) -> Any:
        """The counts, in order of their keys."""
        return dict(sorted(self._found.items()))
