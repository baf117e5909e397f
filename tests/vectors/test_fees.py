"""FastLZ lengths, the L1 data fee of every fork, the operator fee, the DA footprint, and what receipts say of them."""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest

from rollup.execution.config import L2Config
from rollup.execution.errors import InvalidBlock, InvalidTransaction
from rollup.protocol.block import Block
from rollup.protocol.fastlz import fastlz_length
from rollup.protocol.fees import (
    MIN_TRANSACTION_SIZE,
    L1FeeParameters,
    da_footprint,
    l1_cost,
    l1_gas_used,
    operator_fee,
)
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.header import Header
from rollup.protocol.l1_attributes import BEDROCK_SELECTOR
from rollup.protocol.predeploys import DEPOSITOR_ACCOUNT, L1_BLOCK
from rollup.protocol.primitives import keccak256
from rollup.protocol.receipt import Receipt
from rollup.protocol.transaction import decode_transaction, deposit_transaction
from rollup.rpc.formats import receipts_json
from tests.contracts.evm import Evm
from tests.execution.blocks import Layer, changed
from tests.vector_files import files, load, unknown_keys
from tests.vectors.hexes import fork_named, number, repeated, unhex

_PARAMETERS = {
    "l1_base_fee": "base_fee",
    "blob_base_fee": "blob_base_fee",
    "overhead": "overhead",
    "scalar": "scalar",
    "base_fee_scalar": "base_fee_scalar",
    "blob_base_fee_scalar": "blob_base_fee_scalar",
    "operator_fee_scalar": "operator_fee_scalar",
    "operator_fee_constant": "operator_fee_constant",
}


def of_shape(key: str) -> list[tuple[str, Any]]:
    """Files with a case of a shape, told by a key of its cases."""
    return [(file, data) for file in files("fees") for data in [load("fees", file)] if key in str(data["cases"][:1])]


FOOTPRINT_KEYS = {
    "da_footprint_gas_scalar", "min_size_txs", "gas_limit", "expected", "expected_da_footprint", "header_blob_gas_used",
    "expected_error",
}  # fmt: skip
CASE_KEYS = {
    "name", "fork", "input", "input_repeat", "expected_fastlz_len", "params", "expected", "tx", "tx_hash",
    "fastlz_size", "gas", "gas_limit", "unused_gas", "block_timestamp", "l1_info_tx", "l1_attributes_calldata",
    "expected_receipt",
}  # fmt: skip
RECEIPT_FIELDS = {
    "l1_gas_price": "l1GasPrice",
    "l1_gas_used": "l1GasUsed",
    "l1_fee": "l1Fee",
    "fee_scalar": "l1FeeScalar",
    "l1_fee_scalar": "l1FeeScalar",
    "l1_base_fee_scalar": "l1BaseFeeScalar",
    "l1_blob_base_fee": "l1BlobBaseFee",
    "l1_blob_base_fee_scalar": "l1BlobBaseFeeScalar",
    "operator_fee_scalar": "operatorFeeScalar",
    "operator_fee_constant": "operatorFeeConstant",
    "da_footprint_gas_scalar": "daFootprintGasScalar",
    "blob_gas_used": "blobGasUsed",
}
FASTLZ = [(f, c) for f, data in of_shape("expected_fastlz_len") for c in data["cases"]]
ORACLES = [(f, data["solidity_oracle"]) for f, data in of_shape("expected_fastlz_len") if "solidity_oracle" in data]
COSTS = [(f, c) for f, data in of_shape("'params'") for c in data["cases"]]
FOOTPRINTS = [(f, c) for f, data in of_shape("'params'") for c in data.get("da_footprint", {}).get("cases", [])]
RECEIPTS = [(f, c) for f, data in of_shape("expected_receipt") for c in data["cases"]]


def test_every_file_section_and_case_is_known() -> None:
    known = {file for cases in (FASTLZ, COSTS, RECEIPTS) for file, _ in cases}
    assert set(files("fees")) == known
    for file in files("fees"):
        document = load("fees", file)
        unknown = unknown_keys(document, ("cases", "solidity_oracle", "da_footprint", "emptyTx"))
        unknown += unknown_keys(document.get("da_footprint", {}), ("cases",))
        unknown += unknown_keys(document.get("solidity_oracle", {}), ("what", "runtime_bytecode", "parity_inputs"))
        for case in document["cases"]:
            unknown += unknown_keys(case, CASE_KEYS)
        assert not unknown, f"fees/{file}: {unknown}"


def named(value: Any) -> str | None:
    return value.get("name") if isinstance(value, dict) else None


