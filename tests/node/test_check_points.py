"""No change of a lane runs for long without a check point, however many transactions a block has.

A block of some hundred inferences goes the way from the pool to both derivations and the index. A loop without a check
point makes several calls per transaction in one stretch, which is above the limit.
"""

import zlib

import brotli
import pytest

from attribution_precompile import ADDRESS_BYTES
from benchmarks.spine import Spine
from derivation.compression import compress, decompress
from rollup.cooperative import pause
from rollup.index import database
from rollup.index.index import Index, genesis_platform
from rollup.protocol.primitives import keccak256
from tests.longest_stretch import longest_stretch

INFERENCES = 800
MOST_CALLS = 1_500


@pytest.fixture(scope="module")
def spine():
    made = Spine("blobs")
    made.prepare()
    made.submit(made.inferences(INFERENCES))
    made.build()
    return made


def index_of(spine):
    genesis = spine.devnet.l2.alloc[ADDRESS_BYTES].storage
    return Index(spine.chain, spine.devnet.l2_config, genesis_platform(genesis))


def test_a_loop_without_a_check_point_is_found():
    def work(has_check_points):
        for number in range(INFERENCES):
            if has_check_points:
                pause()
            _ = len(str(number)), abs(number)

    assert longest_stretch(lambda: work(False)).calls > MOST_CALLS
    assert longest_stretch(lambda: work(True)).calls < 10


def test_the_batcher_packs_and_sends_a_large_block_in_short_stretches(spine):
    spine.batcher.flush()
    stretch = longest_stretch(spine.batcher.step)
    assert stretch.calls < MOST_CALLS, stretch.most.most_common(5)
    assert spine.batcher.posted_to == spine.chain.head.number
    spine.clock.set(max(spine.clock.now(), spine.l1.next_block_time))
    spine.l1.mine()
    stretch = longest_stretch(spine.batcher.step)
    assert stretch.calls < MOST_CALLS, stretch.most.most_common(5)


def test_a_channel_is_compressed_in_pieces(monkeypatch):
    pieces, compressor = [], brotli.Compressor

    class Watched:
        def __init__(self, quality):
            self.stream = compressor(quality=quality)

        def process(self, data):
            pieces.append(len(data))
            return self.stream.process(data)

        def finish(self):
            return self.stream.finish()

    data = b"".join(keccak256(number.to_bytes(4, "big")) for number in range(10_000))
    monkeypatch.setattr("derivation.compression.brotli.Compressor", Watched)
    compressed = compress(data, "brotli")
    assert decompress(compressed, len(data), allow_brotli=True) == data
    assert sum(pieces) == len(data)
    assert max(pieces) <= 1 << 16
    deflated = compress(data, "zlib")
    assert deflated == zlib.compress(data, 9)


def test_the_index_reads_a_large_block_in_short_stretches(spine):
    index = index_of(spine)
    stretch = longest_stretch(index.update)
    assert stretch.calls < MOST_CALLS, stretch.most.most_common(5)
    assert index.is_current
    assert index.database.execute("SELECT count(*) FROM inference").fetchone() == (INFERENCES,)


def test_the_index_writes_few_rows_between_two_check_points(spine, monkeypatch):
    rows_at_once = []
    write_rows = database.write_rows

    class Watched:
        def __init__(self, connection):
            self.connection = connection

        def executemany(self, statement, rows):
            rows_at_once.append(len(rows))
            self.connection.executemany(statement, rows)

    def watch(connection, statement, rows):
        write_rows(Watched(connection), statement, rows)

    monkeypatch.setattr("rollup.index.index.write_rows", watch)
    monkeypatch.setattr("rollup.index.working.write_rows", watch)
    index_of(spine).update()
    assert sum(rows_at_once) > 5 * INFERENCES
    assert max(rows_at_once) <= database.ROWS_AT_ONCE
