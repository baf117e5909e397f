"""Values that depend on a transaction's bytes alone are computed once for both chains of a node."""

from collections import Counter
from random import Random

import pytest

from rollup.node import Node, NodeParams
from rollup.pool.mempool import Mempool
from rollup.protocol import fees, known_transactions, transaction
from rollup.protocol.accounts import USERS
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction

GWEI = 10**9


@pytest.fixture
def node():
    known_transactions.forget_transactions()
    fees.forget_compressed_sizes()
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000))
    yield node
    node.close()


def signed(user, nonce):
    return Transaction(
        DYNAMIC_FEE,
        nonce,
        gas_limit=100_000,
        to=USERS[9].address,
        data=Random(16 * user + nonce).randbytes(200),
        chain_id=901,
        max_fee_per_gas=100 * GWEI,
        max_priority_fee_per_gas=GWEI,
    ).signed(USERS[user].private_key)


def counted(monkeypatch, owner, name, key=lambda *args: args[0]):
    """How often a function is called, by its first argument."""
    calls = Counter()
    original = getattr(owner, name)

    def function(*args):
        calls[key(*args)] += 1
        return original(*args)

    monkeypatch.setattr(owner, name, function)
    return calls


def run_until_verified(node, transactions):
    node.l2.pool.add_many([item.encode() for item in transactions])
    node.run_until_safe(2)
    assert all(node.verifier.chain.find_transaction(item.hash) is not None for item in transactions)
    assert node.is_verifier_equal()


def test_each_sender_is_recovered_once_for_pool_builder_and_verifier(node, monkeypatch):
    recovered = counted(monkeypatch, transaction, "recover_address")
    transactions = [signed(user, nonce) for user in range(3) for nonce in range(4)]
    run_until_verified(node, transactions)
    assert [recovered[item.signing_hash()] for item in transactions] == [1] * 12


def test_each_transaction_is_compressed_once_for_pool_builder_and_verifier(node, monkeypatch):
    compressed = counted(monkeypatch, fees, "fastlz_length")
    transactions = [signed(user, nonce) for user in range(3) for nonce in range(4)]
    run_until_verified(node, transactions)
    assert [compressed[item.encode()] for item in transactions] == [1] * 12


def test_the_verifier_executes_every_transaction_itself(node, monkeypatch):
    executed = Counter()
    original = type(node.verifier.engine).new_payload

    def new_payload(engine, block):
        executed[engine is node.verifier.engine, block.hash] += 1
        return original(engine, block)

    monkeypatch.setattr(type(node.verifier.engine), "new_payload", new_payload)
    transactions = [signed(0, nonce) for nonce in range(4)]
    run_until_verified(node, transactions)
    block = node.verifier.chain.find_transaction(transactions[0].hash).block_hash
    assert executed[True, block] == executed[False, block] == 1  # the sequencer's own block is not built again


def test_a_transaction_that_the_pool_refuses_is_not_shared(node):
    unpaid = Transaction(DYNAMIC_FEE, chain_id=901, gas_limit=21_000, max_fee_per_gas=GWEI).signed(b"\7" * 32)
    assert isinstance(node.l2.pool.add_many([unpaid.encode()])[0], Exception)
    assert known_transactions.known_or_decoded(unpaid.encode()) is not known_transactions.known_or_decoded(
        unpaid.encode()
    )


def test_a_transaction_wakes_the_builder_alone_and_only_where_blocks_are_instant(node, monkeypatch):
    assert isinstance(node.l2.pool, Mempool)
    woken = []
    monkeypatch.setattr(node, "wake", lambda: woken.append("all"))
    monkeypatch.setattr(node._schedule, "transaction_came", lambda: woken.append("builder"))
    node.l2.pool.add(signed(0, 0).encode())
    assert woken == []
    node.sequencer.instant = True
    node.l2.pool.add(signed(0, 1).encode())
    assert woken == ["builder"]


def test_an_idle_pool_asks_for_no_turn_to_execute_ahead(node):
    assert not node.l1.miner.has_slow_transactions
    assert not node.sequencer.has_slow_transactions
