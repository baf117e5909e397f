"""Base fees by fork, extraData, and the parameters in it."""

import re
from typing import Any

import pytest

from rollup.execution.block_context import InvalidPayloadAttributes, l2_base_fee, l2_context
from rollup.execution.config import L2Config
from rollup.protocol.fees import decode_extra_data, l1_gas_limit_may_follow, next_base_fee
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.header import Header
from rollup.protocol.payload import PayloadAttributes
from tests.vector_files import files, load, unknown_keys
from tests.vectors.hexes import fork_named, unhex

HOLOCENE_EXTRA = bytes.fromhex("00000000fa00000006")
JOVIAN_EXTRA = bytes.fromhex("01000000fa00000006" + "00" * 8)
DOCUMENTS = [(file, load("eip1559", file)) for file in files("eip1559")]
SECTIONS = {
    "base_fee",
    "base_fee_zero_params_reth_defaults",
    "base_fee_errors",
    "extra_data_encode",
    "validation",
    "ethereum_gas_limit_bounds",
}
VALIDATIONS = ("holocene_params", "holocene_extra_data", "decode_invalid")
CASE_KEYS = {
    "name", "fork", "fork_of_parent", "parent_base_fee", "parent_gas_limit", "parent_gas_used", "parent_blob_gas_used",
    "parent_extra_data", "parent_timestamp", "parent_number", "denominator", "elasticity", "min_base_fee", "gas_limit",
    "expected", "expected_base_fee", "expected_error", "expected_extra_data", "eip1559_params", "default_denominator",
    "default_elasticity", "params", "extra", "valid",
}  # fmt: skip


def of(section: str, *path: str) -> list[Any]:
    found = []
    for file, document in DOCUMENTS:
        cases = document.get(section, {} if path else [])
        for name in path:
            cases = cases.get(name, {} if name != path[-1] else [])
        found += [
            pytest.param(f"eip1559/{file}", case, id=str(case.get("name", index))) for index, case in enumerate(cases)
        ]
    return found


def test_every_section_and_case_is_known() -> None:
    for file, document in DOCUMENTS:
        validation, bounds = document.get("validation", {}), document.get("ethereum_gas_limit_bounds", {})
        unknown = unknown_keys(document, SECTIONS) + unknown_keys(validation, VALIDATIONS)
        unknown += unknown_keys(bounds, ("cases",))
        lists = [document.get(section, []) for section in SECTIONS - {"validation", "ethereum_gas_limit_bounds"}]
        lists += [validation.get(name, []) for name in VALIDATIONS] + [bounds.get("cases", [])]
        for case in (case for cases in lists for case in cases):
            unknown += unknown_keys(case, CASE_KEYS)
        assert not unknown, f"{file}: {unknown}"


def config(fork: Fork, denominator: int, elasticity: int) -> L2Config:
    return L2Config(10, ForkSchedule.all_at(fork), elasticity, denominator, denominator)


def chain_of(fork: Fork, case: dict[str, Any]) -> L2Config:
    """The case's numbers where its fork takes them from, others where it must not look."""
    denominator, elasticity = case["denominator"], case["elasticity"]
    if fork >= Fork.HOLOCENE:  # the parent's extraData
        return config(fork, denominator + 1, elasticity + 1)
    if fork >= Fork.CANYON:  # which the new block is the first of
        return L2Config(10, ForkSchedule(regolith=0, canyon=2), elasticity, denominator + 1, denominator)
    return L2Config(10, ForkSchedule(regolith=0, canyon=3), elasticity, denominator, denominator + 1)


@pytest.mark.parametrize(("file", "case"), of("base_fee"))
def test_base_fee(file: str, case: dict[str, Any], ran: Any) -> None:
    # spec: jovian.min-base-fee, jovian.footprint-in-base-fee, canyon.denominator, fees.chain-parameters
    if case["fork_of_parent"] == "london":
        fee = next_base_fee(
            case["parent_base_fee"],
            case["parent_gas_used"],
            case["parent_gas_limit"],
            case["elasticity"],
            case["denominator"],
        )
    else:
        fork = fork_named(case["fork_of_parent"])
        parent = Header(
            base_fee_per_gas=case["parent_base_fee"],
            gas_limit=case["parent_gas_limit"],
            gas_used=case["parent_gas_used"],
            timestamp=1,
            extra_data=unhex(case.get("parent_extra_data", "0x")),
            blob_gas_used=case.get("parent_blob_gas_used"),
        )
        fee = l2_base_fee(chain_of(fork, case), parent, 2)
        if "min_base_fee" in case:
            assert decode_extra_data(parent.extra_data, fork).min_base_fee == case["min_base_fee"]
    assert fee == case["expected_base_fee"]
    ran(file)


