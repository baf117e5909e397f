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
from tests.vector_files import files, load, unknown_keys
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
    return [
        pytest.param(
            file, unhex(case["txbytes"]), fork, result, id=f"{path.removeprefix('TransactionTests/')}:{name}:{fork}"
        )
        for file, document in DOCUMENTS.items()
        if is_transaction_tests(document)
        for path, group in document["files"].items()
        for name, case in group.items()
        for fork, result in case["result"].items()
    ]


@pytest.mark.parametrize("file", [file for file, document in DOCUMENTS.items() if is_transaction_tests(document)])
def test_every_case_is_known(file: str) -> None:
    for path, group in DOCUMENTS[file]["files"].items():
        for name, case in group.items():
            unknown = unknown_keys(case, ("_info", "result", "txbytes"))
            assert not unknown, f"{FOLDER}/{file}: {path}: {name}: no check for {unknown}"
            assert case["result"], f"{FOLDER}/{file}: {path}: {name} has no result"


@pytest.mark.parametrize(("file", "raw", "fork", "result"), cases())
def test_transaction(file: str, raw: bytes, fork: str, result: dict[str, Any], ran: Any) -> None:
    if unknown := unknown_keys(result, ("exception", "hash", "intrinsicGas", "sender")):
        pytest.fail(f"{FOLDER}/{file}: no check for {unknown}")
    if fork not in FORKS:
        if fork not in OTHER_FORKS:
            pytest.fail(f"{FOLDER}/{file}: no such fork: {fork}")
        pytest.skip(f"{fork}: {OTHER_FORKS[fork]}")
    if fork == "Berlin" and raw[:1] == bytes((DYNAMIC_FEE,)):
        pytest.skip("Berlin: a fork before the merge, without transactions of type 2")
    if "exception" in result:
        with pytest.raises((TransactionError, InvalidTransaction)) as refusal:
            run(raw, FORKS[fork])
        assert explains(result["exception"], refusal.value), f"{result['exception']}: {refusal.value}"
    else:
        transaction = run(raw, FORKS[fork])
        assert transaction.encode() == raw
        assert transaction.hash == unhex(result["hash"])
        assert transaction.sender == unhex(result["sender"])
        assert intrinsic_gas(transaction, l1_rules(FORKS[fork])) == number(result["intrinsicGas"])
    ran(f"{FOLDER}/{file}")


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
