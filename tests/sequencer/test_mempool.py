import time
from contextlib import contextmanager

import pytest
from coincurve import PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.execution.config import L1Config
from rollup.execution.errors import InvalidTransaction, Refusal
from rollup.pool.errors import PoolError
from rollup.pool.limits import PoolLimits
from rollup.pool.rules import decoded
from rollup.protocol.prepared import prepare, restore
from rollup.protocol.primitives import keccak256, rlp_encode
from rollup.protocol.transaction import ACCESS_LIST, BLOB, SET_CODE, Authorization, deposit_transaction
from rollup.store.kv import MemoryStore, StoreError
from tests.sequencer.pool_helpers import (
    CHAIN_ID,
    ETHER,
    GWEI,
    FakeChain,
    address,
    legacy,
    make_pool,
    order,
    transfer,
)


def refusal(pool, transaction):
    with pytest.raises(PoolError) as caught:
        pool.add(transaction if isinstance(transaction, bytes) else transaction.encode())
    assert caught.value.code == -32000
    return caught.value.message


def test_a_senders_transactions_come_in_nonce_order_whatever_their_arrival():
    pool, _ = make_pool()
    for nonce in (2, 0, 1):
        pool.add(transfer(1, nonce).encode())
    assert order(pool) == [(1, 0), (1, 1), (1, 2)]


def test_transactions_behind_a_nonce_gap_wait_until_it_closes():
    pool, _ = make_pool()
    pool.add(transfer(1, 0).encode())
    pool.add(transfer(1, 2).encode())
    assert order(pool) == [(1, 0)]
    assert pool.counts() == (1, 1)
    assert [tx.nonce for tx in pool.content().queued[address(1)]] == [2]
    assert pool.nonce(address(1)) == 1
    pool.add(transfer(1, 1).encode())
    assert order(pool) == [(1, 0), (1, 1), (1, 2)]
    assert pool.nonce(address(1)) == 3


def test_across_senders_the_higher_effective_tip_goes_first():
    pool, _ = make_pool()
    pool.add(transfer(1, 0, tip=1 * GWEI).encode())
    pool.add(transfer(2, 0, tip=3 * GWEI).encode())
    pool.add(transfer(2, 1, tip=1).encode())
    # The cap leaves 2 gwei of the 9 it offers as a tip at a base fee of 1.
    pool.add(transfer(3, 0, tip=9 * GWEI, cap=9 * GWEI).encode())
    pool.add(transfer(4, 0, tip=2 * GWEI, cap=3 * GWEI).encode())
    assert order(pool, base_fee=GWEI) == [(3, 0), (2, 0), (4, 0), (1, 0), (2, 1)]
    assert order(pool, base_fee=int(2.5 * GWEI))[:2] == [(3, 0), (2, 0)]


def test_equal_tips_go_by_arrival():
    pool, _ = make_pool()
    for sender in (5, 3, 4):
        pool.add(transfer(sender).encode())
    assert order(pool) == [(5, 0), (3, 0), (4, 0)]


def test_a_transaction_below_the_base_fee_stays_in_the_pool_with_its_successors():
    pool, _ = make_pool()
    pool.add(transfer(1, 0, cap=2 * GWEI).encode())
    pool.add(transfer(1, 1, cap=9 * GWEI).encode())
    assert order(pool, base_fee=3 * GWEI) == []
    assert not pool.has_pending(3 * GWEI)
    assert pool.has_pending(2 * GWEI)
    assert len(pool) == 2


def test_a_replacement_must_raise_tip_and_cap_by_ten_percent():
    pool, _ = make_pool()
    pool.add(transfer(1, tip=100, cap=10 * GWEI).encode())
    only_tip = transfer(1, tip=110, cap=10 * GWEI)
    only_cap = transfer(1, tip=100, cap=11 * GWEI)
    just_below = transfer(1, tip=110, cap=11 * GWEI - 1)
    for transaction in (only_tip, only_cap, just_below):
        assert refusal(pool, transaction) == "replacement transaction underpriced"
    better = transfer(1, tip=110, cap=11 * GWEI)
    old = transfer(1, tip=100, cap=10 * GWEI)
    assert pool.add(better.encode()) == better.hash
    assert pool.get(old.hash) is None
    assert len(pool) == 1
    assert order(pool) == [(1, 0)]


