"""Cheats of a node with a front process, while transactions arrive through it."""

import asyncio
import json

import pytest_asyncio

from rollup.protocol.accounts import USERS
from tests.node.test_snapshots import settle
from tests.rpc.front.conftest import Served
from tests.rpc.front.raw_http import call, exchange, post
from tests.rpc.front.test_equal_answers import signed

SOMEONE = "0x" + "ab" * 20
SENDER = "0x" + USERS[1].address.hex()
COINS = 10**18


@pytest_asyncio.fixture
async def fronted():
    async with Served(2, da="calldata") as served:  # blobs cost seconds
        yield served


class Client:
    """Requests to the L2 port, each answered by way of the front process."""

    def __init__(self, served):
        self.port = served.port
        self.taken = []  # hashes of the transactions that were acknowledged, in order
        self.stops = False

    async def answer(self, method, *params):
        [(_, body)] = await exchange(self.port, post(call(method, *params)))
        return json.loads(body)

    async def __call__(self, method, *params):
        return (await self.answer(method, *params))["result"]

    async def send(self, nonce):
        return await self.answer("eth_sendRawTransaction", "0x" + signed(1, nonce).encode().hex())

    async def traffic(self):
        """Sends transfers of one account until `stops`. After a refusal it reads the nonce again."""
        nonce = None
        while not self.stops:
            if nonce is None:
                nonce = int(await self("eth_getTransactionCount", SENDER, "pending"), 16)
            answer = await self.send(nonce)
            nonce = nonce + 1 if "result" in answer else None
            self.taken += [answer["result"]] if "result" in answer else []

    async def more(self, count=3):
        """Waits until so many more transactions were acknowledged."""
        end = len(self.taken) + count
        while len(self.taken) < end:
            await asyncio.sleep(0)


async def test_snapshots_state_and_impersonation_while_transactions_arrive(fronted):
    ask = Client(fronted)
    traffic = asyncio.create_task(ask.traffic())
    for coins in (COINS, 2 * COINS):
        await ask.more()
        snapshot = await ask("evm_snapshot")
        await ask("anvil_setBalance", SOMEONE, hex(coins))
        assert int(await ask("eth_getBalance", SOMEONE), 16) == coins
        await ask.more()
        if coins == COINS:
            sent = await ask("eth_sendUnsignedTransaction", {"from": SOMEONE, "to": SOMEONE, "value": "0x1"})
            assert (await ask("eth_getTransactionReceipt", sent))["status"] == "0x1"
            await ask.more()
        assert await ask("evm_revert", snapshot) is True
        assert await ask("eth_getBalance", SOMEONE) == "0x0"
    await ask.more(1)  # it may have been on its way while the node went back
    first = len(ask.taken)
    await ask.more()
    ask.stops = True
    await traffic
    await ask("anvil_mine", "0x2")
    pending = int(await ask("eth_getTransactionCount", SENDER, "pending"), 16)
    assert int(await ask("eth_getTransactionCount", SENDER, "latest"), 16) == pending
    for sent in ask.taken[first:]:
        known = await ask("eth_getTransactionByHash", sent)
        assert known is not None
        assert (known["blockNumber"] is not None) == (int(known["nonce"], 16) < pending)
    assert fronted.taken
    settle(fronted.node)


async def test_transactions_from_a_front_process_are_mined_on_demand_and_dropped(fronted):
    ask = Client(fronted)
    assert await ask("evm_setAutomine", False) is True
    hashes = [(await ask.send(nonce))["result"] for nonce in range(3)]
    assert await ask("txpool_status") == {"pending": "0x3", "queued": "0x0"}
    assert await ask("anvil_dropTransaction", hashes[1]) == hashes[1]
    assert await ask("anvil_dropTransaction", hashes[1]) is None
    assert await ask("txpool_status") == {"pending": "0x1", "queued": "0x1"}
    await ask("evm_mine")
    assert [await ask("eth_getTransactionReceipt", item) is not None for item in hashes] == [True, False, False]
    assert (await ask.send(1))["result"] == hashes[1]
    await ask("anvil_dropAllTransactions")
    assert await ask("txpool_status") == {"pending": "0x0", "queued": "0x0"}
    await ask("evm_mine")
    assert [await ask("eth_getTransactionByHash", item) for item in hashes[1:]] == [None, None]
    settle(fronted.node)
