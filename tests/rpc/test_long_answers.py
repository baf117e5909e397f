"""Answers of many parts are made in turns: between two parts others run."""

import asyncio
from itertools import count

import pytest

from rollup.cooperative import Turns
from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.protocol.block import Block
from rollup.rpc.debug import Debug
from rollup.rpc.eth_accounts import EthAccounts
from rollup.rpc.eth_blocks import EthBlocks
from rollup.rpc.eth_fees import EthFees
from rollup.rpc.eth_logs import EthLogs
from rollup.rpc.eth_state import EthState
from rollup.rpc.formats import block_json
from rollup.rpc.methods import Duration, collect, declarations, duration_of
from rollup.rpc.net import TxPool
from tests.node.node_process import transfer

MANY = 40
# Methods whose answer grows with a block, with the pool or with the chain, or which check blobs.
LONG = {
    EthBlocks: ["eth_getBlockByNumber", "eth_getBlockByHash", "eth_getBlockReceipts"],
    EthFees: ["eth_feeHistory"],
    EthState: ["eth_getProof"],
    EthAccounts: ["eth_sendTransaction", "eth_sendRawTransaction"],
    EthLogs: ["eth_getLogs", "eth_getFilterLogs", "eth_getFilterChanges"],
    TxPool: ["txpool_content", "txpool_contentFrom", "txpool_inspect"],
    Debug: ["debug_getRawBlock", "debug_getRawReceipts"],
}


class Backend:
    """A backend whose pool holds the transactions of one sender."""

    def __init__(self, transactions):
        self.pool = self
        self.pending, self.queued = {transactions[0].sender: transactions}, {}

    def content(self):
        return self


def transactions():
    return [transfer(901, 0, nonce) for nonce in range(MANY)]


def pool_answer(method, *given):
    return collect(TxPool(Backend(transactions())))[method](given)


def block():
    return Block(make_devnet(DevnetParams(1_700_000_000)).l2.header, transactions())


@pytest.mark.parametrize("name", [name for names in LONG.values() for name in names])
def test_it_runs_in_turns(name):
    owner = next(owner for owner, names in LONG.items() if name in names)
    method = next(attribute for attribute, declaration in declarations(owner) if name in declaration.names)
    assert duration_of(getattr(owner, method)) is Duration.LONG


@pytest.mark.parametrize(
    "answer",
    [
        lambda: block_json(block(), [], full=True),
        lambda: pool_answer("txpool_content"),
        lambda: pool_answer("txpool_inspect"),
        lambda: pool_answer("txpool_contentFrom", "0x" + transactions()[0].sender.hex()),
    ],
    ids=["block", "content", "inspect", "contentFrom"],
)
def test_others_run_between_two_transactions(answer):
    ticks = count()  # every look at the clock is a second later: each check point ends a turn
    rounds = 0

    async def both():
        nonlocal rounds
        task = asyncio.create_task(Turns(lambda: float(next(ticks))).call(answer))
        while not task.done():
            await asyncio.sleep(0)
            rounds += 1
        return task.result()

    assert asyncio.run(both())
    assert rounds >= MANY
