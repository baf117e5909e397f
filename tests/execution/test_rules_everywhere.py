"""A rule of a fork holds on every path: pool, builder with and without the fast path, validator, calls."""

from dataclasses import replace

import pytest

from rollup.execution import block_context
from rollup.execution.block_context import rules_at
from rollup.execution.calls import CallError, CallRequest, call
from rollup.execution.errors import InvalidBlock, InvalidTransaction, Refusal
from rollup.execution.transaction_rules import check_static, message_rules
from rollup.pool.errors import PoolError
from rollup.pool.mempool import Mempool
from rollup.protocol.accounts import USERS
from rollup.protocol.forks import FORKS, L1_FORKS, Fork, L1Fork
from rollup.protocol.transaction import (
    ACCESS_LIST,
    BLOB,
    DYNAMIC_FEE,
    LEGACY,
    SET_CODE,
    Authorization,
    Transaction,
)
from tests.execution.blocks import FEE, Layer

EVERY_FORK = [*Fork, *L1Fork]


def name(fork: Fork | L1Fork) -> str:
    return f"{type(fork).__name__}.{fork.name}".lower()


def no_value_of_five(transaction: Transaction) -> None:
    """A rule that no fork has."""
    if transaction.value == 5:
        raise InvalidTransaction(Refusal.GAS_CAP, have=5, want=4)


def with_fictitious_fork(patch: pytest.MonkeyPatch) -> None:
    """Gives every fork the fictitious rule until the test ends."""
    for which in ("l1_rules", "l2_rules"):
        patch.setattr(block_context, which, getattr(block_context, which).__wrapped__)  # what is cached is without it

    def changed(*arguments, **options):
        by_type = message_rules(*arguments, **options)
        return {tx_type: (*rules, no_value_of_five) for tx_type, rules in by_type.items()}

    patch.setattr("rollup.execution.vms.rules.message_rules", changed)


@pytest.mark.parametrize("fork", EVERY_FORK, ids=name)
def test_a_fictitious_rule_of_a_fictitious_fork_is_missed_by_no_path(fork, monkeypatch: pytest.MonkeyPatch):
    layer = Layer.at(fork)
    refused = layer.transfers(1)[0]
    assert refused.value == 5
    block = layer.build([refused]).executed.block
    state = layer.chain.state_at(layer.chain.head.hash)
    request = CallRequest(USERS[0].address, b"\x77" * 20, value=5)
    assert layer.validate(block)
    Mempool(layer.chain, layer.config).add(refused.encode())
    assert call(layer.builder().context, state, request, lambda number: None).error is None

    with_fictitious_fork(monkeypatch)
    text = r"transaction gas limit too high \(cap: 4, tx: 5\)"
    with pytest.raises(PoolError, match=text):
        Mempool(layer.chain, layer.config).add(refused.encode())
    for fast in (True, False):
        with pytest.raises(InvalidTransaction, match=text) as caught:
            layer.builder(fast=fast).apply(refused)
        assert caught.value.kind == Refusal.GAS_CAP
        assert caught.value.fields == {"have": 5, "want": 4}
    with pytest.raises(InvalidBlock, match=text):
        layer.validate(block)
    with pytest.raises(CallError, match=text):
        call(layer.builder().context, state, request, lambda number: None)


# ---------------------------------------------------------------- types
FIRST_L1_FORK = {LEGACY: L1Fork.PARIS, ACCESS_LIST: L1Fork.PARIS, DYNAMIC_FEE: L1Fork.PARIS, BLOB: L1Fork.CANCUN,
                 SET_CODE: L1Fork.PRAGUE}  # fmt: skip


def of_type(tx_type: int, chain_id: int) -> Transaction:
    fields: dict = {}
    if tx_type == BLOB:
        fields = {"blob_versioned_hashes": (b"\1" + bytes(31),), "max_fee_per_blob_gas": 10}
    if tx_type == SET_CODE:
        fields = {"authorization_list": (Authorization(chain_id, b"\x55" * 20, 0, 0, 1, 1),)}
    return Transaction(
        tx_type, gas_limit=100_000, to=b"\x77" * 20, chain_id=chain_id, max_fee_per_gas=FEE,
        max_priority_fee_per_gas=FEE, **fields,
    ).signed(USERS[0].private_key)  # fmt: skip


