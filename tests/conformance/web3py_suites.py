"""web3.py's own module tests, which the test module of each layer imports, and what cannot pass on a layer."""

import asyncio
from typing import NamedTuple

import pytest
from web3._utils.module_testing import (
    AsyncEthModuleTest,
    AsyncNetModuleTest,
    EthModuleTest,
    GoEthereumAsyncDebugModuleTest,
    GoEthereumAsyncTxPoolModuleTest,
    GoEthereumDebugModuleTest,
    GoEthereumTxPoolModuleTest,
    NetModuleTest,
    Web3ModuleTest,
)
from web3._utils.module_testing.persistent_connection_provider import PersistentConnectionProviderTest
from web3._utils.module_testing.web3_module import AsyncWeb3ModuleTest

from rollup.protocol.accounts import USERS
from tests.node.node_process import L1, L2

CHAIN_ID = 131277322940537  # what web3.py's tests sign for and expect


class Unmet(NamedTuple):
    """A test that a layer does not pass: its expectation, and its result on geth and on op-geth."""

    expects: str
    geth: str
    op_geth: str

    def __str__(self) -> str:
        return f"expects {self.expects}; geth {self.geth}; op-geth {self.op_geth}"


_INDEX_0 = "fails: index 0 is the L1 attributes deposit"
_FIRST = Unmet("its transaction at index 0 of the block", "passes", _INDEX_0)
_PENDING = Unmet("a pending block after the latest one", "passes", "fails: its pending block is the latest one")
_NO_TYPED = "fails: it has no `eth_signTypedData`"
_TYPED = Unmet("an error that web3.py raises itself, never for an error of a node", _NO_TYPED, _NO_TYPED)
_PAIRS = Unmet("a request, but web3.py fails before it sends one", _NO_TYPED, _NO_TYPED)
# What cannot pass, by layer and test. Each must fail. An asynchronous test has the name of its twin here.
EXCEPTIONS = {
    L1: {"test_invalid_eth_sign_typed_data": _TYPED},
    L2: {
        "test_invalid_eth_sign_typed_data": _TYPED,
        "test_eth_getBlockByHash_pending": _PENDING,
        "test_eth_getBlockByNumber_pending": _PENDING,
        "test_eth_getTransactionByBlockHashAndIndex": _FIRST,
        "test_eth_getTransactionByBlockNumberAndIndex": _FIRST,
        "test_eth_get_logs_with_logs": _FIRST,
        "test_eth_get_logs_with_logs_topic_args": _FIRST,
        "test_eth_get_transaction_receipt_mined": _FIRST,
        "test_eth_get_transaction_receipt_with_log_entry": _FIRST,
        "test_eth_wait_for_transaction_receipt_mined": _FIRST,
        "test_eth_wait_for_transaction_receipt_with_log_entry": _FIRST,
    },
}
# What cannot pass over a WebSocket alone.
ASYNC_EXCEPTIONS = {"test_eth_sign_typed_data": _PAIRS}


def exception(layer, class_name, name):
    """Why a test cannot pass on a layer, as Unmet; None where it can."""
    twin = name.replace("test_async_", "test_")
    more = ASYNC_EXCEPTIONS if class_name.startswith("TestAsync") else {}
    return (EXCEPTIONS[layer] | more).get(twin)


class _Version:
    def _check_web3_client_version(self, client_version):
        assert client_version.startswith("openrollup/v")


@pytest.mark.usefixtures("empty_pool")
class TestEth(EthModuleTest):
    """The eth module over HTTP."""


class TestNet(NetModuleTest):
    """The net module over HTTP."""


class TestWeb3(_Version, Web3ModuleTest):
    """The web3 module over HTTP."""


class TestDebug(GoEthereumDebugModuleTest):
    """The debug module over HTTP."""


class TestTxPool(GoEthereumTxPoolModuleTest):
    """The txpool module over HTTP."""


async def _wait_for(awaitable, timeout):
    """asyncio.wait_for of Python 3.12. That of 3.11 may lose a cancellation that meets an answer: then web3.py, which
    asks for a receipt for 10 ms in one test, asks without an end.
    """
    async with asyncio.timeout(timeout):
        return await awaitable


class _OverWebSocket:
    @pytest.fixture
    def transport(self):
        return "ws"

    @pytest.fixture(autouse=True)
    def no_lost_cancellation(self, monkeypatch):
        monkeypatch.setattr(asyncio, "wait_for", _wait_for)


class TestPersistentConnection(_OverWebSocket, PersistentConnectionProviderTest):
    """Subscriptions and concurrent requests over a WebSocket."""


@pytest.mark.slow
@pytest.mark.usefixtures("empty_pool")
class TestAsyncEth(_OverWebSocket, AsyncEthModuleTest):
    """The eth module over a WebSocket."""

    @pytest.fixture
    def keyfile_account_pkey(self):
        """An account that the tests over HTTP do not use. Theirs has storage, written by the code it delegated to."""
        return "0x" + USERS[1].private_key.hex()


@pytest.mark.slow
class TestAsyncNet(_OverWebSocket, AsyncNetModuleTest):
    """The net module over a WebSocket."""


@pytest.mark.slow
class TestAsyncWeb3(_OverWebSocket, _Version, AsyncWeb3ModuleTest):
    """The web3 module over a WebSocket."""


@pytest.mark.slow
class TestAsyncDebug(_OverWebSocket, GoEthereumAsyncDebugModuleTest):
    """The debug module over a WebSocket."""


@pytest.mark.slow
class TestAsyncTxPool(_OverWebSocket, GoEthereumAsyncTxPoolModuleTest):
    """The txpool module over a WebSocket."""
