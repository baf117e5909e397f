"""Rules by which data is dropped: each names a section of the specifications, and each is met by an input."""

from dataclasses import replace

import brotli
import pytest

from derivation import channel_assembler, channel_bank
from derivation.batch_checks import check_singular_batch, check_span_batch, check_span_batch_holocene
from derivation.batch_queue import BatchQueue
from derivation.batches import BatchError, SingularBatch
from derivation.channel_reader import ChannelReader
from derivation.channels import Channel
from derivation.compression import compress
from derivation.drops import Drop, Rule
from derivation.epochs import Epochs
from derivation.errors import EndOfSource, NotEnoughData
from derivation.frame_queue import FrameQueue, prune_frames
from derivation.frames import MAX_FRAME_LENGTH, Frame, FrameError, decode_frames
from derivation.journal import Journal
from derivation.l1_retrieval import BatcherPiece, batcher_data
from derivation.pipeline import ChannelProvider
from derivation.span_batches import SpanBatch, decode_raw_span_batch, encode_span_batch
from derivation.span_blocks import SpanBlock
from rollup.protocol.blockref import BlockId, L1BlockRef
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.primitives import rlp_decode, rlp_encode
from tests.derivation.test_batch_rules import GOOD, GRANITE, HOLOCENE, L1, NEXT, SAFE, NoChain
from tests.derivation.test_retrieval import BATCHER, BLOB, DYNAMIC_FEE, INBOX, SET_CODE, USERS, from_account
from tests.spec.rules import load_rules
from tests.vectors.rollup_configs import rollup_config

A, B = b"a" * 16, b"b" * 16
FJORD, ECOTONE, DELTA = (ForkSchedule.all_at(fork) for fork in (Fork.FJORD, Fork.ECOTONE, Fork.DELTA))
JOVIAN = replace(ForkSchedule.all_at(Fork.ISTHMUS), jovian=NEXT)


def test_codes_are_unique():
    assert len({rule.code for rule in Rule}) == len(Rule)


@pytest.mark.parametrize("rule", Rule, ids=lambda rule: rule.code)
def test_a_rule_stands_in_a_section_that_the_coverage_of_the_specifications_knows(rule):
    sections = {(entry.file, entry.section) for entry in load_rules().rules}
    assert (rule.page, rule.heading) in sections


# ---------------------------------------------------------------- what is dropped, by stage
def of_transaction(transaction):
    rules = []
    batcher_data(INBOX, BATCHER.address, [transaction], allow_blobs=True, on_drop=lambda *drop: rules.append(drop[2]))
    return rules


def of_data(data):
    with pytest.raises(FrameError) as error:
        decode_frames(data)
    return [error.value.rule]


def of_queue(*frames):
    rules = []
    prune_frames(list(frames), lambda _, rule: rules.append(rule))
    return rules


def of_channel(*frames):
    rules, block = [], L1[0]
    channel = Channel(A, block)
    for frame in frames:
        channel.add(frame, block, lambda _, rule: rules.append(rule))
    return rules


class Pieces:
    """L1 retrieval by hand: pieces of data, each in its L1 block."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.origin = L1[0]

    def next_data(self):
        if not self.pieces:
            raise EndOfSource
        number, data = self.pieces.pop(0)
        self.origin = L1BlockRef(bytes(32), number, bytes(32), 1_000)
        return BatcherPiece(data)


def drops_of(stage_of, *, forks=HOLOCENE, pieces=(), flush=False):
    """The rules by which a row of stages drops data."""
    journal, rules = Journal(), []
    journal.subscribe(lambda fact: rules.append(fact.rule) if isinstance(fact, Drop) else None)
    config, source = rollup_config(forks, channel_timeout=10), Pieces(*pieces)
    channels = ChannelProvider(config, FrameQueue(config, source, journal), journal)
    stage = stage_of(config, channels, journal)
    while True:
        try:
            stage()
        except NotEnoughData:
            continue
        except EndOfSource:
            break
    if flush:
        channels.flush()
    return rules


def of_channels(*frames, forks=HOLOCENE, flush=False):
    """Frames, each in the L1 block of a number."""
    pieces = [(number, b"\0" + frame.encode()) for number, frame in frames]
    return drops_of(lambda config, channels, journal: channels.next_channel, forks=forks, pieces=pieces, flush=flush)


def of_content(data, forks=HOLOCENE):
    """A channel's compressed bytes, read to batches."""
    frame = Frame(A, 0, data, True)
    return drops_of(
        lambda config, channels, journal: ChannelReader(config, channels, journal).next_batch,
        forks=forks,
        pieces=[(1, b"\0" + frame.encode())],
    )


