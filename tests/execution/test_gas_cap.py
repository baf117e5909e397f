"""EIP-7825: no transaction of Karst, or of an L1 from Osaka on, has more than 2^24 gas, on whichever path it comes."""

from dataclasses import replace

import pytest

from rollup.execution.block_context import rules_at
from rollup.execution.calls import CallError, CallRequest, call, estimate_gas
from rollup.execution.errors import InvalidBlock, InvalidTransaction
from rollup.pool.errors import PoolError
from rollup.pool.mempool import Mempool
from rollup.protocol.accounts import USERS
from rollup.protocol.forks import Fork
from rollup.protocol.transaction import Transaction
from tests.execution.blocks import Layer

CAP = 2**24
REFUSAL = "transaction gas limit too high \\(cap: 16777216, tx: 16777217\\)"
GASPS = bytes.fromhex("5b600056")  # a loop that never ends


def transfer(layer: Layer, gas_limit: int) -> Transaction:
    return replace(layer.transfers(1)[0], gas_limit=gas_limit, _sender=None).signed(USERS[0].private_key)


@pytest.mark.parametrize("fork", Fork, ids=lambda fork: fork.name.lower())
def test_every_path_has_the_cap_of_the_fork(fork: Fork, monkeypatch: pytest.MonkeyPatch):
    layer = Layer.at(fork)
    rules = rules_at(layer.config, layer.parent.timestamp + 2)
    assert rules.max_transaction_gas == (CAP if fork >= Fork.KARST else None)
    too_much = transfer(layer, CAP + 1)
    pool = Mempool(layer.chain, layer.config)
    if fork < Fork.KARST:
        pool.add_transaction(too_much)
        assert layer.validate(layer.build([too_much]).executed.block)
        return
    with pytest.raises(PoolError, match=REFUSAL):
        pool.add_transaction(too_much)
    for fast in (True, False):
        with pytest.raises(InvalidTransaction, match=REFUSAL):
            layer.builder(fast=fast).apply(too_much)
    without_cap = replace(rules, signed_rules=rules.message_rules)
    with monkeypatch.context() as patch:
        patch.setattr("rollup.execution.block_context.rules_at", lambda *arguments: without_cap)
        block = layer.build([too_much]).executed.block
    with pytest.raises(InvalidBlock, match=REFUSAL):
        layer.validate(block)
    exactly = transfer(layer, CAP)
    pool.add_transaction(exactly)
    assert layer.validate(layer.build([exactly]).executed.block)


def test_a_call_may_have_more_gas_but_no_estimate_is_above_the_cap():
    """A call is not a transaction, as in geth; an estimate is for one that can be sent."""
    layer = Layer.at(Fork.KARST)
    context, state = layer.builder().context, layer.chain.state_at(layer.chain.head.hash)
    assert call(context, state, CallRequest(to=b"\7" * 20, gas=CAP + 1), lambda number: None).gas_used == 21_000
    endless = CallRequest(data=GASPS)
    with pytest.raises(CallError, match=r"gas required exceeds allowance \(16777216\)"):
        estimate_gas(context, state, endless, lambda number: None)
