"""Storage where a contract is created: a collision in a block (EIP-7610), kept when a call overrides it."""

import pytest

from rollup.execution.calls import CallError, CallRequest, call
from rollup.execution.chain import Chain
from rollup.execution.genesis import genesis_header
from rollup.execution.genesis_account import GenesisAccount
from rollup.execution.overrides import StateOverride
from rollup.execution.transition import create_address
from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.protocol.accounts import USERS
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.primitives import keccak256
from rollup.store.kv import MemoryStore
from tests.execution.blocks import TIME, Layer

CREATOR = USERS[0].address
NEW = create_address(CREATOR, 0)
RETURNS_SLOT_0 = bytes.fromhex("60005460005260206000f3")
FACTORY = b"\xfa" * 20
# CREATE2 with this initcode and salt 0, then the created contract's code as the answer.
_INITCODE = bytes.fromhex("60005460005260206000f3")
_FACTORY_CODE = b"\x6a" + _INITCODE + bytes.fromhex("6000526000600b60156000f5602060006000833c60206000f3")
CREATED_BY_FACTORY = keccak256(b"\xff" + FACTORY + bytes(32) + keccak256(_INITCODE))[12:]
WORD = (42).to_bytes(32, "big")
DIFF, ALL = StateOverride(storage_diff={0: 42}), StateOverride(storage={0: 42})


def run(layer: Layer, request: CallRequest, overrides: dict) -> bytes:
    state = layer.chain.state_at(layer.chain.head.hash)
    result = call(layer.builder().context, state, request, lambda number: None, overrides)
    result.raise_if_failed()
    return result.output


def with_storage_at(address: bytes) -> Layer:
    """A chain with an account that has storage, and neither nonce nor code."""
    forks = ForkSchedule.all_at(Fork.JOVIAN)
    devnet = make_devnet(DevnetParams(TIME, forks=forks, attribution="none"))
    devnet.l2.file.alloc[address] = GenesisAccount(0, 0, b"", {0: 7})
    header = genesis_header(devnet.l2.file, forks)
    return Layer(Fork.JOVIAN, devnet, Chain.open(MemoryStore(), header, devnet.l2.file.alloc))


@pytest.mark.parametrize("override", [DIFF, ALL], ids=["stateDiff", "state"])
def test_overridden_storage_is_kept_by_a_creation(override: StateOverride):
    layer = Layer.at(Fork.JOVIAN)
    assert run(layer, CallRequest(CREATOR, data=RETURNS_SLOT_0), {NEW: override}) == WORD
    factory = {FACTORY: StateOverride(code=_FACTORY_CODE), CREATED_BY_FACTORY: override}
    assert run(layer, CallRequest(CREATOR, FACTORY), factory) == WORD


def test_an_override_of_all_storage_ends_a_collision_and_one_of_a_slot_does_not():
    """An override changes the storage root only if it replaces all slots, as in geth."""
    layer = with_storage_at(NEW)
    with pytest.raises(CallError, match="contract address collision"):
        run(layer, CallRequest(CREATOR, data=RETURNS_SLOT_0), {NEW: DIFF})
    assert run(layer, CallRequest(CREATOR, data=RETURNS_SLOT_0), {NEW: ALL}) == WORD


def test_storage_in_the_chain_is_a_collision_for_transactions_and_for_the_opcode():
    layer = with_storage_at(NEW)
    with pytest.raises(CallError, match="contract address collision"):
        run(layer, CallRequest(CREATOR, data=RETURNS_SLOT_0), {})
    other = with_storage_at(CREATED_BY_FACTORY)
    assert run(other, CallRequest(CREATOR, FACTORY), {FACTORY: StateOverride(code=_FACTORY_CODE)}) == bytes(32)