def of_strings(*contents, forks=HOLOCENE):
    return of_content(compress(b"".join(rlp_encode(content) for content in contents), "zlib"), forks)


def of_batch(batch, forks=HOLOCENE, l1_blocks=L1, safe=SAFE, **config):
    return [check_singular_batch(rollup_config(forks, **config), l1_blocks, safe, batch, L1[-1]).rule]


def of_span(blocks, forks=HOLOCENE, safe=SAFE, l1_blocks=L1, parent=SAFE.hash, origin=None, **config):
    last = next((ref.hash for ref in L1 if ref.number == blocks[-1].epoch_number), bytes(32))
    batch = SpanBatch(parent[:20], (origin or last)[:20], blocks)
    check = check_span_batch_holocene if forks is HOLOCENE else check_span_batch
    return [check(rollup_config(forks, **config), l1_blocks, safe, batch, L1[-1], NoChain()).rule]


def of_activation():
    """A batch that waits for its turn when Holocene begins."""
    journal, rules = Journal(), []
    journal.subscribe(lambda fact: rules.append(fact.rule))
    queue = BatchQueue(rollup_config(GRANITE), None, NoChain(), Epochs(rollup_config(GRANITE)), journal)
    queue._epochs.reset(L1[0])
    queue._add(replace(GOOD, timestamp=NEXT + 2), SAFE)
    queue.drop(Rule.ACTIVATION)
    return rules


def span_content():
    batches = [SingularBatch(SAFE.hash, 5, L1[0].hash, NEXT, [from_account(USERS[0], DYNAMIC_FEE).encode()])]
    config = rollup_config(HOLOCENE)
    return rlp_decode(encode_span_batch(config, replace(SAFE, sequence_number=1), batches))


def of_bad_transaction(tx_type):
    raw = decode_raw_span_batch(span_content()[1:])
    raw.transactions.datas[0] = bytes((tx_type,)) + raw.transactions.datas[0][1:]
    return of_strings(b"\1" + raw.encode())


def of_outdated_span():
    batch = SpanBatch(SAFE.hash[:20], L1[0].hash[:20], [SpanBlock(NEXT, 4)])
    with pytest.raises(BatchError) as error:
        batch.singular_batches(L1, SAFE)
    return [error.value.rule]


def frame(channel, number, data=b"", last=False):
    return Frame(channel, number, data, last)


def long_frame(length):
    return b"\0" + A + bytes(2) + length.to_bytes(4, "big") + bytes(length) + b"\1"


