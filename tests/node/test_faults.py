"""Whatever fails below, `Node.advance` continues or raises NodeError: no other exception leaves it."""

import pytest

from derivation.errors import Critical, NotFound, Reset, Temporary
from rollup.execution.engine import InvalidForkchoiceState, TooDeepReorg
from rollup.execution.state.database import StateUnavailable
from rollup.l1.l1_client import TransactionRefused
from rollup.node import Node, NodeError, NodeParams
from rollup.store.kv import StoreError
from tests.node.node_process import GENESIS_TIME

# Every joint between two floors: the object in a node, its methods, and the exceptions that they document.
L1_READS = ("head", "finalized", "ref_by_number", "ref_by_hash", "header", "transactions", "receipts", "blobs")
L1_CALLS = ("head", "nonce", "pending_nonce", "base_fee", "blob_base_fee", "suggested_tip", "receipt")
STORES = {
    "l1": lambda node: node.l1.chain,
    "l2": lambda node: node.l2.chain,
    "verifier": lambda node: node.verifier.chain,
}
JOINTS = [
    *((lambda node: node.l1.source, name, (Temporary, NotFound)) for name in L1_READS),
    *((lambda node: node.l1.client, name, (Temporary,)) for name in L1_CALLS),
    *(
        (lambda node: node.l1.client, name, (Temporary, TransactionRefused))
        for name in ("call", "send_raw_transaction", "send_blob_transaction")
    ),
    *(
        (lambda node, chain=chain: chain(node).store, name, (StoreError,))
        for chain in STORES.values()
        for name in ("get", "write")
    ),
    *(
        (engine, "forkchoice_updated", (InvalidForkchoiceState, TooDeepReorg))
        for engine in (lambda node: node.l2.engine, lambda node: node.verifier.engine)
    ),
    *(
        (driver, "step", (Critical,))
        for driver in (lambda node: node.l2.derivation, lambda node: node.verifier.derivation)
    ),
    (lambda node: node.sequencer, "build_block", (Critical, Reset, Temporary)),
    (lambda node: proposers_view(node), "state_at", (StateUnavailable,)),
]
CASES = [
    pytest.param(place, method, error, id=f"{index} {method} {error.__name__}")
    for index, (place, method, errors) in enumerate(JOINTS)
    for error in errors
]


class View:
    """The chain as one actor sees it, so that a fault reaches that actor alone."""

    def __init__(self, chain):
        self._chain = chain

    def __getattr__(self, name):
        return getattr(self._chain, name)


def proposers_view(node):
    node.proposer._chain = View(node.l2.chain)
    return node.proposer._chain


def failing(original, error, first, count):
    """The method, of whose calls some in a row fail."""
    calls = 0

    def method(*args, **kwargs):
        nonlocal calls
        calls += 1
        if first <= calls < first + count:
            raise error(bytes(32)) if error is StateUnavailable else error("injected")
        return original(*args, **kwargs)

    return method


def step(node):
    if not node.advance(limit=1):
        node.clock.advance(max(node.next_due() - node.clock.now(), 0))


def open_node():
    """A chain of a fork whose output roots need the state, with proposals under way."""
    made = Node.open(NodeParams(genesis_time=GENESIS_TIME, virtual_clock=True, forks="holocene", l1_block_time=4))
    made.run_until_safe(12)
    return made


@pytest.fixture(scope="module")
def nodes():
    """The node under test, and a place for the next one when it has ended."""
    return [open_node()]


def ends(node, steps):
    """The message of the NodeError with which the node ends within some steps, None when it continues."""
    try:
        for _ in range(steps):
            step(node)
    except NodeError as failure:
        return str(failure)
    return None


@pytest.mark.parametrize(("place", "method", "error"), CASES)
def test_an_error_of_a_lower_floor_is_caught(nodes, monkeypatch, place, method, error):
    node = nodes[0]
    target, safe = place(node), node.safe_head.number
    with monkeypatch.context() as patched:
        patched.setattr(target, method, failing(getattr(target, method), error, first=3, count=4))
        message = ends(node, 20)
    if message is not None:
        assert error in (Critical, StoreError, TooDeepReorg)
        assert "injected" in message
        node.close()
        nodes[0] = open_node()
        return
    assert ends(node, 24) is None
    assert node.safe_head.number > safe
    assert node.verifier.derivation.safe_head.number == node.safe_head.number