def test_the_same_transaction_again_is_already_known():
    pool, _ = make_pool()
    pool.add(transfer(1).encode())
    assert refusal(pool, transfer(1)) == "already known"


def test_a_low_nonce_names_both_nonces():
    pool, chain = make_pool()
    chain.state.set(address(1), nonce=7)
    assert refusal(pool, transfer(1, 5)) == "nonce too low: next nonce 7, tx nonce 5"


def test_one_transaction_beyond_the_balance_names_balance_cost_and_overshot():
    pool, chain = make_pool()
    chain.state.set(address(1), balance=1000)
    cost = 21_000 * 10 * GWEI + 1
    assert refusal(pool, transfer(1)) == (
        f"insufficient funds for gas * price + value: balance 1000, tx cost {cost}, overshot {cost - 1000}"
    )


def test_the_balance_check_counts_what_the_sender_has_in_the_pool():
    pool, chain = make_pool()
    cost = 21_000 * 10 * GWEI + 1
    chain.state.set(address(1), balance=2 * cost)
    pool.add(transfer(1, 0).encode())
    pool.add(transfer(1, 1).encode())
    assert refusal(pool, transfer(1, 2)).startswith(
        f"insufficient funds for gas * price + value: balance {2 * cost}, queued cost {2 * cost}, tx cost {cost}"
    )


def test_a_replacement_is_not_counted_twice_in_the_balance_check():
    pool, chain = make_pool()
    chain.state.set(address(1), balance=21_000 * 11 * GWEI + 1)
    pool.add(transfer(1, tip=GWEI, cap=10 * GWEI).encode())
    pool.add(transfer(1, tip=2 * GWEI, cap=11 * GWEI).encode())
    assert len(pool) == 1


def test_a_transaction_that_cannot_pay_its_l1_fee_never_enters():
    l1_fee = 5 * ETHER
    pool, chain = make_pool(extra_cost=lambda header, state: lambda transaction: l1_fee)
    plain = 21_000 * 10 * GWEI + 1
    chain.state.set(address(1), balance=plain + l1_fee - 1)
    assert refusal(pool, transfer(1)).endswith(f"tx cost {plain + l1_fee}, overshot 1")
    chain.state.set(address(1), balance=plain + l1_fee)
    pool.add(transfer(1).encode())


def test_doors():
    pool, _ = make_pool(limits=PoolLimits(fee_cap=ETHER))
    assert refusal(pool, transfer(1, gas=20_999)) == "intrinsic gas too low: gas 20999, minimum needed 21000"
    assert refusal(pool, transfer(1, gas=30_000_001)) == "exceeds block gas limit"
    assert refusal(pool, transfer(1, tip=2 * GWEI, cap=GWEI)) == (
        "max priority fee per gas higher than max fee per gas"
    )
    assert "invalid chain id for signer: have 901 want 900" in refusal(pool, transfer(1, chain_id=901))
    assert refusal(pool, legacy(1, chain_id=None)) == ("only replay-protected (EIP-155) transactions allowed over RPC")
    assert refusal(pool, transfer(1, tip=0)) == "transaction underpriced: gas tip cap 0, minimum needed 1"
    assert refusal(pool, transfer(1, gas=2_000_000, cap=1000 * GWEI)) == (
        "tx fee (2.00 ether) exceeds the configured cap (1.00 ether)"
    )
    assert refusal(pool, transfer(1, 2**64 - 1)) == "nonce has max value"
    assert refusal(pool, transfer(1, gas=10_000_000, data=bytes(131_072))).startswith(
        "oversized data: transaction size"
    )
    assert refusal(pool, transfer(1, gas=10_000_000, data=bytes(49_153), to=None)) == (
        "max initcode size exceeded: code size 49153, limit 49152"
    )
    data = b"\x01" * 1000  # standard 21,000 + 16,000; EIP-7623 floor 21,000 + 40,000
    assert refusal(pool, transfer(1, gas=60_999, data=data)) == (
        "insufficient gas for floor data gas cost: gas 60999, minimum needed 61000"
    )
    assert len(pool) == 0


