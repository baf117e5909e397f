"""When a batch is good, which frames live, how channels come together: op-node's own tables."""

import zlib
from dataclasses import fields
from typing import Any

import brotli
import pytest

from derivation import channel_assembler
from derivation.batch_checks import check_singular_batch, check_span_batch
from derivation.batches import SingularBatch
from derivation.channel_assembler import ChannelAssembler
from derivation.channel_bank import ChannelBank
from derivation.channel_reader import ChannelReader
from derivation.channels import Channel, ChannelData
from derivation.errors import EndOfSource, NotEnoughData
from derivation.frame_queue import FrameQueue, prune_frames
from derivation.frames import MAX_FRAME_LENGTH, Frame, FrameError, decode_frame, decode_frames
from derivation.l1_retrieval import BatcherPiece
from derivation.span_batches import SpanBatch, SpanBlock
from rollup.protocol.block import Block
from rollup.protocol.blockref import BlockId, L1BlockRef, L2BlockRef
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.header import Header
from rollup.protocol.l1_attributes import L1Attributes
from rollup.protocol.transaction import Transaction, decode_transaction, deposit_transaction
from tests.vector_files import files, load, unknown_keys
from tests.vectors.hexes import unhex
from tests.vectors.rollup_configs import fork_times, rollup_config

DOCUMENTS = [(f"derivation_rules/{file}", load("derivation_rules", file)) for file in files("derivation_rules")]
BATCH_FILES = [(file, document) for file, document in DOCUMENTS if "l2_chain" in document]
FRAME_FILES = [(file, document) for file, document in DOCUMENTS if "l2_chain" not in document]
FRAME_SECTIONS = {
    "frame_string_format",
    "holocene_frame_queue_prune",
    "frame_queue_next_frame",
    "channel_bank",
    "holocene_channel_assembler",
    "channel_add_frame",
    "frame_codec",
    "batch_reader_compression",
}
GRANITE, HOLOCENE = ForkSchedule.all_at(Fork.GRANITE), ForkSchedule.all_at(Fork.HOLOCENE)


def section(name: str) -> list[tuple[str, Any]]:
    return [(file, document[name]) for file, document in FRAME_FILES if name in document]


def section_cases(name: str) -> list[Any]:
    return [
        pytest.param(file, case, id=f"{index}-{case.get('name', case.get('algo'))}")
        for file, found in section(name)
        for index, case in enumerate(found["cases"])
    ]


def known(where: str, case: dict[str, Any], *keys: str) -> None:
    extra = unknown_keys(case, keys)
    if extra:
        pytest.fail(f"{where}: keys no runner knows: {extra}")


def test_every_section_is_known() -> None:
    for file, document in BATCH_FILES:
        known(file, document, "default_config", "l2_chain", "cases")
        known(file, document["l2_chain"], "blocks", "payload_error_numbers", "ref_error_numbers")
    for file, document in FRAME_FILES:
        known(file, document, *FRAME_SECTIONS)
        for name in FRAME_SECTIONS & document.keys() - {"frame_string_format"}:
            if not isinstance(document[name], dict):
                pytest.fail(f"{file}: {name} is not an object")


# --- batches


def l1_ref(case: dict[str, Any]) -> L1BlockRef:
    return L1BlockRef(unhex(case["hash"]), case["number"], unhex(case["parent_hash"]), case["timestamp"])


def l2_ref(case: dict[str, Any]) -> L2BlockRef:
    origin = BlockId(unhex(case["l1_origin"]["hash"]), case["l1_origin"]["number"])
    return L2BlockRef(
        unhex(case["hash"]),
        case["number"],
        unhex(case["parent_hash"]),
        case["timestamp"],
        origin,
        case["sequence_number"],
    )


class SafeBlocks:
    """The L2 chain of the file: blocks with an L1 attributes deposit and nothing else, under the hashes given."""

    def __init__(self, chain: dict[str, Any], safe_head: L2BlockRef, override: dict[str, Any] | None) -> None:
        self._refs = {ref.number: ref for ref in map(l2_ref, chain["blocks"])}
        if override and override["number"] == safe_head.number:
            self._refs[safe_head.number] = safe_head
        self._missing = {*chain["payload_error_numbers"], *chain["ref_error_numbers"]}
        self._override = override

    def block_by_number(self, number: int) -> Block | None:
        ref = self._refs.get(number)
        if ref is None or number in self._missing:
            return None
        transactions = [attributes_deposit(ref)]
        if self._override and self._override["number"] == number:
            transactions = [decode_transaction(unhex(raw)) for raw in self._override["transactions"]]
        return Block(
            Header(parent_hash=ref.parent_hash, number=number, timestamp=ref.timestamp), transactions, ref.hash
        )


