"""A gas profile: what each kind of call costs in gas and bytes, measured once per fork and commit.

Gas and bytes are quantities; prices are a scenario and live in `rollup.economics.prices`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, Final

from rollup.economics.chain_terms import ChainTerms
from rollup.economics.errors import EconomicsError
from rollup.economics.ledger import ChainLedger, DryLedger
from rollup.economics.measure import DEFAULT_BATCH, DEFAULT_TOKENS, STEADY, GasRow, measure, shapes_of
from rollup.economics.prices import fork_of_attributes
from rollup.economics.shape import Shape
from rollup.files import write_file
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient
from rollup.protocol.json_text import parse_json

_PACKAGED: Final = "profile.json"
DEFAULT_ENTRIES: Final = (1, 4)


@dataclass(slots=True, frozen=True)
class GasProfile:
    """Rows of one chain. `mode` is native or contract; `fork` is that of the fee rules at the time."""

    chain_id: int
    fork: str
    mode: str
    commit: str
    source: str
    rows: tuple[GasRow, ...]

    @classmethod
    def packaged(cls) -> "GasProfile":
        """The profile that comes with the program, measured on a local chain."""
        text = (resources.files("rollup.economics") / "packaged" / _PACKAGED).read_text(encoding="utf-8")
        return cls.from_json(json.loads(text), f"packaged {_PACKAGED}")

    @classmethod
    def from_chain(
        cls,
        url: str,
        entries: Sequence[int] = DEFAULT_ENTRIES,
        *,
        tokens: tuple[int, int] = DEFAULT_TOKENS,
        batch: int = DEFAULT_BATCH,
        commit: str = "",
    ) -> "GasProfile":
        """Sends every route on the running chain. Raises EconomicsError, or the client's Temporary and RpcError."""
        rpc = JsonRpcClient(HttpEndpoint(url))
        ledger = ChainLedger(rpc)
        block = rpc.call("eth_getBlockByNumber", "latest", True)
        platform_bps = ChainTerms(rpc).platform_bps()
        rows = tuple(measure(ledger, shapes_of(entries, 0), tokens=tokens, batch=batch))
        first, last = min(row.block for row in rows), max(row.block for row in rows)
        return cls(
            ledger.chain_id,
            fork_of_attributes(block).name.lower(),
            _mode(rows, batch, platform_bps),
            commit,
            f"measured at blocks {first} to {last} of chain {ledger.chain_id}",
            rows,
        )

    @classmethod
    def dry(cls, shape: Shape, *, tokens: tuple[int, int] = DEFAULT_TOKENS, batch: int = DEFAULT_BATCH) -> "GasProfile":
        """A model's own shape, by the precompile's own code over dictionaries: the gas of real receipts (V1)."""
        ledger = DryLedger(shape.platform_bps)
        rows = tuple(measure(ledger, [shape], tokens=tokens, batch=batch))
        return cls(ledger.chain_id, "jovian", "native", "", "precompile's code on this model's shape", rows)

    def row(self, route: str, entries: int, state: str = STEADY) -> GasRow:
        """One row; EconomicsError when the profile has none."""
        for row in self.rows:
            if (row.route, row.entries, row.state) == (route, entries, state):
                return row
        raise EconomicsError(
            f"the gas profile has no {route} with {entries} DataNets: "
            f"`openrollup economics measure --entries {entries}` makes one"
        )

    def to_json(self) -> dict[str, Any]:
        """The profile as a JSON object."""
        return asdict(self) | {"rows": [asdict(row) for row in self.rows]}

    def save(self, path: Path) -> None:
        """Writes the profile; raises OSError."""
        write_file(path, json.dumps(self.to_json(), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> "GasProfile":
        """Reads a profile file; EconomicsError for anything wrong with it."""
        try:
            return cls.from_json(parse_json(path.read_bytes()), str(path))
        except OSError as error:
            raise EconomicsError(f"{path}: {error.strerror}") from error
        except ValueError as error:
            if isinstance(error, EconomicsError):
                raise
            raise EconomicsError(f"{path}: not JSON: {error}") from error

    @classmethod
    def from_json(cls, data: Any, name: str) -> "GasProfile":
        """Checks and reads a JSON object; EconomicsError names what is wrong."""
        if not isinstance(data, Mapping) or not isinstance(data.get("rows"), list):
            raise EconomicsError(f"{name}: not a gas profile")
        try:
            rows = tuple(_row(item) for item in data["rows"])
            fork, mode, commit, source = (_typed(data, key, str) for key in ("fork", "mode", "commit", "source"))
            return cls(_typed(data, "chain_id", int), fork, mode, commit, source, rows)
        except (KeyError, TypeError) as error:
            raise EconomicsError(f"{name}: not a gas profile: {error}") from error

    def check_chain(self, chain_id: int) -> None:
        """EconomicsError when the profile is another chain's."""
        if self.chain_id != chain_id:
            raise EconomicsError(f"the gas profile is of chain {self.chain_id}, not of chain {chain_id}")


def _mode(rows: Sequence[GasRow], batch: int, platform_bps: int) -> str:
    """Native or contract: the code is the same in both, the gas is not."""
    found = next(row for row in rows if row.route == "infer" and row.state == STEADY)
    dry = measure(DryLedger(platform_bps), shapes_of([found.entries], platform_bps), batch=batch, routes=["infer"])
    return "native" if found.execution in {row.execution for row in dry if row.state == STEADY} else "contract"


def _row(item: Any) -> GasRow:
    kinds = {
        field.name: str if field.name in ("route", "state", "transaction_hash") else int for field in fields(GasRow)
    }
    if set(item) != set(kinds):
        raise TypeError(f"a row has the fields {', '.join(kinds)}")
    return GasRow(**{name: _typed(item, name, kind) for name, kind in kinds.items()})


def _typed(data: Mapping[str, Any], key: str, kind: type[Any]) -> Any:
    value = data[key]
    if not isinstance(value, kind) or isinstance(value, bool) or (kind is int and value < 0):
        raise TypeError(f"{key}: {value!r}")
    return value
