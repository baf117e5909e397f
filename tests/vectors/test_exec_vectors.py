"""op-revm's single transactions, L1Block slots and gas tables; op-test-vectors' blocks from an allocation to roots."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from eth.exceptions import OutOfGas, Revert, VMError
from eth.vm.message import Message

from rollup.execution.block_builder import BlockBuilder, l2_context
from rollup.execution.charge import Charge
from rollup.execution.config import L2Config
from rollup.execution.errors import InvalidTransaction
from rollup.execution.evm import Evm, Outcome
from rollup.execution.genesis import L2GenesisParams, build_l2_alloc
from rollup.execution.genesis_json import parse_genesis
from rollup.execution.intrinsic import TX_GAS, floor_gas, intrinsic_gas
from rollup.execution.l1_block import read_l1_fee_parameters
from rollup.execution.replay import header_from_json
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.changes import changes_of_alloc
from rollup.execution.state.database import StateDatabase
from rollup.execution.transition import TransactionContext, apply_transaction
from rollup.execution.vms.base import EvmContext
from rollup.execution.vms.precompiles import InputTooLong
from rollup.execution.vms.rules import l2_precompiles, l2_rules, precompile_limits
from rollup.protocol import predeploys
from rollup.protocol.fees import L1FeeParameters, l1_cost, operator_fee
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.primitives import EMPTY_TRIE_ROOT
from rollup.protocol.transaction import LEGACY, Transaction, decode_transaction, deposit_transaction
from rollup.store.kv import MemoryStore
from tests.contracts.evm import Evm as Contracts
from tests.vector_files import files, load, unknown_keys
from tests.vectors.hexes import fork_named, unhex

FOLDER = "exec_vectors"
KEY = b"\x01" * 32
CHAIN_ID = 10
PLENTY = 10**18
BASE_FEE = 0
DOCUMENTS: dict[str, Any] = {file: load(FOLDER, file) for file in files(FOLDER)}
SECTIONS = {"ee_transactions", "handler", "precompiles"}
HANDLER_SECTIONS = {"l1block_storage_layout", "gas_accounting", "upfront_costs", "validity"}


def is_op_revm(document: Any) -> bool:
    return "ee_transactions" in document


def is_block(document: Any) -> bool:
    return {"alloc", "env", "transactions", "expected"} <= document.keys()


def cases(*path: str) -> list[Any]:
    """The cases of one section, of every file of op_revm.json's shape."""
    found = []
    for file, document in DOCUMENTS.items():
        if not is_op_revm(document):
            continue
        section = document
        for step in path:
            section = section.get(step, [])
        for number, case in enumerate(section):
            name = case.get("name") or case.get("fork") if isinstance(case, dict) else None
            found.append(pytest.param(file, case, id=f"{file}/{'.'.join(path)}/{number}-{name}"))
    return found


def known(file: str, case: dict[str, Any], *keys: str) -> None:
    unknown = unknown_keys(case, ("name", "fork", *keys))
    if unknown:
        pytest.fail(f"{FOLDER}/{file}: {case.get('name', case)}: no check for {unknown}")


@pytest.mark.parametrize("file", DOCUMENTS)
def test_every_section_has_a_runner(file: str) -> None:
    document = DOCUMENTS[file]
    if is_op_revm(document):
        unknown = unknown_keys(document, SECTIONS) + unknown_keys(document["handler"], HANDLER_SECTIONS)
        unknown += unknown_keys(document["ee_transactions"], ("cases",))
        unknown += unknown_keys(document["precompiles"], ("cases", "max_input_size"))
        assert not unknown, f"{FOLDER}/{file}: {unknown}"
    elif not is_block(document):
        pytest.fail(f"{FOLDER}/{file}: neither op_revm's shape nor a block on an allocation: {sorted(document)}")


