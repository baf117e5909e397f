"""Network upgrade transactions byte for byte, and the code that they deploy."""

from typing import Any

import pytest

from rollup.execution.genesis import preinstalls
from rollup.protocol.deposits import upgrade_source_hash
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.predeploys import CREATE2_DEPLOYER
from rollup.protocol.primitives import keccak256
from rollup.protocol.transaction import Transaction, decode_transaction
from rollup.protocol.upgrades import upgrade_transactions
from tests.contracts.evm import Evm
from tests.contracts.test_upgrades import apply_deposit
from tests.vector_files import files, load, unknown_keys
from tests.vectors.hexes import unhex
from tests.vectors.rollup_configs import rollup_config

DOCUMENTS = [(f"upgrades/{file}", load("upgrades", file)) for file in files("upgrades")]
SECTIONS = {"forks", "upgrade_source_hashes", "deployments", "canyon_create2_deployer"}
TIME = 1_000


def section(name: str) -> list[Any]:
    found = []
    for file, document in DOCUMENTS:
        items = document.get(name, [])
        if isinstance(items, dict):
            items = items.get("cases", [items])
        found += [pytest.param(file, item, id=f"{index}-{item.get('fork', '')}") for index, item in enumerate(items)]
    return found


def known(where: str, case: dict[str, Any], *keys: str) -> None:
    extra = unknown_keys(case, keys)
    if extra:
        pytest.fail(f"{where}: keys no runner knows: {extra}")


def test_every_section_is_known() -> None:
    for file, document in DOCUMENTS:
        known(file, document, *SECTIONS)
        if "deployments" in document:
            known(f"{file}: deployments", document["deployments"], "cases")


def transactions_at(fork: Fork) -> list[bytes]:
    """The upgrade transactions in the first block of a fork. The forks before it are active from genesis."""
    before = {older.name.lower(): 0 for older in Fork if Fork.BEDROCK < older < fork}
    return upgrade_transactions(rollup_config(ForkSchedule(**before | {fork.name.lower(): TIME})), TIME)


@pytest.mark.parametrize(
    ("file", "name", "deposits"),
    [
        pytest.param(file, name, deposits, id=name)
        for file, document in DOCUMENTS
        for name, deposits in document.get("forks", {}).items()
    ],
)
def test_the_first_block_of_a_fork(file: str, name: str, deposits: list[dict[str, Any]], ran) -> None:
    # spec: upgrade.same-on-every-chain, upgrade.format
    raws = [unhex(deposit["raw"]) for deposit in deposits]
    assert transactions_at(Fork[name.upper()]) == raws
    for index, deposit in enumerate(deposits):
        known(
            f"{file}: {name} {index}",
            deposit,
            "index",
            "intent",
            "raw",
            "decoded",
            "source_hash_asserted_in_op_node_test",
        )
        assert deposit["index"] == index
        transaction = decode_transaction(raws[index])
        assert transaction.encode() == raws[index]
        assert transaction.source_hash == upgrade_source_hash(deposit["intent"])
        check(f"{file}: {deposit['intent']}", transaction, deposit["decoded"])
    ran(file, len(deposits))


def check(where: str, transaction: Transaction, expected: dict[str, Any]) -> None:
    found: dict[str, Any] = {
        "source_hash": transaction.source_hash,
        "from": transaction.sender,
        "to": transaction.to,
        "mint": transaction.mint or 0,
        "value": transaction.value,
        "gas": transaction.gas_limit,
        "is_system_tx": transaction.is_system,
        "data_len": len(transaction.data),
        "data_keccak": keccak256(transaction.data),
        "data": transaction.data,
    }
    for key, wanted in expected.items():
        if key not in found:
            pytest.fail(f"{where}: unknown field {key}")
        if key == "data" and wanted is None:
            continue  # too long to be repeated: its keccak stands for it
        value = found[key]
        assert value == (unhex(wanted) if isinstance(value, bytes) else wanted), key


@pytest.mark.parametrize(("file", "case"), section("upgrade_source_hashes"))
def test_source_hash_of_an_intent(file: str, case: dict[str, Any], ran) -> None:
    known(file, case, "intent", "expected")
    assert upgrade_source_hash(case["intent"]) == unhex(case["expected"])
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("deployments"))
def test_a_deployment(file: str, case: dict[str, Any], ran) -> None:
    known(file, case, "fork", "tx_index", "deployed_address", "code_hash")
    evm = Evm()
    created = apply_deposit(evm, transactions_at(Fork[case["fork"].upper()])[case["tx_index"]])
    assert created == unhex(case["deployed_address"])
    assert keccak256(evm.state.get_code(created)) == unhex(case["code_hash"])
    ran(file)


@pytest.mark.parametrize(("file", "case"), section("canyon_create2_deployer"))
def test_canyon_sets_the_create2_deployer(file: str, case: dict[str, Any], ran) -> None:
    # spec: canyon.create2-deployer
    known(file, case, "address", "code", "code_hash")
    assert unhex(case["address"]) == CREATE2_DEPLOYER
    code = preinstalls()[CREATE2_DEPLOYER].code
    assert code == unhex(case["code"])
    assert keccak256(code) == unhex(case["code_hash"])
    ran(file)
