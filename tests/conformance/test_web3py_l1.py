"""web3.py's own module tests on L1."""

import pytest

from tests.conformance import web3py_suites as suites
from tests.node.node_process import L1

pytestmark = pytest.mark.slow  # the quick tests have L2's

LAYER, BLOCK_TIME = L1, 1
NODE_OPTIONS = ("--l1-chain-id", suites.CHAIN_ID)


class TestEth(suites.Eth):
    """The eth module."""


class TestNet(suites.Net):
    """The net module."""


class TestWeb3(suites.Web3):
    """The web3 module."""


class TestDebug(suites.Debug):
    """The debug module."""


class TestTxPool(suites.TxPool):
    """The txpool module."""


class TestPersistentConnection(suites.PersistentConnection):
    """A WebSocket that stays open."""


class TestAsyncEth(suites.AsyncEth):
    """The eth module over a WebSocket."""


class TestAsyncNet(suites.AsyncNet):
    """The net module over a WebSocket."""


class TestAsyncWeb3(suites.AsyncWeb3):
    """The web3 module over a WebSocket."""


class TestAsyncDebug(suites.AsyncDebug):
    """The debug module over a WebSocket."""


class TestAsyncTxPool(suites.AsyncTxPool):
    """The txpool module over a WebSocket."""