# ---------------------------------------------------------------- single transactions
def evm_on(fork: Fork, pre: dict[str, Any], fees: L1FeeParameters | None = None) -> Evm:
    """A fork's EVM over some accounts of a vector, in a block without a base fee."""
    states = StateDatabase(MemoryStore(), None)
    accounts = AccountDatabase(states.reader_at(EMPTY_TRIE_ROOT))
    for text, entry in pre.items():
        address = unhex(text)
        accounts.set_balance(address, entry.get("balance", 0))
        accounts.set_nonce(address, entry.get("nonce", 0))
        if entry.get("code"):
            accounts.set_code(address, unhex(entry["code"]))
        assert not unknown_keys(entry, ("balance", "nonce", "code")), text
    accounts.lock_changes()
    context = EvmContext(
        coinbase=predeploys.SEQUENCER_FEE_VAULT,
        timestamp=1,
        block_number=1,
        mix_hash=bytes(32),
        gas_limit=10**9,
        chain_id=CHAIN_ID,
        base_fee_per_gas=BASE_FEE,
        blob_base_fee=1,
        block_hash=lambda _: None,
    )
    return Evm(l2_rules(fork, False), context, accounts, fees or L1FeeParameters())


def input_of(value: Any) -> bytes:
    if isinstance(value, str):
        return unhex(value)
    repeated: bytes = unhex(value.get("repeat") or value["byte"])
    return repeated * int(value["count"])


def transaction_of(case: dict[str, Any]) -> Transaction:
    """A deposit as the case says; else what its caller sends, by default the zero address at a gas price of 0."""
    deposit = case.get("deposit")
    data = input_of(case.get("data", "0x"))
    if deposit is None:
        to = unhex(case["to"]) if "to" in case else None
        price = case.get("gas_price", 0)
        return Transaction(
            LEGACY,
            nonce=case.get("nonce", 0),
            gas_limit=case["gas_limit"],
            to=to,
            value=case.get("value", 0),
            data=data,
            chain_id=CHAIN_ID,
            max_fee_per_gas=price,
            max_priority_fee_per_gas=price,
            _sender=unhex(case.get("caller", "0x" + "00" * 20)),
        )
    assert not unknown_keys(deposit, ("mint", "source_hash", "caller", "to", "value", "data", "is_system"))
    return deposit_transaction(
        source_hash=unhex(deposit["source_hash"]),
        sender=unhex(deposit["caller"]),
        to=unhex(deposit["to"]) if deposit.get("to") else None,
        mint=deposit.get("mint"),
        value=deposit.get("value", 0),
        gas_limit=case["gas_limit"],
        is_system=deposit.get("is_system", False),
        data=input_of(deposit["data"]) if "data" in deposit else data,
    )


@pytest.mark.parametrize(("file", "case"), cases("ee_transactions", "cases"))
def test_a_single_transaction(file: str, case: dict[str, Any], ran: Any) -> None:
    known(
        file, case, "status", "reason", "gas_used", "gas_limit", "intrinsic_gas", "floor_gas", "deposit", "pre",
        "expected_state", "to", "data", "caller", "value", "gas_price", "nonce",
    )  # fmt: skip
    evm = evm_on(Fork[case["fork"].upper()], case.get("pre", {}))
    transaction = transaction_of(case)
    outcome = apply_transaction(evm, transaction, 10**9)
    assert outcome.gas_used == case["gas_used"]
    assert status_of(outcome) == case["status"]
    if case["reason"] != '"FailedDeposit"':
        # Told in its words, op-revm's own, only for what every client must tell apart.
        assert isinstance(outcome.error, OutOfGas) == ("OutOfGas" in case["reason"]), repr(outcome.error)
    if case["intrinsic_gas"]:  # 0 where op-revm never asked for it
        assert intrinsic_gas(transaction, evm.rules) == case["intrinsic_gas"]
        assert floor_gas(transaction, evm.rules) == case["floor_gas"]
    for text, wanted in case.get("expected_state", {}).items():
        assert not unknown_keys(wanted, ("balance", "nonce")), text
        address = unhex(text)
        assert evm.accounts.get_balance(address) == wanted.get("balance", 0)
        assert evm.accounts.get_nonce(address) == wanted.get("nonce", 0)
    ran(f"{FOLDER}/{file}")


