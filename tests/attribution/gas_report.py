"""The generated tables of the attribution pages: python -m tests.attribution.gas_report rewrites them in place."""

import re
from collections.abc import Callable
from pathlib import Path

from attribution_precompile import METHODS, gas
from attribution_precompile.errors import ERRORS

from .gas_by_hand import BILLS
from .gas_trace import tracing
from .harness import CONTRACT, NATIVE
from .peers import COUNTS
from .peers import rows as peer_rows
from .scene import VALID, build

DOCS = Path(__file__).resolve().parents[2] / "docs"


def table(headings: list[str], rows: list[list[str]], left: int = 1) -> str:
    """A Markdown table; columns after the first `left` are right-aligned."""
    rule = ["---"] * left + ["---:"] * (len(headings) - left)
    return "\n".join("| " + " | ".join(row) + " |" for row in [headings, rule, *rows])


def schedule() -> str:
    rows = [[what, f"{amount:,}", who, source] for what, amount, who, source in gas.SCHEDULE]
    return table(["what", "gas", "charged by", "source"], rows, left=4)


def methods() -> str:
    rows = []
    for method in METHODS:
        call = VALID[method.name]
        evm = build(NATIVE)
        with tracing(NATIVE) as trace:
            native = evm.call(call.data, caller=call.caller, value=call.value)
        twin = build(CONTRACT).call(call.data, caller=call.caller, value=call.value)
        reads, writes = len(set(trace.reads)), len(set(trace.writes))
        rows.append(
            [f"`{method.name}`", str(reads), str(writes), f"{native.gas:,}", f"{twin.gas:,}", f"{native.refund:,}"]
        )
    return table(["method", "slots read", "slots written", "gas, native", "gas, twin", "refund"], rows)


def examples() -> str:
    """The sums worked by hand; test_gas.py compares them with the measured gas."""
    rows = [[f"`{name}`", bill.worked(), f"{bill.cold:,}", f"{bill.warm:,}"] for name, bill in BILLS.items()]
    return table(["method", "worked", "cold", "warm"], rows, left=2)


def errors() -> str:
    return table(["selector", "error"], [[f"`0x{e.selector.hex()}`", f"`{e.signature}`"] for e in ERRORS.values()], 2)


def peers() -> str:
    headings = ["first / steady", *[f"{count:,}" for count in COUNTS]]
    rows = [[what, *[f"{first:,} / {steady:,}" for first, steady in costs]] for what, costs in peer_rows()]
    return table(headings, rows)


# The tables of each page, in any order.
PAGES: dict[Path, dict[str, Callable[[], str]]] = {
    DOCS / "attribution-gas.md": {"schedule": schedule, "methods": methods, "examples": examples, "peers": peers},
    DOCS / "attribution-calls.md": {"errors": errors},
}


def rendered(path: Path) -> str:
    """The text of a page with every generated table as the code has it now."""
    page = path.read_text()
    for name, make in PAGES[path].items():
        pattern = rf"(<!-- generated: {name} -->\n).*?(\n<!-- end -->)"
        page, count = re.subn(pattern, lambda m, make=make: m[1] + make() + m[2], page, flags=re.DOTALL)  # type: ignore[misc]
        assert count == 1, name
    return page


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(rendered(path))
