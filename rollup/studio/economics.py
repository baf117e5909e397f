"""open_: the economics of this chain, by the functions of `openrollup economics`, so that the numbers are the same.

What takes long runs in a thread: the event loop never computes.
"""

import asyncio
from collections import Counter
from dataclasses import asdict
from fractions import Fraction
from typing import Any, Final

from derivation.errors import Temporary
from rollup.economics.builder import Answer, Model, Wishes, answer
from rollup.economics.chain_terms import ChainTerms
from rollup.economics.claims import best_rule
from rollup.economics.errors import EconomicsError
from rollup.economics.facts import conclusion, facts
from rollup.economics.fees import row_cost
from rollup.economics.noise import CLASSES, VERSION, Pair, independent_volume, label
from rollup.economics.noise_source import read_world
from rollup.economics.prices import PRESETS, Prices, prices_of_block
from rollup.economics.profile import GasProfile
from rollup.economics.shape import Shape
from rollup.economics.units import MONTHS_PER_YEAR, open_float
from rollup.index.earnings import earnings_of
from rollup.index.index import Index
from rollup.l1.json_rpc import JsonRpcClient
from rollup.protocol.primitives import Address
from rollup.rpc.errors import RpcError
from rollup.rpc.open import small, up_to_date
from rollup.rpc.params import Invalid, address, mapping, params
from rollup.rpc.server import RpcServer
from rollup.studio.loop_endpoint import LoopEndpoint

_FIELDS: Final = ("modelId", "queries", "tokens", "fee", "prices", "openUsd", "hosting", "costPerQuery", "targetIncome")
_MAX_INFERENCES: Final = 20_000
_MONTH: Final = 365.25 * 86_400 / 12  # seconds
_HOLDING: Final = 0.20  # per year: the scenario of `openrollup economics claims`
_MAX_DIGITS: Final = 30
_MAX_COUNTS: Final = 8


class Economics:
    """Asked through the same JSON-RPC server that answers it."""

    def __init__(self, index: Index, server: RpcServer) -> None:
        self._index = index
        self._server = server
        self._labels: tuple[bytes, list[Pair]] | None = None
        self._labelling = asyncio.Lock()

    @params(mapping)
    async def open_economics(self, source: dict[str, Any]) -> dict[str, Any]:
        """Does a model pay? The sentence, and every number with its unit and its source."""
        unknown = sorted(set(source) - set(_FIELDS))
        if unknown:
            raise Invalid(f"unknown field {unknown[0]}: {', '.join(_FIELDS)} are expected")
        tokens = _counts(source.get("tokens", ["812", "640"]))
        if len(tokens) != 2:
            raise Invalid("tokens are two numbers: in and out")
        ident = small(source.get("modelId"))
        fee = None if source.get("fee") is None else _whole(source["fee"])
        queries = _counts(source.get("queries", ["50", "1000", "50000"]))
        wishes = (
            _usd(source.get("hosting", "2")),
            _usd(source.get("costPerQuery", "0")),
            _usd(source.get("targetIncome", "0")),
            _usd(source.get("openUsd", "0.20")),
        )
        prices = source.get("prices", "chain")
        if prices != "chain" and prices not in PRESETS:
            raise Invalid(f"prices are one of chain, {', '.join(PRESETS)}")
        client = self._client()

        def compute() -> Answer:
            found = _chain_prices(client) if prices == "chain" else Prices.preset(prices)
            model = _model(ChainTerms(client), ident, (tokens[0], tokens[1]), fee)
            return answer(model, found, queries, wishes=Wishes(*wishes), tokens=(tokens[0], tokens[1]))

        found = await _in_thread(compute)
        return {
            "model": found.model.name,
            "prices": found.prices.name,
            "conclusion": conclusion(found),
            "facts": [asdict(fact) for fact in facts(found)],
        }

    @params()
    async def open_noise(self) -> dict[str, Any]:
        """Which paid inferences look real: each pair of payer and model with the rules that hold and its class."""
        index = up_to_date(self._index)
        total = sum(row.inferences for _, row in index.rows.models.where("id > 0"))
        if total > _MAX_INFERENCES:
            raise RpcError(f"more than {_MAX_INFERENCES:,} inferences: ask `openrollup economics noise`")
        client = self._client()
        async with self._labelling:
            head = self._index.chain.head.hash
            if self._labels is None or self._labels[0] != head:
                self._labels = head, await _in_thread(lambda: label(read_world(client)))
            pairs = self._labels[1]
        by_class = Counter[str]()
        for pair in pairs:
            by_class[pair.label] += pair.volume
        return {
            "version": VERSION,
            "fees": str(sum(by_class.values())),
            "independentVolume": str(independent_volume(pairs)),
            "classes": {name: str(by_class[name]) for name in CLASSES},
            "pairs": [_pair_json(pair) for pair in pairs],
        }

    @params(address)
    async def open_claimAdvice(self, account: Address) -> dict[str, Any]:  # noqa: N802
        """When an account should claim, if it goes on earning as it did since genesis. Amounts in OPEN, as decimals."""
        chain = self._index.chain
        earned = earnings_of(up_to_date(self._index), account)
        months = (chain.head.timestamp - chain.genesis.timestamp) / _MONTH
        income = open_float(earned.credited + earned.pending) / months if months else 0.0
        client = self._client()
        prices = await _in_thread(lambda: _chain_prices(client))
        cost = open_float(row_cost(GasProfile.packaged().row("claim", 1), prices).total)
        if income <= 0 or cost <= 0:
            return {"income": income, "claimCost": cost, "interval": None, "threshold": None}
        rule = best_rule(cost, income, _HOLDING / MONTHS_PER_YEAR)
        interval = rule.interval * _MONTH
        return {"income": income, "claimCost": cost, "interval": interval, "threshold": rule.threshold}

    # ------------------------------------------------------------ inside
    def _client(self) -> JsonRpcClient:
        return JsonRpcClient(LoopEndpoint(self._server, asyncio.get_running_loop()))


