"""The batcher against an L1 of nonces and receipts, and a derivation that reads what was mined there."""

import itertools

from derivation.compression import compress
from sequencer.batcher import channel_builder
from sequencer.batcher.batcher import Batcher
from sequencer.batcher.config import BatcherConfig
from tests.sequencer.fake_l1 import FakeL1
from tests.sequencer.l2_chain import FakeDerivation, L2Chain, rollup_config

KEY = b"\x05" * 32
OPTIONS = BatcherConfig(da="calldata", batch_type="singular", compression="zlib")


class Scene:
    def __init__(self, options=OPTIONS, **config):
        self.config = rollup_config(**config)
        self.l1 = FakeL1()
        self.l2 = L2Chain()
        self.derivation = FakeDerivation(self.config, self.l1, self.l2)
        self.options = options
        self.reports = []
        self.restart()

    def restart(self):
        self.batcher = Batcher(self.config, self.l2, self.l1, KEY, self.derivation, self.options)

    def step(self):
        self.reports += self.batcher.step()

    def epoch(self, blocks=6, *, empty=False):
        """L2 blocks, a batcher's step, an L1 block, derivation."""
        self.l2.build(blocks, origin=len(self.l1.blocks) - 1)
        self.step()
        self.l1.mine(empty=empty)
        self.derivation.read()

    def batches(self):
        return [transaction for block in self.l1.blocks for transaction in block]


def test_every_block_is_posted_once_and_reported():
    # spec: holocene.batcher-order
    scene = Scene()
    for _ in range(5):
        scene.epoch()
    scene.epoch(0)
    scene.epoch(0)
    assert scene.derivation.safe_head.number == 30
    assert scene.derivation.duplicates == 0
    ranges = [(report.first_block, report.last_block) for report in scene.reports]
    assert ranges[0][0] == 1
    assert ranges[-1][1] == 30
    assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(ranges))


def test_a_channel_closes_by_age_by_size_and_on_demand():
    by_age = Scene(BatcherConfig(da="calldata", batch_type="singular", compression="zlib", max_channel_duration=3))
    for number in range(4):
        assert len(by_age.batches()) == 0, number
        by_age.epoch(1)
    assert len(by_age.batches()) == 1

    by_size = Scene(BatcherConfig(da="calldata", batch_type="singular", compression="zlib", target_size=400))
    by_size.l2.build(40, origin=0)
    by_size.step()
    assert len(by_size.l1.pool) > 3

    on_demand = Scene(BatcherConfig(da="calldata", batch_type="singular", compression="zlib", max_channel_duration=99))
    on_demand.l2.build(2, origin=0)
    on_demand.step()
    assert len(on_demand.l1.pool) == 0
    on_demand.batcher.flush()
    on_demand.step()
    assert len(on_demand.l1.pool) == 1


def test_a_channel_closes_before_its_sequencing_window_does():
    # spec: batcher.window
    options = BatcherConfig(
        da="calldata", batch_type="singular", compression="zlib", max_channel_duration=99, safety_margin=2
    )
    scene = Scene(options, seq_window_size=8)
    scene.l2.build(1, origin=0)
    for _ in range(6):
        scene.step()
        assert len(scene.l1.pool) == 0
        scene.l1.mine()
    scene.step()
    assert len(scene.l1.pool) == 1


def test_a_restart_with_a_batch_on_the_way_waits_and_posts_nothing_twice():
    scene = Scene()
    scene.epoch()
    scene.epoch()
    scene.l2.build(6, origin=1)
    scene.batcher.flush()
    scene.step()
    assert len(scene.l1.pool) == 1
    scene.restart()
    scene.step()
    assert "sent before the start" in scene.batcher.waiting_for
    scene.l1.mine()
    scene.step()
    assert "derivation to reach" in scene.batcher.waiting_for
    scene.derivation.read()
    for _ in range(4):
        scene.epoch()
    assert scene.derivation.duplicates == 0
    assert scene.derivation.safe_head.number >= 36


def test_a_batch_that_l1_includes_and_derivation_drops_is_posted_again():
    # spec: holocene.batcher-resends
    scene = Scene()
    scene.derivation.deaf_until = 3
    for _ in range(8):
        scene.epoch()
    assert scene.derivation.safe_head.number >= 36


def test_an_l2_reorg_has_the_new_blocks_posted():
    scene = Scene()
    scene.epoch()
    scene.epoch()
    scene.epoch(empty=True)
    scene.l2.reorg(4)
    for _ in range(6):
        scene.epoch()
    safe = scene.derivation.safe_head
    assert safe.number >= 36
    assert scene.l2.canonical_hash(safe.number) == safe.hash


def test_an_l1_reorg_has_the_batches_included_again():
    for keep in (True, False):
        scene = Scene()
        for _ in range(4):
            scene.epoch()
        scene.l1.reorg(3, keep=keep)
        scene.derivation.read()
        assert scene.derivation.safe_head.number == 0
        for _ in range(6):
            scene.epoch()
        assert scene.derivation.safe_head.number >= 48


def test_a_stopped_batcher_takes_no_blocks():
    scene = Scene()
    scene.batcher.stop()
    scene.epoch()
    scene.epoch()
    assert scene.batches() == []
    scene.batcher.start()
    scene.epoch()
    scene.epoch()
    assert len(scene.batches()) > 0


def test_refusals_are_told():
    scene = Scene()
    scene.l1.refuse = "insufficient funds for gas * price + value"
    scene.epoch()
    scene.epoch()
    assert scene.batcher.waiting_for == "L1 refuses a batch: insufficient funds for gas * price + value"


def test_many_blocks_are_not_compressed_each_time_one_is_added(monkeypatch):
    sizes = []

    def counting(data, *arguments):
        sizes.append(len(data))
        return compress(data, *arguments)

    monkeypatch.setattr(channel_builder, "compress", counting)
    scene = Scene(BatcherConfig(da="calldata", batch_type="singular", compression="zlib", target_size=20_000))
    scene.l2.build(2_000, origin=0)
    scene.step()
    assert scene.batcher.posted_to == 2_000
    assert len(sizes) < 60
