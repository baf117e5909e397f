"""One node for each module of these tests, shared by its tests, and what web3.py's own tests ask for by name."""

import re
import time
from collections import Counter
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientTimeout
from eth_utils import to_bytes
from web3 import AsyncHTTPProvider, AsyncWeb3, WebSocketProvider
from web3._utils.module_testing.utils import RequestMocker

from rollup.protocol.accounts import USERS
from tests.conformance.web3py_chain import CONTRACTS, TIMEOUT, Web3pyChain, web3_of
from tests.conformance.web3py_suites import exception
from tests.node.node_process import L1, NodeProcess, call


@pytest.fixture(scope="module")
def node(request):
    """A node with the options that the module names in NODE_OPTIONS."""
    seconds = request.module.BLOCK_TIME
    # No output roots on L1: the tests expect no log before their own.
    with NodeProcess(
        "--block-time",
        seconds,
        "--l1-block-time",
        seconds,
        "--archive",
        "--proposer",
        "off",
        "--da",
        "calldata",
        *request.module.NODE_OPTIONS,
    ) as process:
        # On L1 the first transaction of a block must be the tests'.
        call(process.url("op-node RPC"), "admin_stopBatcher")
        while call(process.url(L1), "txpool_status")["pending"] != "0x0":
            time.sleep(0.05)
        yield process


@pytest.fixture(scope="module")
def chains(node):
    """The chains that web3.py's tests read, by URL, each made once."""
    return {}


@pytest.fixture(scope="module")
def chain(node, chains, request):
    """The chain on the layer that the module names in LAYER."""
    url = node.url(request.module.LAYER)
    if url not in chains:
        chains[url] = Web3pyChain.made(url)
    return chains[url]


HERE = Path(__file__).parent
CASES = pytest.StashKey[Counter[tuple[str, str]]]()

# Tests of transactions that are not mined yet: no block comes while they run.
WITHOUT_BLOCKS = re.compile("replace(?!.*already_mined)|modify|unmined|pending")


@pytest.fixture
def empty_pool(chain, request):
    """Mines the transactions of a test after it: the next one begins with the account's nonce."""
    is_paused = WITHOUT_BLOCKS.search(request.node.originalname) is not None
    if is_paused:
        chain.mine_every(0)
    yield
    if is_paused:
        chain.mine_every(request.module.BLOCK_TIME)
    chain.empty_pool()


@pytest.hookimpl(tryfirst=True)  # before those are left out that are not to run
def pytest_collection_modifyitems(config, items):
    """Marks tests that cannot pass on a layer: they must fail there. Counts each layer's cases by class."""
    config.stash[CASES] = cases = Counter()
    for item in items:
        if item.path.parent != HERE:  # pytest asks every conftest about all tests
            continue
        layer, name = getattr(item.module, "LAYER", None), item.cls.__name__ if item.cls else ""
        if layer is None:
            continue
        reason = exception(layer, name, item.originalname)
        cases[layer, name.removeprefix("Test")] += 1
        cases[layer, "exceptions"] += reason is not None and not name.startswith("TestAsync")
        # web3.py lets one test fail or pass, for geth's sake (web3py_suites._wait_for has the cause). Here it passes.
        item.own_markers[:] = [mark for mark in item.own_markers if mark.name != "xfail"]
        if reason is not None:
            item.add_marker(pytest.mark.xfail(reason=str(reason), strict=True))


# ---------------------------------------------------------------- by web3.py's names
@pytest.fixture(scope="module", params=[lambda text: to_bytes(hexstr=text), lambda text: text], ids=["bytes", "text"])
def address_conversion_func(request):
    return request.param


@pytest.fixture
def request_mocker():
    return RequestMocker


@pytest.fixture
def skip_if_testrpc():
    return lambda w3: None


@pytest.fixture
def async_skip_if_testrpc():
    return lambda w3: None


@pytest.fixture
def w3(chain):
    return web3_of(chain.url)


@pytest_asyncio.fixture
async def async_w3(chain, transport):
    provider = TRANSPORTS[transport](chain.url)
    web3 = await AsyncWeb3(provider) if transport == "ws" else AsyncWeb3(provider)
    yield web3
    await web3.provider.disconnect()


TRANSPORTS = {
    "http": lambda url: AsyncHTTPProvider(url, request_kwargs={"timeout": ClientTimeout(TIMEOUT)}),
    "ws": lambda url: WebSocketProvider(url.replace("http", "ws"), request_timeout=TIMEOUT),
}


@pytest.fixture
def transport():
    return "http"


@pytest.fixture
def keyfile_account_pkey():
    return "0x" + USERS[0].private_key.hex()


@pytest.fixture
def keyfile_account_address(chain):
    return chain.account


@pytest.fixture
def async_keyfile_account_address(chain):
    return chain.account


@pytest.fixture
def keyfile_account_address_dual_type(chain, address_conversion_func):
    """web3.py asks twice and takes the text both times."""
    return chain.account


@pytest.fixture
def async_keyfile_account_address_dual_type(chain, address_conversion_func):
    return chain.account


@pytest.fixture
def math_contract_deploy_txn_hash(chain):
    return chain.deploy["math"]


@pytest.fixture
def mined_txn_hash(chain):
    return chain.mined


@pytest.fixture
def txn_hash_with_log(chain):
    return chain.log_transaction


BLOCKS = {
    "empty_block": "empty_block",
    "block_with_txn": "block_with_transaction",
    "block_with_txn_with_log": "block_with_log",
}
NAMES = {name: f"{name}_contract" for name in CONTRACTS}


def _block(name, field):
    @pytest.fixture(name=name)
    def found(w3, chain):
        return w3.eth.get_block(getattr(chain, field))

    @pytest.fixture(name=f"async_{name}")
    async def async_found(async_w3, chain):
        return await async_w3.eth.get_block(getattr(chain, field))

    return found, async_found


def _contract(key, name):
    @pytest.fixture(name=name)
    def found(w3, chain):
        return w3.eth.contract(**CONTRACTS[key])(address=chain.addresses[key])

    @pytest.fixture(name=f"async_{name}")
    def async_found(async_w3, chain):
        return async_w3.eth.contract(**CONTRACTS[key])(address=chain.addresses[key])

    @pytest.fixture(name=f"{name}_address")
    def address(chain, address_conversion_func):
        return address_conversion_func(chain.addresses[key])

    @pytest.fixture(name=f"async_{name}_address")
    def async_address(chain, address_conversion_func):
        return address_conversion_func(chain.addresses[key])

    return found, async_found, address, async_address


for _key, _name in NAMES.items():
    for _fixture in _contract(_key, _name):
        globals()[f"{_fixture.name}"] = _fixture
for _name, _field in BLOCKS.items():
    for _fixture in _block(_name, _field):
        globals()[f"{_fixture.name}"] = _fixture