def status_of(outcome: Outcome) -> str:
    if outcome.error is None:
        return "success"
    return "revert" if isinstance(outcome.error, Revert) else "halt"


# ---------------------------------------------------------------- L1Block
@pytest.mark.parametrize(("file", "case"), cases("handler", "l1block_storage_layout", "cases"))
def test_l1_block_slots(file: str, case: dict[str, Any], ran: Any) -> None:
    known(file, case, "storage", "expected")
    fork = Fork[case["fork"].upper()]
    address = unhex(DOCUMENTS[file]["handler"]["l1block_storage_layout"]["address"])
    assert address == predeploys.L1_BLOCK
    accounts = evm_on(fork, {}).accounts
    for slot, value in case["storage"].items():
        accounts.set_storage(address, int(slot, 16), int(value, 16))
    read = read_l1_fee_parameters(accounts, fork)
    found = {
        "l1_base_fee": read.base_fee,
        "l1_blob_base_fee": read.blob_base_fee,
        "l1_fee_overhead": read.overhead,
        "l1_base_fee_scalar": read.scalar,
        "base_fee_scalar": read.base_fee_scalar,
        "blob_base_fee_scalar": read.blob_base_fee_scalar,
        "operator_fee_scalar": read.operator_fee_scalar,
        "operator_fee_constant": read.operator_fee_constant,
        "da_footprint_gas_scalar": da_footprint_gas_scalar(accounts),
    }
    assert {key: found[key] for key in case["expected"]} == case["expected"]
    ran(f"{FOLDER}/{file}")


def da_footprint_gas_scalar(accounts: AccountDatabase) -> int:
    """The value that the predeploy returns. Execution takes it from the block's first transaction, as op-geth does."""
    slots = {slot: accounts.get_storage(predeploys.L1_BLOCK, slot) for slot in range(10)}
    number: int = l1_block_contract(slots).call(predeploys.L1_BLOCK, "daFootprintGasScalar()(uint16)")
    return number


def l1_block_contract(slots: dict[int, int]) -> Any:
    alloc = build_l2_alloc(L2GenesisParams(timestamp=0))
    contract = Contracts().load(alloc)
    for slot, value in slots.items():
        contract.state.set_storage(predeploys.L1_BLOCK, slot, value)
    contract.state.lock_changes()
    return contract


# ---------------------------------------------------------------- gas
def leftover(case: dict[str, Any]) -> int:
    """The gas that the product counts for a message that ends with this much gas left and this refund counter."""
    evm = evm_on(Fork[case["fork"].upper()], {})
    state = evm.state
    message = Message(case["gas_limit"], b"\x02" * 20, b"\x01" * 20, 0, b"", b"")
    computation = state.computation_class(state, message, TransactionContext(b"\x01" * 20, 0))
    computation.consume_gas(case["gas_limit"] - case["remaining"], "the vector's")
    computation.refund_gas(case.get("refund_counter", 0))
    if "revert" in case["name"]:
        computation.error = Revert(b"")
    charge = Charge(b"", 0, case["gas_limit"], 0, 0, 0)
    return charge.gas_used(computation.get_gas_remaining(), computation.get_gas_refund())


def shifted(case: dict[str, Any]) -> int:
    """The case as a transaction: its gas on top of the 21,000 that a real one has to pay, spent by real code."""
    spent = case["gas_limit"] - case["remaining"]
    assert 0 < spent < 100
    target = b"\x02" * 20
    evm = evm_on(Fork[case["fork"].upper()], {"0x" + target.hex(): {"code": "0x" + "5b" * spent, "nonce": 1}})
    gas_limit = TX_GAS + case["gas_limit"]
    if case["kind"] == "tx":
        transaction = Transaction(LEGACY, to=target, gas_limit=gas_limit, chain_id=CHAIN_ID).signed(KEY)
    else:
        transaction = deposit_transaction(
            source_hash=bytes(32),
            sender=b"\x01" * 20,
            to=target,
            mint=None,
            value=0,
            gas_limit=gas_limit,
            is_system=case["kind"] == "system deposit",
            data=b"",
        )
    return apply_transaction(evm, transaction, 10**9).gas_used


