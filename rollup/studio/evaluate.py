"""The economics for a page: synchronous functions over this node's own JSON-RPC, run in a thread."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeVar

from rollup.economics.answer_json import noise_json
from rollup.economics.builder import DEFAULT_QUERIES, Answer, Wishes, answer
from rollup.economics.chain_model import model_of_chain
from rollup.economics.chain_terms import ChainTerms
from rollup.economics.claims import HOLDING_PER_YEAR, best_rule
from rollup.economics.fees import row_cost
from rollup.economics.health import health
from rollup.economics.measure import DEFAULT_TOKENS
from rollup.economics.noise import label
from rollup.economics.noise_source import read_world
from rollup.economics.prices import PRESETS, Prices
from rollup.economics.profile import GasProfile
from rollup.economics.units import MONTH_SECONDS, MONTHS_PER_YEAR, open_float
from rollup.economics.values import parse_count, parse_usd
from rollup.l1.json_rpc import JsonEndpoint, JsonRpcClient
from rollup.rpc.open import number63
from rollup.rpc.params import Invalid

_FIELDS: Final = ("modelId", "queries", "tokens", "fee", "prices", "openUsd", "hosting", "costPerQuery", "targetIncome")
_CHAIN: Final = "chain"
_MAX_COUNTS: Final = 8
_Parsed = TypeVar("_Parsed")


@dataclass(slots=True, frozen=True)
class Question:
    """The parameters of `open_economics`; `fee` is wei per query, None for the model's quote."""

    model: int
    queries: tuple[int, ...]
    tokens: tuple[int, int]
    fee: int | None
    prices: str
    wishes: Wishes


def question_of(source: Mapping[str, Any]) -> Question:
    """Reads the object. Invalid names what is wrong."""
    unknown = sorted(set(source) - set(_FIELDS))
    if unknown:
        raise Invalid(f"unknown field {unknown[0]}: {', '.join(_FIELDS)} are expected")
    tokens = _counts(source["tokens"]) if "tokens" in source else DEFAULT_TOKENS
    if len(tokens) != 2:
        raise Invalid("tokens are two numbers: in and out")
    prices = source.get("prices", _CHAIN)
    if prices != _CHAIN and prices not in PRESETS:
        raise Invalid(f"prices are one of {_CHAIN}, {', '.join(PRESETS)}")
    default = Wishes()
    return Question(
        number63(source.get("modelId")),
        _counts(source["queries"]) if "queries" in source else DEFAULT_QUERIES,
        (tokens[0], tokens[1]),
        None if source.get("fee") is None else _count(source["fee"]),
        prices,
        Wishes(
            _usd(source, "hosting", default.hosting),
            _usd(source, "costPerQuery", default.per_query),
            _usd(source, "targetIncome", default.income),
            _usd(source, "openUsd", default.open_usd),
        ),
    )


def evaluate(endpoint: JsonEndpoint, question: Question) -> Answer:
    """The answer. Raises EconomicsError or Temporary."""
    client = JsonRpcClient(endpoint)
    prices = Prices.of(client) if question.prices == _CHAIN else Prices.preset(question.prices)
    model = model_of_chain(ChainTerms(client), question.model, question.tokens, question.fee)
    return answer(model, prices, question.queries, wishes=question.wishes, tokens=question.tokens)


def noise_answer(endpoint: JsonEndpoint) -> dict[str, Any]:
    """Every pair of payer and model of the chain with its rules and class, and the health of the volume."""
    world = read_world(JsonRpcClient(endpoint))
    return noise_json(label(world), health(world.paid))


def claim_advice(endpoint: JsonEndpoint, earned: int, seconds: int) -> dict[str, Any]:
    """When to claim for an account that earned `earned` [wei] in `seconds`; no interval where it earned nothing."""
    income = open_float(earned) * MONTH_SECONDS / seconds if seconds else 0.0
    cost = open_float(row_cost(GasProfile.packaged().row("claim", 1), Prices.of(JsonRpcClient(endpoint))).total)
    if income <= 0 or cost <= 0:
        return {"income": income, "claimCost": cost, "interval": None, "threshold": None}
    rule = best_rule(cost, income, HOLDING_PER_YEAR / MONTHS_PER_YEAR)
    interval = rule.interval * MONTH_SECONDS
    return {"income": income, "claimCost": cost, "interval": interval, "threshold": rule.threshold}


def _counts(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_COUNTS:
        raise Invalid(f"a list of 1 to {_MAX_COUNTS} numbers is expected")
    return tuple(map(_count, value))


def _count(value: Any) -> int:
    """A whole number in decimal: a text, or a JSON number."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Invalid("a whole number is expected")
    return _parsed(parse_count, str(value))


def _usd(source: Mapping[str, Any], name: str, default: Fraction) -> Fraction:
    """Dollars as a decimal text."""
    if name not in source:
        return default
    if not isinstance(source[name], str):
        raise Invalid(f"{name}: an amount of dollars as a decimal text is expected, such as 0.20")
    return _parsed(parse_usd, source[name])


def _parsed(parse: Callable[[str], _Parsed], text: str) -> _Parsed:
    try:
        return parse(text)
    except ValueError as error:
        raise Invalid(str(error)) from error
