"""FastLZ lengths, the L1 data fee of every fork, the operator fee, the DA footprint, and what receipts say of them."""

from typing import Any

import pytest

from rollup.protocol import fees
from rollup.protocol.fastlz import fastlz_length
from rollup.protocol.fees import (
    _FJORD_FASTLZ_COEFFICIENT,
    _FJORD_INTERCEPT,
    MIN_TRANSACTION_SIZE,
    L1FeeParameters,
    da_footprint,
    l1_cost,
    l1_gas_used,
    operator_fee,
)
from rollup.protocol.forks import Fork
from rollup.protocol.l1_attributes import L1Attributes
from rollup.protocol.transaction import LEGACY, Transaction, TransactionError, decode_transaction
from tests.contracts.evm import Evm
from tests.vector_files import files, load
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


FASTLZ = [(f, c) for f, data in of_shape("expected_fastlz_len") for c in data["cases"]]
ORACLES = [(f, data["solidity_oracle"]) for f, data in of_shape("expected_fastlz_len") if "solidity_oracle" in data]
COSTS = [(f, c) for f, data in of_shape("'params'") for c in data["cases"]]
FOOTPRINTS = [(f, c) for f, data in of_shape("'params'") for c in data.get("da_footprint", {}).get("cases", [])]
RECEIPTS = [(f, c) for f, data in of_shape("expected_receipt") for c in data["cases"]]


def test_every_file_has_a_known_shape() -> None:
    known = {file for cases in (FASTLZ, COSTS, RECEIPTS) for file, _ in cases}
    assert set(files("fees")) == known


def named(value: Any) -> str | None:
    return value.get("name") if isinstance(value, dict) else None


@pytest.mark.parametrize(("file", "case"), FASTLZ, ids=named)
def test_fastlz_length(file: str, case: dict[str, Any], ran) -> None:
    assert fastlz_length(repeated(case)) == case["expected_fastlz_len"]
    ran(f"fees/{file}")


@pytest.mark.parametrize(("file", "oracle"), ORACLES)
def test_fastlz_length_is_what_the_solidity_contract_says(file: str, oracle: dict[str, Any], ran) -> None:
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


def sized(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The transaction, or one whose FastLZ length is the case's."""
    if "tx" in case:
        return unhex(case["tx"])
    monkeypatch.setattr(fees, "fastlz_length", lambda data: case["fastlz_size"])
    fees.forget_compressed_sizes()
    return bytes(1_000)


@pytest.mark.parametrize(("file", "case"), COSTS, ids=named)
def test_l1_and_operator_cost(file: str, case: dict[str, Any], ran, monkeypatch: pytest.MonkeyPatch) -> None:
    fork, given, expected = fork_named(case["fork"]), parameters(case), case["expected"]
    for key, value in expected.items():
        if key.startswith("l1_fee"):
            raw = sized(case, monkeypatch)
            # No transaction and a deposit pay nothing: nobody asks for their cost.
            cost = 0 if not raw or raw[0] == 0x7E else l1_cost(raw, fork, given)
            assert cost > value if key.endswith("_gt") else cost == value
        elif key.startswith("l1_gas_used"):
            used = l1_gas_used(sized(case, monkeypatch), fork, given)
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
    fees.forget_compressed_sizes()
    ran(f"fees/{file}")


@pytest.mark.parametrize(("file", "case"), FOOTPRINTS, ids=lambda value: str(value)[:40])
def test_da_footprint(file: str, case: dict[str, Any], ran) -> None:
    smallest = Transaction(LEGACY, to=bytes(20))
    if "header_blob_gas_used" in case:
        # The header check is the validation of every field: see the block tests. What it compares with is this.
        assert da_footprint(smallest, 400) == 40_000 != case["header_blob_gas_used"]
        ran(f"fees/{file}")
        return
    assert set(case) <= {
        "da_footprint_gas_scalar",
        "min_size_txs",
        "gas_limit",
        "expected",
        "expected_da_footprint",
        "note",
    }
    total = case["min_size_txs"] * da_footprint(smallest, case["da_footprint_gas_scalar"])
    if "expected_da_footprint" in case:
        assert total == case["expected_da_footprint"]
    elif "gas_limit" in case:
        assert (total <= case["gas_limit"]) == case["expected"].startswith("fits")
    ran(f"fees/{file}")


@pytest.mark.parametrize(("file", "case"), RECEIPTS, ids=named)
def test_receipt_fields(file: str, case: dict[str, Any], ran) -> None:
    raw_info = unhex(case.get("l1_info_tx") or case["l1_attributes_calldata"])
    data = decode_transaction(raw_info).data if "l1_info_tx" in case else raw_info
    if data.startswith(unhex("0x015d8eb9")):
        data = data[:260]  # op-geth reads the words where they are, and its test has more behind them
    attributes = L1Attributes.decode(data)
    fork = fork_named(case["fork"]) if "fork" in case else _fork_in(case["name"])
    given = L1FeeParameters(
        base_fee=attributes.base_fee,
        blob_base_fee=attributes.blob_base_fee,
        overhead=attributes.overhead,
        scalar=attributes.scalar,
        base_fee_scalar=attributes.base_fee_scalar,
        blob_base_fee_scalar=attributes.blob_base_fee_scalar,
        operator_fee_scalar=attributes.operator_fee_scalar,
        operator_fee_constant=attributes.operator_fee_constant,
    )
    raw = unhex(case["tx"])
    got = {
        "l1_gas_price": given.base_fee,
        "l1_gas_used": l1_gas_used(raw, fork, given),
        "l1_fee": l1_cost(raw, fork, given),
        "fee_scalar": given.scalar / 10**6,
        "l1_fee_scalar": None if fork >= Fork.ECOTONE else given.scalar / 10**6,
        "l1_base_fee_scalar": given.base_fee_scalar,
        "l1_blob_base_fee": given.blob_base_fee,
        "l1_blob_base_fee_scalar": given.blob_base_fee_scalar,
        "operator_fee_scalar": given.operator_fee_scalar if fork >= Fork.ISTHMUS else None,
        "operator_fee_constant": given.operator_fee_constant if fork >= Fork.ISTHMUS else None,
        "da_footprint_gas_scalar": attributes.da_footprint_gas_scalar,
        "blob_gas_used": _footprint(raw, attributes.da_footprint_gas_scalar),
    }
    for key, value in case["expected_receipt"].items():
        assert key in got, f"fees/{file}: unknown receipt field {key}"
        assert got[key] == (value if value is None else number(value)), key
    ran(f"fees/{file}")


def _footprint(raw: bytes, scalar: int) -> int:
    try:
        return da_footprint(decode_transaction(raw), scalar)
    except TransactionError:
        # An unsigned transaction of op-geth's tests.
        size = _FJORD_INTERCEPT + _FJORD_FASTLZ_COEFFICIENT * fastlz_length(raw)
        return max(size // 1_000_000, MIN_TRANSACTION_SIZE) * scalar


def _fork_in(name: str) -> Fork:
    found = [fork for fork in Fork if fork.name.lower() in name.lower()]
    assert found, f"no fork in {name!r}"
    return found[-1]
