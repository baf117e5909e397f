"""L1 attributes of all forks, and what an L2 block says of itself by them."""

import re
from dataclasses import fields
from typing import Any

import pytest

from rollup.execution.replay import header_from_json
from rollup.protocol.block import Block
from rollup.protocol.config import RollupConfig
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.header import Header
from rollup.protocol.l1_attributes import L1Attributes, L1AttributesError
from rollup.protocol.l2_blocks import l1_attributes_of, l2_block_ref, system_config_of_block
from rollup.protocol.ordered_trie import ordered_trie_root
from rollup.protocol.predeploys import DEPOSITOR_ACCOUNT, L1_BLOCK
from rollup.protocol.transaction import Transaction, decode_transaction, deposit_transaction
from tests.vector_files import files, load, unknown_keys
from tests.vectors.hexes import number, unhex
from tests.vectors.rollup_configs import rollup_config

DOCUMENTS = [(f"l1_info/{file}", load("l1_info", file)) for file in files("l1_info")]
FORMS = {fork.name.lower(): fork for fork in (Fork.BEDROCK, Fork.ECOTONE, Fork.ISTHMUS, Fork.JOVIAN)}
FIELDS = {field.name: field.name for field in fields(L1Attributes)} | {
    "time": "timestamp",
    "l1_fee_overhead": "overhead",
    "l1_fee_scalar": "scalar",
    "da_footprint": "da_footprint_gas_scalar",
}


def cases(key: str) -> list[Any]:
    """The cases of all files that have this key."""
    return [
        pytest.param(file, case, id=f"{index}-{case.get('name', '')}")
        for file, document in DOCUMENTS
        for index, case in enumerate(document["cases"])
        if key == kind(case)
    ]


def kind(case: dict[str, Any]) -> str:
    if "calldata" in case:
        return "calldata"
    if "header" in case:
        return "block"
    return "system config" if "header_extra_data" in case else "unknown"


def known(where: str, case: dict[str, Any], *keys: str) -> None:
    extra = unknown_keys(case, keys)
    if extra:
        pytest.fail(f"{where}: keys no runner knows: {extra}")


def test_every_case_is_known() -> None:
    for file, document in DOCUMENTS:
        known(file, document, "cases", "negative_rules")
        for index, case in enumerate(document["cases"]):
            if kind(case) == "unknown":
                pytest.fail(f"{file}: case {index} is of no known kind: {sorted(case)}")


def value_of(value: Any) -> Any:
    return int.from_bytes(value, "big") if isinstance(value, bytes) else value


@pytest.mark.parametrize(("file", "case"), cases("calldata"))
def test_calldata(file: str, case: dict[str, Any], ran) -> None:
    # spec: attributes.jovian, attributes.isthmus, attributes.ecotone-size, attributes.ecotone-no-overhead
    # spec: attributes.ecotone
    known(f"{file}: {case['name']}", case, "name", "calldata", "fork", "asserted", "full_deposit_tx", "tx_hash")
    data = unhex(case["calldata"])
    attributes = L1Attributes.decode(data)
    assert attributes.encode(FORMS[case["fork"]]) == data
    for section in ("asserted", "collector_full_decode"):
        for key, wanted in case.get(section, {}).items():
            if key == "fork":
                assert wanted == case["fork"]
            elif key in FIELDS:
                assert value_of(getattr(attributes, FIELDS[key])) == number(wanted), key
            else:
                pytest.fail(f"{file}: {case['name']}: unknown field {key}")
    # The rules stated next to the cases: a length of each form, no other selector.
    for broken in (data[:-1], data + b"\0", b"", data[:3], b"\0\0\0\0" + data[4:]):
        with pytest.raises(L1AttributesError):
            L1Attributes.decode(broken)
    if "full_deposit_tx" in case:
        deposit = decode_transaction(unhex(case["full_deposit_tx"]))
        assert deposit.encode() == unhex(case["full_deposit_tx"])
        assert (deposit.data, deposit.to, deposit.sender) == (data, L1_BLOCK, DEPOSITOR_ACCOUNT)
        assert deposit.hash == unhex(case["tx_hash"])
    ran(file)


