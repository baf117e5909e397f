"""Channels, sound and broken, read by op-node's own code (a Go program) and by ours: the same batches."""

import hashlib
import os
import random
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import brotli
import pytest

from derivation.batches import BatchError, SingularBatch, SpanTransactionError, decode_singular_batch
from derivation.channel_strings import channel_strings
from derivation.compression import CompressionError
from derivation.span_batches import decode_span_batch, encode_span_batch
from rollup.protocol.blockref import L2BlockRef
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.transaction import DYNAMIC_FEE, LEGACY, Transaction
from tests.derivation.strategies import CHAIN_ID, config

pytestmark = pytest.mark.timeout(3_300)  # the first test waits for the build

CONFIG = config(forks=ForkSchedule.all_at(Fork.JOVIAN))
SIZES = [0, 10, 100, 1_000, 4_000, 4_096, 5_000, 20_000, 32_768, 70_000, 200_000]
LIMITS = [100_000_000, 100_000_000, 10_000, 300_000]


class Reference:
    """The Go program: a channel in, a line out."""

    def __init__(self, program):
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def batches(self, channel, limit):
        self._process.stdin.write(struct.pack(">QBI", limit, 1, len(channel)) + channel)
        self._process.stdin.flush()
        found = self._process.stdout.readline().decode().split()
        return [] if found == ["refused"] else found[:-1]

    def stop(self):
        self._process.stdin.close()
        self._process.wait(10)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Built here, or named by CHANNELS_PROGRAM. The build loads op-node's modules and takes minutes the first time."""
    program = os.environ.get("CHANNELS_PROGRAM")
    if program is None:
        if shutil.which("go") is None:
            pytest.skip("NO GO: install Go 1.26, or name a built tests/external/channels in CHANNELS_PROGRAM")
        program = tmp_path_factory.mktemp("go") / "channels"
        folder = Path(__file__).parent / "channels"
        subprocess.run(["go", "build", "-o", program, "."], cwd=folder, check=True, timeout=3_000)
    reference = Reference(program)
    yield reference
    reference.stop()


def ours(channel, limit):
    found = []
    try:
        for content in channel_strings(channel, limit, allow_brotli=True):
            try:
                found.append(described(content))
            except SpanTransactionError:
                found.append("dropped")
    except (CompressionError, BatchError):
        pass
    return found


def described(content):
    if content[:1] == b"\0":
        batch = decode_singular_batch(content[1:])
        parts = [batch.parent_hash, number(batch.epoch_number), batch.epoch_hash, number(batch.timestamp)]
        return "singular:" + digest(parts + [data(raw) for raw in batch.transactions])
    if content[:1] != b"\x01":
        raise BatchError("an unknown batch type")
    span = decode_span_batch(CONFIG, content[1:])
    parts = [span.parent_check, span.l1_origin_check]
    for block in span.blocks:
        parts += [number(block.timestamp), number(block.epoch_number), number(len(block.transactions))]
        parts += map(data, block.transactions)
    return "span:" + digest(parts)


def digest(parts):
    return hashlib.sha256(b"".join(parts)).hexdigest()


def number(value):
    return value.to_bytes(8, "big")


def data(value):
    return number(len(value)) + value