@pytest.mark.parametrize(("file", "case"), cases("handler", "gas_accounting"))
def test_gas_accounting(file: str, case: dict[str, Any], ran: Any) -> None:
    # spec: regolith.no-system-transactions, regolith.deposit-gas
    known(
        file, case, "kind", "gas_limit", "remaining", "refund_counter", "expected_gas_used", "expected_gas_spent",
        "expected_refund",
    )  # fmt: skip
    if case["kind"] not in ("deposit", "system deposit", "tx"):
        pytest.fail(f"{FOLDER}/{file}: no check for the kind {case['kind']}")
    if "expected_gas_spent" in case:
        assert leftover(case) == case["expected_gas_spent"] - case.get("expected_refund", 0)
    if "expected_gas_used" in case:
        used = case["expected_gas_used"]
        assert shifted(case) == (used + TX_GAS if used else 0)
    elif not case.get("refund_counter"):
        assert shifted(case) == TX_GAS + case["expected_gas_spent"]
    ran(f"{FOLDER}/{file}")


@pytest.mark.parametrize(("file", "case"), cases("handler", "upfront_costs"))
def test_upfront_costs(file: str, case: dict[str, Any], ran: Any) -> None:
    # spec: isthmus.balance-covers-operator-fee
    known(
        file, case, "balance", "mint", "l1", "enveloped_tx", "gas_price", "gas_limit", "operator_fee_scalar",
        "operator_fee_constant", "expected_balance_after_upfront", "expected_error",
    )  # fmt: skip
    fork = Fork[case["fork"].upper()]
    l1 = case.get("l1", {})
    assert not unknown_keys(l1, ("l1_base_fee", "overhead", "scalar"))
    fees = L1FeeParameters(
        base_fee=l1.get("l1_base_fee", 0),
        overhead=l1.get("overhead", 0),
        scalar=l1.get("scalar", 0),
        operator_fee_scalar=case.get("operator_fee_scalar", 0),
        operator_fee_constant=case.get("operator_fee_constant", 0),
    )
    raw = unhex(case.get("enveloped_tx", "0x"))
    gas_limit = case.get("gas_limit", 0)
    cost = gas_limit * case.get("gas_price", 0) + operator_fee(gas_limit, fork, fees)
    cost += l1_cost(raw, fork, fees) if raw else 0
    left = case["balance"] + case.get("mint", 0) - cost
    if "expected_error" in case:
        assert case["expected_error"] == f"insufficient funds: fee {cost} balance {case['balance']}"
        assert left < 0
        check_shortage(fork)
    else:
        assert left == case["expected_balance_after_upfront"]
    if "mint" in case:
        check_mint(case, fork)
    ran(f"{FOLDER}/{file}")


def check_mint(case: dict[str, Any], fork: Fork) -> None:
    sender = b"\x01" * 20
    evm = evm_on(fork, {"0x" + sender.hex(): {"balance": case["balance"]}})
    deposit = deposit_transaction(
        source_hash=bytes(32),
        sender=sender,
        to=b"\x02" * 20,
        mint=case["mint"],
        value=0,
        gas_limit=10**6,
        is_system=False,
        data=b"",
    )
    assert apply_transaction(evm, deposit, 10**9).status == 1
    assert evm.accounts.get_balance(sender) == case["expected_balance_after_upfront"]