def test_types_that_are_not_for_the_pool():
    # spec: deposit.never-from-pool, blob.no-l2-blob-transactions
    pool, _ = make_pool()
    deposit = deposit_transaction(
        source_hash=bytes(32), sender=bytes(20), to=None, mint=1, value=0, gas_limit=1, is_system=False, data=b""
    )
    blob = transfer(1, tx_type=BLOB, blob_versioned_hashes=(b"\x01" + bytes(31),), max_fee_per_blob_gas=1)
    for transaction in (deposit, blob, b"\x05" + rlp_encode([])):
        assert refusal(pool, transaction) == "transaction type not supported"
    assert refusal(pool, transfer(1, tx_type=SET_CODE, gas=100_000)) == (
        "set code tx must have at least one authorization tuple"
    )
    for garbage in (b"", b"\x02", b"\x02\xc0", b"\xff" * 40, b"\xc0"):
        assert refusal(pool, garbage)


def test_legacy_and_access_list_transactions_are_taken():
    pool, _ = make_pool()
    pool.add(legacy(1).encode())
    pool.add(transfer(2, tx_type=ACCESS_LIST, tip=10 * GWEI).encode())
    assert len(pool) == 2


def test_blob_transactions_where_they_are_allowed():
    pool, _ = make_pool(config=L1Config(CHAIN_ID))
    blob = transfer(1, tx_type=BLOB, blob_versioned_hashes=(b"\x01" + bytes(31),), max_fee_per_blob_gas=7)
    pool.add(blob.encode())
    bump = {"tx_type": BLOB, "blob_versioned_hashes": blob.blob_versioned_hashes}
    too_little = transfer(1, tip=2 * GWEI, cap=20 * GWEI, max_fee_per_blob_gas=13, **bump)
    assert refusal(pool, too_little) == "replacement transaction underpriced"
    pool.add(transfer(1, tip=2 * GWEI, cap=20 * GWEI, max_fee_per_blob_gas=14, **bump).encode())


def test_a_delegated_account_has_one_transaction_in_flight():
    pool, chain = make_pool()
    chain.state.set(address(1), code=b"\xef\x01\x00" + b"\x99" * 20)
    chain.state.set(address(2), code=b"\x60\x00")
    pool.add(transfer(1, 0).encode())
    assert refusal(pool, transfer(1, 1)) == "gapped-nonce tx from delegated accounts"
    assert "sender not an eoa" in refusal(pool, transfer(2))


def test_inclusion_takes_a_transaction_out_and_another_one_with_its_nonce():
    pool, chain = make_pool()
    pool.add(transfer(1, 0).encode())
    pool.add(transfer(1, 1).encode())
    pool.add(transfer(2, 0).encode())
    chain.include(transfer(1, 0), transfer(2, 0, value=55))
    assert order(pool) == [(1, 1)]
    assert len(pool) == 1


def test_a_reorg_puts_orphaned_transactions_back():
    pool, chain = make_pool()
    transactions = [transfer(1, 0), transfer(1, 1), transfer(2, 0)]
    for transaction in transactions:
        pool.add(transaction.encode())
    block = chain.include(*transactions)
    assert len(pool) == 0
    chain.include(transfer(2, 0), removed=[block])
    assert order(pool) == [(1, 0), (1, 1)]