@pytest.mark.parametrize(("file", "case"), of("base_fee_zero_params_reth_defaults"))
def test_parameters_of_zero_are_refused(file: str, case: dict[str, Any], ran: Any) -> None:
    """Such a header cannot be on a chain (holocene/exec-engine.md); reth continues with the chain's, we stop."""
    # spec: holocene.extra-data
    extra_data = unhex(case["parent_extra_data"])
    with pytest.raises(ValueError, match="denominator is 0"):
        decode_extra_data(extra_data, Fork.JOVIAN)
    # The chain's own parameters stand in the note alone.
    denominator, elasticity = (
        int(re.search(rf"{name} (\d+)", case["note"])[1]) for name in ("denominator", "elasticity")
    )
    fee = next_base_fee(
        case["parent_base_fee"],
        case["parent_gas_used"],
        case["parent_gas_limit"],
        elasticity,
        denominator,
        int.from_bytes(extra_data[9:], "big"),
    )
    assert fee == case["expected_base_fee"]
    ran(file)


@pytest.mark.parametrize(("file", "case"), of("base_fee_errors"))
def test_extra_data_of_another_fork_is_an_error(file: str, case: dict[str, Any], ran: Any) -> None:
    fork = fork_named(case["name"])
    sizes = {"17-byte": JOVIAN_EXTRA, "only 9 bytes": HOLOCENE_EXTRA}
    wrong = next((extra for words, extra in sizes.items() if words in case["name"]), None)
    if wrong is None:
        pytest.fail(f"{file}: no check for {case['name']}")
    parent = Header(base_fee_per_gas=1, gas_limit=30_000_000, timestamp=1, extra_data=wrong)
    with pytest.raises(ValueError, match="extraData"):
        l2_base_fee(config(fork, 250, 6), parent, 2)
    ran(file)


@pytest.mark.parametrize(("file", "case"), of("extra_data_encode"))
def test_extra_data_of_a_new_block(file: str, case: dict[str, Any], ran: Any) -> None:
    fork = fork_named(case["fork"])
    chain = config(fork, case["default_denominator"], case["default_elasticity"])
    if "expected_error" in case:
        assert case["expected_error"] == "MinBaseFeeNotSet"
        with pytest.raises(InvalidPayloadAttributes, match="minBaseFee"):
            _built(chain, fork, case)
    else:
        assert _built(chain, fork, case) == unhex(case["expected_extra_data"])
    ran(file)


def _built(chain: L2Config, fork: Fork, case: dict[str, Any]) -> bytes:
    start = JOVIAN_EXTRA if fork >= Fork.JOVIAN else HOLOCENE_EXTRA
    parent = Header(base_fee_per_gas=1, gas_limit=30_000_000, timestamp=1, extra_data=start)
    attributes = PayloadAttributes(
        timestamp=2,
        prev_randao=bytes(32),
        fee_recipient=bytes(20),
        parent_beacon_block_root=bytes(32),
        transactions=[],
        no_tx_pool=True,
        gas_limit=30_000_000,
        has_withdrawals=True,
        eip1559_params=unhex(case["eip1559_params"]),
        min_base_fee=case.get("min_base_fee"),
    )
    return l2_context(chain, parent, attributes).extra_data


@pytest.mark.parametrize(("file", "case"), of("validation", "holocene_params"))
def test_parameters_in_attributes(file: str, case: dict[str, Any], ran: Any) -> None:
    # spec: holocene.zero-params
    given = {"eip1559_params": case["params"]}
    if case["valid"]:
        assert _built(config(Fork.HOLOCENE, 250, 6), Fork.HOLOCENE, given)
    else:
        with pytest.raises(InvalidPayloadAttributes, match="eip1559Params"):
            _built(config(Fork.HOLOCENE, 250, 6), Fork.HOLOCENE, given)
    ran(file)


@pytest.mark.parametrize(
    ("file", "case"), [*of("validation", "holocene_extra_data"), *of("validation", "decode_invalid")]
)
def test_extra_data_in_headers(file: str, case: dict[str, Any], ran: Any) -> None:
    # spec: jovian.extra-data, holocene.extra-data
    fork = fork_named(case.get("fork", "holocene"))
    if case["valid"]:
        assert decode_extra_data(unhex(case["extra"]), fork)
    else:
        with pytest.raises(ValueError, match="extraData"):
            decode_extra_data(unhex(case["extra"]), fork)
    ran(file)


@pytest.mark.parametrize(("file", "case"), of("ethereum_gas_limit_bounds", "cases"))
def test_gas_limits_are_bounded_on_l1_and_free_on_op_chains(file: str, case: dict[str, Any], ran: Any) -> None:
    """L1's bound on a step of the gas limit: the vector says whose rule it is; an OP block may take any of them."""
    # With London, from block 5 in this test, the limit doubles once (EIP-1559).
    parent_gas_limit = case["parent_gas_limit"] * (2 if case["parent_number"] < 5 else 1)
    assert l1_gas_limit_may_follow(parent_gas_limit, case["gas_limit"]) == case["valid"]
    context = l2_context(
        config(Fork.CANYON, 250, 6),
        Header(base_fee_per_gas=1, gas_limit=case["parent_gas_limit"], timestamp=1),
        PayloadAttributes(2, bytes(32), bytes(20), None, [], True, case["gas_limit"], True),
    )
    assert context.gas_limit == case["gas_limit"]
    ran(file)
