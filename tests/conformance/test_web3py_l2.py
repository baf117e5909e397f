"""web3.py's own module tests on L2."""

from tests.conformance import web3py_suites as suites
from tests.node.node_process import L2

LAYER, BLOCK_TIME = L2, 2
NODE_OPTIONS = ("--l2-chain-id", suites.CHAIN_ID)


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
