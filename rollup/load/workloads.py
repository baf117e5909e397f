"""The kinds of load: what must be on the chain before, and the calls that are then sent again and again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from attribution_precompile import ADDRESS_BYTES
from rollup.economics import calls
from rollup.economics.shape import Level
from rollup.load.job import LoadError
from rollup.load.scene import Scene
from rollup.protocol.accounts import USERS, DevAccount
from rollup.protocol.call import Call
from rollup.protocol.keys import address_of_key
from rollup.protocol.primitives import Address, keccak256

TOKEN: Final = bytes.fromhex("4200000000000000000000000000000000000006")  # WETH9, a predeploy of every OP Stack chain
FEE: Final = 10**12  # wei of one inference
BATCHED: Final = 1_000  # inferences of one inferBatch
RECIPIENTS: Final = 1_000
_CHUNK: Final = 500  # contributors of one `contribute`
_FIRST_MEMBER: Final = 2**80
_SET_UP_GAS: Final = 2_000_000
_ROW_GAS: Final = 60_000  # at most, of one contributor in `contribute`
_INFERENCE_GAS: Final = 200_000
_TOKEN_GAS: Final = 100_000
_TRANSFER: Final = keccak256(b"transfer(address,uint256)")[:4]
_TOKENS: Final = (812, 640)


@dataclass(frozen=True, slots=True)
class Shape:
    """The receivers of an inference's fee: the total number of contributors, and the DataNets that share them."""

    contributors: int = 100
    datanets: int = 1


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of load. prepare makes what it needs on a chain, for these senders, and returns the calls.

    A sender does call i when its place among the senders is i modulo their number, and so on in turn.
    """

    name: str
    prepare: Callable[[Scene, Sequence[bytes], Shape], list[Call]]


def recipient(index: int) -> bytes:
    """An address that nobody has the key of."""
    return keccak256(b"openrollup load recipient" + index.to_bytes(4, "big"))[:20]


def transfer(index: int) -> Call:
    """One wei to one of a thousand recipients."""
    return Call(recipient(index % RECIPIENTS), 1)


def token_transfer(token: Address, index: int) -> Call:
    """The smallest amount of an ERC-20 token to one of a thousand recipients."""
    data = _TRANSFER + bytes(12) + recipient(index % RECIPIENTS) + (1).to_bytes(32, "big")
    return Call(token, 0, data, _TOKEN_GAS)


def _transfer(scene: Scene, senders: Sequence[bytes], shape: Shape) -> list[Call]:
    del scene, senders, shape
    return [transfer(index) for index in range(RECIPIENTS)]


def _erc20(scene: Scene, senders: Sequence[bytes], shape: Shape) -> list[Call]:
    del shape
    if scene.call("eth_getCode", "0x" + TOKEN.hex(), "latest") == "0x":
        raise LoadError(f"there is no WETH9 at 0x{TOKEN.hex()}")
    scene.send([(key, Call(TOKEN, 10**12, keccak256(b"deposit()")[:4], _TOKEN_GAS)) for key in senders])
    return [token_transfer(TOKEN, index) for index in range(RECIPIENTS)]


def _infer(scene: Scene, senders: Sequence[bytes], shape: Shape) -> list[Call]:
    model = register_model(scene, shape)
    return [Call(ADDRESS_BYTES, FEE, calls.infer(model, _TOKENS), _INFERENCE_GAS + 50_000 * shape.datanets)]


def _infer_compact(scene: Scene, senders: Sequence[bytes], shape: Shape) -> list[Call]:
    model = register_model(scene, shape)
    return [Call(ADDRESS_BYTES, FEE, calls.infer_compact(model, _TOKENS), _INFERENCE_GAS + 50_000 * shape.datanets)]


def _infer_batch(scene: Scene, senders: Sequence[bytes], shape: Shape) -> list[Call]:
    """Only its attributor may call it, so each sender has a model; call i is sender i's."""
    datanets = _datanets(scene, shape)
    level = Level(weights=(1,) * shape.datanets)
    register = [calls.register_model(level, datanets, 0, _account(sender), FEE) for sender in senders]
    receipts = scene.send([(scene.funder, _call(data)) for data in register])
    gas = _INFERENCE_GAS + 50_000 * shape.datanets
    return [
        Call(ADDRESS_BYTES, FEE * BATCHED, calls.infer_batch(_created(receipt), BATCHED, _TOKENS), gas)
        for receipt in receipts
    ]


WORKLOADS: Final = {
    workload.name: workload
    for workload in (
        Workload("transfer", _transfer),
        Workload("erc20", _erc20),
        Workload("infer", _infer),
        Workload("infer-compact", _infer_compact),
        Workload("infer-batch", _infer_batch),
    )
}


def register_model(scene: Scene, shape: Shape) -> int:
    """The number of a new model over new DataNets that share the contributors."""
    datanets = _datanets(scene, shape)
    data = calls.register_model(Level(weights=(1,) * shape.datanets), datanets, 0, USERS[8], FEE)
    (receipt,) = scene.send([(scene.funder, _call(data))])
    return _created(receipt)


def _datanets(scene: Scene, shape: Shape) -> list[int]:
    """New DataNets that share the contributors, at least one each."""
    owner = scene.funder
    receipts = scene.send([(owner, _call(calls.create_datanet()))] * shape.datanets)
    datanets = [_created(receipt) for receipt in receipts]
    share = max(1, shape.contributors // shape.datanets)
    scene.send([(owner, call) for datanet in datanets for call in _contributions(datanet, share)])
    return datanets


def _account(key: bytes) -> DevAccount:
    return DevAccount(-1, address_of_key(key), key)


def _contributions(datanet: int, contributors: int) -> list[Call]:
    made = []
    for first in range(0, contributors, _CHUNK):
        indices = range(first, min(first + _CHUNK, contributors))
        rows = [(_FIRST_MEMBER + index, 1 + index % 7, datanet << 64 | index) for index in indices]
        made.append(_call(calls.contribute(datanet, rows), 200_000 + _ROW_GAS * len(rows)))
    return made


def _call(data: bytes, gas: int = _SET_UP_GAS) -> Call:
    return Call(ADDRESS_BYTES, 0, data, gas)


def _created(receipt: dict[str, Any]) -> int:
    """The number of what a call created: the first indexed value of its event."""
    return int(receipt["logs"][-1]["topics"][1], 16)