def _model(terms: ChainTerms, ident: int, tokens: tuple[int, int], fee: int | None) -> Model:
    """The model as the chain states it, paid with its quote unless a fee [wei] is given. Raises EconomicsError."""
    shape = Shape(tuple(terms.levels(ident)), terms.platform_bps())
    quote = terms.quote(ident, tokens)
    found = quote if fee is None else fee
    if found < quote:
        raise EconomicsError(f"a fee of {found} wei is below the quote, {quote} wei: the precompile would refuse it")
    if not found:
        raise EconomicsError(f"model {ident} has no price: give a fee per query")
    quoted = f"the quote of model {ident} of chain {terms.chain_id} for {tokens[0]:,} tokens in and {tokens[1]:,} out"
    return Model(f"model {ident}", shape, found, quoted if fee is None else "given")


def _chain_prices(client: JsonRpcClient) -> Prices:
    """What a transaction pays at the head now."""
    block = client.call("eth_getBlockByNumber", "latest", True)
    return prices_of_block(block, int(client.call("eth_maxPriorityFeePerGas"), 16))


async def _in_thread(compute: Any) -> Any:
    try:
        return await asyncio.to_thread(compute)
    except (EconomicsError, Temporary) as error:
        raise RpcError(str(error)) from error


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


def _counts(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_COUNTS:
        raise Invalid(f"a list of 1 to {_MAX_COUNTS} numbers is expected")
    return tuple(_whole(item) for item in value)


def _whole(value: Any) -> int:
    """A whole number in decimal: a text, or a JSON number."""
    digits = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not digits.isascii() or not digits.isdigit() or len(digits) > _MAX_DIGITS:
        raise Invalid("a whole number is expected")
    return int(digits)


def _usd(value: Any) -> Fraction:
    """Dollars as a decimal text."""
    plain = value.replace(".", "", 1) if isinstance(value, str) else ""
    if not plain.isascii() or not plain.isdigit() or len(plain) > _MAX_DIGITS:
        raise Invalid("an amount of dollars as a decimal text is expected, such as 0.20")
    return Fraction(value)
