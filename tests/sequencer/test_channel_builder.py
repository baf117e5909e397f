"""A channel as the batcher packs it, taken apart by derivation's own codecs."""

import itertools
import random

import pytest

from derivation.batches import SINGULAR_BATCH, SPAN_BATCH, decode_singular_batch
from derivation.compression import compress, decompress
from derivation.frames import decode_frames
from derivation.span_batches import decode_span_batch
from rollup.protocol.accounts import USERS
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.primitives import rlp_decode
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction
from sequencer.batcher import channel_builder
from sequencer.batcher.channel_builder import ChannelBuilder
from sequencer.batcher.config import BatcherConfig
from tests.sequencer.l2_chain import TIME, L2Chain, first_rlp_item, rollup_config

HEAD = L1BlockRef(b"\x01" * 32, 5, b"\x02" * 32, TIME)


def built(count, *, config=None, **options):
    """A chain of some blocks on four origins, and as many of them as one channel takes."""
    chain = L2Chain()
    for epoch in range(4):
        chain.build(count // 4, origin=epoch)
    channel = ChannelBuilder(config or chain.config, BatcherConfig(**options), HEAD)
    for block in chain.blocks[1:]:
        if not channel.add(block):
            break
    return chain, channel


def assembled(frames):
    parsed = list(itertools.chain.from_iterable(decode_frames(b"\0" + frame) for frame in frames))
    assert [frame.number for frame in parsed] == list(range(len(parsed)))
    assert [frame.is_last for frame in parsed] == [False] * (len(parsed) - 1) + [True]
    assert len({frame.channel_id for frame in parsed}) == 1
    return b"".join(frame.data for frame in parsed)


def batches(raw):
    while raw:
        item, raw = first_rlp_item(raw)
        content = rlp_decode(item)
        yield content[0], content[1:]


@pytest.mark.parametrize("frame_size", [60, 1_000, 100_000])
@pytest.mark.parametrize("compression", ["zlib", "brotli"])
def test_singular_batches_come_out_as_the_blocks_went_in(compression, frame_size):
    chain, channel = built(40, batch_type="singular", compression=compression)
    frames = channel.frames(frame_size)
    assert all(len(frame) <= frame_size for frame in frames)
    found = [decode_singular_batch(data) for kind, data in batches(decompress(assembled(frames), 10**8, True))]
    assert [batch.parent_hash for batch in found] == [block.header.parent_hash for block in chain.blocks[1:]]
    assert [batch.timestamp for batch in found] == [block.timestamp for block in chain.blocks[1:]]
    assert [batch.epoch_number for batch in found] == [epoch for epoch in range(4) for _ in range(10)]
    assert all(batch.transactions == [] for batch in found)


@pytest.mark.parametrize(("bound", "spans"), [(None, [40]), (16, [16, 16, 8])])
def test_span_batches_come_out_as_the_blocks_went_in(bound, spans):
    chain, channel = built(40, batch_type="span", compression="brotli", max_blocks_per_span_batch=bound)
    items = list(batches(decompress(assembled(channel.frames(10_000)), 10**8, True)))
    assert {kind for kind, _ in items} == {SPAN_BATCH}
    found = [decode_span_batch(chain.config, data) for _, data in items]
    assert [len(span.blocks) for span in found] == spans
    times = [block.timestamp for span in found for block in span.blocks]
    assert times == [block.timestamp for block in chain.blocks[1:]]
    assert found[0].parent_check == chain.blocks[0].hash[:20]


@pytest.mark.parametrize(
    ("fork", "kind", "first_byte"),
    [(Fork.CANYON, SINGULAR_BATCH, 0x78), (Fork.ECOTONE, SPAN_BATCH, 0x78), (Fork.FJORD, SPAN_BATCH, 1)],
)
def test_formats_wait_for_their_forks(fork, kind, first_byte):
    config = rollup_config(forks=ForkSchedule.all_at(fork))
    _, channel = built(8, config=config, batch_type="span", compression="brotli")
    data = assembled(channel.frames(10_000))
    assert data[0] == first_byte
    assert {found for found, _ in batches(decompress(data, 10**8, True))} == {kind}


def test_a_full_channel_stays_below_its_target_and_the_block_that_did_not_fit_is_not_in_it():
    chain, channel = built(2_000, batch_type="singular", compression="zlib", target_size=5_000)
    assert channel.is_full
    size = len(assembled(channel.frames(100_000)))
    assert 4_000 < size <= 5_000
    assert channel.last.number < 2_000
    assert not channel.add(chain.blocks[channel.last.number + 1])


def test_the_first_block_is_taken_whatever_its_size():
    _, channel = built(4, batch_type="singular", compression="zlib", target_size=10)
    assert (channel.first.number, channel.last.number, channel.is_full) == (1, 1, True)


def test_the_same_blocks_make_the_same_channel():
    assert built(40)[1].frames(200) == built(40)[1].frames(200)
    assert built(40)[1].frames(200)[0][:16] != built(36)[1].frames(200)[0][:16]


def filled(monkeypatch, datas, target):
    """A channel that takes blocks with one transaction each, of these data; its size, and how often it compressed."""
    calls = []

    def counting(data, *arguments):
        calls.append(len(data))
        return compress(data, *arguments)

    monkeypatch.setattr(channel_builder, "compress", counting)
    chain = L2Chain()
    channel = ChannelBuilder(chain.config, BatcherConfig(da="calldata", target_size=target), HEAD)
    taken = 0
    for nonce, data in enumerate(datas):
        chain.build(1, origin=0)
        block = chain.blocks[-1]
        transaction = Transaction(DYNAMIC_FEE, nonce, 100_000, b"\x11" * 20, 0, data, chain.config.l2_chain_id)
        block.transactions.append(transaction.signed(USERS[0].private_key))
        if not channel.add(block):
            break
        taken += 1
    assert channel.is_full
    passes = len(calls)
    return taken, channel.sizes()[1], passes


@pytest.mark.parametrize("random_part", [1.0, 0.5, 0.1, 0.0])
def test_a_channel_of_like_blocks_is_filled_to_its_target_in_few_passes(monkeypatch, random_part):
    source, target = random.Random(1), 20_000

    def datas():
        while True:
            size = int(400 * random_part)
            yield source.randbytes(size) + bytes(400 - size)

    taken, size, passes = filled(monkeypatch, datas(), target)
    assert 0.9 * target < size <= target
    assert passes <= 8 + taken * 400 // target


def test_a_channel_whose_blocks_get_harder_to_compress_exceeds_its_target_once_at_most(monkeypatch):
    source, target = random.Random(1), 20_000
    datas = itertools.chain(itertools.repeat(bytes(400), 60), iter(lambda: source.randbytes(400), None))
    _, size, _ = filled(monkeypatch, datas, target)
    assert size <= 2 * target
