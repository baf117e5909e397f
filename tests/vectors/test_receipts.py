"""Receipts roots with and without the deposit nonce, and deposit receipts byte for byte."""

from typing import Any

import pytest

from rollup.execution.block_codec import decode_receipts, encode_receipts
from rollup.protocol.forks import Fork
from rollup.protocol.ordered_trie import ordered_trie_root
from rollup.protocol.primitives import from_int_bytes, rlp_decode, rlp_encode, to_int_bytes
from rollup.protocol.receipt import Log, Receipt
from rollup.protocol.transaction import DEPOSIT
from tests.vector_files import files, load, unknown_keys
from tests.vectors.hexes import fork_named, unhex

DOCUMENTS = [(f"receipts/{file}", load("receipts", file)) for file in files("receipts")]


RECEIPT_KEYS = ("type", "status", "cumulative_gas_used", "logs", "deposit_nonce", "deposit_receipt_version")


def test_every_section_and_case_is_known() -> None:
    for file, document in DOCUMENTS:
        roots, bedrock = document.get("receipts_root", {}), document.get("bedrock_receipt_rlp", {})
        deposits = document.get("deposit_receipts", {})
        unknown = unknown_keys(document, ("receipts_root", "bedrock_receipt_rlp", "deposit_receipts"))
        unknown += unknown_keys(roots, ("receipts", "expected"))
        unknown += unknown_keys(bedrock, ("receipt", "expected_rlp")) + unknown_keys(deposits, ("cases",))
        unknown += unknown_keys(bedrock.get("receipt", {}), (*RECEIPT_KEYS, "post_state"))
        for case in roots.get("receipts", []):
            unknown += unknown_keys(case, RECEIPT_KEYS)
        for case in roots.get("expected", []):
            unknown += unknown_keys(case, ("fork", "root"))
        for case in deposits.get("cases", []):
            unknown += unknown_keys(case, (*RECEIPT_KEYS, "name", "rlp"))
        assert document, file
        assert not unknown, f"{file}: {unknown}"


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
def test_receipts_root(file: str, receipts: list[dict[str, Any]], expected: dict[str, Any], ran: Any) -> None:
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
def test_a_receipt_before_regolith(file: str, section: dict[str, Any], ran: Any) -> None:
    # spec: deposit.receipt-version
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
def test_deposit_receipts(file: str, case: dict[str, Any], ran: Any) -> None:
    # spec: regolith.deposit-gas, deposit.receipt-version
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


@pytest.mark.parametrize(
    ("file", "receipts"), [(f, d["receipts_root"]["receipts"]) for f, d in DOCUMENTS if "receipts_root" in d]
)
def test_receipts_come_back_from_the_store(file: str, receipts: list[dict[str, Any]], ran: Any) -> None:
    kept = [
        Receipt(
            case["type"],
            case["status"],
            case["cumulative_gas_used"],
            case["cumulative_gas_used"] - previous,
            logs(case),
            deposit_nonce=case.get("deposit_nonce"),
            deposit_receipt_version=case.get("deposit_receipt_version"),
        )
        for case, previous in zip(receipts, [0, *(case["cumulative_gas_used"] for case in receipts[:-1])], strict=True)
    ]
    found = decode_receipts(encode_receipts(kept))
    assert found == kept
    assert [receipt.encode(for_root=False) for receipt in found] == [receipt.encode(for_root=False) for receipt in kept]
    ran(file, len(receipts))
