"""ConfigUpdate logs, fee scalars, and the system config's JSON."""

import json
from typing import Any

import pytest

from rollup.protocol.config import RollupConfig, SystemConfig
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.l1_attributes import ScalarError, decode_scalar
from rollup.protocol.receipt import Log, Receipt
from rollup.protocol.system_config import (
    CONFIG_UPDATE,
    ConfigUpdateError,
    apply_config_update,
    apply_config_updates,
    attributes_eip1559_params,
)
from tests.vector_files import files, load, unknown_keys
from tests.vectors.hexes import unhex
from tests.vectors.rollup_configs import SYSTEM_CONFIG_ADDRESS, rollup_config

DOCUMENTS = [(f"system_config/{file}", load("system_config", file)) for file in files("system_config")]
SECTIONS = {
    "op_node",
    "kona_process",
    "kona_parsers",
    "sequences",
    "eip1559_params_for_attributes",
    "ecotone_scalars",
    "operator_fee",
    "system_config_json",
}
EMPTY = SystemConfig(bytes(20), 0, 0, 0)
L1_TIME = 1_000


def section(*names: str) -> list[Any]:
    found = []
    for file, document in DOCUMENTS:
        for name in names:
            items = document.get(name, [])
            items = items if isinstance(items, list) else items["cases"]
            found += [
                pytest.param(file, item, id=f"{name}-{index}-{item.get('name', '')}")
                for index, item in enumerate(items)
            ]
    return found


def known(where: str, case: dict[str, Any], *keys: str) -> None:
    extra = unknown_keys(case, keys)
    if extra:
        pytest.fail(f"{where}: keys no runner knows: {extra}")


def test_every_section_is_known() -> None:
    for file, document in DOCUMENTS:
        known(file, document, *SECTIONS)


def log_of(case: dict[str, Any]) -> Log:
    """A parser's case may leave the topics out and name the type alone."""
    topics = tuple(map(unhex, case["topics"]))
    if not topics:
        topics = (CONFIG_UPDATE, bytes(32), case["update_type"].to_bytes(32, "big"))
    return Log(SYSTEM_CONFIG_ADDRESS, topics, unhex(case["data"]))


def receipts_of(*logs: Log) -> list[Receipt]:
    return [Receipt(2, 1, 21_000, 21_000, list(logs))]


def config_of(case: dict[str, Any]) -> RollupConfig:
    return rollup_config(ForkSchedule.all_at(Fork.ECOTONE if case.get("ecotone_active") else Fork.DELTA))


FIELDS = {
    "batcher_address": lambda system: system.batcher_address,
    "denominator": lambda system: int.from_bytes(system.eip1559_params[:4], "big"),
    "elasticity": lambda system: int.from_bytes(system.eip1559_params[4:], "big"),
    "operator_fee_scalar": lambda system: system.operator_fee_scalar,
    "operator_fee_constant": lambda system: system.operator_fee_constant,
    "min_base_fee": lambda system: system.min_base_fee,
    "gas_limit": lambda system: system.gas_limit,
    "da_footprint_gas_scalar": lambda system: system.da_footprint_gas_scalar,
    "overhead": lambda system: system.overhead,
    "scalar": lambda system: system.scalar,
    # Not part of derivation: the update is taken and changes nothing.
    "unsafe_block_signer": None,
}


def check_fields(where: str, system: SystemConfig, fields: dict[str, Any]) -> None:
    for key, wanted in fields.items():
        if key in FIELDS:
            read = FIELDS[key]
            value = read(system) if read is not None else None
            if read is None:
                assert system == EMPTY
                continue
        elif key in system.to_json():
            value = system.to_json()[key]
        else:
            pytest.fail(f"{where}: unknown field {key}")
        assert as_number(value) == as_number(wanted), key


def as_number(value: Any) -> int:
    if isinstance(value, bytes):
        return int.from_bytes(value, "big")
    return value if isinstance(value, int) else int(value, 0)


