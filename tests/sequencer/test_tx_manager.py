import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivation.errors import Temporary
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction
from sequencer.batcher.tx_manager import NonceTaken, TxCandidate, TxManager
from tests.sequencer.fake_l1 import FakeL1

KEY = b"\x05" * 32
INBOX = b"\xff" * 20


def manager(l1, **options):
    return TxManager(l1, KEY, 900, **options)


def candidate(number=0):
    return TxCandidate(INBOX, b"\x00frame" + number.to_bytes(2, "big"))


def mined(l1):
    return [transaction.data for block in l1.blocks for transaction in block]


def test_candidates_go_in_by_nonce_and_get_receipts():
    # spec: holocene.batcher-order
    l1 = FakeL1()
    txs = manager(l1)
    tracked = [txs.submit(candidate(n)) for n in range(3)]
    txs.step()
    assert txs.in_flight == 3
    l1.mine()
    txs.step()
    assert txs.in_flight == 0
    assert [item.receipt.block_number for item in tracked] == [1, 1, 1]
    assert mined(l1) == [candidate(n).data for n in range(3)]


def test_gas_covers_the_calldata_floor():
    l1 = FakeL1()
    txs = manager(l1)
    txs.submit(TxCandidate(INBOX, b"\x00" + b"\x01" * 99))
    txs.step()
    assert l1.sent[0].gas_limit == 21_000 + 10 * (1 + 4 * 99)


def test_confirmations_count_the_including_block():
    l1 = FakeL1()
    txs = manager(l1, confirmations=3)
    tracked = txs.submit(candidate())
    txs.step()
    for expected in (False, False, True):
        l1.mine()
        head = txs.step()
        assert tracked.is_confirmed(head.number, txs.confirmations) is expected


def test_a_transaction_that_waits_too_long_is_replaced_with_higher_fees():
    l1 = FakeL1()
    txs = manager(l1, resubmit_after=2)
    txs.submit(candidate())
    txs.step()
    l1.price *= 50
    for _ in range(2):
        l1.mine()
        txs.step()
    first, second = l1.sent
    assert second.nonce == first.nonce
    assert second.max_fee_per_gas >= l1.price
    assert second.max_priority_fee_per_gas * 10 >= first.max_priority_fee_per_gas * 11
    l1.mine()
    txs.step()
    assert txs.in_flight == 0
    assert mined(l1) == [candidate().data]


def test_the_first_version_may_be_the_one_that_is_included():
    l1 = FakeL1()
    txs = manager(l1, resubmit_after=1)
    tracked = txs.submit(candidate())
    txs.step()
    first = l1.pool[0]
    l1.mine(empty=True)
    txs.step()
    assert len(tracked.versions) == 2
    l1.pool[0] = first
    l1.mine()
    txs.step()
    assert tracked.receipt.transaction_hash == first.hash


@pytest.mark.parametrize("pool_keeps", [True, False])
def test_a_reorg_that_drops_a_transaction_has_it_included_again(pool_keeps):
    l1 = FakeL1()
    txs = manager(l1)
    tracked = [txs.submit(candidate(n)) for n in range(2)]
    txs.step()
    l1.mine()
    l1.mine()
    txs.step()
    l1.reorg(2, keep=pool_keeps)
    txs.step()
    assert txs.in_flight == 2
    l1.mine()
    txs.step()
    assert [item.receipt.block_number for item in tracked] == [3, 3]
    assert len(mined(l1)) == 2


def test_an_answer_that_is_lost_is_not_a_second_transaction():
    l1 = FakeL1()
    txs = manager(l1)
    tracked = txs.submit(candidate())
    l1.lose_answer = True
    l1.fails_after_loss = 2
    with pytest.raises(Temporary):
        txs.step()
    l1.mine()
    txs.step()
    assert tracked.receipt is not None
    assert len(mined(l1)) == 1