@pytest.mark.parametrize(("file", "case"), FASTLZ, ids=named)
def test_fastlz_length(file: str, case: dict[str, Any], ran: Any) -> None:
    # spec: fjord.fastlz
    assert fastlz_length(repeated(case)) == case["expected_fastlz_len"]
    ran(f"fees/{file}")


@pytest.mark.parametrize(("file", "oracle"), ORACLES)
def test_fastlz_length_is_what_the_solidity_contract_says(file: str, oracle: dict[str, Any], ran: Any) -> None:
    # spec: fjord.fastlz
    evm, address = Evm(), b"\xf1" * 20
    evm.state.set_code(address, unhex(oracle["runtime_bytecode"]))
    for case in oracle["parity_inputs"]:
        data = repeated(case)
        padded = data.ljust(-(-len(data) // 32) * 32, b"\0")
        call = unhex("0x920a7691") + (32).to_bytes(32, "big") + len(data).to_bytes(32, "big") + padded
        said = int.from_bytes(evm.send(address, call).output, "big")
        assert said == fastlz_length(data) == case["collector_fastlz_len"]
        ran(f"fees/{file}")


def parameters(case: dict[str, Any]) -> L1FeeParameters:
    unknown = set(case["params"]) - set(_PARAMETERS) - {"empty_ecotone_scalars"}
    assert not unknown, f"unknown parameters {unknown}"
    return L1FeeParameters(**{_PARAMETERS[k]: v for k, v in case["params"].items() if k in _PARAMETERS})


def transaction_of(case: dict[str, Any]) -> bytes:
    """The transaction, or bytes whose FastLZ length is the case's."""
    return unhex(case["tx"]) if "tx" in case else compressing_to(case["fastlz_size"])


@lru_cache
def compressing_to(length: int) -> bytes:
    """Bytes that compress to this length: noise, a repetition of some of it, noise."""
    noise = b"".join(keccak256(bytes((index,))) for index in range(length // 32 + 2))
    for head in range(length, 16, -1):
        for repeated_bytes in (0, 6, 12):
            for tail in (0, 16, 17):
                data = b"\2" + noise[:head] + noise[3 : 3 + repeated_bytes] + noise[head : head + tail]
                if fastlz_length(data) == length:
                    return data
    raise AssertionError(f"no bytes compress to {length}")


@pytest.mark.parametrize(("file", "case"), COSTS, ids=named)
def test_l1_and_operator_cost(file: str, case: dict[str, Any], ran: Any) -> None:
    # spec: jovian.operator-fee, fjord.l1-cost, fees.l1-cost-bedrock, fees.l1-cost-ecotone
    fork, given, expected = fork_named(case["fork"]), parameters(case), case["expected"]
    if "tx_hash" in case:
        assert decode_transaction(unhex(case["tx"])).hash == unhex(case["tx_hash"])
    for key, value in expected.items():
        if key.startswith("l1_fee"):
            raw = transaction_of(case)
            # No transaction and a deposit pay nothing: nobody asks for their cost.
            cost = 0 if not raw or raw[0] == 0x7E else l1_cost(raw, fork, given)
            assert cost > value if key.endswith("_gt") else cost == value
        elif key.startswith("l1_gas_used"):
            used = l1_gas_used(transaction_of(case), fork, given)
            assert used > value if key.endswith("_gt") else used == value
        elif key == "data_gas_without_overhead":
            assert l1_gas_used(unhex(case["tx"]), fork, given) == value
        elif key == "operator_fee":
            assert operator_fee(case["gas"], fork, given) == value
        elif key == "operator_fee_refund":
            limit = 100_000
            kept = operator_fee(limit - case["unused_gas"], fork, given)
            assert operator_fee(limit, fork, given) - kept == value
        elif key == "total_rollup_cost":
            total = l1_cost(unhex(case["tx"]), fork, given) + operator_fee(case["gas_limit"], fork, given)
            assert total == value
        else:
            pytest.fail(f"fees/{file}: unknown expectation {key}")
    ran(f"fees/{file}")


def footprint_layer(scalar: int) -> Layer:
    """A Jovian devnet whose SystemConfig has this scalar."""
    layer = Layer.at(Fork.JOVIAN)
    config = layer.devnet.rollup_config
    system_config = replace(config.genesis.system_config, da_footprint_gas_scalar=scalar)
    changed_config = replace(config, genesis=replace(config.genesis, system_config=system_config))
    layer.devnet = replace(layer.devnet, rollup_config=changed_config)
    return layer


@pytest.mark.parametrize(("file", "case"), FOOTPRINTS, ids=lambda value: str(value)[:40])
def test_da_footprint(file: str, case: dict[str, Any], ran: Any) -> None:
    # spec: jovian.da-footprint
    unknown = unknown_keys(case, FOOTPRINT_KEYS)
    if unknown:
        pytest.fail(f"fees/{file}: no check for {unknown}")
    if "header_blob_gas_used" in case:
        check_refused_footprint(case)
        ran(f"fees/{file}")
        return
    layer, count = footprint_layer(case["da_footprint_gas_scalar"]), case["min_size_txs"]
    smallest = layer.transfers(count)
    assert {da_footprint(transaction, 1) for transaction in smallest} == {MIN_TRANSACTION_SIZE}
    sealed = layer.build(smallest, gas_limit=case.get("gas_limit", 60_000_000))
    assert layer.validate(sealed.executed.block) == sealed
    footprint = sealed.executed.block.header.blob_gas_used
    assert footprint == count * MIN_TRANSACTION_SIZE * case["da_footprint_gas_scalar"]
    if "expected_da_footprint" in case:
        assert footprint == case["expected_da_footprint"]
    if "expected" in case:
        assert case["expected"].startswith("fits")
        assert footprint <= case["gas_limit"]
    ran(f"fees/{file}")


def check_refused_footprint(case: dict[str, Any]) -> None:
    """A header with another footprint than its transactions': by how many of the smallest, and a scalar of 400."""
    remote, local = map(int, re.findall(r"(?:remote|local): (\d+)", case["expected_error"]))
    assert remote == case["header_blob_gas_used"]
    layer = footprint_layer(400)
    block = layer.build(layer.transfers(local // 40_000)).executed.block
    assert block.header.blob_gas_used == local
    with pytest.raises(InvalidBlock) as refusal:
        layer.validate(changed(block, blob_gas_used=remote))
    assert (refusal.value.field, refusal.value.expected, refusal.value.got) == ("blob_gas_used", local, remote)


def test_the_da_footprint_of_a_block_stays_under_its_gas_limit() -> None:
    # spec: jovian.da-footprint
    layer = footprint_layer(400)
    fit = 1_800_000 // 40_000
    assert layer.build(layer.transfers(fit), gas_limit=1_839_999).executed.block.header.blob_gas_used == 1_800_000
    with pytest.raises(InvalidTransaction, match="DA footprint limit reached"):
        layer.build(layer.transfers(fit + 1), gas_limit=1_839_999)


@pytest.mark.parametrize(("file", "case"), RECEIPTS, ids=named)
def test_receipt_fields(file: str, case: dict[str, Any], ran: Any) -> None:
    """The fields of a receipt are those of eth_getTransactionReceipt."""
    unknown = unknown_keys(case["expected_receipt"], RECEIPT_FIELDS)
    if unknown:
        pytest.fail(f"fees/{file}: {case['name']}: no check for {unknown}")
    raw_info = unhex(case.get("l1_info_tx") or case["l1_attributes_calldata"])
    data = decode_transaction(raw_info).data if "l1_info_tx" in case else raw_info
    if data.startswith(BEDROCK_SELECTOR):
        data = data[:260]  # op-geth reads the words where they are, and its test has more behind them
    fork = fork_named(case["fork"]) if "fork" in case else _fork_in(case["name"])
    shown = receipt_of(fork, data, unhex(case["tx"]))
    for name, value in case["expected_receipt"].items():
        text = shown.get(RECEIPT_FIELDS[name])
        found = text if text is None else float(text) if name.endswith("fee_scalar") and "." in text else int(text, 0)
        assert found == (value if value is None else number(value)), name
    ran(f"fees/{file}")


def receipt_of(fork: Fork, attributes: bytes, raw: bytes) -> dict[str, Any]:
    """The receipt of a transaction in a block of these L1 attributes; the transaction may have no signature."""
    deposit = deposit_transaction(
        source_hash=bytes(32),
        sender=DEPOSITOR_ACCOUNT,
        to=L1_BLOCK,
        mint=None,
        value=0,
        gas_limit=1_000_000,
        is_system=False,
        data=attributes,
    )
    transaction = decode_transaction(raw)
    transaction._sender = b"\1" * 20
    block = Block(Header(number=1, timestamp=1, base_fee_per_gas=1), [deposit, transaction])
    receipts = [Receipt(0x7E, 1, 1, 1), Receipt(transaction.tx_type, 1, 2, 1)]
    config = L2Config(10, ForkSchedule.all_at(fork))
    rendered: dict[str, Any] = receipts_json(config, block, receipts)[1]
    return rendered


def _fork_in(name: str) -> Fork:
    found = [fork for fork in Fork if fork.name.lower() in name.lower()]
    assert found, f"no fork in {name!r}"
    return found[-1]