FIRST = [SpanBlock(NEXT, 5)]
FAR = [L1[0], replace(L1[1], timestamp=NEXT + 10), *L1[2:]]
NEAR = [L1[0], replace(L1[1], timestamp=NEXT), *L1[2:]]
LATE = replace(GOOD, timestamp=NEXT, transactions=[])
DROPS = {
    Rule.SENDER: lambda: of_transaction(from_account(USERS[0], DYNAMIC_FEE)),
    Rule.TRANSACTION_TYPE: lambda: of_transaction(from_account(BATCHER, SET_CODE)),
    Rule.BLOB_CALLDATA: lambda: of_transaction(from_account(BATCHER, BLOB, b"ignored", hashes=[bytes(32)])),
    Rule.DATA_EMPTY: lambda: of_data(b""),
    Rule.DATA_VERSION: lambda: of_data(b"\1"),
    Rule.NO_FRAMES: lambda: of_data(b"\0"),
    Rule.FRAME_TRUNCATED: lambda: of_data(b"\0" + frame(A, 0, b"abc").encode()[:-1]),
    Rule.FRAME_TOO_LONG: lambda: of_data(long_frame(MAX_FRAME_LENGTH + 1)),
    Rule.FRAME_IS_LAST: lambda: of_data(b"\0" + frame(A, 0).encode()[:-1] + b"\2"),
    Rule.FRAME_AFTER_LAST: lambda: of_queue(frame(A, 0, last=True), frame(A, 1)),
    Rule.FRAME_ORDER: lambda: of_queue(frame(A, 0), frame(A, 2)),
    Rule.FRAME_NOT_FIRST: lambda: of_queue(frame(A, 0, last=True), frame(B, 1)),
    Rule.CHANNEL_REPLACED: lambda: of_queue(frame(A, 0), frame(B, 0)),
    Rule.FRAME_NO_CHANNEL: lambda: of_channels((1, frame(A, 1))),
    Rule.FRAME_REPEATED: lambda: of_channel(frame(A, 0), frame(A, 0)),
    Rule.FRAME_SECOND_LAST: lambda: of_channel(frame(A, 1, last=True), frame(A, 0, last=True)),
    Rule.FRAME_BEYOND_LAST: lambda: of_channel(frame(A, 1, last=True), frame(A, 2)),
    Rule.CHANNEL_TIMED_OUT: lambda: of_channels((1, frame(A, 0)), (60, frame(B, 0)), forks=GRANITE),
    Rule.CHANNEL_FLUSHED: lambda: of_channels((1, frame(A, 0)), flush=True),
    Rule.CHANNEL_EMPTY: lambda: of_content(b""),
    Rule.COMPRESSION_UNKNOWN: lambda: of_content(b"\5"),
    Rule.BROTLI_BEFORE_FJORD: lambda: of_content(b"\1" + brotli.compress(b"abc"), ECOTONE),
    Rule.COMPRESSION_DEFECT: lambda: of_content(compress(rlp_encode(b"\0" * 5_000), "zlib")[:12]),
    Rule.CHANNEL_LIMIT: lambda: of_content(compress(b"\xbb\x0f\xff\xff\xff", "zlib")),
    Rule.RLP_MALFORMED: lambda: of_content(compress(b"\xc0", "zlib")),
    Rule.BATCH_EMPTY: lambda: of_strings(b""),
    Rule.BATCH_VERSION: lambda: of_strings(b"\x09batch"),
    Rule.BATCH_MALFORMED: lambda: of_strings(b"\0batch"),
    Rule.SPAN_MALFORMED: lambda: of_strings(b"\1batch"),
    Rule.SPAN_TRANSACTIONS: lambda: of_bad_transaction(5),
    Rule.SPAN_BEFORE_DELTA: lambda: of_strings(span_content(), forks=ForkSchedule.all_at(Fork.CANYON)),
    Rule.PAST: lambda: of_batch(replace(GOOD, timestamp=NEXT - 2)),
    Rule.SPAN_PAST: lambda: of_span([SpanBlock(NEXT - 2, 5)]),
    Rule.FUTURE: lambda: of_batch(replace(GOOD, timestamp=NEXT + 2)),
    Rule.SPAN_FUTURE: lambda: of_span([SpanBlock(NEXT + 2, 5)]),
    Rule.PARENT: lambda: of_batch(replace(GOOD, parent_hash=bytes(32))),
    Rule.WINDOW: lambda: of_batch(GOOD, seq_window_size=2),
    Rule.EPOCH_OLD: lambda: of_batch(replace(GOOD, epoch_number=4), seq_window_size=100),
    Rule.EPOCH_AHEAD: lambda: of_batch(replace(GOOD, epoch_number=7)),
    Rule.EPOCH_HASH: lambda: of_batch(replace(GOOD, epoch_hash=bytes(32))),
    Rule.TIME_BEFORE_ORIGIN: lambda: of_batch(GOOD, l1_blocks=[replace(L1[0], timestamp=NEXT + 1), *L1[1:]]),
    Rule.DRIFT_NOT_EMPTY: lambda: of_batch(GOOD, ECOTONE, max_sequencer_drift=1),
    Rule.DRIFT_ORIGIN: lambda: of_batch(LATE, ECOTONE, l1_blocks=NEAR, max_sequencer_drift=1),
    Rule.TRANSACTION_EMPTY: lambda: of_batch(replace(GOOD, transactions=[b""])),
    Rule.TRANSACTION_DEPOSIT: lambda: of_batch(replace(GOOD, transactions=[b"\x7e"])),
    Rule.TRANSACTION_POST_EXEC: lambda: of_batch(replace(GOOD, transactions=[b"\x7d"])),
    Rule.TRANSACTION_SET_CODE: lambda: of_batch(replace(GOOD, transactions=[b"\x04"])),
    Rule.FORK_BLOCK_NOT_EMPTY: lambda: of_batch(GOOD, JOVIAN),
    Rule.SPAN_ALIGNMENT: lambda: of_span([SpanBlock(NEXT - 1, 5), SpanBlock(NEXT + 1, 5)]),
    Rule.SPAN_BEFORE_GENESIS: lambda: of_span([SpanBlock(NEXT - 70, 5), SpanBlock(NEXT, 5)]),
    Rule.SPAN_PARENT: lambda: of_span([SpanBlock(NEXT, 5)], parent=bytes(32)),
    Rule.SPAN_WINDOW: lambda: of_span([SpanBlock(NEXT, 5)], seq_window_size=2),
    Rule.SPAN_EPOCH_AHEAD: lambda: of_span([SpanBlock(NEXT, 7)]),
    Rule.SPAN_ORIGIN: lambda: of_span([SpanBlock(NEXT, 5)], origin=b"\xee" * 32),
    Rule.SPAN_EPOCH_OLD: lambda: of_span([SpanBlock(NEXT, 5)], safe=replace(SAFE, l1_origin=BlockId(L1[1].hash, 6))),
    Rule.SPAN_EPOCH_UNKNOWN: lambda: of_span(
        [SpanBlock(NEXT, 5), SpanBlock(NEXT + 2, 9), SpanBlock(NEXT + 4, 6)], DELTA
    ),
    Rule.SPAN_TIME_BEFORE_ORIGIN: lambda: of_span([*FIRST, SpanBlock(NEXT + 2, 6)], DELTA, l1_blocks=FAR),
    Rule.SPAN_OUTDATED_ORIGIN: of_outdated_span,
    Rule.ACTIVATION: of_activation,
}
# Held where they need a whole chain, or a limit of a hundred megabytes.
ELSEWHERE = {
    Rule.BLOB_ENCODING: "tests/scenarios/test_batch_history.py",
    Rule.FRAME_TIMED_OUT: "test_frames_of_a_channel_that_timed_out",
    Rule.CHANNEL_BANK_FULL: "test_the_oldest_channel_goes_when_the_bank_is_full",
    Rule.CHANNEL_TOO_LARGE: "test_a_channel_above_the_size_limit",
    Rule.SPAN_OVERLAP: "tests/scenarios/test_hostile_batcher.py",
    Rule.PAYLOAD: "tests/scenarios/test_hostile_batcher.py",
    Rule.PAYLOAD_DEPOSITS_ONLY: "tests/scenarios/test_hostile_batcher.py",
}


