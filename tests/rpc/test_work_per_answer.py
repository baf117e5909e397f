"""An answer about one transaction, or about a page of a block, costs the same wherever it stands and in any block.

The work is counted: instructions of Python, the same in every run.
"""

import sys

import pytest

from rollup.node import Node, NodeParams
from rollup.protocol.accounts import USERS
from rollup.protocol.predeploys import WETH9
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction
from rollup.rpc.errors import RpcError
from rollup.rpc.methods import Duration, duration_of
from rollup.serve import PORTS, NodeServers

SMALL, LARGE = 20, 300
PAGE = 10
# They run the transactions before it again.
RUN_AGAIN = {"ots_getInternalOperations", "ots_getTransactionError", "ots_traceTransaction"}
RUN_AGAIN |= {"debug_traceTransaction", "trace_get", "trace_replayTransaction", "trace_transaction"}


def deposit(user, nonce):
    """A payment into WETH, which logs it."""
    return Transaction(
        DYNAMIC_FEE,
        nonce=nonce,
        gas_limit=60_000,
        to=WETH9,
        value=1,
        chain_id=901,
        max_fee_per_gas=10**11,
        max_priority_fee_per_gas=10**9,
    ).signed(USERS[user].private_key)


class Blocks:
    """A small and a large block, and the methods of the L2 port that do not change anything."""

    def __init__(self, node):
        methods = NodeServers(node, PORTS, "127.0.0.1", bytes(32)).rpc_servers["l2"].methods
        self.methods = {
            name: method
            for name, method in methods.items()
            if duration_of(method) in (Duration.SHORT, Duration.LONG)
            and name.startswith(("eth_get", "ots_", "debug_get", "erigon_"))
        }
        self.node = node
        self.small, self.large = self._block(node, SMALL), self._block(node, LARGE)

    @staticmethod
    def _block(node, count):
        users = range(10)
        first = [node.l2.pool.nonce(USERS[user].address) for user in users]
        sent = [deposit(user, first[user] + number) for number in range(count // 10) for user in users]
        node.l2.pool.add_many([transaction.encode() for transaction in sent])
        block = node.build_l2()
        assert len(block.transactions) == count + 1  # and the L1 attributes deposit
        return block

    def ask(self, name, *params):
        return self.methods[name](list(params))

    def work(self, name, *params):
        """Instructions that an answer takes, when it has been asked for before."""
        self.ask(name, *params)
        count = 0

        def on_event(frame, event, _):
            nonlocal count
            frame.f_trace_lines, frame.f_trace_opcodes = False, True
            count += event == "opcode"
            return on_event

        before = sys.gettrace()
        sys.settrace(on_event)
        try:
            self.ask(name, *params)
        finally:
            sys.settrace(before)
        return count


@pytest.fixture(scope="module")
def blocks():
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000))
    yield Blocks(node)
    node.close()


def names_of(block, index):
    """The parameters that name a transaction: its hash, its block's number and index, its block's hash and index."""
    place = hex(index)
    return ["0x" + block.transactions[index].hash.hex()], [hex(block.number), place], ["0x" + block.hash.hex(), place]


def answering(blocks):
    """The methods that answer about one transaction, with which of its names they take."""
    for name in sorted(set(blocks.methods) - RUN_AGAIN):
        for kind, params in enumerate(names_of(blocks.large, 5)):
            try:
                if blocks.ask(name, *params) is not None:
                    yield name, kind
            except RpcError:
                continue


def test_the_last_transaction_of_a_block_costs_what_the_second_does(blocks):
    found = dict(answering(blocks))
    assert {"eth_getTransactionReceipt", "eth_getTransactionByHash", "debug_getRawTransaction"} <= set(found)
    assert {"eth_getTransactionByBlockHashAndIndex", "eth_getTransactionByBlockNumberAndIndex"} <= set(found)
    for name, kind in found.items():
        second, last = (blocks.work(name, *names_of(blocks.large, index)[kind]) for index in (1, LARGE))
        assert last <= second * 1.1, name


def test_a_page_of_a_large_block_costs_what_a_page_of_a_small_one_does(blocks):
    for name, more in (("ots_getBlockTransactions", [0, PAGE]), ("ots_getBlockTransactions", [1, PAGE])):
        small, large = (blocks.work(name, hex(block.number), *more) for block in (blocks.small, blocks.large))
        assert large <= small * 1.1, (name, more)


@pytest.mark.parametrize("name", ["eth_getHeaderByNumber", "erigon_getHeaderByNumber"])
def test_a_header_costs_the_same_in_every_block(blocks, name):
    small, large = (blocks.work(name, hex(block.number)) for block in (blocks.small, blocks.large))
    assert large <= small * 1.1


def test_the_logs_of_a_block_are_numbered_through_also_when_they_are_read_from_the_store(blocks):
    for _ in range(2):
        receipts = blocks.ask("eth_getBlockReceipts", hex(blocks.large.number))
        assert [int(log["logIndex"], 16) for item in receipts for log in item["logs"]] == list(range(LARGE))
        assert receipts == [blocks.ask("eth_getTransactionReceipt", item["transactionHash"]) for item in receipts]
        blocks.node.l2.chain._receipts.clear()
