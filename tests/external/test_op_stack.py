"""op-node, op-geth and op-batcher, unchanged, in the place of the halves of ours: the same blocks to the hash.

op-geth knows no attribution precompile: it follows chains whose attribution is the contract. Our own engine under
op-node runs both.
"""

import json
import subprocess
import sys

import pytest
from eth_abi import encode
from eth_account import Account

from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.protocol.accounts import USERS
from rollup.protocol.primitives import keccak256
from tests.external.op_stack import (
    OP_NODE_LOG,
    Program,
    free_port,
    need_program,
    op_batcher,
    op_geth,
    op_node,
    version_of,
)
from tests.node.node_process import L1, L2, ROOT, NodeProcess, RpcFailure, call

pytestmark = [pytest.mark.external, pytest.mark.slow, pytest.mark.timeout(600)]

WETH = "0x4200000000000000000000000000000000000006"
DEPOSIT_WETH = "0xd0e30db0"
STORE_AND_RETURN = "0x602a5f55600a600e5f39600a5ff3" + "5f545f52" + "60205ff300" + "00"
GWEI = 10**9
MOST_L1_BLOCKS = 60  # that the safe head may stand still, of 2 s each
# Where an op-node of another version is known to differ, by the field of the first block that differs.
KNOWN = {".gasLimit": "op-node before v1.19.1 leaves Karst's upgrade gas in the gas limit"}


FORKS = ("bedrock", "regolith", "canyon", "delta", "ecotone", "fjord", "granite", "holocene", "isthmus", "jovian")


def chain(folder, *options):
    return NodeProcess("--block-time", 1, "--l1-block-time", 2, "--data-dir", folder / "chain", *options)


@pytest.fixture(params=["contract", "native"])
def node(request, tmp_path):
    with chain(tmp_path, "--attribution", request.param) as process:
        process.attribution = request.param
        yield process


def head(url, label="latest"):
    return call(url, "eth_getBlockByNumber", label, False)


def number(url, label="latest"):
    """A head's; 0 where op-geth has no safe block yet."""
    try:
        return int(head(url, label)["number"], 16)
    except RpcFailure as error:
        if "block not found" in str(error):
            return 0
        raise


def send(node, url, key, **fields):
    """Signed by eth-account; waits for the receipt, as long as the node's blocks tell the time."""
    account = Account.from_key(key)
    fields = {
        "chainId": int(call(url, "eth_chainId"), 16),
        "nonce": int(call(url, "eth_getTransactionCount", account.address, "pending"), 16),
        "gas": 300_000,
        "value": 0,
        **fields,
    }
    if "gasPrice" not in fields:
        fields |= {"maxFeePerGas": 100 * GWEI, "maxPriorityFeePerGas": GWEI}
    raw = account.sign_transaction(fields).raw_transaction
    tx_hash = call(url, "eth_sendRawTransaction", "0x" + raw.hex().removeprefix("0x"))
    while (receipt := call(url, "eth_getTransactionReceipt", tx_hash)) is None:
        assert node.next_event()
    return receipt


