"""Gossiped payloads of other clients: compression, SSZ, JSON, the block hash each fork makes of them, the signature."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.execution.replay import header_from_json
from rollup.protocol.block import Block
from rollup.protocol.forks import Fork
from rollup.protocol.payload_envelope import (
    SIGNATURE_SIZE,
    PayloadEnvelope,
    PayloadError,
    decode_message,
    decode_payload,
    encode_message,
    encode_payload,
    payload_version,
    signing_hash,
)
from rollup.protocol.primitives import keccak256
from rollup.protocol.snappy import SnappyError, compress, decompress
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction, recover_address
from rollup.rpc.engine_json import payload_from_json, payload_to_json
from rollup.rpc.params import Invalid
from tests.vector_files import files, load, unknown_keys
from tests.vectors.hexes import unhex

FOLDER = "payloads"
DOCUMENTS: dict[str, Any] = {file: load(FOLDER, file) for file in files(FOLDER)}
KEYS = {
    "name", "version", "fork", "snappy_gossip_message", "signature", "parent_beacon_block_root", "payload", "header",
    "block_hash_matches",
}  # fmt: skip
NUMBERS = {
    "blockNumber", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas",
}  # fmt: skip
PAYLOADS = [
    pytest.param(file, case, id=f"{file}/{number}-{case['fork']}")
    for file, document in DOCUMENTS.items()
    for number, case in enumerate(document.get("payloads", []))
]
KEY = b"\x07" * 32
LIMIT = 1 << 20


def json_of(case: dict[str, Any]) -> dict[str, Any]:
    """The payload as the Engine API writes it: quantities, where the vectors have numbers."""
    return {
        key: hex(value) if key in NUMBERS and isinstance(value, int) else value
        for key, value in case["payload"].items()
        if value is not None
    }


def block_of(case: dict[str, Any]) -> Block:
    root = case.get("parent_beacon_block_root")
    requests: list[bytes] | None = [] if case["version"] >= 4 else None
    return payload_from_json(json_of(case), unhex(root) if root else None, requests)


def envelope_of(case: dict[str, Any]) -> PayloadEnvelope:
    return decode_message(unhex(case["snappy_gossip_message"]), case["version"])


@pytest.mark.parametrize("file", DOCUMENTS)
def test_every_section_and_case_has_a_runner(file: str) -> None:
    document = DOCUMENTS[file]
    unknown = unknown_keys(document, ("payloads", "signature_message"))
    for case in document.get("payloads", []):
        unknown += unknown_keys(case, KEYS)
    if unknown or not document.keys() & {"payloads", "signature_message"}:
        pytest.fail(f"{FOLDER}/{file}: no check for {unknown or sorted(document)}")


@pytest.mark.parametrize(("file", "case"), PAYLOADS)
def test_a_payload_has_its_block_hash(file: str, case: dict[str, Any], ran: Any) -> None:
    # spec: isthmus.withdrawals-root
    block = block_of(case)
    assert block.header == header_from_json(case["header"])
    assert block.hash == unhex(case["payload"]["blockHash"])
    if case["block_hash_matches"] is not None:
        assert (block.header.hash == block.hash) == case["block_hash_matches"]
    ran(f"{FOLDER}/{file}")


@pytest.mark.parametrize(("file", "case"), PAYLOADS)
def test_a_payload_is_written_as_it_was_read(file: str, case: dict[str, Any], ran: Any) -> None:
    assert payload_to_json(block_of(case)) == json_of(case)
    ran(f"{FOLDER}/{file}")


@pytest.mark.parametrize(("file", "case"), PAYLOADS)
def test_a_gossip_message_says_what_the_json_says(file: str, case: dict[str, Any], ran: Any) -> None:
    envelope, block = envelope_of(case), block_of(case)
    assert payload_version(Fork[case["fork"].upper()]) == case["version"]
    assert envelope.block == block
    assert envelope.signature == unhex(case["signature"])
    assert envelope.has_its_hash is (block.header.hash == block.hash)
    ran(f"{FOLDER}/{file}")


@pytest.mark.parametrize(("file", "case"), PAYLOADS)
def test_a_payload_is_encoded_to_the_gossiped_bytes(file: str, case: dict[str, Any], ran: Any) -> None:
    data = decompress(unhex(case["snappy_gossip_message"]), LIMIT)
    root = unhex(case["parent_beacon_block_root"] or "0x")
    assert data == unhex(case["signature"]) + root + encode_payload(block_of(case), case["version"])
    assert envelope_of(case).payload_hash == keccak256(data[SIGNATURE_SIZE:])
    assert decompress(compress(data), LIMIT) == data
    assert len(compress(data)) <= len(unhex(case["snappy_gossip_message"]))
    ran(f"{FOLDER}/{file}")


@pytest.mark.parametrize("file", [file for file in DOCUMENTS if "signature_message" in DOCUMENTS[file]])
def test_the_hash_that_a_sequencer_signs(file: str, ran: Any) -> None:
    case = DOCUMENTS[file]["signature_message"]
    assert not unknown_keys(case, ("payload_hash_preimage", "chain_id", "expected"))
    preimage, expected = unhex(case["payload_hash_preimage"]), unhex(case["expected"])
    assert signing_hash(case["chain_id"], keccak256(preimage)) == expected
    ran(f"{FOLDER}/{file}")


# ---------------------------------------------------------------- what the vectors have none of
def with_transactions(block: Block, count: int) -> Block:
    """The block with signed transactions and extraData, and the hash it then has."""
    transactions = [
        Transaction(DYNAMIC_FEE, nonce=nonce, gas_limit=21_000, to=b"\x02" * 20, data=bytes(nonce), chain_id=10).signed(
            KEY
        )
        for nonce in range(count)
    ]
    changed = payload_to_json(block)
    changed["transactions"] = ["0x" + transaction.encode().hex() for transaction in transactions]
    changed["extraData"] = "0x" + bytes(range(9)).hex()
    requests: list[bytes] | None = None if block.header.requests_hash is None else []
    header = payload_from_json(changed, block.header.parent_beacon_block_root, requests).header
    return Block(header, transactions)


@pytest.mark.parametrize(("file", "case"), PAYLOADS)
@pytest.mark.parametrize("count", [0, 1, 40])
def test_a_block_goes_through_gossip_and_json_unchanged(file: str, case: dict[str, Any], count: int) -> None:
    block = with_transactions(block_of(case), count)
    envelope = decode_message(encode_message(block, case["version"], 901, KEY), case["version"])
    assert envelope.block == block
    assert envelope.has_its_hash
    signer = envelope.signer(901)
    assert signer == Transaction(0, chain_id=1).signed(KEY).sender
    assert envelope.signer(902) != signer


@pytest.mark.parametrize(("file", "case"), PAYLOADS)
def test_a_damaged_message_is_refused_or_has_another_hash(file: str, case: dict[str, Any]) -> None:
    # spec: gossip.decodes
    block = with_transactions(block_of(case), 2)
    version = case["version"]
    root = block.header.parent_beacon_block_root
    data = encode_payload(block, version)
    flipped = [data[:index] + bytes((data[index] ^ 1,)) + data[index + 1 :] for index in range(len(data))]
    for damaged in [*flipped, *(data[:size] for size in range(len(data)))]:
        try:
            found = decode_payload(damaged, version, root)
        except PayloadError:
            continue
        assert found.hash != found.header.hash
    with pytest.raises(PayloadError):
        decode_payload(data + bytes(44), version, root)  # a withdrawal, or bytes after the end
    for other in range(6):
        if other != version:
            with pytest.raises(PayloadError):
                decode_message(encode_message(block, version, 901, KEY), other)


def test_a_signature_of_the_upper_half_is_refused() -> None:
    # spec: gossip.signature
    for _, case in (entry.values for entry in PAYLOADS):
        envelope = envelope_of(case)
        high = replace(envelope, signature=envelope.signature[:32] + b"\xff" * 32 + envelope.signature[64:])
        with pytest.raises(PayloadError):
            high.signer(10)
        with pytest.raises(PayloadError):
            replace(envelope, signature=bytes(65)).signer(10)
        assert envelope.signer(10) == recover_address(
            signing_hash(10, envelope.payload_hash),
            envelope.signature[64],
            int.from_bytes(envelope.signature[:32], "big"),
            int.from_bytes(envelope.signature[32:64], "big"),
        )


@pytest.mark.parametrize("key", ["parentHash", "stateRoot", "blockHash", "logsBloom", "timestamp", "extraData"])
def test_json_without_a_field_is_refused_by_its_name(key: str) -> None:
    for _, case in (entry.values for entry in PAYLOADS):
        source = json_of(case)
        del source[key]
        with pytest.raises(Invalid, match=key):
            payload_from_json(source)


@given(st.lists(st.binary(max_size=90) | st.sampled_from([b"\0" * 300, b"abcd" * 70]), max_size=12).map(b"".join))
def test_snappy_round_trip(data: bytes) -> None:
    assert decompress(compress(data), LIMIT) == data


@given(st.binary(max_size=200))
def test_snappy_refuses_garbage_in_its_own_words(data: bytes) -> None:
    try:
        found = decompress(data, LIMIT)
    except SnappyError:
        return
    assert decompress(compress(found), LIMIT) == found


def test_a_snappy_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = b"\xff\xff\xff\xff\x0f" + b"\0a" + b"\xfe\x01\0" * 1000
    with pytest.raises(SnappyError, match="at most"):
        decompress(bomb, LIMIT)


def test_snappy_over_many_blocks() -> None:
    data = b"".join(keccak256(number.to_bytes(4, "big")) * (1 + number % 3) for number in range(5000))
    assert len(data) > 3 << 16
    packed = compress(data)
    assert decompress(packed, LIMIT) == data
    assert len(packed) < 0.7 * len(data)
