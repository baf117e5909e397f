"""Real channels to their batches, span batches byte for byte, span batch fields one by one."""

from collections.abc import Callable
from typing import Any

import pytest

from derivation.batches import SINGULAR_BATCH, SPAN_BATCH, SingularBatch, decode_singular_batch
from derivation.channel_reader import ChannelReader
from derivation.channel_strings import channel_strings
from derivation.channels import Channel, ChannelData
from derivation.compression import compress, decompress
from derivation.errors import EndOfSource, NotEnoughData
from derivation.frames import Frame, decode_frame, decode_frames
from derivation.span_batch_transactions import (
    Reader,
    SpanTransactions,
    decode_bits,
    decode_datas,
    decode_signatures,
    decode_tos,
    decode_uvarints,
    encode_bits,
    encode_signatures,
    encode_uvarint,
)
from derivation.span_batches import (
    RawSpanBatch,
    SpanBatch,
    decode_raw_span_batch,
    decode_span_batch,
    encode_span_batch,
)
from rollup.protocol.blockref import L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.primitives import keccak256, rlp_decode, rlp_encode
from rollup.protocol.transaction import LEGACY, Transaction, decode_transaction
from tests.vector_files import files, load, unknown_keys
from tests.vectors.hexes import unhex
from tests.vectors.rollup_configs import rollup_config

DOCUMENTS = [(f"channels_batches/{file}", load("channels_batches", file)) for file in files("channels_batches")]
SECTIONS = {
    "cases",
    "brotli",
    "example_frames",
    "singular_batch_rlp",
    "unknown_batch_type",
    "fields",
    "recover_v",
    "full_tx_roundtrip",
    "span_batch_txs",
    "tx_data_marshal",
    "singular_to_span",
}
GENESIS_TIMES = {10: 1686068903, 11155420: 1691802540}
KEY = b"\7" * 32
MAX_RLP = 100_000_000


def section(name: str) -> list[Any]:
    """A section's cases, or the section as one case."""
    found = []
    for file, document in DOCUMENTS:
        if name in document:
            items = document[name] if isinstance(document[name], list) else [document[name]]
            found += [pytest.param(file, item, id=f"{index}-{_title(item)}") for index, item in enumerate(items)]
    return found


def _title(item: dict[str, Any]) -> str:
    return str(item.get("name", item.get("field", item.get("type", ""))))


def known(where: str, case: dict[str, Any], *keys: str) -> None:
    extra = unknown_keys(case, keys)
    if extra:
        pytest.fail(f"{where}: keys no runner knows: {extra}")


def test_every_section_is_known() -> None:
    for file, document in DOCUMENTS:
        known(file, document, *SECTIONS)


def config_of(chain_id: int, expected: dict[str, Any] | None = None) -> RollupConfig:
    genesis_time = GENESIS_TIMES.get(chain_id, 1)
    if chain_id not in GENESIS_TIMES and expected and "first_timestamp" in expected:
        genesis_time = expected["first_timestamp"] - expected["rel_timestamp"]
    return rollup_config(ForkSchedule.all_at(Fork.JOVIAN), genesis_time, l2_chain_id=chain_id)


# --- whole channels


class OneChannel:
    """A channel stage by hand."""

    def __init__(self, data: bytes) -> None:
        self.items = [ChannelData(data)]
        self.origin = L1BlockRef(bytes(32), 0, bytes(32), 1_800_000_000)

    def next_channel(self) -> ChannelData:
        if not self.items:
            raise EndOfSource
        return self.items.pop()

    def flush(self) -> None:
        self.items = []


def batches_of(config: RollupConfig, channel: bytes) -> list[SingularBatch | SpanBatch]:
    reader = ChannelReader(config, OneChannel(channel))
    found: list[SingularBatch | SpanBatch] = []
    while True:
        try:
            found.append(reader.next_batch())
        except NotEnoughData:
            continue
        except EndOfSource:
            return found


def joined(frames: list[Frame]) -> bytes:
    block = L1BlockRef(bytes(32), 0, bytes(32), 0)
    channel = Channel(frames[0].channel_id, block)
    for frame in frames:
        assert channel.add(frame, block)
    assert channel.is_ready
    return channel.data().data


