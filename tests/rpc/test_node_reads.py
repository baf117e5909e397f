"""Witnesses, pages of the state, rules, and what Otterscan asks: true of the chain."""

from base64 import b64decode

import pytest

from rollup.execution.reexecution import validate_block
from rollup.execution.state.database import StateDatabase
from rollup.node import Node, NodeParams
from rollup.protocol.primitives import keccak256
from rollup.rpc.errors import RpcError
from tests.node.node_process import transfer
from tests.rpc.in_process import l2_methods
from tests.rpc.trace_story import SENDER, WETH, TraceStory

HEX_WETH = "0x" + WETH.hex()


@pytest.fixture(scope="module")
def told():
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000, archive=True))
    try:
        yield TraceStory.told(node)
    finally:
        node.close()


@pytest.fixture(scope="module")
def call(told):
    return l2_methods(told.node)


def test_a_block_executes_to_its_hash_on_its_witness_alone(told, call):
    chain, config = told.node.l2.chain, told.node.l2.engine.config
    for number in range(1, chain.head.number + 1):
        block = chain.block_by_number(number)
        witness = call("debug_executionWitness", hex(number))
        preimages = [bytes.fromhex(item[2:]) for item in (*witness["state"], *witness["codes"])]
        states = StateDatabase.of_witness({keccak256(item): item for item in preimages})
        hashes = {int(header["number"], 16): bytes.fromhex(header["hash"][2:]) for header in witness["headers"]}
        assert number - 1 in hashes
        parent = chain.header(block.header.parent_hash)
        assert validate_block(config, parent, states, hashes.get, block).executed.block.hash == block.hash


def test_pages_of_accounts_are_the_whole_state(told, call):
    found, start, pages = {}, "0x", 0
    while True:
        page = call("debug_accountRange", "latest", start, 7, True, True, True)
        found |= page["accounts"]
        pages += 1
        if "next" not in page:
            break
        start = "0x" + b64decode(page["next"]).hex()
    assert pages > 3
    assert page["root"] == call("eth_getBlockByNumber", "latest", False)["stateRoot"][2:]
    for item in list(found.values())[:20]:
        assert int(item["balance"]) == int(call("eth_getBalance", item["address"], "latest"), 16)
        assert item["nonce"] == int(call("eth_getTransactionCount", item["address"], "latest"), 16)
    assert not [name for name in found if name.startswith("pre(")]


def test_pages_of_storage_are_as_of_the_transaction(told, call):
    place = call("eth_getTransactionByHash", "0x" + told.hashes["deposit"].hex())
    index, block = int(place["transactionIndex"], 16), place["blockHash"]

    def slots_before(number):
        return call("debug_storageRangeAt", block, number, HEX_WETH, "0x", 100)["storage"]

    before, after = slots_before(index), slots_before(index + 1)
    changed = [key for key in after if before.get(key) != after[key]]
    assert len(changed) == 1
    slot, value = after[changed[0]]["key"], int(after[changed[0]]["value"], 16)
    assert changed[0] == "0x" + keccak256(bytes.fromhex(slot[2:])).hex()
    assert value - int(before.get(changed[0], {}).get("value", "0x0"), 16) == 5
    first = call("debug_storageRangeAt", block, index, HEX_WETH, "0x", 1)
    rest = call("debug_storageRangeAt", block, index, HEX_WETH, first["nextKey"], 100)
    assert first["storage"] | rest["storage"] == before
    with pytest.raises(RpcError, match="out of range"):
        call("debug_storageRangeAt", block, 999, HEX_WETH, "0x", 1)


def test_the_rules_are_those_in_force(told, call):
    config = call("eth_config")
    assert config["next"] is config["last"] is None
    current = config["current"]
    assert current["chainId"] == "0x385"
    assert len(current["forkId"]) == 10
    assert {"ECREC", "P256VERIFY", "BLS12_PAIRING_CHECK", "ATTRIBUTION"} <= set(current["precompiles"])
    assert set(current["systemContracts"]) == {"BEACON_ROOTS_ADDRESS", "HISTORY_STORAGE_ADDRESS"}


def test_capabilities_say_what_is_kept(told, call):
    found = call("eth_capabilities")
    assert found["head"]["hash"] == call("eth_getBlockByNumber", "latest", False)["hash"]
    assert found["blocks"] == found["state"] == {"disabled": False, "oldestBlock": "0x0"}


def test_many_slots_are_read_at_once(call):
    slots = {HEX_WETH: ["0x" + "00" * 32, "0x1"], "0x" + "ab" * 20: ["0x0"]}
    found = call("eth_getStorageValues", slots)
    assert {who: len(values) for who, values in found.items()} == {who: len(keys) for who, keys in slots.items()}
    assert found[HEX_WETH][0] == call("eth_getStorageAt", HEX_WETH, "0x0", "latest")
    with pytest.raises(RpcError, match="empty request"):
        call("eth_getStorageValues", {})
    with pytest.raises(RpcError, match="too many slots"):
        call("eth_getStorageValues", {HEX_WETH: ["0x0"] * 1_025})