def test_an_authority_whose_nonce_a_set_code_transaction_moved_is_brought_up():
    pool, chain = make_pool()
    pool.add(transfer(3, 0).encode())
    message = keccak256(b"\x05" + rlp_encode([b"", bytes(20), b""]))
    signature = PrivateKey((3).to_bytes(32, "big")).sign_recoverable(message, hasher=None)
    authorization = Authorization(
        0, bytes(20), 0, signature[64], int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    )
    chain.state.set(address(3), nonce=1)
    chain.include(transfer(1, 0, tx_type=SET_CODE, gas=100_000, authorization_list=(authorization,)))
    assert len(pool) == 0


def test_a_sender_that_can_no_longer_pay_is_dropped_at_the_next_head():
    pool, chain = make_pool()
    cost = 21_000 * 10 * GWEI + 1
    for nonce in range(3):
        pool.add(transfer(1, nonce).encode())
    chain.state.set(address(1), nonce=0, balance=cost - 1)
    chain.include(transfer(1, 0))
    assert len(pool) == 0


def test_a_rejected_transaction_is_dropped_and_the_rest_of_its_sender_left_out_of_the_block():
    pool, _ = make_pool()
    for nonce in range(3):
        pool.add(transfer(1, nonce, tip=5 * GWEI).encode())
    pool.add(transfer(2, 0).encode())
    taken = []
    for transaction in pool.pending(GWEI):
        if transaction.nonce == 1:
            pool.reject(transaction, InvalidTransaction(Refusal.FUNDS, address=address(1), have=0, want=1))
        else:
            taken.append(transaction.sender)
    assert taken == [address(1), address(2)]
    assert pool.counts() == (2, 1)


def test_a_transaction_the_block_had_no_room_for_stays():
    pool, _ = make_pool()
    pool.add(transfer(1, 0).encode())
    pool.add(transfer(1, 1).encode())
    for transaction in pool.pending(GWEI):
        pool.reject(transaction, InvalidTransaction(Refusal.BLOCK_GAS, have=21_000, want=0))
    assert order(pool) == [(1, 0), (1, 1)]


def test_what_a_block_has_already_is_not_offered_to_it_again():
    pool, _ = make_pool()
    for nonce in range(3):
        pool.add(transfer(1, nonce).encode())
    pool.add(transfer(2, 0, tip=2 * GWEI).encode())
    offered = [(tx.sender, tx.nonce) for tx in pool.pending(GWEI, {address(1): 2, address(2): 1})]
    assert offered == [(address(1), 2)]
    assert pool.arrivals == 4


def test_a_full_pool_drops_the_cheapest_for_a_better_one_only():
    pool, _ = make_pool(limits=PoolLimits(total=3))
    for sender in (1, 2, 3):
        pool.add(transfer(sender, tip=sender * GWEI).encode())
    assert refusal(pool, transfer(4, tip=GWEI)) == "transaction underpriced"
    pool.add(transfer(4, tip=2 * GWEI).encode())
    assert order(pool) == [(3, 0), (2, 0), (4, 0)]


def test_one_sender_has_bounds_of_its_own():
    pool, _ = make_pool(limits=PoolLimits(account_pending=2, account_queued=1))
    pool.add(transfer(1, 0).encode())
    pool.add(transfer(1, 1).encode())
    assert refusal(pool, transfer(1, 2)) == "account limit exceeded"
    pool.add(transfer(1, 5).encode())
    assert refusal(pool, transfer(1, 6)) == "account limit exceeded"


def test_acknowledged_transactions_survive_a_kill():
    store, chain = MemoryStore(), FakeChain()
    pool, _ = make_pool(chain, journal=store)
    for sender, nonce in ((1, 0), (1, 1), (2, 0), (3, 4)):
        pool.add(transfer(sender, nonce).encode())
    pool.remove(transfer(2, 0).hash)
    chain.include(transfer(1, 0))
    again, _ = make_pool(chain, journal=store)
    assert order(again) == [(1, 1)]
    assert again.counts() == (1, 1)
    again.add(transfer(3, 0).encode())
    third, _ = make_pool(chain, journal=store)
    assert order(third) == order(again)


