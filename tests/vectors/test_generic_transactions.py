"""ethereum/tests' transaction tests: bytes that are a transaction, or why not; hash, sender, intrinsic gas.

A transaction is tried on an account with its nonce and more money than there can be, in a block without a base fee.
"""

from typing import Any

import pytest

from rollup.execution.errors import InvalidTransaction
from rollup.execution.evm import Evm
from rollup.execution.intrinsic import intrinsic_gas
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.reader import TrieReader
from rollup.execution.transition import apply_transaction
from rollup.execution.vms.base import EvmContext
from rollup.execution.vms.rules import l1_rules
from rollup.protocol.fees import L1FeeParameters
from rollup.protocol.forks import L1Fork
from rollup.protocol.primitives import EMPTY_TRIE_ROOT
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction, TransactionError, decode_transaction
from tests.vector_files import files, load, named, unknown_keys
from tests.vectors.eth_tests import L1_FORKS, OTHER_FORKS, explains
from tests.vectors.hexes import number, unhex

FOLDER = "generic"
DOCUMENTS: dict[str, Any] = {file: load(FOLDER, file) for file in files(FOLDER)}
CHAIN_ID = 1
# What a transaction must be did not change from London to Paris, nor, but for type 2, from Berlin.
FORKS = {"Berlin": L1Fork.PARIS, "London": L1Fork.PARIS, **L1_FORKS}


def is_transaction_tests(document: dict[str, Any]) -> bool:
    cases = [case for group in document.get("files", {}).values() if isinstance(group, dict) for case in group.values()]
    return bool(cases) and all(isinstance(case, dict) and "txbytes" in case and "result" in case for case in cases)


def cases() -> list[Any]:
    """The cases of each file: a test per case and fork would cost more than the case."""
    return [
        pytest.param(file, path, group, id=path.removeprefix("TransactionTests/"))
        for file, document in DOCUMENTS.items()
        if is_transaction_tests(document)
        for path, group in document["files"].items()
    ]


@pytest.mark.parametrize("file", [file for file, document in DOCUMENTS.items() if is_transaction_tests(document)])
def test_every_case_is_known(file: str) -> None:
    for path, group in DOCUMENTS[file]["files"].items():
        for name, case in group.items():
            unknown = unknown_keys(case, ("_info", "result", "txbytes"))
            assert not unknown, f"{FOLDER}/{file}: {path}: {name}: no check for {unknown}"
            assert case["result"], f"{FOLDER}/{file}: {path}: {name} has no result"


@pytest.mark.parametrize(("file", "path", "group"), cases())
def test_transaction(file: str, path: str, group: dict[str, Any], ran: Any) -> None:
    """Results by the forks in FORKS; the others are named in OTHER_FORKS, each with the reason."""
    count = 0
    for name, case in group.items():
        raw = unhex(case["txbytes"])
        for fork, result in case["result"].items():
            assert fork in FORKS or fork in OTHER_FORKS, f"no such fork: {fork}"
            if fork in FORKS and not is_too_new(raw, fork):
                with named(f"{FOLDER}/{file}: {path}: {name}: {fork}"):
                    check(raw, fork, result)
                count += 1
    assert count, "no result of a fork that is built in"
    ran(f"{FOLDER}/{file}", count)


def is_too_new(raw: bytes, fork: str) -> bool:
    """Berlin is a fork before the merge, without transactions of type 2."""
    return fork == "Berlin" and raw[:1] == bytes((DYNAMIC_FEE,))


def check(raw: bytes, fork: str, result: dict[str, Any]) -> None:
    assert not unknown_keys(result, ("exception", "hash", "intrinsicGas", "sender"))
    if "exception" in result:
        with pytest.raises((TransactionError, InvalidTransaction)) as refusal:
            run(raw, FORKS[fork])
        assert explains(result["exception"], refusal.value), f"{result['exception']}: {refusal.value}"
        return
    transaction = run(raw, FORKS[fork])
    assert transaction.encode() == raw
    assert transaction.hash == unhex(result["hash"])
    assert transaction.sender == unhex(result["sender"])
    assert intrinsic_gas(transaction, l1_rules(FORKS[fork])) == number(result["intrinsicGas"])


def run(raw: bytes, fork: L1Fork) -> Transaction:
    transaction = decode_transaction(raw)
    accounts = AccountDatabase(TrieReader({}, {}, EMPTY_TRIE_ROOT))
    most = 2**256 - 1
    gas = transaction.gas_limit * transaction.max_fee_per_gas
    accounts.set_balance(transaction.sender, most if gas > most else most + gas)
    accounts.set_nonce(transaction.sender, transaction.nonce)
    accounts.lock_changes()
    context = EvmContext(bytes(20), 1, 1, bytes(32), 2**64, CHAIN_ID, 0, 0, lambda _: None)
    apply_transaction(Evm(l1_rules(fork), context, accounts, L1FeeParameters()), transaction, 2**64)
    return transaction
