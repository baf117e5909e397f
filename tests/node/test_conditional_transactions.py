"""eth_sendRawTransactionConditional: a condition is checked at the door, and again by the builder of the block."""

import pytest

from rollup.cheats import Cheats
from rollup.execution.conditional import Conditional
from rollup.protocol.accounts import USERS
from rollup.protocol.primitives import EMPTY_TRIE_ROOT
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction
from rollup.rpc.conditional_api import CostRate
from rollup.rpc.limits import (
    CONDITION_COST_BURST,
    CONDITION_COST_PER_SECOND,
    MAX_CONDITION_COST,
    SEND_SECONDS,
)
from tests.node.asking import asking
from tests.node.test_snapshots import GWEI, build, mine, open_node, reorganise, settle

METHOD = "eth_sendRawTransactionConditional"
STORE = "0x" + "cc" * 20
STORES_ITS_INPUT = "0x5f355f5500"  # PUSH0 CALLDATALOAD PUSH0 SSTORE STOP
NOBODY = "0x" + "dd" * 20
REJECTED, COSTS_TOO_MUCH, MALFORMED = -32003, -32005, -32602


def word(number):
    return f"0x{number:064x}"


class Chain:
    """A node that takes conditions, and a contract whose slot 0 is 7."""

    def __init__(self, has_contract=True, **options):
        self.node = open_node(**options)
        self.ask = asking(self.node, takes_conditions=True)
        if has_contract:
            self.ask("l2", "anvil_setCode", STORE, STORES_ITS_INPUT)
            self.ask("l2", "anvil_setStorageAt", STORE, "0x0", word(7))
        self.build()

    @property
    def head(self):
        return self.node.l2.chain.head

    def signed(self, user, tip=GWEI, data=b"", to=USERS[0].address, value=0):
        account = USERS[user]
        return Transaction(
            DYNAMIC_FEE,
            nonce=self.node.l2.pool.nonce(account.address),
            gas_limit=100_000,
            to=to,
            value=value,
            data=data,
            chain_id=901,
            max_fee_per_gas=100 * GWEI,
            max_priority_fee_per_gas=tip,
        ).signed(account.private_key)

    def storing(self, user, value, tip=2 * GWEI):
        return self.signed(user, tip, value.to_bytes(32, "big"), bytes.fromhex(STORE[2:]))

    def send(self, transaction, condition):
        return self.ask("l2", METHOD, "0x" + transaction.encode().hex(), condition)

    def build(self):
        """The next L2 block; its users' transactions by hash."""
        number = self.head.number
        while self.head.number == number:
            build(self.node)
        return [transaction.hash for transaction in self.head.transactions if not transaction.is_deposit]

    def root(self, account):
        return self.ask("l2", "eth_getAccount", account)["result"]["storageRoot"]


@pytest.fixture(scope="module")
def chain():
    made = Chain()
    yield made
    made.node.close()


# By name: a condition that the head meets, one that it does not meet, and op-geth's words for the latter.
CASES = {
    "blockNumberMin": (
        lambda chain: {"blockNumberMin": hex(chain.head.number)},
        lambda chain: {"blockNumberMin": hex(chain.head.number + 1)},
        "failed header check: failed block number minimum constraint",
    ),
    "blockNumberMax": (
        lambda chain: {"blockNumberMax": hex(chain.head.number + 1)},
        lambda chain: {"blockNumberMax": hex(chain.head.number - 1)},
        "failed header check: failed block number maximmum constraint",
    ),
    "timestampMin": (
        lambda chain: {"timestampMin": hex(chain.head.timestamp)},
        lambda chain: {"timestampMin": hex(chain.head.timestamp + 1)},
        "failed header check: failed timestamp minimum constraint",
    ),
    "timestampMax": (
        lambda chain: {"timestampMax": hex(chain.head.timestamp + 2)},
        lambda chain: {"timestampMax": hex(chain.head.timestamp - 1)},
        "failed header check: failed timestamp maximum constraint",
    ),
    "knownAccounts by storage root": (
        lambda chain: {"knownAccounts": {STORE: chain.root(STORE), NOBODY: word(int.from_bytes(EMPTY_TRIE_ROOT))}},
        lambda chain: {"knownAccounts": {STORE: word(5)}},
        "failed state check: failed account storage root constraint. Got {root}, Expected " + word(5),
    ),
    "knownAccounts by slots": (
        lambda chain: {"knownAccounts": {STORE: {word(0): word(7), word(1): word(0)}, NOBODY: {word(3): word(0)}}},
        lambda chain: {"knownAccounts": {STORE: {word(0): word(8)}}},
        f"failed state check: failed account storage slot key {word(0)} constraint. Got {word(7)}, Expected {word(8)}",
    ),
    "nothing": (lambda chain: {}, None, ""),
    "nulls": (lambda chain: {"knownAccounts": None, "blockNumberMin": None, "timestampMax": None}, None, ""),
}
UNMET = [name for name, (_, unmet, _) in CASES.items() if unmet is not None]