class Maker:
    """Random channels and what can happen to them."""

    def __init__(self, seed):
        self._random = random.Random(seed)

    def channel(self):
        return self._mutated(self._compressed(b"".join(self._batch() for _ in range(self._random.randrange(1, 10)))))

    def limit(self):
        return self._random.choice(LIMITS)

    def _batch(self):
        if self._random.random() < 0.5:
            return SingularBatch(bytes(32), self._random.randrange(1000), bytes(32), 7, [self._bytes()]).encode()
        blocks, time = [], CONFIG.genesis.l2_time + 2 * self._random.randrange(10**6)
        for index in range(self._random.randrange(1, 20)):
            raws = [self._transaction() for _ in range(self._random.randrange(3))]
            blocks.append(SingularBatch(bytes(32), 100 + index // 3, bytes(32), time + 2 * index, raws))
        first = L2BlockRef(bytes(32), 1, bytes(32), time, blocks[0].epoch, 0)
        encoded = bytearray(encode_span_batch(CONFIG, first, blocks))
        if self._random.random() < 0.4:
            # A defect of the batch itself: its length stays what it was.
            encoded[self._random.randrange(4, len(encoded))] = self._random.randrange(256)
        return bytes(encoded)

    def _transaction(self):
        tx_type = self._random.choice([LEGACY, DYNAMIC_FEE])
        v = self._random.randrange(2) + (35 + 2 * CHAIN_ID if tx_type == LEGACY else 0)
        return Transaction(
            tx_type, 1, 21_000, bytes(20), 5, self._bytes()[:2_000], CHAIN_ID, 9, 9, v=v, r=3, s=4
        ).encode()

    def _bytes(self):
        size, kind = self._random.choice(SIZES), self._random.randrange(3)
        if kind == 0:
            return bytes(size)
        noise = self._random.randbytes(size if kind == 1 else 200)
        return (noise * (size // 200 + 1))[:size]

    def _compressed(self, content):
        chance = self._random
        if chance.random() < 0.5:
            return b"\1" + brotli.compress(content, quality=chance.randrange(10), lgwin=chance.choice([10, 12, 16, 22]))
        stream = zlib.compressobj(chance.randrange(10), zlib.DEFLATED, 15, chance.randrange(1, 10), chance.randrange(5))
        out, step = b"", chance.choice([5_000, 100_000, 10_000_000])
        for start in range(0, len(content), step):
            out += stream.compress(content[start : start + step])
            if chance.random() < 0.3:
                out += stream.flush(chance.choice([zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH]))
        return out + stream.flush()

    def _mutated(self, channel):
        chance, broken, kind = self._random, bytearray(channel), self._random.randrange(7)
        place = chance.randrange(len(broken))
        if kind == 1:
            del broken[place:]
        elif kind == 2:
            broken += chance.randbytes(chance.choice([1, 4, 100, 5_000, 40_000]))
        elif kind == 3:
            broken[-chance.randrange(1, min(6, len(broken)) + 1)] ^= 1 << chance.randrange(8)
        elif kind == 4:
            for _ in range(chance.randrange(1, 4)):
                broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
        elif kind == 5:
            broken[place:place] = chance.randbytes(chance.randrange(1, 5))
        elif kind == 6:
            del broken[place : place + chance.randrange(1, 100)]
        return bytes(broken)


def compare(reference, seeds):
    whole = 0
    for seed in seeds:
        maker = Maker(seed)
        channel, limit = maker.channel(), maker.limit()
        expected = reference.batches(channel, limit)
        assert ours(channel, limit) == expected, f"seed {seed}"
        whole += bool(expected)
    # Not all of nothing.
    assert whole > len(seeds) // 4


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 2_000, 200))
def test_channels_give_op_nodes_batches(reference, first):
    compare(reference, range(first, first + 200))


@pytest.mark.slow
@pytest.mark.parametrize("size", [3_000_000, 30_000_000, 90_000_000])
@pytest.mark.parametrize("way", ["zlib", "brotli"])
def test_long_channels_give_op_nodes_batches(reference, size, way):
    """Sound, cut, and with a bit set at their end and in their middle."""
    noise = random.Random(size).randbytes(1_000)
    blocks = [SingularBatch(bytes(32), index, bytes(32), 7, [noise * 1_000]).encode() for index in range(size // 10**6)]
    content = b"".join(blocks)
    sound = zlib.compress(content, 6) if way == "zlib" else b"\1" + brotli.compress(content, quality=5, lgwin=22)
    flipped = bytearray(sound)
    flipped[-1] ^= 0x80
    middle = bytearray(sound)
    middle[len(sound) // 2] ^= 0x10
    for channel in (sound, sound[: len(sound) // 2], sound + b"\0", bytes(flipped), bytes(middle)):
        assert ours(channel, 100_000_000) == reference.batches(channel, 100_000_000)
    assert len(ours(sound, 100_000_000)) == len(blocks)
