"""A scenario as a YAML file: unknown keys, wrong kinds and impossible numbers are named with their line."""

from pathlib import Path
from typing import Any

from rollup.economics.chain_run import CHAIN, DEFAULTS, parameters
from rollup.economics.errors import EconomicsError
from rollup.economics.market import PARAMETERS, Market
from rollup.economics.scenario import MARKET, Scenario
from rollup.inputs.yaml_fields import Field, read_yaml


def read_scenario(path: Path) -> Scenario:
    """Reads and checks the file. FieldError names line and field."""
    root = read_yaml(path)
    fields = root.only("kind", "months", "runs", "seed", "parameters", "sweep")
    kind = fields["kind"].text() if "kind" in fields else MARKET
    if kind not in (MARKET, CHAIN):
        raise fields["kind"].error(f"{kind!r} is neither {MARKET} nor {CHAIN}")
    names = PARAMETERS if kind == MARKET else tuple(DEFAULTS)
    values = fields["parameters"].only(*names) if "parameters" in fields else {}
    swept = fields["sweep"].only(*names) if "sweep" in fields else {}
    found = Scenario(
        kind,
        fields["months"].integer(1, 600) if "months" in fields else 36,
        fields["runs"].integer(1, 100_000) if "runs" in fields else 20,
        fields["seed"].integer(0, 2**63 - 1) if "seed" in fields else 1,
        {name: _checked(kind, name, field) for name, field in values.items()},
        {name: [_checked(kind, name, item) for item in field.items()] for name, field in swept.items()},
    )
    try:
        found.tasks()
    except EconomicsError as error:
        raise root.error(str(error)) from error
    return found


def _checked(kind: str, name: str, field: Field) -> Any:
    value = _number(field)
    try:
        if kind == CHAIN:
            parameters({name: value})
        elif name not in ("models", "max_models"):  # these two are checked together
            Market().with_values({name: value})
    except EconomicsError as error:
        raise field.error(str(error)) from error
    return value


def _number(field: Field) -> int | float:
    text = field.text().replace("_", "")
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError as error:
        raise field.error(f"{field.text()!r} is not a number") from error
