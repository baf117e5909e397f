"""Answers of the economics as JSON, the same from the command line and JSON-RPC. Amounts are wei in strings."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rollup.economics.builder import Answer, NetMap
from rollup.economics.facts import conclusion, facts
from rollup.economics.health import Health
from rollup.economics.noise import CLASSES, VERSION, Pair, independent_volume
from rollup.json_names import camel_case


def answer_json(found: Answer) -> dict[str, Any]:
    """Whether a model pays: the sentence, and every number with its unit and source."""
    return {
        "model": found.model.name,
        "prices": found.prices.name,
        "conclusion": conclusion(found),
        "facts": [asdict(fact) for fact in facts(found)],
    }


def net_map_json(found: NetMap) -> dict[str, Any]:
    """The owner's net of a month: a row for each fee, a column for each number of queries."""
    return {
        "route": found.route,
        "fees": list(map(str, found.fees)),
        "queries": list(map(str, found.queries)),
        "net": [list(map(str, row)) for row in found.net],
    }


def noise_json(pairs: Sequence[Pair], health: Health) -> dict[str, Any]:
    """Which paid inferences look real: totals by class, the health of the volume, and each pair of payer and model."""
    by_class = volume_by_class(pairs)
    return {
        "version": VERSION,
        "fees": str(sum(by_class.values())),
        "independentVolume": str(independent_volume(pairs)),
        "classes": {name: str(by_class[name]) for name in CLASSES},
        "health": {camel_case(name): value for name, value in asdict(health).items()},
        "pairs": [_pair_json(pair) for pair in pairs],
    }


def volume_by_class(pairs: Sequence[Pair]) -> Counter[str]:
    """The fees [wei] of each class."""
    found = Counter[str]()
    for pair in pairs:
        found[pair.label] += pair.volume
    return found


def _pair_json(pair: Pair) -> dict[str, Any]:
    return {
        "modelId": pair.model,
        "payer": pair.payer,
        "inferences": pair.inferences,
        "fees": str(pair.volume),
        "gas": str(pair.gas),
        "returned": str(pair.returned),
        "costToFake": pair.cost_to_fake,
        "rules": list(pair.rules),
        "class": pair.label,
    }