def test_every_rule_is_met_by_an_input():
    assert set(DROPS) | set(ELSEWHERE) == set(Rule)
    assert not set(DROPS) & set(ELSEWHERE)


@pytest.mark.parametrize("rule", DROPS, ids=lambda rule: rule.code)
def test_the_input_of_a_rule_is_dropped_by_it(rule):
    assert DROPS[rule]() == [rule]


def test_frames_of_a_channel_that_timed_out():
    """The bank takes nothing more into a channel that is too old and was not pruned yet."""
    rules = of_channels((1, frame(A, 0)), (60, frame(A, 1)), forks=GRANITE)
    assert rules == [Rule.FRAME_TIMED_OUT, Rule.CHANNEL_TIMED_OUT]


def test_the_oldest_channel_goes_when_the_bank_is_full(monkeypatch):
    monkeypatch.setattr(channel_bank, "max_bank_size", lambda config, time: 300)
    assert of_channels((1, frame(A, 0)), (1, frame(B, 0)), forks=GRANITE) == [Rule.CHANNEL_BANK_FULL]


def test_a_channel_above_the_size_limit(monkeypatch):
    monkeypatch.setattr(channel_assembler, "max_rlp_bytes", lambda config, time: 300)
    rules = of_channels((1, frame(A, 0)), (1, frame(A, 1, b"x" * 100)))
    assert rules == [Rule.CHANNEL_TOO_LARGE] * 2