def attributes_deposit(ref: L2BlockRef) -> Transaction:
    attributes = L1Attributes(
        ref.l1_origin.number, ref.timestamp, 7, ref.l1_origin.hash, ref.sequence_number, bytes(20), scalar=1
    )
    return deposit_transaction(
        source_hash=bytes(32),
        sender=bytes(20),
        to=bytes(20),
        mint=None,
        value=0,
        gas_limit=1_000_000,
        is_system=False,
        data=attributes.encode(Fork.BEDROCK),
    )


def batch_forks(case: dict[str, Any]) -> ForkSchedule:
    """Forks a case does not name are off; where its note says "ActivateAt", those before the named ones are on."""
    config = case.get("config", {})
    named = fork_times(config)
    if not config.get("note", "").startswith("ActivateAt"):
        return named
    newest = max(Fork[field.name.upper()] for field in fields(named) if getattr(named, field.name) is not None)
    times = {fork.name.lower(): 0 for fork in Fork if Fork.BEDROCK < fork < newest}
    return ForkSchedule(**times | {newest.name.lower(): named.time_of(newest)})


def transactions_of(case: dict[str, Any]) -> list[bytes]:
    return [unhex(raw) for raw in case["transactions"]]


@pytest.mark.parametrize(
    ("file", "document", "case"),
    [
        pytest.param(file, document, case, id=f"{index}-{case['group']}-{case['name']}")
        for file, document in BATCH_FILES
        for index, case in enumerate(document["cases"])
    ],
)
def test_batch_validity(file: str, document: dict[str, Any], case: dict[str, Any], ran) -> None:
    # spec: batch.constraints, batch.future, batch.too-old, batch.parent-hash, batch.epoch-not-older
    # spec: batch.epoch-one-step, batch.time-not-before-origin, epoch.block-every-block-time, holocene.strict-order
    # spec: holocene.span-origin-check, holocene.span-past, holocene.no-future, fjord.drift, span.undecided
    # spec: span.one-new-block, span.aligned, span.window, span.origin-check, span.block-epoch-not-older
    # spec: span.block-time, span.drift, span.overlap-validated
    known(
        f"{file}: {case['name']}",
        case,
        *("group", "name", "config", "l1_blocks", "l2_safe_head", "l1_inclusion_block", "batch", "expected"),
        *("op_node_log", "op_node_log_must_not_appear", "l2_block_override"),
    )
    default = dict(document["default_config"])
    own = {key: value for key, value in case.get("config", {}).items() if key in default}
    config = rollup_config(batch_forks(case), **default | own)
    blocks, safe_head = [l1_ref(item) for item in case["l1_blocks"]], l2_ref(case["l2_safe_head"])
    inclusion, batch = l1_ref(case["l1_inclusion_block"]), case["batch"]
    if batch["type"] == "singular":
        singular = SingularBatch(
            unhex(batch["parent_hash"]),
            batch["epoch_num"],
            unhex(batch["epoch_hash"]),
            batch["timestamp"],
            transactions_of(batch),
        )
        verdict = check_singular_batch(config, blocks, safe_head, singular, inclusion)
    elif batch["type"] == "span":
        span = SpanBatch(
            unhex(batch["parent_check"]),
            unhex(batch["l1_origin_check"]),
            [SpanBlock(block["timestamp"], block["epoch_num"], transactions_of(block)) for block in batch["blocks"]],
        )
        chain = SafeBlocks(document["l2_chain"], safe_head, case.get("l2_block_override"))
        verdict = check_span_batch(config, blocks, safe_head, span, inclusion, chain)
    else:
        pytest.fail(f"{file}: {case['name']}: unknown batch type {batch['type']}")
    assert verdict.validity.value == case["expected"]
    ran(file)


# --- frames and channels


def frame(text: str) -> Frame:
    """`<id>:<number>:<data>[!]`"""
    channel, number, data = text.split(":")
    return Frame(channel.encode().ljust(16, b"\0"), int(number), data.rstrip("!").encode(), data.endswith("!"))


def text_of(item: Frame) -> str:
    return f"{channel_name(item.channel_id)}:{item.number}:{item.data.decode()}{'!' if item.is_last else ''}"