def test_add_many_answers_each():
    pool, _ = make_pool()
    results = pool.add_many([transfer(1, 0).encode(), transfer(1, 0).encode(), b"", transfer(1, 1).encode()])
    assert results[0] == transfer(1, 0).hash
    assert [str(result) for result in results[1:3]] == ["already known", "empty transaction"]
    assert results[3] == transfer(1, 1).hash


def test_prepared_transactions_are_answered_as_their_bytes_are():
    good = [transfer(1, 0), transfer(1, 0), transfer(1, 3), transfer(2, 0), transfer(9, 0), legacy(3, 0)]
    good += [transfer(1, 0, tip=9 * GWEI, cap=20 * GWEI), transfer(4, 0, gas=20_000), transfer(4, 0, chain_id=7)]
    raws = [transaction.encode() for transaction in good]
    raws += [b"", raws[3][:-1], raws[3] + b"\0", b"\x05" + raws[3], raws[3][:-1] + b"\x01"]
    prepared = [prepare(raw) for raw in raws]
    assert sum(item is not None for item in prepared) >= len(good)
    pools = [make_pool()[0] for _ in range(3)]
    one_by_one = [added(pools[0], raw) for raw in raws]
    many = [answer_text(item) for item in pools[1].add_many(raws)]
    pairs = zip(raws, prepared, strict=True)
    restored = pools[2].add_transactions(decoded(raw) if item is None else restore(raw, item) for raw, item in pairs)
    assert one_by_one == many == [answer_text(item) for item in restored]
    assert order(pools[0]) == order(pools[1]) == order(pools[2])


def added(pool, raw):
    try:
        return pool.add(raw).hex()
    except PoolError as error:
        return error.message


def answer_text(answer):
    return answer.message if isinstance(answer, PoolError) else answer.hex()


def test_listeners_hear_of_each_transaction_once_together_with_those_that_came_with_it():
    pool, _ = make_pool()
    heard = []
    pool.subscribe(lambda transactions: heard.append([transaction.nonce for transaction in transactions]))
    pool.add(transfer(1, 0).encode())
    pool.add_many([transfer(1, 1).encode(), transfer(1, 1).encode(), transfer(1, 2).encode()])
    pool.add_many([transfer(1, 1).encode()])
    assert heard == [[0], [1, 2]]


def test_ingest_is_not_quadratic_in_one_senders_transactions():
    def seconds(count):
        pool, chain = make_pool(limits=PoolLimits(account_pending=10**6, account_queued=10**6))
        chain.state.set(address(1), balance=10**30)
        transactions = [transfer(1, nonce) for nonce in range(count)]
        for transaction in transactions:
            _ = transaction.sender
        start = time.process_time()
        for transaction in transactions:
            pool.add_transaction(transaction)
        assert len(list(pool.pending(GWEI))) == count
        chain.include(*transactions[: count // 2])
        assert len(pool) == count - count // 2
        return time.process_time() - start

    seconds(200)
    # Eight times the work may take eight times as long, with room for a busy machine; quadratic would be 64.
    assert seconds(4_000) < 30 * max(seconds(500), 0.002)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 5), st.integers(1, 4), st.booleans()), max_size=40))
def test_whatever_comes_in_the_pools_promises_hold(steps):
    pool, chain = make_pool()
    for sender, nonce, tip, mine in steps:
        try:
            pool.add(transfer(sender, nonce, tip=tip * GWEI, cap=(5 + tip) * GWEI).encode())
        except PoolError:
            pass
        if mine:
            taken = next(iter(pool.pending(GWEI)), None)
            if taken is not None:
                chain.include(taken)
        listed = list(pool.pending(GWEI))
        assert len(listed) == pool.counts()[0]
        for index in (1, 2, 3):
            state_nonce = chain.state.account(address(index)).nonce
            nonces = [tx.nonce for tx in listed if tx.sender == address(index)]
            assert nonces == list(range(state_nonce, pool.nonce(address(index))))
        content = pool.content()
        held = [tx for group in (content.pending, content.queued) for items in group.values() for tx in items]
        assert len(held) == len(pool)
        assert all(pool.get(tx.hash) is tx for tx in held)


