"""web3.py's own module tests on L1."""

import pytest

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
from tests.node.node_process import L1

pytestmark = pytest.mark.slow  # the quick tests have L2's

LAYER, BLOCK_TIME = L1, 1
NODE_OPTIONS = ("--l1-chain-id", CHAIN_ID)