def test_a_nonce_used_by_another_program_is_reported():
    l1 = FakeL1()
    txs = manager(l1)
    txs.submit(candidate())
    other = Transaction(DYNAMIC_FEE, nonce=0, to=INBOX, chain_id=900, max_fee_per_gas=10**12).signed(KEY)
    l1.pool[0] = other
    l1.refuse = "replacement transaction underpriced"
    txs.step()
    assert txs.last_refusal == "replacement transaction underpriced"
    l1.mine()
    with pytest.raises(NonceTaken):
        txs.step()
    l1.refuse = None
    txs.reset()
    txs.submit(candidate(7))
    txs.step()
    l1.mine()
    assert mined(l1)[-1] == candidate(7).data


def test_a_refused_transaction_is_tried_again_at_the_same_nonce():
    l1 = FakeL1()
    txs = manager(l1)
    txs.submit(candidate())
    l1.refuse = "insufficient funds for gas * price + value"
    for _ in range(3):
        txs.step()
    l1.refuse = None
    txs.step()
    assert txs.last_refusal is None
    assert [transaction.nonce for transaction in l1.sent] == [0]


def test_transactions_that_an_earlier_run_left_in_l1s_pool_are_seen():
    l1 = FakeL1()
    before = manager(l1)
    before.submit(candidate(1))
    before.submit(candidate(2))
    before.step()
    after = manager(l1)
    assert after.foreign_in_flight() == 2
    l1.mine()
    assert after.foreign_in_flight() == 0


def test_a_gap_that_another_program_left_is_filled():
    """Another program sends with the same key, we take the next nonce, and L1's pool loses its transactions."""
    l1 = FakeL1()
    for nonce in range(2):
        other = Transaction(DYNAMIC_FEE, nonce=nonce, to=INBOX, chain_id=900, max_fee_per_gas=10**9).signed(KEY)
        l1.pool[nonce] = other
    txs = manager(l1)
    tracked = txs.submit(candidate(1))
    txs.step()
    assert tracked.nonce == 2
    assert txs.in_flight == 1
    txs.step()
    assert [transaction.nonce for transaction in l1.sent] == [2]  # the others still wait in the pool
    del l1.pool[0], l1.pool[1]
    txs.step()
    assert sorted(l1.pool) == [0, 1, 2]
    l1.mine()
    txs.step()
    assert mined(l1) == [b"", b"", candidate(1).data]
    assert txs.in_flight == 0


def test_deep_transactions_are_not_followed_any_more():
    l1 = FakeL1()
    txs = manager(l1, follow_depth=5)
    txs.submit(candidate())
    txs.step()
    for _ in range(5):
        l1.mine()
    txs.step()
    l1.reorg(5, keep=False)
    txs.step()
    assert txs.in_flight == 0


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from(["submit", "mine", "empty", "reorg", "lose", "fail", "lost answer", "dear"]), max_size=40)
)
def test_whatever_l1_does_every_candidate_is_included_once(events):
    l1 = FakeL1()
    txs = manager(l1, resubmit_after=2)
    count = 0
    for event in [*events, "submit"]:
        if event == "submit":
            l1.fails = 0
            txs.submit(candidate(count))
            count += 1
        elif event == "mine":
            l1.mine()
        elif event == "empty":
            l1.mine(empty=True)
        elif event == "reorg" and len(l1.blocks) > 2:
            l1.reorg(2, keep=len(events) % 2 == 0)
        elif event == "lose":
            l1.pool.clear()
        elif event == "fail":
            l1.fails = 3
        elif event == "lost answer":
            l1.lose_answer = True
        elif event == "dear":
            l1.price = l1.price * 3 // 2
        try:
            txs.step()
        except Temporary:
            continue
    l1.fails, l1.lose_answer = 0, False
    for _ in range(200):
        txs.step()
        l1.mine()
        if len(mined(l1)) == count:
            break
    txs.step()
    assert mined(l1) == [candidate(n).data for n in range(count)]
    assert txs.in_flight == 0