def check_shortage(fork: Fork) -> None:
    """A transaction with one wei less than its L1 fee is refused, with all of it taken."""
    fees = L1FeeParameters(base_fee=1000, overhead=1000, scalar=1000)
    transaction = Transaction(LEGACY, to=b"\x02" * 20, gas_limit=TX_GAS, chain_id=CHAIN_ID).signed(KEY)
    cost = l1_cost(transaction.encode(), fork, fees)
    sender = "0x" + transaction.sender.hex()
    with pytest.raises(InvalidTransaction, match="insufficient funds"):
        apply_transaction(evm_on(fork, {sender: {"balance": cost - 1}}, fees), transaction, 10**9)
    evm = evm_on(fork, {sender: {"balance": cost}}, fees)
    assert apply_transaction(evm, transaction, 10**9).status == 1
    assert evm.accounts.get_balance(transaction.sender) == 0


# ---------------------------------------------------------------- validity, told in words
def system_deposits() -> None:
    for fork in Fork:
        if fork == Fork.KARST:
            continue
        deposit = deposit_transaction(
            source_hash=bytes(32),
            sender=b"\x01" * 20,
            to=b"\x02" * 20,
            mint=None,
            value=0,
            gas_limit=10**6,
            is_system=True,
            data=b"",
        )
        if fork < Fork.REGOLITH:
            assert apply_transaction(evm_on(fork, {}), deposit, 10**9).status == 1
            continue
        with pytest.raises(InvalidTransaction, match="isSystemTx"):
            apply_transaction(evm_on(fork, {}), deposit, 10**9)


def deposits_ignore_nonce_and_balance() -> None:
    sender = b"\x01" * 20
    for value, status in ((0, 1), (1, 0)):
        evm = evm_on(Fork.REGOLITH, {"0x" + sender.hex(): {"nonce": 7}})
        deposit = deposit_transaction(
            source_hash=bytes(32),
            sender=sender,
            to=b"\x02" * 20,
            mint=None,
            value=value,
            gas_limit=10**6,
            is_system=False,
            data=b"",
        )
        # Without the balance it fails, in the block: it is not refused.
        assert apply_transaction(evm, deposit, 10**9).status == status
        assert evm.accounts.get_nonce(sender) == 8


def operator_fee_comes_back() -> None:
    fees = L1FeeParameters(operator_fee_scalar=2_000_000, operator_fee_constant=5)
    transaction = Transaction(LEGACY, to=b"\x02" * 20, gas_limit=TX_GAS + 1000, chain_id=CHAIN_ID).signed(KEY)
    evm = evm_on(Fork.ISTHMUS, {"0x" + transaction.sender.hex(): {"balance": PLENTY}}, fees)
    assert apply_transaction(evm, transaction, 10**9).gas_used == TX_GAS
    assert evm.accounts.get_balance(transaction.sender) == PLENTY - 2 * TX_GAS - 5
    assert evm.accounts.get_balance(predeploys.OPERATOR_FEE_VAULT) == 2 * TX_GAS + 5
    sender = b"\x01" * 20
    evm = evm_on(Fork.ISTHMUS, {"0x" + sender.hex(): {"balance": PLENTY}}, fees)
    deposit = deposit_transaction(
        source_hash=bytes(32),
        sender=sender,
        to=b"\x02" * 20,
        mint=None,
        value=0,
        gas_limit=10**6,
        is_system=False,
        data=b"",
    )
    assert apply_transaction(evm, deposit, 10**9).status == 1
    assert evm.accounts.get_balance(sender) == PLENTY
    assert evm.accounts.get_balance(predeploys.OPERATOR_FEE_VAULT) == 0


SENTENCES: dict[str, Callable[[], None]] = {
    "deposit with is_system_tx=true is invalid": system_deposits,
    "deposits skip nonce and balance checks": deposits_ignore_nonce_and_balance,
    "operator fee refund (Isthmus)": operator_fee_comes_back,
}


