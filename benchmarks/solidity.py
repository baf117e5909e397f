"""Contracts that the peers run in place of the precompile, put on their chain by anvil's cheats, and calls of them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attribution_precompile import ADDRESS_BYTES, RUNTIME_CODE
from benchmarks.inferences import build_storage
from rollup.economics import calls
from rollup.execution.contract_artifact import load_artifact
from rollup.load.scene import Scene
from rollup.load.workloads import FEE, TOKEN, WORKLOADS, Shape, Workload, recipient
from rollup.protocol.call import Call
from rollup.protocol.primitives import keccak256

_ARTIFACT: Final = json.loads((Path(__file__).parent / "contracts" / "splitters.json").read_text())
_PAY: Final = keccak256(b"pay()")[:4]
_BATCH: Final = 500


def _install(scene: Scene, address: bytes, code: bytes, storage: dict[int, int]) -> None:
    """Puts a contract on the chain of anvil or Hardhat, whose names of these methods differ."""
    prefix = "hardhat" if "hardhat" in scene.call("web3_clientVersion").lower() else "anvil"
    where = "0x" + address.hex()
    scene.call(f"{prefix}_setCode", where, "0x" + code.hex())
    items = [[where, _slot(slot, prefix), f"0x{value:064x}"] for slot, value in storage.items()]
    for start in range(0, len(items), _BATCH):
        scene.client.batch(f"{prefix}_setStorageAt", items[start : start + _BATCH])


def _slot(slot: int, prefix: str) -> str:
    """A slot as each of them reads it: Hardhat wants a quantity without leading zeros."""
    return hex(slot) if prefix == "hardhat" else f"0x{slot:064x}"


def _address(name: str, count: int) -> bytes:
    return keccak256(f"{name} {count}".encode())[:20]


def _credit_loop(scene: Scene, senders: Sequence[bytes], shape: Shape) -> list[Call]:
    count = shape.contributors
    first = int.from_bytes(keccak256(bytes(32)), "big")
    storage = {0: count, 1: count}
    storage |= {first + index: 1 << 160 | int.from_bytes(recipient(index), "big") for index in range(count)}
    address = _address("CreditSplitter", count)
    _install(scene, address, bytes.fromhex(_ARTIFACT["CreditSplitter"][2:]), storage)
    call = Call(address, FEE, _PAY, 60_000 + 35_000 * count)
    scene.send([(senders[0], call)])  # the first payment writes the credits' slots; later ones only change them
    return [Call(address, FEE, _PAY, 60_000 + 10_000 * count)]


def _pool_accumulator(scene: Scene, senders: Sequence[bytes], shape: Shape) -> list[Call]:
    count = shape.contributors
    address = _address("PoolSplitter", count)
    _install(scene, address, bytes.fromhex(_ARTIFACT["PoolSplitter"][2:]), {0: count})
    call = Call(address, FEE, _PAY, 100_000)
    scene.send([(senders[0], call)])
    return [call]


def _twin(scene: Scene, senders: Sequence[bytes], shape: Shape) -> list[Call]:
    _install(scene, ADDRESS_BYTES, RUNTIME_CODE, build_storage(shape.datanets, shape.contributors))
    call = Call(ADDRESS_BYTES, 10**18, calls.infer(1, (812, 640)), 400_000)
    scene.send([(senders[0], call)])
    return [Call(ADDRESS_BYTES, FEE, call.data, call.gas)]


def _token(scene: Scene, senders: Sequence[bytes], shape: Shape) -> list[Call]:
    if scene.call("eth_getCode", "0x" + TOKEN.hex(), "latest") == "0x":
        _install(scene, TOKEN, load_artifact("rollup.execution", "WETH9").runtime, {})
    return WORKLOADS["erc20"].prepare(scene, senders, shape)


PEER_WORKLOADS: Final = {
    workload.name: workload
    for workload in (
        WORKLOADS["transfer"],
        Workload("erc20", _token),
        Workload("credit loop", _credit_loop),
        Workload("pool accumulator", _pool_accumulator),
        Workload("Solidity twin", _twin),
    )
}