def channel_of(file: str, case: dict[str, Any]) -> bytes:
    """The channel's bytes; the vector's statements about the L1 transaction and its frames are asserted on the way."""
    if "channel_data" in case:
        return unhex(case["channel_data"])
    asserted = case["asserted"]
    if "raw_l1_tx" in case:
        transaction = decode_transaction(unhex(case["raw_l1_tx"]))
        assert transaction.encode() == unhex(case["raw_l1_tx"])
        data = transaction.data
        if "batcher" in asserted:
            assert transaction.sender == unhex(asserted["batcher"].split()[0])
        if "batch_inbox" in asserted:
            assert transaction.to == unhex(asserted["batch_inbox"])
        if "collector_tx_hash" in case:
            assert transaction.hash == unhex(case["collector_tx_hash"])
    elif "batcher_tx_data" in case:
        data = unhex(case["batcher_tx_data"])
    else:
        pytest.fail(f"{file}: {case['name']}: no channel_data, raw_l1_tx or batcher_tx_data")
    assert len(data) == asserted.get("calldata_len", len(data))
    frames = decode_frames(data)
    assert b"\0" + b"".join(frame.encode() for frame in frames) == data
    assert len(frames) == asserted.get("frames", len(frames))
    for frame, expected in zip(frames, case.get("collector_frames", []), strict="collector_frames" in case):
        assert frame.channel_id == unhex(expected["channel_id"])
        assert (frame.number, len(frame.data), frame.is_last) == (
            expected["frame_number"],
            expected["data_len"],
            expected["is_last"],
        )
    return joined(frames)


@pytest.mark.parametrize(("file", "case"), section("cases"))
def test_case(file: str, case: dict[str, Any], ran) -> None:
    # spec: span.format
    if "raw_span_batch" in case:
        check_raw_span_batch(file, case)
    else:
        check_channel(file, case)
    ran(file)


def check_raw_span_batch(file: str, case: dict[str, Any]) -> None:
    known(f"{file}: {case['name']}", case, "name", "raw_span_batch", "asserted", "chain_id")
    data, expected = unhex(case["raw_span_batch"]), case["collector_decode"]
    raw = decode_raw_span_batch(data)
    assert raw.encode() + data[len(data) - expected["trailing_bytes"] :] * bool(expected["trailing_bytes"]) == data
    check_span(file, raw, expected)


def check_channel(file: str, case: dict[str, Any]) -> None:
    known(
        f"{file}: {case['name']}",
        case,
        *("name", "chain_id", "asserted", "batcher_tx_data", "raw_l1_tx", "channel_data"),
    )
    asserted, expected = case["asserted"], case["collector_decode"]
    known(
        f"{file}: {case['name']}: asserted",
        asserted,
        *("batch_version", "frames", "batches", "span_tx_count", "calldata_len", "batch_inbox", "batcher"),
    )
    channel = channel_of(file, case)
    # Some recorded channels end without a checksum, so they are read as the pipeline reads them.
    contents = list(channel_strings(channel, MAX_RLP, allow_brotli=True))
    assert sum(len(rlp_encode(content)) for content in contents) == expected["decompressed_len"]
    assert ("brotli" if channel[0] == 1 else "zlib") == expected["compression"]
    first = expected["batches"][0]
    batches = batches_of(config_of(case["chain_id"], first), channel)
    assert len(batches) == len(contents) == expected["batch_count"] == asserted.get("batches", expected["batch_count"])
    if "batch_version" in asserted:
        assert contents[0][0] == asserted["batch_version"]
    for batch, content, wanted in zip(batches, contents, expected["batches"], strict=True):
        if wanted["type"] == "span":
            assert isinstance(batch, SpanBatch)
            raw = decode_raw_span_batch(content[1:])
            assert bytes((SPAN_BATCH,)) + raw.encode() == content[: len(content) - wanted["trailing_bytes"]]
            check_span(file, raw, wanted)
            check_blocks(batch, wanted)
            if "span_tx_count" in asserted:
                assert sum(raw.transaction_counts) == asserted["span_tx_count"]
        elif wanted["type"] == "singular":
            assert isinstance(batch, SingularBatch)
            assert batch.encode() == rlp_encode(content)
            check_singular(file, batch, wanted)
        else:
            pytest.fail(f"{file}: {case['name']}: unknown batch type {wanted['type']}")


SPAN_KEYS = (
    *("type", "chain_id", "rel_timestamp", "l1_origin_num", "l1_origin_num_of_last", "parent_check"),
    *("l1_origin_check", "block_count", "origin_bits", "block_tx_counts", "tx_count", "trailing_bytes"),
    *("tx_hashes", "first_timestamp", "last_timestamp", "epoch_nums"),
)


