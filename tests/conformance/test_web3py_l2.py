"""web3.py's own module tests on L2."""

from tests.conformance.web3py_suites import (  # noqa: F401 - pytest runs them as tests of this module
    CHAIN_ID,
    TestAsyncDebug,
    TestAsyncEth,
    TestAsyncNet,
    TestAsyncTxPool,
    TestAsyncWeb3,
    TestDebug,
    TestEth,
    TestNet,
    TestPersistentConnection,
    TestTxPool,
    TestWeb3,
)
from tests.node.node_process import L2

LAYER, BLOCK_TIME = L2, 1
NODE_OPTIONS = ("--l2-chain-id", CHAIN_ID)