@pytest.mark.parametrize(("file", "sentence"), cases("handler", "validity"))
def test_validity(file: str, sentence: str, ran: Any) -> None:
    # spec: isthmus.no-operator-fee-for-deposits, deposit.failure-keeps-nonce
    checks = [check for words, check in SENTENCES.items() if words in sentence]
    if len(checks) != 1:
        pytest.fail(f"{FOLDER}/{file}: no check for: {sentence}")
    checks[0]()
    ran(f"{FOLDER}/{file}")


# ---------------------------------------------------------------- precompiles
ADDRESSES = {
    name: number.to_bytes(20, "big")
    for name, number in (("bn256_pairing", 8), ("bls_g1_msm", 12), ("bls_g2_msm", 14), ("bls_pairing", 15))
}
MAX_GAS = 2**63 - 1


def run_precompile(fork: Fork, address: bytes, data: bytes, gas: int) -> bytes | VMError:
    """The output of a precompile of the fork, or its error, on a machine with Jovian's rules at most."""
    state = evm_on(min(fork, Fork.JOVIAN), {}).state
    message = Message(gas, address, b"\x01" * 20, 0, data, b"")
    computation = state.computation_class(state, message, TransactionContext(b"\x01" * 20, 0))
    try:
        l2_precompiles(fork)[address](computation)
    except VMError as error:
        return error
    output: bytes = computation.output
    return output


@pytest.mark.parametrize(("file", "case"), cases("precompiles", "cases"))
def test_precompile(file: str, case: dict[str, Any], ran: Any) -> None:
    known(file, case, "precompile", "input", "input_repeat", "gas", "expected", "expected_output")
    address = int(case["precompile"], 16).to_bytes(20, "big")
    data = unhex(case["input"]) if "input" in case else input_of(case["input_repeat"])
    gas = MAX_GAS if case["gas"] == "max" else case["gas"]
    result = run_precompile(Fork[case["fork"].upper()], address, data, gas)
    if "expected_output" in case:
        assert result == unhex(case["expected_output"])
    elif case["expected"].startswith("error (input too long)"):
        assert isinstance(result, InputTooLong), repr(result)
    elif case["expected"].startswith("error ("):
        assert isinstance(result, VMError)
        assert not isinstance(result, OutOfGas), repr(result)
    elif case["expected"] == "out of gas":
        assert isinstance(result, OutOfGas), repr(result)
    else:
        pytest.fail(f"{FOLDER}/{file}: no check for {case['expected']}")
    ran(f"{FOLDER}/{file}")


SIZES = [
    pytest.param(file, name, fork, size, id=f"{file}/max_input_size/{name}-{fork}")
    for file, document in DOCUMENTS.items()
    if is_op_revm(document)
    for name, sizes in document["precompiles"].get("max_input_size", {}).items()
    for fork, size in sizes.items()
]


@pytest.mark.parametrize(("file", "name", "fork", "size"), SIZES)
def test_largest_input(file: str, name: str, fork: str, size: int, ran: Any) -> None:
    # spec: precompile.karst-pairing, jovian.precompiles, isthmus.precompiles, precompile.granite-pairing
    if name not in ADDRESSES:
        pytest.fail(f"{FOLDER}/{file}: no such precompile: {name}")
    address, at = ADDRESSES[name], Fork[fork.upper()]
    assert precompile_limits(at)[address] == size
    assert isinstance(run_precompile(at, address, bytes(size + 1), MAX_GAS), InputTooLong)
    # With no gas at all: a size that is allowed gets as far as the price, or the precompile's own check of it.
    assert not isinstance(run_precompile(at, address, bytes(size), 0), bytes | InputTooLong)
    ran(f"{FOLDER}/{file}")


# ---------------------------------------------------------------- blocks on an allocation
BLOCKS = [pytest.param(file, document, id=file) for file, document in DOCUMENTS.items() if is_block(document)]
BLOCK_KEYS = {
    "fork", "chain_config", "parent_header", "parent_hash", "parent_hash_matches_blockHashes", "env", "alloc",
    "transactions", "expected",
}  # fmt: skip