def check_span(file: str, raw: RawSpanBatch, expected: dict[str, Any]) -> None:
    known(f"{file}: a span batch", expected, *SPAN_KEYS)
    number = expected["l1_origin_num_of_last"] if "l1_origin_num_of_last" in expected else expected["l1_origin_num"]
    assert (raw.rel_timestamp, raw.l1_origin_number) == (expected["rel_timestamp"], number)
    assert raw.parent_check == unhex(expected["parent_check"])
    assert raw.l1_origin_check == unhex(expected["l1_origin_check"])
    assert len(raw.origin_bits) == expected["block_count"]
    assert list(raw.origin_bits) == [str(bit) == "1" for bit in expected["origin_bits"]]
    assert list(raw.transaction_counts) == expected["block_tx_counts"]
    assert sum(raw.transaction_counts) == expected["tx_count"]
    hashes = [keccak256(item).hex() for item in raw.transactions.full_transactions(expected["chain_id"])]
    assert hashes == [text.removeprefix("0x") for block in expected["tx_hashes"] for text in block]


def check_blocks(batch: SpanBatch, expected: dict[str, Any]) -> None:
    assert batch.blocks[0].timestamp == expected["first_timestamp"]
    assert batch.blocks[-1].timestamp == expected["last_timestamp"]
    assert [block.epoch_number for block in batch.blocks] == expected["epoch_nums"]
    hashes = [["0x" + keccak256(raw).hex() for raw in block.transactions] for block in batch.blocks]
    assert hashes == expected["tx_hashes"]


def check_singular(file: str, batch: SingularBatch, expected: dict[str, Any]) -> None:
    known(
        f"{file}: a singular batch",
        expected,
        *("type", "parent_hash", "epoch_num", "epoch_hash", "timestamp", "tx_count", "tx_hashes", "transactions"),
    )
    assert batch.parent_hash == unhex(expected["parent_hash"])
    assert (batch.epoch_number, batch.timestamp) == (expected["epoch_num"], expected["timestamp"])
    assert batch.epoch_hash == unhex(expected["epoch_hash"])
    if "tx_count" in expected:
        assert len(batch.transactions) == expected["tx_count"]
    if "tx_hashes" in expected:
        assert ["0x" + keccak256(raw).hex() for raw in batch.transactions] == expected["tx_hashes"]
    if "transactions" in expected:
        assert batch.transactions == list(map(unhex, expected["transactions"]))


# --- compression and singular batches


@pytest.mark.parametrize(("file", "found"), section("brotli"))
def test_brotli(file: str, found: dict[str, Any], ran) -> None:
    known(file, found, "cases", "truncation")
    for case in found["cases"]:
        known(file, case, "compressed", "expected")
        assert decompress(b"\1" + unhex(case["compressed"]), MAX_RLP, allow_brotli=True) == unhex(case["expected"])
    cut = found["truncation"]
    known(file, cut, "compressed", "limit", "expected")
    whole = decompress(b"\1" + unhex(cut["compressed"]), MAX_RLP, allow_brotli=True)
    assert decompress(b"\1" + unhex(cut["compressed"]), cut["limit"], allow_brotli=True) == whole[: cut["limit"]]
    ran(file, len(found["cases"]) + 1)


@pytest.mark.parametrize(("file", "found"), section("example_frames"))
def test_frames_to_a_batch(file: str, found: dict[str, Any], ran) -> None:
    known(file, found, "name", "frames", "expected")
    frames = []
    for raw in map(unhex, found["frames"]):
        frame, end = decode_frame(raw)
        assert end == len(raw)
        assert frame.encode() == raw
        assert frame.channel_id == unhex(found["expected"]["channel_id"])
        frames.append(frame)
    # Shortcuts of the example, named in its note: no version byte of the channel, no RLP string around the batch.
    content = decompress(b"\1" + joined(frames), MAX_RLP, allow_brotli=True)
    assert content[0] == SINGULAR_BATCH
    check_singular(file, decode_singular_batch(content[1:]), found["expected"]["batch"])
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("singular_batch_rlp"))
def test_singular_batch(file: str, case: dict[str, Any], ran) -> None:
    known(f"{file}: {case['name']}", case, "name", "rlp", "expected")
    content = rlp_decode(unhex(case["rlp"]))
    assert content[0] == SINGULAR_BATCH
    batch = decode_singular_batch(content[1:])
    assert batch.encode() == unhex(case["rlp"])
    check_singular(file, batch, case["expected"])
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("unknown_batch_type"))
def test_unknown_batch_type(file: str, case: dict[str, Any], ran) -> None:
    # spec: batch.version
    known(file, case, "data", "expected")
    assert case["expected"] == "error/drop"
    assert batches_of(config_of(10), compress(rlp_encode(unhex(case["data"])), "zlib")) == []
    ran(file)