def channel_name(channel_id: bytes) -> str:
    return channel_id.rstrip(b"\0").decode()


class Frames:
    """A frame queue by hand: gives what it was fed."""

    def __init__(self, *items: Frame) -> None:
        self.items = list(items)
        self.origin = L1BlockRef(bytes(32), 0, bytes(32), 0)

    def next_frame(self) -> Frame:
        if not self.items:
            raise EndOfSource
        return self.items.pop(0)


class Datas:
    """L1 retrieval by hand: gives what it was fed."""

    def __init__(self, *items: bytes) -> None:
        self.items = list(items)
        self.origin = L1BlockRef(bytes(32), 0, bytes(32), 0)

    def next_data(self) -> BatcherPiece:
        if not self.items:
            raise EndOfSource
        return BatcherPiece(self.items.pop(0))


@pytest.mark.parametrize(("file", "case"), section_cases("holocene_frame_queue_prune"))
def test_frame_pruning(file: str, case: dict[str, Any], ran) -> None:
    # spec: holocene.frame-order, holocene.first-frame-replaces
    known(f"{file}: {case['name']}", case, "name", "frames", "expected")
    assert [text_of(item) for item in prune_frames([frame(text) for text in case["frames"]])] == case["expected"]
    ran(file)


@pytest.mark.parametrize("rules", ["pre_holocene", "holocene"])
@pytest.mark.parametrize(("file", "found"), section("frame_queue_next_frame"))
def test_frame_queue(file: str, found: dict[str, Any], rules: str, ran) -> None:
    """All frames in one batcher transaction: what a transaction holds is pruned together."""
    known(file, found, "in_frames", "pre_holocene", "holocene")
    datas = Datas(b"\0" + b"".join(frame(text).encode() for text in found["in_frames"]))
    queue = FrameQueue(rollup_config(HOLOCENE if rules == "holocene" else GRANITE), datas)
    assert [text_of(queue.next_frame()) for _ in found[rules]] == found[rules]
    with pytest.raises(EndOfSource):
        queue.next_frame()
    ran(file)


@pytest.mark.parametrize(("file", "case"), section_cases("channel_bank"))
def test_channel_bank(file: str, case: dict[str, Any], ran) -> None:
    # spec: channel.first-in-first-out, fjord.channel-limits, canyon.channel-order
    known(f"{file}: {case['name']}", case, "name", "config", "frames", "steps", "channels_out")
    config = rollup_config(fork_times(case["config"]), channel_timeout=case["config"]["channel_timeout"])
    bank = ChannelBank(config, Frames(*map(frame, case["frames"])))
    steps: list[str | None] = []
    for _ in case["steps"]:
        try:
            steps.append(bank.next_channel().data.decode())
        except NotEnoughData:
            steps.append(None)
    assert steps == case["steps"]
    if "channels_out" in case:
        assert [step for step in steps if step is not None] == case["channels_out"]
    with pytest.raises(EndOfSource):
        bank.next_channel()
    ran(file)


@pytest.mark.parametrize(("file", "case"), section_cases("holocene_channel_assembler"))
def test_channel_assembler(file: str, case: dict[str, Any], ran, monkeypatch: pytest.MonkeyPatch) -> None:
    # spec: holocene.channel-size, holocene.one-channel, holocene.channel-timeout, channel.timeout-granite
    known(
        f"{file}: {case['name']}", case, "name", "frames", "data", "open_channel_after", "max_channel_size", "origins"
    )
    if "max_channel_size" in case:
        monkeypatch.setattr(channel_assembler, "max_rlp_bytes", lambda config, time: case["max_channel_size"])
    queue = Frames()
    assembler = ChannelAssembler(rollup_config(HOLOCENE), queue)
    for step, texts in enumerate(case["frames"]):
        queue.items += map(frame, texts)
        queue.origin = L1BlockRef(bytes(32), case.get("origins", [0] * (step + 1))[step], bytes(32), 0)
        data = b""
        while not data:
            try:
                data = assembler.next_channel().data
            except NotEnoughData:
                continue
            except EndOfSource:
                break
        assert data.decode() == case["data"][step]
        assert channel_name(assembler.open_channel or b"") == case["open_channel_after"][step]
    ran(file)


