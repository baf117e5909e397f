"""The origin of a sweep's results: every parameter with its value, the seed, the versions, the hash of the file."""

import json
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rollup.economics.chain_run import parameters
from rollup.economics.market import Market
from rollup.economics.scenario import MARKET, Scenario
from rollup.files import write_file


def manifest(scenario: Scenario, results: bytes) -> dict[str, Any]:
    """The scenario with its defaults filled in, and the SHA-256 of its results."""
    given = dict(scenario.parameters)
    filled = asdict(Market().with_values(given)) if scenario.kind == MARKET else parameters(given)
    return {
        "kind": scenario.kind,
        "months": scenario.months,
        "runs": scenario.runs,
        "seed": scenario.seed,
        "parameters": filled,
        "sweep": {name: list(values) for name, values in scenario.sweep.items()},
        "versions": {name: version(name) for name in ("openrollup", "numpy")},
        "sha256": sha256(results).hexdigest(),
    }


def write_manifest(scenario: Scenario, target: Path) -> Path:
    """Writes the manifest next to the results in `target` and returns its path. Raises OSError."""
    path = target.with_name(target.name + ".manifest.json")
    write_file(path, json.dumps(manifest(scenario, target.read_bytes()), indent=1) + "\n")
    return path