# --- fields of span batches


def bits_field(reader: Reader, case: dict[str, Any]) -> tuple[list[bool], bytes]:
    bits = decode_bits(reader, case["count"])
    return bits, encode_bits(bits)


def uvarints_field(reader: Reader, case: dict[str, Any]) -> tuple[list[int], bytes]:
    numbers = decode_uvarints(reader, case["count"])
    return numbers, b"".join(map(encode_uvarint, numbers))


def signatures_field(reader: Reader, case: dict[str, Any]) -> tuple[list[Any], bytes]:
    signatures = decode_signatures(reader, case["count"])
    return signatures, encode_signatures(signatures)


def tos_field(reader: Reader, case: dict[str, Any]) -> tuple[list[bytes], bytes]:
    # The bits are a Go big integer here, without leading zero bytes.
    bits = unhex(case["contract_creation_bits"]).rjust((case["count"] + 7) // 8, b"\0")
    tos = decode_tos(reader, decode_bits(Reader(bits), case["count"]))
    return tos, b"".join(tos)


def datas_field(reader: Reader, case: dict[str, Any]) -> tuple[list[bytes], bytes]:
    datas = decode_datas(reader, case["count"])
    return datas, b"".join(datas)


FIELDS: dict[str, Callable[[Reader, dict[str, Any]], tuple[list[Any], bytes]]] = {
    "tx_sigs": signatures_field,
    "tx_nonces": uvarints_field,
    "tx_gases": uvarints_field,
    "tx_tos": tos_field,
    "tx_datas": datas_field,
    "contract_creation_bits": bits_field,
    "y_parity_bits": bits_field,
    "protected_bits": bits_field,
    "generic": bits_field,
}


@pytest.mark.parametrize(("file", "case"), section("fields"))
def test_field(file: str, case: dict[str, Any], ran) -> None:
    known(f"{file}: {case['field']}", case, "field", "data", "count", "expected", "contract_creation_bits")
    name, expected = case["field"].split()[0], case.get("expected", {})
    if name not in FIELDS:
        pytest.fail(f"{file}: unknown field {case['field']}")
    known(
        f"{file}: {case['field']}: expected",
        expected,
        *("first", "last", "sum", "type_counts", "contract_creation_count"),
    )
    reader = Reader(unhex(case["data"]))
    values, encoded = FIELDS[name](reader, case)
    assert reader.left == 0
    assert encoded == unhex(case["data"])
    if "first" in expected:
        assert values[: len(expected["first"])] == expected["first"]
    if "last" in expected:
        assert values[-1] == expected["last"]
    if "sum" in expected:
        assert sum(values) == int(expected["sum"])
    if "contract_creation_count" in expected:
        assert sum(values) == expected["contract_creation_count"]
    for tx_type, count in expected.get("type_counts", {}).items():
        assert sum((LEGACY if data[0] >= 0xC0 else data[0]) == int(tx_type) for data in values) == count
    ran(file)


# tx_data of no value: what v comes to does not depend on it.
EMPTY_DATA = {0: [b""] * 3, 1: [b"", b"", b"", []], 2: [b"", b"", b"", b"", []], 4: [b"", b"", b"", b"", [], []]}
V_FIELD = {0: 6, 1: 8, 2: 9, 4: 10}


@pytest.mark.parametrize(("file", "case"), section("recover_v"))
def test_v_of_a_transaction(file: str, case: dict[str, Any], ran) -> None:
    known(
        f"{file}: {case['name']}",
        case,
        *("name", "chain_id", "tx_type", "count", "sigs", "y_parity_bits", "protected_bits", "expected_v"),
    )
    count, tx_type = case["count"], case["tx_type"]
    # No bits given: the legacy transactions of the case are all unprotected.
    protected = unhex(case["protected_bits"]) or bytes((count + 7) // 8)
    prefix = b"" if tx_type == LEGACY else bytes((tx_type,))
    columns = SpanTransactions(
        creations=[False] * count,
        y_parities=decode_bits(Reader(unhex(case["y_parity_bits"])), count),
        signatures=decode_signatures(Reader(unhex(case["sigs"])), count),
        tos=[b"\1" * 20] * count,
        datas=[prefix + rlp_encode(EMPTY_DATA[tx_type])] * count,
        nonces=[0] * count,
        gases=[0] * count,
        protected=decode_bits(Reader(protected), count) if tx_type == LEGACY else [],
    )
    raws = columns.full_transactions(case["chain_id"])
    fields = [rlp_decode(raw[len(prefix) :]) for raw in raws]
    assert [int.from_bytes(item[V_FIELD[tx_type]], "big") for item in fields] == case["expected_v"]
    ran(file)


def columns_again(columns: SpanTransactions) -> SpanTransactions:
    """Through the bytes and back."""
    reader = Reader(columns.encode())
    decoded = SpanTransactions.decode(reader, len(columns.datas))
    assert reader.left == 0
    return decoded


@pytest.mark.parametrize(("file", "case"), section("full_tx_roundtrip"))
def test_transactions_through_the_columns(file: str, case: dict[str, Any], ran) -> None:
    known(f"{file}: {case['name']}", case, "name", "chain_id", "txs")
    raws = list(map(unhex, case["txs"]))
    columns = SpanTransactions.of(raws)
    assert columns.full_transactions(case["chain_id"]) == raws
    assert columns_again(columns).full_transactions(case["chain_id"]) == raws
    ran(file, len(raws))


@pytest.mark.parametrize(("file", "case"), section("span_batch_txs"))
def test_all_columns(file: str, case: dict[str, Any], ran) -> None:
    # spec: span.creation-bits-first
    known(file, case, "total_txs", "data")
    reader = Reader(unhex(case["data"]))
    columns = SpanTransactions.decode(reader, case["total_txs"])
    assert reader.left == 0
    assert columns.encode() == unhex(case["data"])
    raws = columns.full_transactions(10)
    assert ["0x" + keccak256(raw).hex() for raw in raws] == case["collector_tx_hashes_chain10"]
    assert SpanTransactions.of(raws).encode() == unhex(case["data"])
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("tx_data_marshal"))
def test_data_of_a_transaction(file: str, case: dict[str, Any], ran) -> None:
    known(file, case, "type", "tx", "expected_span_tx_data")
    fields = case["tx"]
    known(
        f"{file}: tx",
        fields,
        *("nonce", "gas_price", "gas_limit", "to", "value", "data", "chain_id", "max_priority_fee", "max_fee"),
        "access_list",
    )
    price = fields.get("gas_price", 0)
    transaction = Transaction(
        tx_type=case["type"],
        chain_id=fields.get("chain_id", 1),
        nonce=fields.get("nonce", 0),
        max_priority_fee_per_gas=fields.get("max_priority_fee", price),
        max_fee_per_gas=fields.get("max_fee", price),
        gas_limit=fields.get("gas_limit", 0),
        to=unhex(fields["to"]) if "to" in fields else None,
        value=fields.get("value", 0),
        data=unhex(fields.get("data", "0x")),
        access_list=tuple(
            (unhex(entry["address"]), tuple(map(unhex, entry["storage_keys"])))
            for entry in fields.get("access_list", [])
        ),
    ).signed(KEY)
    columns = SpanTransactions.of([transaction.encode()])
    assert columns.datas == [unhex(case["expected_span_tx_data"])]
    assert columns_again(columns).full_transactions(fields.get("chain_id", 1)) == [transaction.encode()]
    ran(file)


@pytest.mark.parametrize("sequence_number", [0, 1])
@pytest.mark.parametrize(("file", "case"), section("singular_to_span"))
def test_singular_batches_to_a_span(file: str, case: dict[str, Any], sequence_number: int, ran) -> None:
    """A sequence number of 0 sets the first origin bit, 1 does not."""
    known(file, case, "chain_id", "l2_block_time", "batches")
    batches = [decode_singular_batch(unhex(raw)) for raw in case["batches"]]
    first = batches[0]
    config = rollup_config(
        ForkSchedule.all_at(Fork.JOVIAN),
        first.timestamp + 1 - 128,
        l2_chain_id=case["chain_id"],
        block_time=case["l2_block_time"],
    )
    ref = L2BlockRef(bytes(32), 1, first.parent_hash, first.timestamp, first.epoch, sequence_number)
    content = rlp_decode(encode_span_batch(config, ref, batches))
    assert content[0] == SPAN_BATCH
    assert decode_raw_span_batch(content[1:]).origin_bits[0] is (sequence_number == 0)
    span = decode_span_batch(config, content[1:])
    assert span.parent_check == first.parent_hash[:20]
    assert span.l1_origin_check == batches[-1].epoch_hash[:20]
    assert [(block.epoch_number, block.timestamp, block.transactions) for block in span.blocks] == [
        (batch.epoch_number, batch.timestamp, batch.transactions) for batch in batches
    ]
    ran(file)
