"""Output roots, withdrawal hashes and slots, aliased addresses; account proofs are run by test_trie_rlp."""

from typing import Any

import pytest

from rollup.protocol.deposits import apply_alias, undo_alias
from rollup.protocol.outputs import Output, OutputError, output_root
from rollup.protocol.receipt import Log
from rollup.protocol.withdrawals import (
    MESSAGE_PASSED,
    Withdrawal,
    WithdrawalError,
    decode_message_passed,
    withdrawal_slot,
)
from tests.vector_files import files, load, unknown_keys
from tests.vectors.hexes import number, unhex

DOCUMENTS = [
    (f"outputs_withdrawals/{file}", document)
    for file in files("outputs_withdrawals")
    if "proofs" not in (document := load("outputs_withdrawals", file))
]
SECTIONS = {
    "output_root_v0",
    "output_decode_errors",
    "withdrawal_hash",
    "withdrawal_slot",
    "message_passed_log",
    "address_alias",
}


def section(name: str) -> list[Any]:
    found = []
    for file, document in DOCUMENTS:
        items = document.get(name, [])
        if isinstance(items, dict):
            items = items.get("cases", [items])
        found += [pytest.param(file, item, id=str(index)) for index, item in enumerate(items)]
    return found


def known(where: str, case: dict[str, Any], *keys: str) -> None:
    extra = unknown_keys(case, keys)
    if extra:
        pytest.fail(f"{where}: keys no runner knows: {extra}")


def test_every_section_is_known() -> None:
    for file, document in DOCUMENTS:
        known(file, document, *SECTIONS)


@pytest.mark.parametrize(("file", "case"), section("output_root_v0"))
def test_output_root(file: str, case: dict[str, Any], ran) -> None:
    # spec: output.root
    known(
        file,
        case,
        *("state_root", "message_passer_storage_root", "block_hash", "expected_encoding", "expected_output_root"),
    )
    parts = [unhex(case[key]) for key in ("state_root", "message_passer_storage_root", "block_hash")]
    output = Output(*parts)
    if "expected_encoding" in case:
        assert output.encode() == unhex(case["expected_encoding"])
        assert Output.decode(unhex(case["expected_encoding"])) == output
    if "expected_output_root" in case:
        assert output_root(*parts) == unhex(case["expected_output_root"])
    assert {"expected_encoding", "expected_output_root"} & case.keys()
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("output_decode_errors"))
def test_bytes_that_are_not_an_output_are_refused(file: str, case: dict[str, Any], ran) -> None:
    known(file, case, "data", "error")
    with pytest.raises(OutputError):
        Output.decode(unhex(case["data"]))
    ran(file)


def withdrawal_of(case: dict[str, Any]) -> Withdrawal:
    return Withdrawal(
        number(case["nonce"]),
        unhex(case["sender"]),
        unhex(case["target"]),
        number(case["value"]),
        number(case["gas_limit"]),
        unhex(case["data"]),
    )


@pytest.mark.parametrize(("file", "case"), section("withdrawal_hash"))
def test_withdrawal_hash(file: str, case: dict[str, Any], ran) -> None:
    known(
        file,
        case,
        *("nonce", "sender", "target", "value", "gas_limit", "data", "expected_hash", "expected_slot"),
    )
    withdrawal = withdrawal_of(case)
    assert withdrawal.hash == unhex(case["expected_hash"])
    if "expected_slot" in case:
        assert withdrawal.slot == unhex(case["expected_slot"])
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("withdrawal_slot"))
def test_slot(file: str, case: dict[str, Any], ran) -> None:
    known(file, case, "withdrawal_hash", "expected_slot")
    assert withdrawal_slot(unhex(case["withdrawal_hash"])) == unhex(case["expected_slot"])
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("message_passed_log"))
def test_message_passed(file: str, case: dict[str, Any], ran) -> None:
    known(file, case, "receipt", "expected")
    logs = [
        Log(unhex(item["address"]), tuple(map(unhex, item["topics"])), unhex(item["data"]))
        for item in case["receipt"]["logs"]
    ]
    found = [decode_message_passed(log) for log in logs if log.topics[0] == MESSAGE_PASSED]
    expected = dict(case["expected"])
    assert [item.hash for item in found] == [unhex(expected.pop("withdrawal_hash"))]
    assert found == [withdrawal_of(expected)]
    known(f"{file}: expected", expected, "nonce", "sender", "target", "value", "gas_limit", "data")
    for log in logs:
        if log.topics[0] != MESSAGE_PASSED:
            with pytest.raises(WithdrawalError):
                decode_message_passed(log)
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("address_alias"))
def test_alias(file: str, case: dict[str, Any], ran) -> None:
    # spec: deposit.alias
    known(file, case, "l1", "expected_l2_alias")
    assert apply_alias(unhex(case["l1"])) == unhex(case["expected_l2_alias"])
    assert undo_alias(unhex(case["expected_l2_alias"])) == unhex(case["l1"])
    ran(file)
