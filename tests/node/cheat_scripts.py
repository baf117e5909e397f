"""Scripts of cheats, reorganisations, time, snapshots and transactions, and what must hold after each."""

from weakref import WeakKeyDictionary

from hypothesis import strategies as st

from rollup.cheats import CheatRefused, Cheats
from rollup.cheats.garbage import KINDS
from rollup.cheats.posting import post_garbage
from rollup.execution.overrides import StateOverride
from rollup.l1.miner import ReorgError
from rollup.l1.slots import SlotError
from rollup.pool.errors import PoolError
from rollup.protocol.accounts import USERS
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction
from tests.node.test_snapshots import GENESIS_TIME, open_node, send, settle, state_of

REFUSED = CheatRefused, ReorgError, SlotError, PoolError

LAYER = st.sampled_from(["l1", "l2"])
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("mine"), LAYER, st.integers(0, 3), st.integers(0, 9)),
        st.tuples(st.just("increase_time"), st.integers(0, 40)),
        st.tuples(st.just("set_next_time"), LAYER, st.integers(-4, 20)),
        st.tuples(st.just("set_automatic"), LAYER, st.booleans()),
        st.tuples(st.just("set_interval"), LAYER, st.sampled_from([0, 2, 4])),
        st.tuples(st.just("reorg"), st.integers(0, 4), st.sampled_from([None, []])),
        st.tuples(st.just("snapshot")),
        st.tuples(st.just("revert"), st.integers(1, 3)),
        st.tuples(st.just("drop_all"), LAYER),
        st.tuples(st.just("patch"), LAYER, st.integers(1, 3), st.integers(0, 10**20)),
        st.tuples(st.just("send"), LAYER, st.integers(1, 3), st.integers(1, 9)),
        st.tuples(st.just("send_as"), LAYER, st.integers(1, 3), st.integers(0, 9)),
        st.tuples(st.just("garbage"), st.sampled_from(sorted(KINDS.keys() - {"decompression-bomb"}))),
        st.tuples(st.just("replace"), st.integers(1, 3), st.booleans()),
        st.tuples(st.just("finalize")),
        st.tuples(st.just("dump")),
        st.tuples(st.just("load")),
        st.tuples(st.just("set_next_base_fee"), LAYER, st.integers(1, 10**11)),
        st.tuples(st.just("set_gas_limit"), LAYER, st.sampled_from([1, 25_000_000, 45_000_000])),
        st.tuples(st.just("set_block_interval"), LAYER, st.sampled_from([None, 2, 4, 8])),
        st.tuples(st.just("advance")),
    ),
    min_size=4,
    max_size=14,
)


OTHERS = {number: bytes([0xA0 + number]) * 20 for number in (1, 2, 3)}  # accounts without a key here
dumped = WeakKeyDictionary()  # the newest dump of a node


def do(cheats, name, arguments):
    node = cheats.node
    if name == "send":
        send(node, *arguments)
    elif name == "advance":
        node.clock.advance(max(node.next_due() - node.clock.now(), 0))
        node.advance(1)
    elif name == "patch":
        layer, account, balance = arguments
        getattr(cheats, layer).patch(USERS[account].address, StateOverride(balance=balance))
    elif name == "reorg":
        cheats.l1.reorg(*arguments)
    elif name == "set_next_time":
        layer, seconds = arguments
        chain = node.l1.chain if layer == "l1" else node.l2.chain
        getattr(cheats, layer).set_next_time(chain.head.timestamp + seconds)
    elif name == "send_as":
        layer, account, value = arguments
        nonce, coins = node.l1.pool.nonce(OTHERS[account]), value if layer == "l2" else 0
        sent = Transaction(DYNAMIC_FEE, nonce, 21_000, USERS[0].address, coins, chain_id=900)
        getattr(cheats, layer).send_as(OTHERS[account], sent)
    elif name == "garbage":
        post_garbage(cheats, KINDS[arguments[0]])
    elif name == "replace":
        depth, with_batches = arguments
        cheats.l1.reorg(depth, cheats.l1.contents(depth, with_batches))
    elif name == "finalize":
        cheats.l1.finalize()
    elif name == "dump":
        dumped[cheats] = cheats.dump()
    elif name == "load":
        cheats.load(dumped.get(cheats, b""))
    elif name in ("increase_time", "snapshot", "revert"):
        getattr(cheats, name)(*arguments)
    else:
        layer, *rest = arguments
        getattr(getattr(cheats, layer), name)(*rest)


def times(chain):
    return [chain.block_by_number(number).timestamp for number in range(chain.head.number + 1)]


def check_grid(node):
    """Every L2 block has its place on the grid, every L1 block a slot, and time does not go back."""
    l2, l1 = times(node.l2.chain), times(node.l1.chain)
    assert l2 == [GENESIS_TIME + 2 * number for number in range(len(l2))]
    assert l1 == sorted(set(l1))
    assert not any((time - GENESIS_TIME) % 4 for time in l1)


def run_script(actions):
    """Does the actions on a new node. What is refused changes nothing, and the verifier is equal at the end."""
    node = open_node()
    cheats = Cheats(node)
    try:
        for name, *arguments in actions:
            before = state_of(node)
            try:
                do(cheats, name, arguments)
            except REFUSED:
                assert state_of(node) == before
        check_grid(node)
        for layer in (cheats.l1, cheats.l2):
            layer.set_interval(layer.block_time)
        settle(node)
    finally:
        node.close()