def traffic(node):
    """Transactions of every type, a deposit, and the demo's inferences; the number of the L2 block they end in."""
    l2, key, other = node.url(L2), USERS[8].private_key, USERS[9].private_key
    statuses = [
        send(node, l2, key, to=WETH, data=DEPOSIT_WETH, value=5, gasPrice=100 * GWEI),
        send(node, l2, key, to=WETH, data=DEPOSIT_WETH, value=5, gasPrice=100 * GWEI, accessList=[]),
        send(node, l2, key, data=STORE_AND_RETURN),
        send(node, l2, key, to=WETH, data="0xffffffff", gas=30_000),
    ]
    authorization = Account.sign_authorization({"chainId": 901, "address": WETH, "nonce": 0}, other)
    account = Account.from_key(other).address
    statuses.append(send(node, l2, key, to=account, data=DEPOSIT_WETH, value=3, authorizationList=[authorization]))
    assert [receipt["status"] for receipt in statuses].count("0x1") >= 4
    portal = node.started["contracts"]["L1 OptimismPortal"]
    selector = keccak256(b"depositTransaction(address,uint256,uint64,bool,bytes)")[:4]
    arguments = encode(["address", "uint256", "uint64", "bool", "bytes"], [account, 7, 100_000, False, b"\1" * 40])
    send(node, node.url(L1), key, to=portal, data="0x" + (selector + arguments).hex(), value=9)
    demo = [sys.executable, "-m", "rollup.cli", "demo", "--l2", l2, "--json"]
    done = subprocess.run(demo, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, (done.stderr, call(l2, "txpool_inspect"), number(l2), node.errors()[-2_000:])
    assert json.loads(done.stdout)
    return number(l2)


def differences(ours, theirs, path=""):
    """Each place where two JSON values differ, with both."""
    if type(ours) is type(theirs) is dict:
        keys = sorted(ours.keys() | theirs.keys())
        return [found for key in keys for found in differences(ours.get(key), theirs.get(key), f"{path}.{key}")]
    if type(ours) is type(theirs) is list and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [found for index, pair in pairs for found in differences(*pair, f"{path}[{index}]")]
    return [] if ours == theirs else [(path, ours, theirs)]


def must_be_equal(ours, theirs, last):
    """Every block with its transactions and every receipt, in all fields."""
    for height in range(last + 1):
        for method, *more in (("eth_getBlockByNumber", True), ("eth_getBlockReceipts",)):
            one, other = (call(url, method, hex(height), *more) for url in (ours, theirs))
            assert differences(one, other) == [], f"block {height}"


def must_agree(ours, theirs, derived_by):
    """The newest block that both have is one; else the test ends at once, with the first block that differs.

    derived_by: the program that is named with its version.
    """
    last = min(number(ours), number(theirs))
    pair = [call(url, "eth_getBlockByNumber", hex(last), False) for url in (ours, theirs)]
    if pair[0]["hash"] == pair[1]["hash"]:
        return
    for height in range(last + 1):
        pair = [call(url, "eth_getBlockByNumber", hex(height), False) for url in (ours, theirs)]
        found = [item for item in differences(*pair) if item[0] not in (".hash", ".size")]
        if found:
            shown = ", ".join(f"{path[1:]} {one} here, {other} there" for path, one, other in found[:3])
            why = "".join(f"; {reason}" for path, reason in KNOWN.items() if path in {item[0] for item in found})
            who = version_of(derived_by.path)
            pytest.fail(f"{who}: block {height} differs: {shown}{why}", pytrace=False)


def until_safe(node, url, height, *programs, ours):
    """Waits until the L2 at a URL has a safe block, and compares its blocks with ours meanwhile.

    op-node is named, with its last complaint, when the safe head stands still.
    """
    derives = next(program for program in programs if program.log.name == OP_NODE_LOG)
    reached, waited = 0, 0
    while (safe := number(url, "safe")) < height:
        waited = 0 if safe > reached else waited + 1
        reached = safe
        if waited > MOST_L1_BLOCKS:
            derives.fail(f"left the safe head at block {safe} for {waited} L1 blocks")
        assert node.wait_for("L1BlockMined")
        for program in programs:
            program.must_run()
        must_agree(ours, url, derives)


def our_engine(node, folder):
    rpc, engine, files = free_port(), free_port(), node.started["files"]
    program = Program(
        folder / "engine.log",
        *(sys.executable, "-m", "rollup.cli", "engine", "--port", rpc, "--engine-port", engine),
        *("--genesis", files["genesis.json"], "--jwt-secret", files["jwt.hex"]),
    )
    return program, f"http://127.0.0.1:{rpc}", f"http://127.0.0.1:{engine}"


def test_op_node_and_op_geth_arrive_at_our_blocks(node, tmp_path):
    # spec: verifier.equivalent
    if node.attribution == "native":
        pytest.skip("op-geth knows no attribution precompile")
    geth, rpc, engine = op_geth(node, tmp_path)
    with geth:
        geth.wait_for(rpc)
        last = traffic(node)
        rollup, _ = op_node(node, tmp_path, engine)
        with rollup:
            until_safe(node, rpc, last, geth, rollup, ours=node.url(L2))
            must_be_equal(node.url(L2), rpc, last)


def through_forks(folder, forks, engine_of):
    """A chain with a transfer of WETH in nearly every block, and op-node on another engine behind it."""
    schedule = ",".join(f"{fork}+{4 * index}" if index else fork for index, fork in enumerate(forks))
    with chain(folder, "--attribution", "contract", "--forks", schedule) as node:
        program, rpc, engine = engine_of(node, folder)
        with program:
            program.wait_for(rpc)
            rollup, _ = op_node(node, folder, engine)
            with rollup:
                last = 4 * len(forks) + 8
                while number(node.url(L2)) < last:
                    send(node, node.url(L2), USERS[8].private_key, to=WETH, data=DEPOSIT_WETH, value=1)
                until_safe(node, rpc, last, program, rollup, ours=node.url(L2))
                must_be_equal(node.url(L2), rpc, last)


def test_op_node_and_op_geth_go_through_forks_with_us(tmp_path):
    through_forks(tmp_path, FORKS, op_geth)


def test_op_node_goes_through_forks_up_to_karst_on_our_engine(tmp_path):
    """Needs op-node v1.19.1 or later: earlier ones leave Karst's gas in the gas limit, and the test fails there.

    op-geth has no Karst. Its transactions and its gas are derived by both.
    """
    through_forks(tmp_path, (*FORKS, "karst"), our_engine)


def test_op_node_drives_our_engine(node, tmp_path):
    alone, rpc, engine = our_engine(node, tmp_path)
    with alone:
        alone.wait_for(rpc)
        last = traffic(node)
        rollup, _ = op_node(node, tmp_path, engine)
        with rollup:
            until_safe(node, rpc, last, alone, rollup, ours=node.url(L2))
            must_be_equal(node.url(L2), rpc, last)


def test_we_derive_what_op_node_sequences_and_op_batcher_posts(node, tmp_path):
    call(node.url("op-node RPC"), "admin_stopBatcher")
    call(node.url("op-node RPC"), "admin_stopSequencer")
    alone, rpc, engine = our_engine(node, tmp_path)
    with alone:
        alone.wait_for(rpc)
        rollup, rollup_url = op_node(node, tmp_path, engine, "--sequencer.enabled", "--sequencer.l1-confs=0")
        with rollup:
            rollup.wait_for(rollup_url)
            with op_batcher(node, tmp_path, rpc, rollup_url) as batcher:
                receipt = send(node, rpc, USERS[8].private_key, to=WETH, data=DEPOSIT_WETH, value=5)
                last = int(receipt["blockNumber"], 16)
                for url in (node.url("verifier JSON-RPC"), node.url(L2)):
                    until_safe(node, url, last, alone, rollup, batcher, ours=rpc)
                    must_be_equal(rpc, url, last)


@pytest.mark.parametrize("attribution", ["native", "contract"])
def test_op_program_reads_the_files_as_they_are_written(tmp_path, attribution):
    """op-program accepts our files and stops at its preimages, which are missing. A key in `config` stops it before."""
    program, some = need_program("op-program"), "0x" + "11" * 32
    devnet = make_devnet(DevnetParams(genesis_time=1_700_000_000, attribution=attribution))
    genesis = devnet.l2_genesis_json
    inside = {key: value for key, value in genesis.items() if key != "attribution"}
    inside["config"] = {**genesis["config"], "attribution": genesis["attribution"]}
    files = {"rollup": devnet.rollup_config.to_json(), "l1": devnet.l1_chain_config_json}
    for name, data in {**files, "genesis": genesis, "inside": inside}.items():
        (tmp_path / name).write_text(json.dumps(data))

    def said(file):
        words = [
            *(program, "--rollup.config", tmp_path / "rollup", "--l1.chainconfig", tmp_path / "l1"),
            *("--l2.genesis", tmp_path / file, "--datadir", tmp_path / "data", "--l2.blocknumber", 1),
            *(word for name in ("l1.head", "l2.head", "l2.outputroot", "l2.claim") for word in (f"--{name}", some)),
        ]
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60)

    accepted, refused = said("genesis").stdout, said("inside").stdout
    assert "Starting preimage server" in accepted
    assert "Starting preimage server" not in refused
    assert 'unknown field \\"attribution\\"' in refused