@pytest.mark.parametrize("tx_type", FIRST_L1_FORK)
@pytest.mark.parametrize("fork", EVERY_FORK, ids=name)
def test_a_type_is_refused_at_the_door_before_its_fork(fork, tx_type: int):
    """An L1 before Prague took a set-code transaction into its pool, and dropped it in silence."""
    # spec: blob.no-l2-blob-transactions
    layer = Layer.at(fork)
    l1_fork = FORKS[fork].evm if isinstance(fork, Fork) else fork
    is_there = l1_fork >= FIRST_L1_FORK[tx_type] and not (tx_type == BLOB and isinstance(fork, Fork))
    transaction = of_type(tx_type, layer.config.chain_id)
    pool = Mempool(layer.chain, layer.config)
    if is_there:
        pool.add(transaction.encode())
        assert len(layer.build([transaction]).executed.block.transactions) == 1 + isinstance(fork, Fork)
        return
    with pytest.raises(PoolError, match=r"^transaction type not supported$"):
        pool.add(transaction.encode())
    with pytest.raises(InvalidTransaction) as caught:
        layer.builder().apply(transaction)
    assert caught.value.kind == Refusal.TYPE


# ---------------------------------------------------------------- the tables
def test_every_fork_has_a_row():
    assert set(FORKS) == set(Fork)
    assert set(L1_FORKS) == set(L1Fork)


@pytest.mark.parametrize("fork", L1Fork, ids=name)
def test_l1_limits_are_those_of_the_row(fork: L1Fork):
    row, layer = L1_FORKS[fork], Layer.at(fork)
    rules = rules_at(layer.config, layer.parent.timestamp)
    cap = row.max_transaction_gas
    transaction = replace(of_type(DYNAMIC_FEE, 900), gas_limit=2**24 + 1)
    if cap is None:
        check_static(transaction, rules)
    else:
        assert cap == 2**24
        with pytest.raises(InvalidTransaction, match="transaction gas limit too high"):
            check_static(transaction, rules)
    if row.blobs is not None:
        seven = replace(of_type(BLOB, 900), blob_versioned_hashes=(b"\1" + bytes(31),) * 7)
        if row.max_transaction_blobs is None:
            check_static(seven, rules)
        else:
            with pytest.raises(InvalidTransaction, match="too many blobs in transaction: have 7, permitted 6"):
                check_static(seven, rules)


def test_a_block_of_osaka_has_a_largest_size(monkeypatch: pytest.MonkeyPatch):
    layer = Layer.at(L1Fork.OSAKA)
    row = L1_FORKS[L1Fork.OSAKA]
    assert row.max_block_size == 8 * 2**20
    transfers = layer.transfers(12, bytes(100))
    block = layer.build(transfers).executed.block
    size = len(block.encode())
    monkeypatch.setitem(L1_FORKS, L1Fork.OSAKA, replace(row, max_block_size=size))
    assert layer.validate(block).executed.block == block
    builder = layer.builder()
    with pytest.raises(InvalidTransaction) as caught:
        builder.apply_all(transfers)
    assert caught.value.kind == Refusal.BLOCK_SIZE
    assert caught.value.kind.is_about_block
    smaller = builder.seal().executed.block
    assert len(smaller.transactions) > 2
    assert size - 1_024 < len(smaller.encode()) + len(transfers[0].encode()) + 600 < size + 600
    monkeypatch.setitem(L1_FORKS, L1Fork.OSAKA, replace(row, max_block_size=size - 1))
    with pytest.raises(InvalidBlock, match=f"invalid size: {size}, expected at most {size - 1} bytes"):
        layer.validate(block)


def test_every_refusal_has_a_text_of_its_own():
    assert len({refusal.value for refusal in Refusal}) == len(Refusal)
