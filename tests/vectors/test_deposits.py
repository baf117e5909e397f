"""Deposit logs of L1, source hashes, deposit transactions byte for byte."""

from typing import Any

import pytest

from rollup.protocol.deposits import (
    TRANSACTION_DEPOSITED,
    DepositError,
    decode_deposit_log,
    l1_attributes_source_hash,
    source_hash,
    user_deposit_source_hash,
)
from rollup.protocol.ordered_trie import ordered_trie_root
from rollup.protocol.receipt import Log
from rollup.protocol.transaction import Transaction, TransactionError, decode_transaction, deposit_transaction
from tests.vector_files import files, load, unknown_keys
from tests.vectors.hexes import number, unhex
from tests.vectors.rollup_configs import PORTAL

DOCUMENTS = [(f"deposits/{file}", load("deposits", file)) for file in files("deposits")]
SECTIONS = {"cases", "source_hashes", "logs", "serialization", "transactions"}
INVALIDATED_BLOCK = 4  # the interop domain


def section(name: str) -> list[Any]:
    found = []
    for file, document in DOCUMENTS:
        items = document.get(name, [])
        items = items if isinstance(items, list) else items["cases"]
        found += [pytest.param(file, item, id=f"{index}-{item.get('name', '')}") for index, item in enumerate(items)]
    return found


def known(where: str, case: dict[str, Any], *keys: str) -> None:
    extra = unknown_keys(case, keys)
    if extra:
        pytest.fail(f"{where}: keys no runner knows: {extra}")


def test_every_section_is_known() -> None:
    for file, document in DOCUMENTS:
        known(file, document, *SECTIONS)


def log_of(item: dict[str, Any]) -> Log:
    address = unhex(item["address"]) if "address" in item else PORTAL
    return Log(address, tuple(map(unhex, item["topics"])), unhex(item["data"]))


@pytest.mark.parametrize(("file", "case"), section("cases"))
def test_a_log(file: str, case: dict[str, Any], ran) -> None:
    # spec: deposit.log
    where = f"{file}: {case['name']}"
    known(where, case, "name", "l1_block_hash", "log_index", "log", "expected")
    block_hash, log, expected = unhex(case["l1_block_hash"]), log_of(case["log"]), case["expected"]
    if "error" in expected:
        with pytest.raises(DepositError):
            decode_deposit_log(log, block_hash, case["log_index"])
    else:
        deposit = decode_deposit_log(log, block_hash, case["log_index"])
        check_fields(where, deposit, expected)
        if "collector_deposit_tx" in case:
            assert deposit.encode() == unhex(case["collector_deposit_tx"])
    ran(file)


def check_fields(where: str, deposit: Transaction, expected: dict[str, Any]) -> None:
    found: dict[str, Any] = {
        "source_hash": deposit.source_hash,
        "from": deposit.sender,
        "to": deposit.to,
        "mint": deposit.mint or 0,
        "value": deposit.value,
        "gas": deposit.gas_limit,
        "gas_limit": deposit.gas_limit,
        "is_creation": deposit.to is None,
        "is_system_tx": deposit.is_system,
        "data": deposit.data,
        "deposit_tx": deposit.encode(),
    }
    for key, wanted in expected.items():
        if key not in found:
            pytest.fail(f"{where}: unknown expectation {key}")
        value = found[key]
        if isinstance(wanted, dict):
            # A call's address, as the Rust enum is written.
            wanted = wanted["Call"]
        if isinstance(value, bytes):
            assert value == unhex(wanted), key
        else:
            assert value == (wanted if wanted is None or isinstance(wanted, bool) else number(wanted)), key


