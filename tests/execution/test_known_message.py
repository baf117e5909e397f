"""Messages executed ahead: random programs on changed states, taken from the notes and run again, compared."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollup.execution.errors import InvalidTransaction
from rollup.execution.evm import Evm
from rollup.execution.known_message import KnownMessage, ObservedAccounts, ObservedContext, StaleMessage
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.reader import TrieReader
from rollup.execution.transition import apply_transaction, execute_ahead
from rollup.execution.vms.base import EvmContext
from rollup.execution.vms.rules import l1_rules, l2_rules
from rollup.protocol.fees import L1FeeParameters
from rollup.protocol.forks import Fork, L1Fork
from rollup.protocol.primitives import EMPTY_TRIE_ROOT
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction
from tests.execution.test_interpreter import OTHER, SELF, Writer, by_py_evm, push

SENDER, STRANGER, COINBASE = (bytes([byte]) * 20 for byte in (0xCC, 0xDD, 0xEE))
GAS = 2_000_000
FORKS = [None, Fork.CANYON, Fork.JOVIAN]


class World:
    """A state and a block, made anew for each run; `changes` are made after the state was read for the first run."""

    def __init__(self, random: Random, fork: Fork | None) -> None:
        writer = Writer(random)
        self.codes = {SELF: writer.program(), OTHER: writer.program()}
        self.rules: Any = l1_rules(L1Fork.PRAGUE) if fork is None else l2_rules(fork, False)
        to = None if random.random() < 0.1 else SELF
        self.transaction = Transaction(
            DYNAMIC_FEE,
            nonce=0,
            gas_limit=random.choice((100_000, 200_000, GAS)),
            to=to,
            value=random.choice((0, 0, 5)),
            data=self.codes[SELF] if to is None else random.randbytes(random.choice((0, 4, 36))),
            chain_id=901,
            max_fee_per_gas=random.choice((7, 1_000)),
            max_priority_fee_per_gas=3,
        )
        self.transaction._sender = SENDER

    def evm(self, fields: dict[str, Any], changes: list[Any], ahead: bool = False) -> Evm:
        reader = TrieReader({}, {}, EMPTY_TRIE_ROOT)
        accounts = ObservedAccounts(reader) if ahead else AccountDatabase(reader)
        for address, code in self.codes.items():
            accounts.set_balance(address, 10**6)
            accounts.set_code(address, code)
            for slot in range(4):
                accounts.set_storage(address, slot, slot)
        accounts.set_balance(SENDER, 10**18)
        accounts.lock_changes()
        for change in changes:
            change(accounts)
        accounts.lock_changes()
        given = {"timestamp": 1_700_000_000, "block_number": 100, "mix_hash": b"\x77" * 32, "base_fee_per_gas": 7}
        given |= {
            "gas_limit": 30_000_000,
            "blob_base_fee": 3,
            "block_hash": lambda number: bytes([number % 256]) * 32,
        }
        context: Any = EvmContext(COINBASE, chain_id=901, **(given | fields))
        if isinstance(accounts, ObservedAccounts):
            context = ObservedContext(context, accounts)
        return Evm(self.rules, context, accounts, L1FeeParameters())

    def ahead(self) -> KnownMessage | None:
        return execute_ahead(self.evm({}, [], ahead=True), self.transaction, GAS)

    def applied(self, known: KnownMessage | None, fields: dict[str, Any], changes: list[Any]) -> dict[str, Any]:
        evm = self.evm(fields, changes)
        evm.known = known
        try:
            outcome = apply_transaction(evm, self.transaction, GAS)
        except InvalidTransaction as error:
            return {"refused": str(error)}
        found = evm.accounts.changes()
        return {
            "outcome": (outcome.status, outcome.gas_used, outcome.output, outcome.logs, outcome.contract_address),
            "error": type(outcome.error),
            "accounts": found.accounts,
            "storage": found.storage,
            "codes": found.codes,
        }


def random_changes(random: Random) -> tuple[dict[str, Any], list[Any]]:
    """Random differences between blocks: fields of the block, and writes of its earlier transactions."""
    fields = {
        name: value
        for name, value in {
            "timestamp": 1_700_000_002,
            "block_number": 101,
            "mix_hash": b"\x78" * 32,
            "base_fee_per_gas": 6,
            "gas_limit": 30_000_001,
            "blob_base_fee": 10**8,
            "block_hash": lambda number: bytes([number % 251]) * 32,
        }.items()
        if random.random() < 0.2
    }
    slot, value = random.randrange(6), random.randrange(3)
    possible = [
        lambda accounts: accounts.set_storage(SELF, slot, value),
        lambda accounts: accounts.set_storage(OTHER, slot, value),
        lambda accounts: accounts.add_balance(SELF, value),
        lambda accounts: accounts.add_balance(OTHER, value + 1),
        lambda accounts: accounts.add_balance(SENDER, value + 1),
        lambda accounts: accounts.add_balance(STRANGER, value + 1),
        lambda accounts: accounts.add_balance(COINBASE, value + 1),
        lambda accounts: accounts.set_nonce(OTHER, value + 1),
        lambda accounts: accounts.set_code(OTHER, b"\x5b" * (value + 1)),
        lambda accounts: accounts.delete_account(OTHER),
    ]
    return fields, [change for change in possible if random.random() < 0.15]


def compare(seed: int, fork: Fork | None) -> str:
    random = Random(seed)
    world = World(random, fork)
    known = world.ahead()
    if known is None:
        return "unknown"
    fields, changes = random_changes(random)
    try:
        taken = world.applied(known, fields, changes)
    except StaleMessage:
        return "stale"
    assert taken == world.applied(None, fields, changes), seed
    assert "refused" not in taken
    return "changed" if fields or changes else "same"


@settings(max_examples=120, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), fork=st.sampled_from(FORKS))
def test_a_message_taken_from_its_notes_does_what_it_does_when_it_runs(seed: int, fork: Fork | None) -> None:
    with by_py_evm(False):
        compare(seed, fork)


def test_the_random_messages_are_taken_and_refused() -> None:
    """The comparison is worth something only if both happen often, also where the block is another."""
    found = Counter(compare(seed, Fork.JOVIAN) for seed in range(200))
    assert found["changed"] > 40, found
    assert found["stale"] > 40, found
    assert found["same"] > 10, found


def program(*parts: bytes | int) -> bytes:
    return b"".join(part if isinstance(part, bytes) else bytes([part]) for part in parts)


def store(*value: bytes | int) -> bytes:
    return program(*value, push(0), 0x55, 0x00)


READERS = {
    "timestamp": ("timestamp", store(0x42)),
    "number": ("block_number", store(0x43)),
    "prevrandao": ("mix_hash", store(0x44)),
    "gas limit": ("gas_limit", store(0x45)),
    "base fee": ("base_fee_per_gas", store(0x48)),
    "gas price": ("base_fee_per_gas", store(0x3A)),
    "blob base fee": ("blob_base_fee", store(0x4A)),
    "block hash": ("block_hash", store(push(99), 0x40)),
}


@pytest.mark.parametrize("name", READERS)
def test_a_message_that_read_a_field_of_the_block_is_stale_in_another(name: str) -> None:
    field, code = READERS[name]
    world = World(Random(0), Fork.JOVIAN)
    world.codes[SELF] = code
    world.transaction.to, world.transaction.max_fee_per_gas = SELF, 1_000
    known = world.ahead()
    assert known is not None
    assert known.reads.is_timed == (name in ("timestamp", "number", "block hash"))
    other = {"mix_hash": bytes(32), "base_fee_per_gas": 8, "block_hash": lambda number: b"\1" * 32}.get(field, 10**8)
    assert world.applied(known, {}, []) == world.applied(None, {}, [])
    with pytest.raises(StaleMessage):
        world.applied(known, {field: other}, [])


def test_a_stale_message_leaves_the_state_as_it_was() -> None:
    world = World(Random(0), Fork.JOVIAN)
    world.codes[SELF], world.transaction.to = store(push(0), 0x54, push(1), 0x01), SELF
    known = world.ahead()
    evm = world.evm({}, [lambda accounts: accounts.set_storage(SELF, 0, 7)])
    before = evm.accounts.account(SENDER)
    evm.known = known
    with pytest.raises(StaleMessage):
        apply_transaction(evm, world.transaction, GAS)
    assert evm.accounts.account(SENDER) == before
    assert evm.accounts.get_storage(SELF, 0) == 7


def test_a_transaction_with_authorizations_is_not_executed_ahead() -> None:
    world = World(Random(0), Fork.JOVIAN)
    world.transaction.authorization_list = (object(),)
    assert world.ahead() is None