@pytest.mark.parametrize("name", CASES)
def test_a_transaction_whose_condition_is_met_is_in_the_next_block(chain, name):
    transaction = chain.signed(1)
    assert chain.send(transaction, CASES[name][0](chain))["result"] == "0x" + transaction.hash.hex()
    assert chain.build() == [transaction.hash]


@pytest.mark.parametrize("name", UNMET)
def test_a_transaction_whose_condition_is_not_met_is_refused_at_the_door(chain, name):
    _, unmet, text = CASES[name]
    error = chain.send(chain.signed(1), unmet(chain))["error"]
    assert error == {"code": REJECTED, "message": text.replace("{root}", chain.root(STORE))}
    assert len(chain.node.l2.pool) == 0


@pytest.mark.parametrize("name", ["blockNumberMax", "timestampMax"])
def test_the_builder_drops_conditions_that_have_passed(chain, name):
    last = {"blockNumberMax": chain.head.number, "timestampMax": chain.head.timestamp}[name]
    guarded, free = chain.signed(1), chain.signed(2)
    assert "result" in chain.send(guarded, {name: hex(last)})
    chain.node.l2.pool.add(free.encode())
    assert chain.build() == [free.hash]
    assert chain.node.l2.pool.get(guarded.hash) is None
    assert len(chain.node.l2.pool) == 0


@pytest.mark.parametrize("by", ["slots", "storage root"])
@pytest.mark.parametrize("is_first", [True, False])
def test_the_builder_checks_storage_as_earlier_transactions_of_the_block_left_it(chain, by, is_first):
    value = int(chain.ask("l2", "eth_getStorageAt", STORE, "0x0")["result"], 16)
    known = {word(0): word(value)} if by == "slots" else chain.root(STORE)
    guarded = chain.signed(1, tip=(3 if is_first else 1) * GWEI)
    writer = chain.storing(2, value + 1)
    assert "result" in chain.send(guarded, {"knownAccounts": {STORE: known}})
    chain.node.l2.pool.add(writer.encode())
    assert chain.build() == ([guarded.hash, writer.hash] if is_first else [writer.hash])
    assert len(chain.node.l2.pool) == 0
    # Back to 7, and so two blocks long, because the door looks at the parent too.
    chain.node.l2.pool.add(chain.storing(2, 7).encode())
    chain.build()
    chain.build()