@pytest.mark.parametrize(("file", "case"), section_cases("channel_add_frame"))
def test_a_frame_added_to_a_channel(file: str, case: dict[str, Any], ran) -> None:
    # spec: channel.duplicate-frame, channel.duplicate-close, channel.close-cuts
    known(
        f"{file}: {case['name']}",
        case,
        *("name", "holocene", "channel_id", "frames", "should_error", "channel_size_after"),
    )
    block = L1BlockRef(bytes(32), 0, bytes(32), 0)
    channel = Channel(unhex(case["channel_id"]), block, in_order=case["holocene"])
    for item, is_refused, size in zip(case["frames"], case["should_error"], case["channel_size_after"], strict=True):
        taken = Frame(unhex(item["id"]), item["frame_number"], item["data"].encode(), item["is_last"])
        assert channel.add(taken, block) is not is_refused
        assert channel.size == size
    ran(file)


@pytest.mark.parametrize(("file", "found"), section("frame_codec"))
def test_frame_codec(file: str, found: dict[str, Any], ran) -> None:
    # spec: frame.is-last
    known(file, found, "valid", "invalid", "rules")
    for case in found["valid"]:
        known(f"{file}: {case['name']}", case, "name", "frame", "expected", "batcher_tx", "expected_frames")
        if "frame" in case:
            data, expected = unhex(case["frame"]), case["expected"]
            decoded, end = decode_frame(data)
            assert end == len(data), case["name"]
            wanted = Frame(unhex(expected["id"]), expected["number"], unhex(expected["data"]), expected["is_last"])
            assert decoded == wanted, case["name"]
            assert decoded.encode() == data, case["name"]
        if "batcher_tx" in case:
            data = unhex(case["batcher_tx"])
            frames = decode_frames(data)
            assert len(frames) == case["expected_frames"], case["name"]
            assert b"\0" + b"".join(item.encode() for item in frames) == data, case["name"]
    for case in found["invalid"]:
        known(f"{file}: {case['name']}", case, "name", "data")
        with pytest.raises(FrameError):
            raise AssertionError(case["name"], decode_frames(unhex(case["data"])))
    ran(file, len(found["valid"]) + len(found["invalid"]))


def test_a_frame_is_at_most_a_million_bytes() -> None:
    # spec: frame.max-length
    longest = Frame(bytes(16), 0, bytes(MAX_FRAME_LENGTH), True)
    assert decode_frames(b"\0" + longest.encode()) == [longest]
    with pytest.raises(FrameError):
        decode_frames(b"\0" + Frame(bytes(16), 0, bytes(MAX_FRAME_LENGTH + 1), True).encode())


class Channels:
    """A channel stage by hand: one channel."""

    def __init__(self, data: bytes) -> None:
        self.items = [ChannelData(data)]
        self.origin = L1BlockRef(bytes(32), 0, bytes(32), 0)

    def next_channel(self) -> ChannelData:
        if not self.items:
            raise EndOfSource
        return self.items.pop()

    def flush(self) -> None:
        self.items = []


def zstd_frame(data: bytes) -> bytes:
    """One raw block in a single segment (RFC 8878, section 3.1.1)."""
    block_header = (len(data) << 3 | 1).to_bytes(3, "little")
    return bytes.fromhex("28b52ffd") + bytes((0x20, len(data))) + block_header + data


COMPRESSIONS = {
    "zlib": zlib.compress,
    "brotli (0x01 prefix)": lambda data: b"\1" + brotli.compress(data),
    "zstd with version byte 0x02": lambda data: b"\2" + zstd_frame(data),
}


@pytest.mark.parametrize(("file", "case"), section_cases("batch_reader_compression"))
def test_compression_of_a_channel(file: str, case: dict[str, Any], ran) -> None:
    # spec: channel.compression
    known(f"{file}: {case}", case, "algo", "fjord", "expect_error")
    if case["algo"] not in COMPRESSIONS:
        pytest.fail(f"{file}: unknown compression {case['algo']}")
    batch = SingularBatch(b"\3" * 32, 5, b"\4" * 32, 77, [b"\2\1\2\3"])
    forks = ForkSchedule.all_at(Fork.FJORD if case["fjord"] else Fork.ECOTONE)
    reader = ChannelReader(rollup_config(forks), Channels(COMPRESSIONS[case["algo"]](batch.encode())))
    if case["expect_error"]:
        with pytest.raises(NotEnoughData):
            reader.next_batch()
    else:
        assert reader.next_batch() == batch
    with pytest.raises((NotEnoughData, EndOfSource)):
        reader.next_batch()
    ran(file)
