"""Each rule of a batch by itself: a good batch, and one thing of it changed.

Specs protocol/derivation.md and delta/span-batches.md, "Batch Queue".
"""

from dataclasses import replace

import pytest

from derivation.batch_checks import Validity, check_singular_batch, check_span_batch, check_span_batch_holocene
from derivation.batches import SingularBatch
from derivation.span_batches import SpanBatch
from derivation.span_blocks import SpanBlock
from rollup.protocol.blockref import BlockId, L1BlockRef, L2BlockRef
from rollup.protocol.forks import Fork, ForkSchedule
from tests.vectors.rollup_configs import rollup_config

ACCEPT, DROP, UNDECIDED, FUTURE = Validity.ACCEPT, Validity.DROP, Validity.UNDECIDED, Validity.FUTURE
L1 = [L1BlockRef(bytes([number]) * 32, number, bytes([number - 1]) * 32, 1_000 + 12 * number) for number in range(5, 9)]
SAFE = L2BlockRef(b"\xaa" * 32, 30, b"\xab" * 32, 1_098, BlockId(L1[0].hash, 5), 0)
NEXT = SAFE.timestamp + 2
GRANITE, HOLOCENE, ISTHMUS = (ForkSchedule.all_at(fork) for fork in (Fork.GRANITE, Fork.HOLOCENE, Fork.ISTHMUS))
GOOD = SingularBatch(SAFE.hash, 5, L1[0].hash, NEXT, [b"\x02transaction"])


class NoChain:
    """Spans of these tests overlap nothing."""

    def block_by_number(self, number):
        raise AssertionError(number)


def singular(batch, forks=HOLOCENE, l1_blocks=L1, inclusion=L1[-1], **config):
    return check_singular_batch(rollup_config(forks, **config), l1_blocks, SAFE, batch, inclusion).validity


def test_a_good_batch_is_accepted():
    assert singular(GOOD) is ACCEPT


def test_a_batch_is_included_within_its_sequencing_window():
    # spec: batch.window
    assert singular(GOOD, seq_window_size=3) is ACCEPT
    assert singular(GOOD, seq_window_size=2) is DROP


def test_a_batch_names_the_hash_of_its_origin():
    # spec: batch.epoch-hash
    assert singular(replace(GOOD, epoch_hash=L1[1].hash)) is DROP
    later = replace(GOOD, epoch_number=6, epoch_hash=b"\xee" * 32)
    assert singular(later) is DROP


def test_a_batch_that_moves_to_an_unknown_l1_block_waits():
    # spec: batch.undecided, batch.epoch-advance-unknown
    batch = replace(GOOD, epoch_number=6, epoch_hash=L1[1].hash)
    assert singular(batch, l1_blocks=L1[:1]) is UNDECIDED
    assert singular(GOOD, l1_blocks=[]) is UNDECIDED


@pytest.mark.parametrize("transaction", [b"", b"\x7edeposit"], ids=["empty", "deposit"])
def test_a_transaction_that_a_batch_may_not_have_drops_it(transaction):
    # spec: batch.transactions, span.transactions
    assert singular(replace(GOOD, transactions=[b"\x02good", transaction])) is DROP
    assert span([SpanBlock(NEXT, 5, [transaction])]) is DROP


@pytest.mark.parametrize(("forks", "expected"), [(HOLOCENE, DROP), (ISTHMUS, ACCEPT)], ids=["Holocene", "Isthmus"])
def test_set_code_transactions_are_there_from_isthmus_on(forks, expected):
    # spec: batch.transaction-types, batch.set-code
    assert singular(replace(GOOD, transactions=[b"\x04set code"]), forks) is expected


def span(blocks, forks=GRANITE, parent=SAFE.hash, origin=None, l1_blocks=L1, safe=SAFE):
    last = next((ref.hash for ref in L1 if ref.number == blocks[-1].epoch_number), bytes(32))
    batch = SpanBatch(parent[:20], (origin or last)[:20], blocks)
    check = check_span_batch_holocene if forks is HOLOCENE else check_span_batch
    return check(rollup_config(forks), l1_blocks, safe, batch, L1[-1], NoChain()).validity


@pytest.mark.parametrize("forks", [GRANITE, HOLOCENE], ids=["Granite", "Holocene"])
class TestSpans:
    """The checks of a span as a whole, before Holocene and from it on."""

    def test_a_good_span_is_accepted(self, forks):
        assert span([SpanBlock(NEXT, 5), SpanBlock(NEXT + 2, 5)], forks) is ACCEPT

    def test_a_span_builds_on_the_parent_it_checks(self, forks):
        # spec: holocene.span-parent-check, span.parent-check
        assert span([SpanBlock(NEXT, 5)], forks, parent=b"\xbb" * 32) is DROP

    def test_a_span_with_a_gap_before_it_waits_or_is_dropped(self, forks):
        # spec: holocene.span-no-gap, span.future
        assert span([SpanBlock(NEXT + 2, 5)], forks) is (DROP if forks is HOLOCENE else FUTURE)

    def test_a_span_moves_one_epoch_at_most_at_its_beginning(self, forks):
        # spec: span.epoch-one-step
        assert span([SpanBlock(NEXT, 7)], forks) is DROP

    def test_a_spans_first_epoch_is_not_older_than_its_parents(self, forks):
        # spec: span.epoch-not-older
        safe = replace(SAFE, l1_origin=BlockId(L1[1].hash, 6))
        assert span([SpanBlock(NEXT, 5)], forks, safe=safe) is DROP


def test_a_span_before_delta_is_dropped():
    # spec: span.delta
    assert span([SpanBlock(NEXT, 5)], ForkSchedule.all_at(Fork.DELTA)) is ACCEPT
    assert span([SpanBlock(NEXT, 5)], ForkSchedule.all_at(Fork.CANYON)) is DROP