def test_otterscan_finds_an_accounts_transactions(told, call):
    sender = "0x" + SENDER.address.hex()
    pages, number = [], 0
    while True:
        page = call("ots_searchTransactionsBefore", sender, hex(number), 5)
        pages += page["txs"]
        if page["lastPage"]:
            break
        number = int(pages[-1]["blockNumber"], 16)
    sent = {"0x" + tx.hex() for tx in told.hashes.values()}
    assert sent <= {item["hash"] for item in pages}
    assert [int(item["blockNumber"], 16) for item in pages] == sorted(
        (int(item["blockNumber"], 16) for item in pages), reverse=True
    )
    forwards = call("ots_searchTransactionsAfter", sender, "0x0", 100)
    assert [item["hash"] for item in forwards["txs"]] == [item["hash"] for item in pages]
    nonce_7 = next(item for item in pages if item["nonce"] == "0x7" and item["from"] == sender)
    assert call("ots_getTransactionBySenderAndNonce", sender, "0x7") == nonce_7["hash"]
    assert call("ots_getTransactionBySenderAndNonce", sender, "0xffff") is None
    whole = call("eth_getTransactionByHash", nonce_7["hash"])
    for nonce in ("0x7", 7):
        assert call("eth_getTransactionBySenderAndNonce", sender, nonce) == whole
    assert call("eth_getTransactionBySenderAndNonce", sender, "0xffff") is None


def test_a_transaction_of_the_pool_is_found_by_its_sender_and_nonce(told, call):
    waiting = transfer(901, 7, 0)
    tx_hash = told.node.l2.pool.add(waiting.encode())
    try:
        found = call("eth_getTransactionBySenderAndNonce", "0x" + waiting.sender.hex(), waiting.nonce)
        assert found == call("eth_getTransactionByHash", "0x" + tx_hash.hex())
        assert found["blockNumber"] is None
    finally:
        told.node.l2.pool.remove(tx_hash)


def test_otterscan_sees_inside_a_transaction(told, call):
    hashes = {name: "0x" + tx.hex() for name, tx in told.hashes.items()}
    contract = "0x" + told.recursive.hex()
    assert call("ots_getContractCreator", contract) == {
        "hash": hashes["deployment"],
        "creator": "0x" + SENDER.address.hex(),
    }
    assert call("ots_getContractCreator", HEX_WETH) is None
    assert call("ots_hasCode", contract)
    assert not call("ots_hasCode", "0x" + "ab" * 20)
    frames = call("ots_traceTransaction", hashes["recursion"])
    assert [frame["depth"] for frame in frames] == list(range(len(frames)))
    assert {item["type"] for item in call("ots_getInternalOperations", hashes["selfdestruct"])} == {1, 2}
    assert call("ots_getTransactionError", hashes["reverts"]).startswith("0x08c379a0")
    assert call("ots_getTransactionError", hashes["transfer"]) == "0x"


def test_otterscan_reads_blocks(told, call):
    head = call("eth_getBlockByNumber", "latest", True)
    details = call("ots_getBlockDetails", head["number"])
    assert details == call("ots_getBlockDetailsByHash", head["hash"])
    assert details["block"]["transactionCount"] == len(head["transactions"])
    page = call("ots_getBlockTransactions", head["number"], 0, 3)
    assert [item["hash"] for item in page["fullblock"]["transactions"]] == [
        item["hash"] for item in head["transactions"][-3:]
    ]
    assert call("erigon_getHeaderByNumber", head["number"])["hash"] == head["hash"]
    assert call("ots_getApiLevel") == 8


def test_otterscan_sends_plain_numbers(told, call):
    """Blocks, pages and nonces (otterscan src/useErigonHooks.ts, src/search/search.ts); others work too."""
    sender, head = "0x" + SENDER.address.hex(), told.node.l2.chain.head.number
    for method, *more in (
        ("erigon_getHeaderByNumber",),
        ("ots_getBlockDetails",),
        ("ots_getBlockTransactions", 0, 25),
    ):
        assert call(method, head, *more) == call(method, hex(head), *more) == call(method, "latest", *more)
        with pytest.raises(RpcError):
            call(method, -1, *more)
    for method, number in (("ots_searchTransactionsBefore", 0), ("ots_searchTransactionsAfter", 0)):
        found = call(method, sender, number, 25)
        assert found["txs"]
        assert found == call(method, sender, hex(number), "0x19")
    assert call("ots_getTransactionBySenderAndNonce", sender, 7)
    assert call("ots_hasCode", sender, head) is False


def test_the_head_goes_back_to_the_safe_block_and_no_further(fresh_node):
    node = fresh_node
    node.run_until_safe(2)
    for _ in range(3):
        node.build_l2()
    call, head, safe = l2_methods(node), node.l2.chain.head.number, node.l2.chain.safe.header.number
    assert safe < head
    with pytest.raises(RpcError, match="future block"):
        call("debug_setHead", hex(head + 1))
    with pytest.raises(RpcError, match="below the safe block"):
        call("debug_setHead", hex(safe - 1))
    assert call("debug_setHead", hex(safe)) is None
    assert call("eth_blockNumber") == hex(safe)
    node.run_until_safe(head + 1)
    assert node.verifier.chain.head.hash == node.l2.chain.canonical_hash(node.verifier.chain.head.number)