@pytest.mark.parametrize(("file", "case"), section("op_node", "kona_process", "kona_parsers"))
def test_an_update(file: str, case: dict[str, Any], ran) -> None:
    # spec: config.unparsable-skipped
    where = f"{file}: {case['name']}"
    known(where, case, "name", "topics", "data", "expected", "update_type", "ecotone_active")
    expected, config, log = dict(case["expected"]), config_of(case), log_of(case)
    after = apply_config_updates(config, EMPTY, receipts_of(log), L1_TIME)
    error, unchanged = expected.pop("error", None), expected.pop("unchanged", False)
    if error:
        with pytest.raises(ConfigUpdateError):
            apply_config_update(config, EMPTY, log, L1_TIME)
    if error or unchanged:
        assert after == EMPTY
        assert not expected
    else:
        # Taken without an error, which apply_config_updates would pass over.
        assert apply_config_update(config, EMPTY, log, L1_TIME) == after
    expected.pop("ok", None)
    decoded = expected.pop("decoded", None)
    if decoded is not None:
        known(f"{where}: decoded", decoded, "scalar", "constant")
        assert (after.operator_fee_scalar, after.operator_fee_constant) == (decoded["scalar"], decoded["constant"])
    check_fields(where, after, expected.pop("fields", {}))
    check_fields(where, after, expected)
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("sequences"))
def test_a_sequence_of_updates(file: str, case: dict[str, Any], ran) -> None:
    known(f"{file}: {case['name']}", case, "name", "logs", "expected", "ecotone_active")
    config, logs, expected = config_of(case), [log_of(log) for log in case["logs"]], dict(case["expected"])
    refused = 0
    for log in logs:
        try:
            apply_config_update(config, EMPTY, log, L1_TIME)
        except ConfigUpdateError:
            refused += 1
    assert refused == expected.pop("errors", 0)
    check_fields(f"{file}: {case['name']}", apply_config_updates(config, EMPTY, receipts_of(*logs), L1_TIME), expected)
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("eip1559_params_for_attributes"))
def test_eip1559_params_of_attributes(file: str, case: dict[str, Any], ran) -> None:
    # spec: holocene.attributes-params
    known(file, case, "system_config", "holocene_time", "parent_time", "next_time", "expected")
    known(file, case["system_config"], "denominator", "elasticity")
    system = case["system_config"]
    params = (system["denominator"] or 0).to_bytes(4, "big") + (system["elasticity"] or 0).to_bytes(4, "big")
    config = rollup_config(ForkSchedule(holocene=case["holocene_time"]))
    current = SystemConfig(bytes(20), 0, 0, 0, eip1559_params=params)
    found = attributes_eip1559_params(config, current, case["parent_time"], case["next_time"])
    assert found == (None if case["expected"] is None else unhex(case["expected"]))
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("ecotone_scalars"))
def test_scalars(file: str, case: dict[str, Any], ran) -> None:
    # spec: config.scalar-padding
    where = f"{file}: {case['name']}"
    known(where, case, "name", "scalar", "must_fail", "base_fee_scalar", "blob_base_fee_scalar")
    scalar = int(case["scalar"], 16)
    if case["must_fail"]:
        with pytest.raises(ScalarError):
            decode_scalar(scalar)
    else:
        assert decode_scalar(scalar) == (case["base_fee_scalar"], case["blob_base_fee_scalar"])
    ran(file)


SYSTEM_JSON = {
    "batcherAddr": "0x" + "00" * 20,
    "overhead": "0x" + "00" * 32,
    "scalar": "0x" + "00" * 32,
    "gasLimit": 0,
}


@pytest.mark.parametrize(("file", "case"), section("operator_fee"))
def test_operator_fee(file: str, case: dict[str, Any], ran) -> None:
    known(file, case, "operator_fee_params", "expected_scalar", "expected_constant")
    params = unhex(case["operator_fee_params"])
    system = SystemConfig.from_json(SYSTEM_JSON | {"operatorFeeParams": "0x" + params.hex()})
    assert (system.operator_fee_scalar, system.operator_fee_constant) == (
        case["expected_scalar"],
        case["expected_constant"],
    )
    assert system.to_json()["operatorFeeParams"] == "0x" + params.hex()
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("system_config_json"))
def test_json(file: str, case: dict[str, Any], ran) -> None:
    """Byte for byte what op-node writes, and read again."""
    known(file, case, "fields", "expected_json")
    system = SystemConfig.from_json(case["fields"])
    assert json.dumps(system.to_json(), separators=(",", ":")) == case["expected_json"]
    assert SystemConfig.from_json(json.loads(case["expected_json"])) == system
    ran(file)