def test_a_condition_must_hold_in_the_parents_state_too(chain):
    chain.node.l2.pool.add(chain.storing(2, 8).encode())
    chain.build()
    condition = {"knownAccounts": {STORE: {word(0): word(8)}}}
    transaction = chain.signed(1)
    error = chain.send(transaction, condition)["error"]
    assert error["code"] == REJECTED
    parent = "0x" + chain.head.header.parent_hash.hex()
    reason = f"failed account storage slot key {word(0)} constraint. Got {word(7)}, Expected {word(8)}"
    assert error["message"] == f"failed parent block {parent} state check: {reason}"
    chain.build()
    assert "result" in chain.send(transaction, condition)
    chain.node.l2.pool.add(chain.storing(2, 7, tip=GWEI // 2).encode())
    assert chain.build()[0] == transaction.hash
    chain.build()


def test_what_a_sender_sent_after_a_dropped_transaction_waits(chain):
    guarded = chain.signed(1)
    assert "result" in chain.send(guarded, {"blockNumberMax": hex(chain.head.number)})
    later = chain.signed(1)
    chain.node.l2.pool.add(later.encode())
    assert chain.build() == []
    assert chain.node.l2.pool.counts() == (0, 1)
    chain.node.l2.pool.add(guarded.encode())
    assert chain.build() == [guarded.hash, later.hash]


# ---------------------------------------------------------------- bounds and forms
def test_a_condition_may_cost_a_thousand_lookups_and_no_more(chain):
    slots = {word(number): word(0) for number in range(MAX_CONDITION_COST)}
    error = chain.send(chain.signed(1), {"knownAccounts": {NOBODY: slots}})["error"]
    assert error == {"code": COSTS_TOO_MUCH, "message": "conditional cost, 1001, exceeded max: 1000"}
    del slots[word(0)]
    transaction = chain.signed(1)
    assert "result" in chain.send(transaction, {"knownAccounts": {NOBODY: slots}})
    assert chain.build() == [transaction.hash]


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ({"blockNumberMin": "0x5", "blockNumberMax": "0x4"}, "block number"),
        ({"timestampMin": "0x5", "timestampMax": "0x4"}, "timestamp"),
    ],
)
def test_a_condition_that_no_block_meets_is_refused(chain, condition, text):
    error = chain.send(chain.signed(1), condition)["error"]
    reason = f"{text} minimum constraint must be less than the maximum"
    assert error == {"code": REJECTED, "message": f"failed conditional validation: {reason}"}


@pytest.mark.parametrize(
    "condition",
    [
        None,
        [],
        "0x",
        {"foobarbaz": 1234},
        {"foobarbaz": None},
        {"blockNumberMin": 1},
        {"blockNumberMax": "0x01"},
        {"timestampMin": "0x1" + "0" * 16},
        {"timestampMax": "now"},
        {"knownAccounts": []},
        {"knownAccounts": {"": ""}},
        {"knownAccounts": {STORE: "0x1"}},
        {"knownAccounts": {STORE: None}},
        {"knownAccounts": {STORE: {"0x0": word(0)}}},
        {"knownAccounts": {STORE: {word(0): "0x0"}}},
        {"knownAccounts": {STORE[:-2]: word(0)}},
    ],
)
def test_a_condition_that_cannot_be_read_is_no_parameter(chain, condition):
    assert chain.send(chain.signed(1), condition)["error"]["code"] == MALFORMED
    assert len(chain.node.l2.pool) == 0


def test_what_the_pool_refuses_is_refused_with_a_condition_too(chain):
    assert chain.ask("l2", METHOD, "0x01", {})["error"]["code"] == -32000
    blob = chain.ask("l2", METHOD, "0x03c0", {})["error"]
    assert blob == chain.ask("l2", "eth_sendRawTransaction", "0x03c0")["error"]


@pytest.mark.parametrize(
    ("condition", "cost"),
    [
        (Conditional(), 0),
        (Conditional(block_number_min=1, block_number_max=2), 1),
        (Conditional(timestamp_min=0, timestamp_max=5), 1),
        (Conditional(slots={b"1" * 20: {}, b"2" * 20: {}}), 2),
        (Conditional(roots={b"1" * 20: EMPTY_TRIE_ROOT}), 2),
        (Conditional(slots={b"1" * 20: {0: 1, 1: 1}}), 3),
        (Conditional({b"1" * 20: EMPTY_TRIE_ROOT}, {b"2" * 20: {0: 1, 1: 1}}, 1, timestamp_min=1), 7),
    ],
)
def test_the_cost_is_counted_as_by_op_geth(condition, cost):
    """The cases are those of op-geth's core/types/transaction_conditional_test.go."""
    assert condition.cost == cost


