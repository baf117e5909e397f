"""Three hosts, one precompile: in dictionaries, on the node's own accounts, inside py-evm. All agree on every call."""

import pytest

from attribution_precompile import ADDRESS, ADDRESS_BYTES, METHODS, DictHost, OutOfGas, Revert, execute
from rollup.execution.attribution_flat_host import FlatHost, NeedsEvm
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.reader import StateReader

from .gas_trace import tracing
from .harness import CHAIN_ID, NATIVE, Evm, Result
from .scene import VALID, build

NAMES = [method.name for method in METHODS]
GAS = 10**7


def in_the_evm(name: str) -> tuple[Evm, Evm, Result, set[int]]:
    """The scene before, the machine after, the result, and the slots touched."""
    call = VALID[name]
    evm = build(NATIVE)
    with tracing(NATIVE) as trace:
        result = evm.call(call.data, caller=call.caller, value=call.value, gas=GAS)
    assert result.success
    return build(NATIVE), evm, result, {*trace.reads, *trace.writes}


def dict_host(before: Evm, slots: set[int], caller: int) -> DictHost:
    storage = {slot: before.storage(slot) for slot in slots if before.storage(slot)}
    host = DictHost(before.timestamp, CHAIN_ID, storage)
    host.balances[ADDRESS] = before.balance(ADDRESS)
    host.balances[caller] = before.balance(caller)
    host.begin()
    return host


@pytest.mark.parametrize("name", NAMES)
def test_the_dictionaries_agree_with_the_evm(name: str) -> None:
    call = VALID[name]
    before, after, result, slots = in_the_evm(name)
    host = dict_host(before, slots, call.caller)
    done = host.call(call.data, caller=call.caller, value=call.value, gas=GAS)
    assert (done.success, done.output, done.gas_used, done.refund) == (True, result.output, result.gas, result.refund)
    assert [(topics, data) for _, topics, data in result.logs] == host.logs
    assert {slot: host.storage.get(slot, 0) for slot in slots} == {slot: after.storage(slot) for slot in slots}
    assert host.balance == after.balance(ADDRESS)


class NothingYet(StateReader):
    """A state without accounts."""

    def account(self, address: bytes) -> None:
        return None

    def storage(self, address: bytes, slot: int) -> int:
        return 0

    def code(self, code_hash: bytes) -> bytes:
        return b""


def flat_host(before: Evm, slots: set[int], name: str) -> tuple[FlatHost, AccountDatabase]:
    accounts = AccountDatabase(NothingYet())
    accounts.set_nonce(ADDRESS_BYTES, 1)
    accounts.set_balance(ADDRESS_BYTES, before.balance(ADDRESS))
    for slot in slots:
        accounts.set_storage(ADDRESS_BYTES, slot, before.storage(slot))
    accounts.lock_changes()
    host = FlatHost(accounts, before.timestamp, CHAIN_ID)
    host.begin(VALID[name].caller, VALID[name].value, GAS)
    return host, accounts


@pytest.mark.parametrize("name", NAMES)
def test_the_fast_path_agrees_with_the_evm(name: str) -> None:
    call = VALID[name]
    before, after, result, slots = in_the_evm(name)
    host, accounts = flat_host(before, slots, name)
    if name in ("claim", "claimFor"):
        with pytest.raises(NeedsEvm):
            execute(host, call.data)
        return
    assert execute(host, call.data) == result.output
    assert (GAS - host.gas, host.refund) == (result.gas, result.refund)
    logs = [
        (log.address, tuple([int.from_bytes(topic, "big") for topic in log.topics]), log.data) for log in host.finish()
    ]
    assert tuple(logs) == result.logs
    assert {slot: accounts.get_storage(ADDRESS_BYTES, slot) for slot in slots} == {
        slot: after.storage(slot) for slot in slots
    }
    assert host.balance == after.balance(ADDRESS)


@pytest.mark.parametrize("name", NAMES)
def test_both_run_out_where_the_evm_does(name: str) -> None:
    """A unit less than the call takes is out of gas on every host, and never anything else."""
    call = VALID[name]
    before, _, result, slots = in_the_evm(name)
    for gas in (result.gas - 1, result.gas // 2, 0):
        evm = build(NATIVE).call(call.data, caller=call.caller, value=call.value, gas=gas)
        in_dictionaries = dict_host(before, slots, call.caller)
        done = in_dictionaries.call(call.data, caller=call.caller, value=call.value, gas=gas)
        assert (evm.success, evm.gas, evm.output) == (done.success, done.gas_used, done.output) == (False, gas, b"")
        host, _ = flat_host(before, slots, name)
        host.gas = gas
        with pytest.raises((OutOfGas, NeedsEvm)):
            execute(host, call.data)


def test_a_refusal_is_the_same_on_all() -> None:
    data = VALID["settle"].data
    before, _, _, slots = in_the_evm("settle")
    refused = before.call(data, caller=1, gas=GAS)
    host, _ = flat_host(before, slots, "settle")
    host.begin(1, 0, GAS)
    with pytest.raises(Revert) as caught:
        execute(host, data)
    assert caught.value.data == refused.output
    assert GAS - host.gas == refused.gas
