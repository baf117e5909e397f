"""EIP-4788's and EIP-2935's calls without the EVM: the same state as with it, and only for the code of the EIPs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.execution import system_calls
from rollup.execution.block_builder import BlockBuilder
from rollup.execution.block_context import l1_context
from rollup.execution.chain import Chain
from rollup.execution.native_system_contracts import stored_natively
from rollup.execution.tracing import Tracer
from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.l1.genesis import l1_genesis_header
from rollup.protocol import predeploys
from rollup.store.kv import MemoryStore

CONTRACTS = predeploys.BEACON_ROOTS, predeploys.HISTORY_STORAGE
WORD = st.one_of(st.just(bytes(32)), st.binary(min_size=32, max_size=32))

devnet = make_devnet(DevnetParams(1_700_000_000))
chain = Chain.open(MemoryStore(), l1_genesis_header(devnet.l1.file), devnet.l1.file.alloc)


def builder(fast, number=1, time=1_700_000_012, parent_hash=b"\1" * 32, root=b"\2" * 32):
    parent = chain.head.header
    context = l1_context(devnet.l1_config, parent, time, bytes(20), 30_000_000, b"", bytes(32), root, parent_hash)
    context = replace(context, number=number)
    return BlockBuilder(devnet.l1_config, context, chain.states, lambda _: None, fast)


@pytest.fixture
def called(monkeypatch):
    """The system contracts that the EVM was called for."""
    targets, original = [], system_calls.system_call

    def noting(evm, target, data):
        targets.append(target)
        return original(evm, target, data)

    monkeypatch.setattr(system_calls, "system_call", noting)
    return targets


@given(st.integers(1, 2**64), st.integers(1_700_000_001, 2**64 - 1), WORD, WORD)
def test_the_state_is_that_of_the_evm(number, time, parent_hash, root):
    found = []
    for fast in (True, False):
        made = builder(fast, number, time, parent_hash, root)
        for _ in range(2):  # the second time over the values of the first
            made.begin()
        found.append(made.accounts.changes())
    assert found[0] == found[1]


def test_the_evm_runs_only_without_the_fast_path(called):
    builder(fast=True).begin()
    assert called == []
    builder(fast=False).begin()
    assert called == list(CONTRACTS)


def test_a_tracer_sees_the_calls(called):
    made = builder(fast=True)
    with made.tracing(Tracer()):
        made.begin()
    assert called == list(CONTRACTS)


@pytest.mark.parametrize("code", [b"", b"\0", bytes.fromhex("600160005500")], ids=["none", "stop", "store"])
@pytest.mark.parametrize("target", CONTRACTS, ids=["beacon-roots", "history"])
def test_any_other_code_is_run(target, code):
    found = []
    for fast in (True, False):
        made = builder(fast)
        made.accounts.set_code(target, code)
        assert not stored_natively(made.evm, target, bytes(32))
        made.begin()
        found.append(made.accounts.changes())
    assert found[0] == found[1]