def test_conditions_are_taken_at_a_bounded_rate():
    rate = CostRate()
    for _ in range(CONDITION_COST_BURST // 1_000):
        assert rate.wait_for(1_000, 100.0) == 0
    assert rate.wait_for(1_000, 100.0) == 1_000 / CONDITION_COST_PER_SECOND
    taken = 1
    while (seconds := rate.wait_for(1_000, 100.0)) <= SEND_SECONDS:
        taken += 1
    assert taken == SEND_SECONDS * CONDITION_COST_PER_SECOND // 1_000
    assert rate.wait_for(1_000, 100.0) == seconds  # what is refused takes nothing
    assert rate.wait_for(1_000, 200.0) == 0


# ---------------------------------------------------------------- where the condition lives
def test_the_method_is_on_the_l2_port_alone_and_not_there_without_the_option(chain):
    ask = asking(chain.node)
    assert ask("l2", METHOD, "0x", {})["error"]["code"] == -32601
    for port in ("l1", "verifier", "rollup"):
        assert chain.ask(port, METHOD, "0x", {})["error"]["code"] == -32601


def test_a_transaction_in_the_pool_keeps_the_condition_it_came_with(chain):
    guarded, free = chain.signed(1), chain.signed(2)
    condition = {"blockNumberMax": hex(chain.head.number)}
    assert "result" in chain.send(guarded, condition)
    chain.node.l2.pool.add(free.encode())
    again = chain.ask("l2", "eth_sendRawTransaction", "0x" + guarded.encode().hex())
    assert again["error"]["message"] == "already known"
    assert chain.send(free, condition)["error"]["message"] == "already known"
    assert chain.build() == [free.hash]


def test_a_replacement_has_its_own_condition(chain):
    guarded = chain.signed(1)
    assert "result" in chain.send(guarded, {"blockNumberMax": hex(chain.head.number)})
    fees = {"max_fee_per_gas": 200 * GWEI, "max_priority_fee_per_gas": 2 * GWEI}
    fields = {"nonce": guarded.nonce, "gas_limit": 21_000, "to": guarded.to, "chain_id": 901, **fees}
    replaced = Transaction(DYNAMIC_FEE, **fields).signed(USERS[1].private_key)
    chain.node.l2.pool.add(replaced.encode())
    assert chain.build() == [replaced.hash]


def test_a_snapshot_holds_the_conditions_of_waiting_transactions(chain):
    guarded = chain.signed(1)
    assert "result" in chain.send(guarded, {"blockNumberMax": hex(chain.head.number)})
    snapshot = chain.ask("l2", "evm_snapshot")["result"]
    assert chain.build() == []
    for _ in range(2):
        assert chain.ask("l2", "evm_revert", snapshot)["result"] is True
        assert chain.node.l2.pool.get(guarded.hash) is not None
        snapshot = chain.ask("l2", "evm_snapshot")["result"]
        assert chain.build() == []
        assert chain.node.l2.pool.get(guarded.hash) is None


def test_after_a_restart_a_transaction_with_a_condition_is_gone(tmp_path):
    made = Chain(folder=tmp_path / "data")
    guarded, free = made.signed(1), made.signed(2)
    assert "result" in made.send(guarded, {"timestampMin": "0x0"})
    made.node.l2.pool.add(free.encode())
    made.node.close()
    again = open_node(tmp_path / "data")
    assert again.l2.pool.get(guarded.hash) is None
    assert again.l2.pool.get(free.hash) is not None
    again.close()


def test_after_a_reorganisation_a_transaction_with_a_condition_does_not_come_back():
    made = Chain()
    node = made.node
    node.run_until_safe(made.head.number)
    mine(node)
    made.build()
    guarded, free = made.signed(1), made.signed(2)
    assert "result" in made.send(guarded, {"timestampMin": "0x0"})
    node.l2.pool.add(free.encode())
    assert set(made.build()) == {guarded.hash, free.hash}
    reorganise(node, 1)
    assert node.l2.chain.find_transaction(free.hash) is None
    assert node.l2.pool.get(free.hash) is not None
    assert node.l2.pool.get(guarded.hash) is None
    # Sent again without a condition it is like any other.
    node.l2.pool.add(guarded.encode())
    assert set(made.build()) == {guarded.hash, free.hash}
    settle(node)
    node.close()


def test_the_verifier_derives_blocks_that_conditions_shaped(chain):
    assert Cheats(chain.node).l1.mine(3).l2_blocks
    settle(chain.node)
