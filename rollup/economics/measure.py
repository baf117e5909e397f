"""Sends every kind of call once for the first time and once more, and notes the gas and the bytes of each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rollup.economics import calls
from rollup.economics.ledger import Ledger, Sent, intrinsic_gas
from rollup.economics.shape import MAX_ENTRIES, Level, Shape
from rollup.protocol.accounts import DevAccount
from rollup.protocol.fastlz import fastlz_length
from rollup.protocol.fees import fjord_size_scaled

FIRST, STEADY = "first", "steady"
DEFAULT_TOKENS = (812, 640)  # in, out
DEFAULT_BATCH = 50
ROUTES = ("infer", "inferCompact", "inferAttested", "inferBatch", "request", "settle", "claim")
FEE = 10**12  # wei: the gas of a call does not depend on its fee
_DEADLINE = 3_600  # seconds
_OTHER_TEXT = 1 << 64  # makes the second content of a DataNet differ from the first


@dataclass(slots=True, frozen=True)
class GasRow:
    """One measured transaction: gas in units, sizes in bytes.

    `entries` is the model's number of DataNets (of a claim: how many it names), `count` the inferences in the
    transaction, `execution` the gas without the transaction's own (21,000 and its calldata).
    """

    route: str
    entries: int
    count: int
    state: str
    gas: int
    execution: int
    calldata_bytes: int
    raw_bytes: int
    fastlz_bytes: int
    fjord_size_scaled: int
    transaction_hash: str = ""
    block: int = 0


@dataclass(slots=True)
class Scene:
    """A model with fresh accounts for everybody, so that its first call is the dearest."""

    ledger: Ledger
    owner: DevAccount
    attributor: DevAccount
    payer: DevAccount
    contributor: DevAccount
    model: int
    datanets: list[int]
    nonce: int = 0


def measure(
    ledger: Ledger,
    shapes: Sequence[Shape],
    *,
    tokens: tuple[int, int] = DEFAULT_TOKENS,
    batch: int = DEFAULT_BATCH,
    routes: Sequence[str] = ROUTES,
) -> Iterator[GasRow]:
    """The rows of every route and shape, first and steady. Raises EconomicsError when a call fails."""
    warm_treasury(ledger)
    for number, shape in enumerate(shapes):
        for name, calls_of in _CALLS.items():
            measured = [route for route in routes if route in calls_of.routes]
            if not measured:
                continue
            scene = build_scene(ledger, shape, f"{number} {name}")
            for state in (FIRST, STEADY):
                for row in calls_of.make(scene, shape, tokens, batch):
                    if row.route in measured:
                        yield replace(row, state=state)


def shapes_of(entries: Sequence[int], platform_bps: int) -> list[Shape]:
    """Models with that many DataNets of equal weight, without ancestors."""
    return [Shape((Level(weights=(1,) * min(count, MAX_ENTRIES)),), platform_bps) for count in entries]


def build_scene(ledger: Ledger, shape: Shape, name: str) -> Scene:
    """Fresh accounts, DataNets of two contributors each, the ancestors and the model.

    Two contributors of 1 and 2 units: what they earn does not divide, as in nearly every DataNet, so that a claim
    also writes the rest that it leaves."""
    owner, attributor, payer, contributor = (
        ledger.account(f"{name} {role}") for role in ("owner", "attributor", "payer", "contributor")
    )
    first, second = (int.from_bytes(item.address, "big") for item in (contributor, owner))
    base, datanets, model = 0, [], 0
    for level in reversed(shape.levels):
        datanets = [ledger.send(owner, calls.create_datanet()).created for _ in level.weights]
        for datanet in datanets:
            ledger.send(owner, calls.contribute(datanet, [(first, 1, datanet), (second, 2, datanet | _OTHER_TEXT)]))
        base = model
        data = calls.register_model(level, datanets, base, attributor, FEE)
        model = ledger.send(owner, data).created
    return Scene(ledger, owner, attributor, payer, contributor, model, datanets)


def warm_treasury(ledger: Ledger) -> None:
    """Pays the treasury once, as on any chain in use: only what is new for a model is then its first use."""
    owner = ledger.account("earlier")
    datanet = ledger.send(owner, calls.create_datanet()).created
    model = ledger.send(owner, calls.register_model(Level(), [datanet], 0, owner, FEE)).created
    ledger.send(owner, calls.infer(model, (1, 1)), FEE)


def _infer(scene: Scene, _: Shape, tokens: tuple[int, int], __: int) -> Iterator[GasRow]:
    sent = scene.ledger.send(scene.payer, calls.infer(scene.model, tokens), FEE)
    yield _row("infer", len(scene.datanets), 1, sent)


def _compact(scene: Scene, _: Shape, tokens: tuple[int, int], __: int) -> Iterator[GasRow]:
    sent = scene.ledger.send(scene.payer, calls.infer_compact(scene.model, tokens), FEE)
    yield _row("inferCompact", len(scene.datanets), 1, sent)


def _attested(scene: Scene, _: Shape, tokens: tuple[int, int], __: int) -> Iterator[GasRow]:
    ledger = scene.ledger
    data = calls.infer_attested(
        scene.model,
        tokens,
        calls.pool_influence(scene.datanets),
        scene.attributor,
        scene.payer,
        scene.nonce,
        ledger.now() + _DEADLINE,
        ledger.chain_id,
    )
    scene.nonce += 1
    yield _row("inferAttested", len(scene.datanets), 1, ledger.send(scene.payer, data, FEE))


def _batch(scene: Scene, _: Shape, tokens: tuple[int, int], count: int) -> Iterator[GasRow]:
    data = calls.infer_batch(scene.model, count, (count * tokens[0], count * tokens[1]))
    yield _row("inferBatch", len(scene.datanets), count, scene.ledger.send(scene.attributor, data, count * FEE))


def _job(scene: Scene, _: Shape, tokens: tuple[int, int], __: int) -> Iterator[GasRow]:
    ledger = scene.ledger
    asked = ledger.send(scene.payer, calls.request(scene.model, ledger.now() + _DEADLINE), FEE)
    yield _row("request", len(scene.datanets), 1, asked)
    yield _row("settle", len(scene.datanets), 1, ledger.send(scene.attributor, calls.settle(asked.created, tokens)))


def _claim(scene: Scene, shape: Shape, tokens: tuple[int, int], count: int) -> Iterator[GasRow]:
    """A claim of one contributor, from an account that already has money, of all the model's DataNets."""
    list(_infer(scene, shape, tokens, count))
    data = calls.claim(scene.datanets, scene.contributor)
    yield _row("claim", len(scene.datanets), 0, scene.ledger.send(scene.contributor, data))


@dataclass(slots=True, frozen=True)
class _Calls:
    routes: tuple[str, ...]
    make: Callable[[Scene, Shape, tuple[int, int], int], Iterator[GasRow]]


_CALLS = {
    "infer": _Calls(("infer",), _infer),
    "inferCompact": _Calls(("inferCompact",), _compact),
    "inferAttested": _Calls(("inferAttested",), _attested),
    "inferBatch": _Calls(("inferBatch",), _batch),
    "job": _Calls(("request", "settle"), _job),
    "claim": _Calls(("claim",), _claim),
}


def _row(route: str, entries: int, count: int, sent: Sent) -> GasRow:
    return GasRow(
        route,
        entries,
        count,
        "",
        sent.gas,
        sent.gas - intrinsic_gas(sent.data),
        len(sent.data),
        len(sent.raw),
        fastlz_length(sent.raw),
        fjord_size_scaled(sent.raw),
        sent.transaction_hash,
        sent.block,
    )
