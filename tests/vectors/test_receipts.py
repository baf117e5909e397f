"""Receipts roots with and without the deposit nonce, and deposit receipts byte for byte."""

from typing import Any

import pytest

from rollup.protocol.forks import Fork
from rollup.protocol.ordered_trie import ordered_trie_root
from rollup.protocol.primitives import from_int_bytes, rlp_decode, rlp_encode, to_int_bytes
from rollup.protocol.receipt import Log, Receipt
from rollup.protocol.transaction import DEPOSIT
from tests.vector_files import files, load
from tests.vectors.hexes import fork_named, unhex

DOCUMENTS = [(f"receipts/{file}", load("receipts", file)) for file in files("receipts")]


def test_every_section_is_known() -> None:
    for file, document in DOCUMENTS:
        assert set(document) <= {"receipts_root", "bedrock_receipt_rlp", "deposit_receipts"}, file


def logs(case: dict[str, Any]) -> list[Log]:
    return [Log(unhex(log["address"]), tuple(map(unhex, log["topics"])), unhex(log["data"])) for log in case["logs"]]


@pytest.mark.parametrize(
    ("file", "receipts", "expected"),
    [
        (file, document["receipts_root"]["receipts"], expected)
        for file, document in DOCUMENTS
        if "receipts_root" in document
        for expected in document["receipts_root"]["expected"]
    ],
)
def test_receipts_root(file: str, receipts: list[dict[str, Any]], expected: dict[str, Any], ran) -> None:
    is_canyon = fork_named(expected["fork"]) >= Fork.CANYON
    encoded = []
    for case in receipts:
        nonce = case.get("deposit_nonce")
        receipt = Receipt(case["type"], case["status"], case["cumulative_gas_used"], 0, logs(case), deposit_nonce=nonce)
        if is_canyon and nonce is not None:
            # The vector's Canyon has no version, which real blocks always have: ours writes nonce and version together.
            fields = rlp_decode(receipt.encode(for_root=False)[1:])
            encoded.append(bytes((DEPOSIT,)) + rlp_encode(fields))
        else:
            encoded.append(receipt.encode())
    assert ordered_trie_root(encoded) == unhex(expected["root"])
    ran(file)


@pytest.mark.parametrize(
    ("file", "section"), [(f, d["bedrock_receipt_rlp"]) for f, d in DOCUMENTS if "bedrock_receipt_rlp" in d]
)
def test_a_receipt_before_regolith(file: str, section: dict[str, Any], ran) -> None:
    case = section["receipt"]
    receipt = Receipt(case["type"], 1, case["cumulative_gas_used"], 0, logs(case), _bloom=bytes(256))
    fields = rlp_decode(receipt.encode()[1:])
    # geth's test has a state root from before Byzantium where a status stands in every OP block.
    fields[0] = unhex(case["post_state"])
    assert bytes((DEPOSIT,)) + rlp_encode(fields) == unhex(section["expected_rlp"])
    ran(file)


@pytest.mark.parametrize(
    ("file", "case"),
    [(f, case) for f, d in DOCUMENTS for case in d.get("deposit_receipts", {}).get("cases", [])],
    ids=lambda value: value.get("name") if isinstance(value, dict) else None,
)
def test_deposit_receipts(file: str, case: dict[str, Any], ran) -> None:
    status, cumulative, bloom, raw_logs, *rest = rlp_decode(unhex(case["rlp"]))
    receipt = Receipt(
        DEPOSIT,
        from_int_bytes(status),
        from_int_bytes(cumulative),
        0,
        [Log(address, tuple(topics), data) for address, topics, data in raw_logs],
        deposit_nonce=case["deposit_nonce"],
        deposit_receipt_version=case["deposit_receipt_version"],
        _bloom=bloom,
    )
    assert (receipt.status, receipt.cumulative_gas_used, len(receipt.logs)) == (
        case["status"],
        case["cumulative_gas_used"],
        case["logs"],
    )
    assert rest == [to_int_bytes(n) for n in (case["deposit_nonce"], case["deposit_receipt_version"]) if n is not None]
    assert receipt.encode(for_root=False) == bytes((DEPOSIT,)) + unhex(case["rlp"])
    ran(file)