def info_deposit(calldata: bytes) -> Transaction:
    return deposit_transaction(
        source_hash=bytes(32),
        sender=DEPOSITOR_ACCOUNT,
        to=L1_BLOCK,
        mint=None,
        value=0,
        gas_limit=1_000_000,
        is_system=False,
        data=calldata,
    )


def header_of(case: dict[str, Any]) -> Header:
    """The whole header; a short form names what is not a default."""
    full = case.get("full_header") or case["header"]
    header = header_from_json(full)
    if full is not case["header"]:
        short = case["header"]
        known("header", short, "number", "parentHash", "timestamp")
        assert header == Header(
            parent_hash=unhex(short["parentHash"]), number=number(short["number"]), timestamp=number(short["timestamp"])
        )
    return header


@pytest.mark.parametrize(("file", "case"), cases("block"))
def test_block_ref(file: str, case: dict[str, Any], ran) -> None:
    known(file, case, "header", "full_header", "l1_info", "transactions", "expected", "name")
    header, expected = header_of(case), dict(case["expected"])
    if "transactions" in case:
        raws = list(map(unhex, case["transactions"]))
        transactions = [decode_transaction(raw) for raw in raws]
        assert [transaction.encode() for transaction in transactions] == raws
        if case.get("collector_checks", {}).get("transactions_root"):
            assert ordered_trie_root(raws) == header.transactions_root
    else:
        transactions = [info_deposit(unhex(case["l1_info"]))]
    block = Block(header, transactions)
    ref = l2_block_ref(rollup_config(), block)
    origin = expected.pop("l1_origin", None)
    if origin is not None:
        known(f"{file}: l1_origin", origin, "number", "hash")
        assert (ref.l1_origin.number, ref.l1_origin.hash) == (origin["number"], unhex(origin["hash"]))
    found = {
        "hash": ref.hash,
        "seq_num": ref.sequence_number,
        "assert_l2_block_hash": ref.hash,
        "assert_l2_block_number": ref.number,
        "assert_l2_block_timestamp": ref.timestamp,
        "assert_l1_block_hash": ref.l1_origin.hash,
        "assert_l1_block_number": ref.l1_origin.number,
        "assert_l1_block_timestamp": l1_attributes_of(block).timestamp,
    }
    for key, wanted in expected.items():
        if key not in found:
            pytest.fail(f"{file}: unknown expectation {key}")
        assert value_of(found[key]) == number(wanted), key
    assert ref.parent_hash == header.parent_hash
    ran(file)


def config_of(case: dict[str, Any]) -> RollupConfig:
    """The newest fork a case's name has, active from genesis."""
    names = [word.upper() for word in re.findall(r"[a-z]+", case["name"])]
    newest = max((Fork[name] for name in names if name in Fork.__members__), default=None)
    if newest is None:
        pytest.fail(f"system config of {case['name']}: no fork is named")
    return rollup_config(ForkSchedule.all_at(newest))


@pytest.mark.parametrize(("file", "case"), cases("system config"))
def test_system_config_of_a_block(file: str, case: dict[str, Any], ran) -> None:
    known(f"{file}: {case['name']}", case, "name", "l1_info", "header_extra_data", "expected")
    header = Header(number=1, timestamp=1_800_000_000, extra_data=unhex(case["header_extra_data"]))
    system = system_config_of_block(config_of(case), Block(header, [info_deposit(unhex(case["l1_info"]))]))
    found = {
        "batcher": system.batcher_address,
        "overhead": system.overhead,
        "scalar": system.scalar,
        "gas_limit": system.gas_limit,
        "eip1559_denominator": system.eip1559_params[:4],
        "eip1559_elasticity": system.eip1559_params[4:],
        "operator_fee_scalar": system.operator_fee_scalar,
        "operator_fee_constant": system.operator_fee_constant,
        "min_base_fee": system.min_base_fee,
        "da_footprint_gas_scalar": system.da_footprint_gas_scalar,
    }
    for key, wanted in case["expected"].items():
        if key not in found:
            pytest.fail(f"{file}: {case['name']}: unknown expectation {key}")
        assert value_of(found[key]) == number(wanted), key
    ran(file)
