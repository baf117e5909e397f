"""op-geth's precompile tables, through the precompile table of the oldest and the newest OP fork each holds for.

`rules` names forks by L1's upgrades. A table at a price that no OP fork has is skipped by that reason.
"""

import os
from functools import cache
from typing import Any

import pytest
from eth.exceptions import OutOfGas, VMError
from eth.vm.message import Message

from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.reader import TrieReader
from rollup.execution.transition import TransactionContext
from rollup.execution.vms.base import EvmContext
from rollup.execution.vms.rules import l2_rules
from rollup.protocol.forks import Fork
from rollup.protocol.primitives import EMPTY_TRIE_ROOT
from tests.vector_files import files, load, named, unknown_keys
from tests.vectors.hexes import number, unhex

FOLDER = "generic"
DOCUMENTS: dict[str, Any] = {file: load(FOLDER, file) for file in files(FOLDER)}
CALLER = b"\xca" * 20
PLENTY = 10**9
BLAKE2, MANY_ROUNDS = (0x09).to_bytes(20, "big"), 100_000
# The first word of `rules` that is here decides: the OP forks a table holds for.
RANGES: dict[str, tuple[Fork, Fork] | None] = {
    "byzantium": None,  # MODEXP before EIP-2565
    "osaka": (Fork.KARST, Fork.KARST),
    "fjord": (Fork.FJORD, Fork.JOVIAN),
    "prague": (Fork.ISTHMUS, Fork.KARST),
    "cancun": (Fork.ECOTONE, Fork.KARST),
    "berlin": (Fork.BEDROCK, Fork.JOVIAN),
    "istanbul": (Fork.BEDROCK, Fork.KARST),
    "any": (Fork.BEDROCK, Fork.KARST),
}


def is_precompiles(document: dict[str, Any]) -> bool:
    tables = document.get("files", {}).values()
    return bool(tables) and all(isinstance(table, dict) and "address" in table and "cases" in table for table in tables)


def forks_of(rules: str) -> tuple[Fork, Fork] | None:
    for word, forks in RANGES.items():
        if word in rules.lower():
            return forks
    raise LookupError(rules)


def is_slow(table: dict[str, Any], case: dict[str, Any]) -> bool:
    """Whether it is BLAKE2 with so many rounds that Python takes minutes."""
    is_blake2 = number(table["address"]).to_bytes(20, "big") == BLAKE2
    return is_blake2 and int.from_bytes(unhex(case["input"])[:4], "big") > MANY_ROUNDS


def cases() -> list[Any]:
    """The cases of each table, and each slow case on its own: a test per case would cost more than the case."""
    found = []
    for file, document in DOCUMENTS.items():
        if not is_precompiles(document):
            continue
        for name, table in document["files"].items():
            numbered = list(enumerate(table["cases"]))
            quick = [(index, case) for index, case in numbered if not is_slow(table, case)]
            found.append(pytest.param(file, name, table, quick, id=name))
            found += [
                pytest.param(file, name, table, [(index, case)], id=f"{name}/{index}-{case.get('name')}")
                for index, case in numbered
                if is_slow(table, case)
            ]
    return found


@cache
def state_of(fork: Fork) -> Any:
    accounts = AccountDatabase(TrieReader({}, {}, EMPTY_TRIE_ROOT))
    context = EvmContext(bytes(20), 1, 1, bytes(32), 30_000_000, 10, 0, 0, lambda _: None)
    return l2_rules(fork, False).state_class(accounts, context)


def call(fork: Fork, address: bytes, data: bytes, gas: int) -> Any:
    state = state_of(fork)
    message = Message(gas, address, CALLER, 0, data, b"")
    return state.computation_class.apply_message(state, message, TransactionContext(CALLER, 0))


@pytest.mark.parametrize("file", [file for file, document in DOCUMENTS.items() if is_precompiles(document)])
def test_every_table_is_known(file: str) -> None:
    for name, table in DOCUMENTS[file]["files"].items():
        unknown = unknown_keys(table, ("address", "rules", "cases"))
        assert not unknown, f"{FOLDER}/{file}: {name}: no check for {unknown}"
        assert table["cases"], f"{FOLDER}/{file}: {name} has no cases"


@pytest.mark.parametrize(("file", "name", "table", "numbered"), cases())
def test_precompile(file: str, name: str, table: dict[str, Any], numbered: list[Any], ran: Any) -> None:
    try:
        forks = forks_of(table["rules"])
    except LookupError:
        pytest.fail(f"{FOLDER}/{file}: {name}: no fork known for rules {table['rules']!r}")
    if forks is None:
        pytest.skip(f"{name}: {table['rules']}: a price no OP fork has")
    if any(is_slow(table, case) for _, case in numbered) and "SLOW_VECTORS" not in os.environ:
        pytest.skip(f"{name}: so many rounds take minutes in Python; SLOW_VECTORS=1 runs it")
    assert numbered
    for index, case in numbered:
        with named(f"{FOLDER}/{file}: {name}/{index}-{case.get('name')}"):
            check(case, number(table["address"]).to_bytes(20, "big"), forks)
    ran(f"{FOLDER}/{file}", len(numbered))


def check(case: dict[str, Any], address: bytes, forks: tuple[Fork, Fork]) -> None:
    unknown = unknown_keys(case, ("name", "input", "expected", "gas", "error"))
    assert not unknown
    assert ("error" in case) != ("expected" in case)
    data = unhex(case["input"])
    for fork in sorted(set(forks)):
        if "error" in case:
            check_failure(fork, address, data)
        else:
            check_output(fork, address, data, unhex(case["expected"]), number(case["gas"]))


def check_output(fork: Fork, address: bytes, data: bytes, expected: bytes, gas: int) -> None:
    done = call(fork, address, data, PLENTY)
    assert done.is_success, repr(done._error)
    assert done.output == expected
    assert PLENTY - done.get_gas_remaining() == gas
    if gas:
        short = call(fork, address, data, gas - 1)
        assert isinstance(short._error, OutOfGas)
        assert short.get_gas_remaining() == 0


def check_failure(fork: Fork, address: bytes, data: bytes) -> None:
    """The call fails for its input's sake, and takes all gas."""
    failed = call(fork, address, data, PLENTY)
    assert isinstance(failed._error, VMError)
    assert not isinstance(failed._error, OutOfGas)
    assert failed.get_gas_remaining() == 0
    assert not failed.output