@pytest.mark.parametrize(("file", "case"), section("source_hashes"))
def test_source_hash(file: str, case: dict[str, Any], ran) -> None:
    # spec: deposit.source-hash
    known(
        file,
        case,
        *("kind", "domain", "l1_block_hash", "seq_number", "sequence_number", "log_index", "output_root", "expected"),
    )
    name = str(case.get("kind", case.get("domain"))).lower()
    if name.startswith(("l1info", "l1 info")):
        sequence = case["seq_number"] if "seq_number" in case else case["sequence_number"]
        found = l1_attributes_source_hash(unhex(case["l1_block_hash"]), sequence)
    elif name.startswith(("user", "userdeposit")):
        found = user_deposit_source_hash(unhex(case["l1_block_hash"]), case["log_index"])
    elif name.startswith("invalidatedblock"):
        found = source_hash(INVALIDATED_BLOCK, unhex(case["output_root"]))
    else:
        pytest.fail(f"{file}: unknown domain {name}")
    assert found == unhex(case["expected"])
    ran(file)


def opaque_log(case: dict[str, Any]) -> Log:
    """The log the portal writes for these fields."""
    opaque = unhex(case["opaque_data"])
    data = (32).to_bytes(32, "big") + len(opaque).to_bytes(32, "big") + opaque + bytes(-len(opaque) % 32)
    topics = (
        TRANSACTION_DEPOSITED,
        unhex(case["from"]).rjust(32, b"\0"),
        unhex(case["to"]).rjust(32, b"\0"),
        bytes(32),
    )
    return Log(PORTAL, topics, data)


@pytest.mark.parametrize(("file", "case"), section("logs"))
def test_a_real_log(file: str, case: dict[str, Any], ran) -> None:
    known(
        f"{file}: {case['name']}",
        case,
        *("name", "from", "to", "opaque_data", "log", "l1_block_hash", "l1_block_number", "log_index"),
        *("expected_l2_tx_hash", "asserted"),
    )
    if "log" in case:
        log = log_of(case["log"])
        known(f"{file}: asserted", case["asserted"], "from", "to", "opaque_data")
        assert opaque_log(case["asserted"]) == Log(PORTAL, log.topics, log.data)
    else:
        log = opaque_log(case)
    deposit = decode_deposit_log(log, unhex(case["l1_block_hash"]), case["log_index"])
    assert deposit.encode() == unhex(case["collector_deposit_tx"])
    wanted = case["expected_l2_tx_hash"] if "expected_l2_tx_hash" in case else case["collector_l2_tx_hash"]
    assert deposit.hash == unhex(wanted)
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("serialization"))
def test_serialization(file: str, case: dict[str, Any], ran) -> None:
    known(file, case, "tx", "expected", "raw", "expected_error")
    if "expected_error" in case:
        with pytest.raises(TransactionError):
            decode_transaction(unhex(case["raw"]))
    else:
        fields = case["tx"]
        known(
            f"{file}: tx",
            fields,
            *("source_hash", "from", "to", "mint", "value", "gas", "is_system_tx", "data"),
        )
        deposit = deposit_transaction(
            source_hash=unhex(fields["source_hash"]),
            sender=unhex(fields["from"]),
            to=None if fields["to"] is None else unhex(fields["to"]),
            mint=number(fields["mint"]) or None,
            value=number(fields["value"]),
            gas_limit=number(fields["gas"]),
            is_system=fields["is_system_tx"],
            data=unhex(fields["data"]),
        )
        assert deposit.encode() == unhex(case["expected"])
        assert decode_transaction(unhex(case["expected"])) == deposit
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("transactions"))
def test_transactions(file: str, case: dict[str, Any], ran) -> None:
    # spec: regolith.no-system-transactions
    where = f"{file}: {case['name']}"
    known(
        where,
        case,
        *("name", "fields", "raw", "expected_hash", "transactions", "expected_hashes", "transactions_root"),
        "header_hash_ok",
    )
    raws = [unhex(case["raw"])] if "raw" in case else list(map(unhex, case["transactions"]))
    hashes = [case["expected_hash"]] if "raw" in case else case["expected_hashes"]
    transactions = [decode_transaction(raw) for raw in raws]
    assert [transaction.encode() for transaction in transactions] == raws
    assert [transaction.hash for transaction in transactions] == list(map(unhex, hashes))
    if "fields" in case:
        check_fields(where, transactions[0], case["fields"])
    if "transactions_root" in case:
        assert ordered_trie_root(raws) == unhex(case["transactions_root"])
    ran(file)