@pytest.mark.parametrize(("file", "data"), BLOCKS)
def test_a_block_from_an_allocation_to_its_roots(file: str, data: dict[str, Any], ran: Any) -> None:
    unknown = unknown_keys(data, BLOCK_KEYS)
    unknown += unknown_keys(
        data["expected"], ("state_root", "transactions_root", "receipts_root", "logs_bloom", "receipts")
    )
    if unknown:
        pytest.fail(f"{FOLDER}/{file}: no check for {unknown}")
    parent = header_from_json(data["parent_header"])
    assert parent.hash == unhex(data["parent_hash"])
    builder = BlockBuilder(*block_of(data), ancestors_of(data["env"]))
    builder.begin()
    builder.apply_all(decode_transaction(unhex(raw)) for raw in data["transactions"])
    executed = builder.seal().executed
    header, expected = executed.block.header, data["expected"]
    assert {
        "state_root": "0x" + header.state_root.hex(),
        "transactions_root": "0x" + header.transactions_root.hex(),
        "receipts_root": "0x" + header.receipts_root.hex(),
        "logs_bloom": "0x" + header.logs_bloom.hex(),
    } == {key: value for key, value in expected.items() if key != "receipts"}
    receipts = [
        {
            "type": receipt.tx_type,
            "status": receipt.status,
            "cumulative_gas_used": receipt.cumulative_gas_used,
            "n_logs": len(receipt.logs),
            "deposit_nonce": receipt.deposit_nonce,
            "deposit_receipt_version": receipt.deposit_receipt_version,
        }
        for receipt in executed.receipts
    ]
    assert len(receipts) == len(expected["receipts"])
    for receipt, wanted in zip(receipts, expected["receipts"], strict=True):
        assert {key: receipt[key] for key in wanted} == wanted
    ran(f"{FOLDER}/{file}", 1 + len(receipts))


def block_of(data: dict[str, Any]) -> Any:
    """Config, context and states of the block: every fork up to the file's is active from genesis."""
    env, parent = data["env"], header_from_json(data["parent_header"])
    config = config_of(data)
    root = env.get("parentBeaconBlockRoot")
    attributes = PayloadAttributes(
        timestamp=int(env["currentTimestamp"], 16),
        prev_randao=unhex(env["currentDifficulty"]),
        fee_recipient=unhex(env["currentCoinbase"]),
        parent_beacon_block_root=unhex(root) if root else None,
        transactions=[],
        no_tx_pool=True,
        gas_limit=int(env["currentGasLimit"], 16),
    )
    context = l2_context(config, parent, attributes)
    assert context.number == int(env["currentNumber"], 16)
    return config, context, states_of(data["alloc"], parent.state_root)


def config_of(data: dict[str, Any]) -> L2Config:
    """geth's chain config where the file has one; else its sentence: "fjord (devnet, chain id 1337; …)"."""
    if isinstance(data.get("chain_config"), dict):
        return L2Config.from_genesis_json(data["chain_config"])
    fork = fork_named(data["fork"])
    number = re.search(r"chain id (\d+)", data["fork"])
    if number is None:
        pytest.fail(f"no chain id in {data['fork']!r}, and no chain config")
    return L2Config(chain_id=int(number[1]), forks=ForkSchedule.all_at(fork))


def states_of(alloc: dict[str, Any], root: bytes) -> StateDatabase:
    """The allocation in a store; its root is the parent's."""
    parsed = parse_genesis({"config": {}, "alloc": alloc, "timestamp": 0, "gasLimit": 0}).alloc
    store = MemoryStore()
    states = StateDatabase(store, None)
    staged = states.stage(EMPTY_TRIE_ROOT, changes_of_alloc(parsed))
    assert staged.root == root
    with store.write() as batch:
        states.write_block(batch, root, staged, is_genesis=True)
    return states


def ancestors_of(env: dict[str, Any]) -> Callable[[int], bytes | None]:
    return {int(number, 16): unhex(block_hash) for number, block_hash in env["blockHashes"].items()}.get
