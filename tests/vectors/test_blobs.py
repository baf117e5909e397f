"""Data in blobs both ways, a real blob down to its transactions, and what blobs cost."""

from itertools import pairwise
from typing import Any

import pytest

from derivation.channel_reader import ChannelReader
from derivation.channels import ChannelData
from derivation.errors import EndOfSource
from derivation.frames import decode_frames
from derivation.span_batches import SpanBatch
from rollup.protocol.blob_schedule import l1_blob_base_fee
from rollup.protocol.blobs import BLOB_SIZE, BlobError, decode_blob, encode_blob
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.fees import blob_base_fee
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.header import Header
from rollup.protocol.primitives import keccak256
from tests.vector_files import files, load, unknown_keys
from tests.vectors.hexes import unhex
from tests.vectors.rollup_configs import rollup_config

DOCUMENTS = [(f"blobs/{file}", load("blobs", file)) for file in files("blobs")]
# kzg and kzg_commitments are run by test_blob_kzg.
SECTIONS = {"decode", "encode", "real_blob", "kzg", "kzg_commitments", "blob_base_fee"}
SEPOLIA = 11_155_111
# EIP-7892 and the forks' own EIPs: seconds at which Sepolia took each fork.
SEPOLIA_TIMES = {
    "cancun": 1_706_655_072,
    "prague": 1_741_159_776,
    "osaka": 1_760_427_360,
    "bpo1": 1_761_017_184,
    "bpo2": 1_761_607_008,
}


def section(name: str) -> list[Any]:
    found = []
    for file, document in DOCUMENTS:
        items = document.get(name, [])
        if isinstance(items, dict):
            items = items.get("cases", [items])
        found += [pytest.param(file, item, id=f"{index}-{item.get('name', '')}") for index, item in enumerate(items)]
    return found


def known(where: str, case: dict[str, Any], *keys: str) -> None:
    extra = unknown_keys(case, keys)
    if extra:
        pytest.fail(f"{where}: keys no runner knows: {extra}")


def test_every_section_is_known() -> None:
    for file, document in DOCUMENTS:
        known(file, document, *SECTIONS)
        if "blob_base_fee" in document:
            known(f"{file}: blob_base_fee", document["blob_base_fee"], "cases")


def blob_of(prefix: str) -> bytes:
    return unhex(prefix).ljust(BLOB_SIZE, b"\0")


def data_of(case: dict[str, Any], key: str, zeros_key: str) -> bytes:
    return unhex(case[key]) if key in case else bytes(case[zeros_key])


@pytest.mark.parametrize(("file", "case"), section("decode"))
def test_decode(file: str, case: dict[str, Any], ran) -> None:
    # spec: blob.high-bits, blob.trailing-zeros, blob.length, blob.invalid-ignored
    known(
        f"{file}: {case['name']}", case, "name", "blob_prefix", "expected_data", "expected_zero_bytes", "expected_error"
    )
    blob = blob_of(case["blob_prefix"])
    if "expected_error" in case:
        with pytest.raises(BlobError):
            decode_blob(blob)
    else:
        assert decode_blob(blob) == data_of(case, "expected_data", "expected_zero_bytes")
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("encode"))
def test_encode(file: str, case: dict[str, Any], ran) -> None:
    known(f"{file}: {case['name']}", case, "name", "data", "data_zero_bytes", "expected_blob_prefix", "expected_error")
    data = data_of(case, "data", "data_zero_bytes")
    if "expected_error" in case:
        with pytest.raises(BlobError):
            encode_blob(data)
    else:
        assert encode_blob(data) == blob_of(case["expected_blob_prefix"])
        assert decode_blob(encode_blob(data)) == data
    ran(file)


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


@pytest.mark.parametrize(("file", "case"), section("real_blob"))
def test_a_real_blob(file: str, case: dict[str, Any], ran) -> None:
    known(f"{file}: {case['name']}", case, "name", "blob_prefix", "expected_data")
    blob, expected = blob_of(case["blob_prefix"]), case["collector_decode"]
    data = decode_blob(blob)
    assert data == unhex(case["expected_data"])
    assert encode_blob(data) == blob
    known(
        f"{file}: collector_decode",
        expected,
        *("channel_id", "frames", "compression", "batches", "batch_type", "chain_id", "l2_genesis_time"),
        *("rel_timestamp", "first_timestamp", "l1_origin_num_of_last", "parent_check", "l1_origin_check"),
        *("block_count", "origin_bits", "block_tx_counts", "tx_hashes"),
    )
    frames = decode_frames(data)
    assert len(frames) == expected["frames"]
    assert {frame.channel_id for frame in frames} == {unhex(expected["channel_id"])}
    config = rollup_config(
        ForkSchedule.all_at(Fork.JOVIAN), expected["l2_genesis_time"], l2_chain_id=expected["chain_id"]
    )
    channel = b"".join(frame.data for frame in frames)
    assert expected["compression"] == ("brotli" if channel[0] == 1 else "zlib")
    batch = ChannelReader(config, OneChannel(channel)).next_batch()
    assert (expected["batches"], expected["batch_type"]) == (1, "span")
    assert isinstance(batch, SpanBatch)
    assert (batch.parent_check, batch.l1_origin_check) == (
        unhex(expected["parent_check"]),
        unhex(expected["l1_origin_check"]),
    )
    assert batch.timestamp == expected["first_timestamp"] == expected["rel_timestamp"] + expected["l2_genesis_time"]
    assert batch.end_epoch == expected["l1_origin_num_of_last"]
    assert len(batch.blocks) == expected["block_count"]
    epochs = [block.epoch_number for block in batch.blocks]
    assert [after - before for before, after in pairwise(epochs)] == expected["origin_bits"][1:]
    assert [len(block.transactions) for block in batch.blocks] == expected["block_tx_counts"]
    hashes = [["0x" + keccak256(raw).hex() for raw in block.transactions] for block in batch.blocks]
    assert hashes == expected["tx_hashes"]
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("blob_base_fee"))
def test_blob_base_fee(file: str, case: dict[str, Any], ran) -> None:
    """The blob base fee is right by the vector's fraction, and by our schedule's fraction for this fork."""
    # spec: attributes.blob-base-fee
    known(file, case, "fork", "excess_blob_gas", "expected", "update_fraction")
    if case["fork"] not in SEPOLIA_TIMES:
        pytest.fail(f"{file}: unknown L1 fork {case['fork']}")
    excess = case["excess_blob_gas"]
    assert blob_base_fee(excess, case["update_fraction"]) == case["expected"]
    header = Header(timestamp=SEPOLIA_TIMES[case["fork"]], excess_blob_gas=excess)
    assert l1_blob_base_fee(SEPOLIA, header) == case["expected"]
    ran(file)