def test_transactions_behind_nonce_gaps_are_bounded_over_all_senders():
    """geth, truncateQueue: the sender that was silent longest loses its highest nonces first."""
    pool, _ = make_pool(limits=PoolLimits(account_queued=4, queued_total=6))
    for sender in (1, 2, 3):
        pool.add(transfer(sender, 0).encode())
        for nonce in (2, 3, 4):
            pool.add(transfer(sender, nonce).encode())
    assert pool.counts() == (3, 6)
    queued = pool.content().queued
    assert [[tx.nonce for tx in queued.get(address(sender), [])] for sender in (1, 2, 3)] == [[], [2, 3, 4], [2, 3, 4]]


def test_transactions_behind_a_nonce_gap_expire():
    now = [0.0]
    pool, chain = make_pool(now=lambda: now[0])
    for sender in (1, 2):
        pool.add(transfer(sender, 3).encode())
    now[0] = PoolLimits().queued_lifetime
    pool.add(transfer(2, 4).encode())
    now[0] += 1
    chain.include()
    assert list(pool.content().queued) == [address(2)]


def test_a_transaction_behind_a_gap_takes_no_place_of_one_that_can_run():
    pool, _ = make_pool(limits=PoolLimits(total=2))
    pool.add(transfer(1, 0).encode())
    pool.add(transfer(2, 0).encode())
    assert refusal(pool, transfer(3, 5, tip=9 * GWEI)) == "future transaction tries to replace pending"
    assert order(pool) == [(1, 0), (2, 0)]
    pool.add(transfer(3, 0, tip=9 * GWEI).encode())
    assert len(pool) == 2


class FullDisk(MemoryStore):
    """A store that can be written until it is full."""

    is_full = False

    @contextmanager
    def write(self):
        with super().write() as batch:
            yield batch
            if self.is_full:
                raise StoreError("cannot write: no space left")


@pytest.mark.parametrize("many", [False, True])
def test_a_transaction_that_cannot_be_stored_is_refused_and_leaves_the_pool_unchanged(many):
    store, chain = FullDisk(), FakeChain()
    pool, _ = make_pool(chain, journal=store, limits=PoolLimits(total=3))
    for sender in (1, 2, 3):
        pool.add(transfer(sender, 0).encode())
    before = order(pool), pool.counts()
    store.is_full = True
    tries = [transfer(1, 0, tip=9 * GWEI, cap=20 * GWEI), transfer(4, 0, tip=9 * GWEI), transfer(5, 0, tip=8 * GWEI)]
    if many:
        answers = [str(answer) for answer in pool.add_many([tx.encode() for tx in tries])]
    else:
        answers = [refusal(pool, tx) for tx in tries]
    assert all(answer.startswith("transaction could not be stored") for answer in answers)
    assert (sorted(order(pool)), pool.counts()) == (sorted(before[0]), before[1])
    store.is_full = False
    assert pool.add(tries[1].encode()) == tries[1].hash
    again, _ = make_pool(chain, journal=store, limits=PoolLimits(total=3))
    assert sorted(order(again)) == sorted(order(pool))


def test_a_replacement_is_no_gap_for_what_follows_it_after_a_restart():
    store, chain = MemoryStore(), FakeChain()
    limits = PoolLimits(account_queued=2)
    pool, _ = make_pool(chain, journal=store, limits=limits)
    for nonce in range(6):
        pool.add(transfer(1, nonce).encode())
    pool.add(transfer(1, 0, tip=9 * GWEI, cap=20 * GWEI).encode())
    again, _ = make_pool(chain, journal=store, limits=limits)
    assert again.counts() == (6, 0)
