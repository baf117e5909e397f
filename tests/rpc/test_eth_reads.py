"""eth_ reads over a real socket: blocks, transactions, receipts, accounts, fees, proofs, on both layers."""

from types import SimpleNamespace

import pytest
import rlp
from trie import HexaryTrie

from rollup.l1 import kzg
from rollup.protocol.accounts import USERS
from rollup.protocol.primitives import keccak256
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.fees import Fees
from tests.rpc.story import ETHER, GWEI

ALICE, BOB, CAROL, DAVE = ("0x" + account.address.hex() for account in USERS[:4])
NOBODY = "0x" + "99" * 20
UNKNOWN = "0x" + "77" * 32
PASSER = "0x4200000000000000000000000000000000000016"

HEADER = {
    *("hash", "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"),
    *("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas"),
    *("withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash"),
}
BLOCK = HEADER | {"size", "uncles", "transactions", "withdrawals"}
PLACE = {"blockHash", "blockNumber", "blockTimestamp", "transactionIndex"}
TRANSACTION = PLACE | {"hash", "type", "from", "to", "value", "gas", "input", "nonce", "gasPrice", "v", "r", "s"}
TYPED = TRANSACTION | {"chainId", "yParity", "accessList"}
DYNAMIC = TYPED | {"maxFeePerGas", "maxPriorityFeePerGas"}
RECEIPT = {
    *("transactionHash", "transactionIndex", "blockHash", "blockNumber", "from", "to", "cumulativeGasUsed", "gasUsed"),
    *("contractAddress", "logs", "logsBloom", "type", "status", "effectiveGasPrice"),
}
L1_FEE = {"l1GasPrice", "l1GasUsed", "l1Fee", "l1BaseFeeScalar", "l1BlobBaseFee", "l1BlobBaseFeeScalar"}
ON_L2 = RECEIPT | L1_FEE | {"operatorFeeScalar", "operatorFeeConstant", "daFootprintGasScalar", "blobGasUsed"}
LOG = {
    *("address", "topics", "data", "blockNumber", "blockHash", "blockTimestamp", "transactionHash"),
    *("transactionIndex", "logIndex", "removed"),
}


def h(value):
    return "0x" + value.hex()


# ---------------------------------------------------------------- the node
async def test_what_the_chain_is(rpc, story):
    head = story.node.l2.chain.head
    assert await rpc.l2("eth_chainId") == await rpc.verifier("eth_chainId") == "0x385"
    assert await rpc.l1("eth_chainId") == "0x384"
    assert await rpc.l2("eth_blockNumber") == hex(head.number)
    assert await rpc.l2("eth_syncing") is False
    assert await rpc.l2("eth_coinbase") == "0x4200000000000000000000000000000000000011"
    assert await rpc.l2("net_version") == "901"
    assert await rpc.l2("net_listening") is True
    assert await rpc.l2("net_peerCount") == "0x0"
    assert await rpc.l2("web3_sha3", "0x68656c6c6f") == h(keccak256(b"hello"))
    assert (await rpc.l2("web3_clientVersion")).startswith("openrollup/v")


async def test_each_port_names_its_own_namespaces(rpc):
    chain = {"debug", "erigon", "eth", "net", "ots", "personal", "rpc", "trace", "txpool", "web3"}
    cheats = {"anvil", "evm", "hardhat"}
    assert await rpc.l1("rpc_modules") == dict.fromkeys(chain | cheats, "1.0")
    assert set(await rpc.l2("rpc_modules")) == chain | cheats | {"miner", "open", "openrollup"}
    assert set(await rpc.verifier("rpc_modules")) == chain | {"open", "openrollup"}
    assert set(await rpc.rollup("rpc_modules")) == {"admin", "openrollup", "optimism", "rpc"}


async def test_fees(rpc, story):
    base = story.node.l2.chain.head.header.base_fee_per_gas
    tip = int(await rpc.l2("eth_maxPriorityFeePerGas"), 16)
    assert int(await rpc.l2("eth_gasPrice"), 16) >= base + tip
    assert await rpc.l2("eth_blobBaseFee") == "0x1"
    assert int(await rpc.l1("eth_blobBaseFee"), 16) >= 1


async def test_fee_history(rpc, story):
    head = story.node.l2.chain.head.number
    history = await rpc.l2("eth_feeHistory", "0x4", "latest", [0, 50, 100])
    assert history["oldestBlock"] == hex(head - 3)
    assert [len(history[name]) for name in ("baseFeePerGas", "gasUsedRatio", "reward")] == [5, 4, 4]
    assert all(len(row) == 3 for row in history["reward"])
    busy = await rpc.l2("eth_feeHistory", "0x1", "0xe", [0, 100])
    block = story.node.l2.chain.block_by_number(14)
    assert busy["gasUsedRatio"] == [block.header.gas_used / block.header.gas_limit]
    base = block.header.base_fee_per_gas
    assert busy["reward"] == [["0x0", hex(100 * GWEI - base)]]  # the deposit of the L1 attributes tips nothing
    assert await rpc.l2("eth_feeHistory", "0x0", "latest", []) == {"oldestBlock": "0x0", "gasUsedRatio": None}
    error = await rpc.l2.failure("eth_feeHistory", "0x1", hex(head + 5), [])
    assert error.message == f"request beyond head block: requested {head + 5}, head {head}"
    for percentiles, why in (
        ([101], "101.000000"),
        ([-1], "-1.000000"),
        ([50, 10], "#0:50.000000 >= #1:10.000000"),
        ([5, 5], "#0:5.000000 >= #1:5.000000"),
        (list(range(101)), "over the query limit 100"),
        ([0] * 20_000, "over the query limit 100"),
    ):
        error = await rpc.l2.failure("eth_feeHistory", "0x1", "latest", percentiles)
        assert (error.code, error.message) == (-32000, f"invalid reward percentile: {why}")
    for percentiles in (["1"], {}, [True], [None], "x"):
        assert (await rpc.l2.failure("eth_feeHistory", "0x1", "latest", percentiles)).code == -32602
    assert len((await rpc.l2("eth_feeHistory", "0x1", "0xe", list(range(100))))["reward"][0]) == 100


def test_rewards_are_those_of_op_geth(fresh_node):
    """Shares of a block's gas over all its transactions; a deposit tips nothing (op-geth: processBlock)."""
    fees = Fees(ExecutionBackend("l2", fresh_node.l2.chain, fresh_node.l2.engine.config))
    tips = [(0, 46_000), *((tip, 21_000) for tip in (10**6, 5 * 10**8, 2 * 10**9, 10**9, 3 * 10**6))]
    block = SimpleNamespace(header=SimpleNamespace(gas_used=sum(gas for _, gas in tips)))
    fees.tips = lambda of: tips
    shares = [0, 10, 20, 25.5, 50, 75, 99, 100]
    expected = [0, 0, 0, 0, 3 * 10**6, 10**9, 2 * 10**9, 2 * 10**9]
    assert fees.rewards(block, shares) == expected
    tips.clear()
    assert fees.rewards(block, shares) == [0] * 8


@pytest.mark.parametrize(
    ("gas_used", "tips", "suggested"),
    [
        (60_000, [(0, 46_000), (5 * GWEI, 14_000)], 10**6),  # there is room for the largest again
        (74_001, [(0, 46_000), (5 * GWEI, 14_000), (7 * GWEI, 14_001)], 55 * GWEI // 10),
        (120_000, [(0, 46_000), (900_000, 74_000)], 10**6),
        (120_000, [(0, 46_000), (10**6, 74_000)], 1_100_000),
        (120_000, [(0, 46_000), (600 * GWEI, 74_000)], 500 * GWEI),
        (0, [], 10**6),
    ],
)
def test_the_suggested_tip_on_l2_is_op_geths(fresh_node, gas_used, tips, suggested):
    """A deposit counts as a tip of 0; the gas limit is 120,000."""
    header = SimpleNamespace(gas_used=gas_used, gas_limit=120_000)
    chain = SimpleNamespace(head=SimpleNamespace(header=header))
    fees = Fees(ExecutionBackend("l2", chain, fresh_node.l2.engine.config))
    fees.tips = lambda of: tips
    assert fees.suggested_tip() == suggested


async def test_the_base_fee_is_that_of_the_next_block(fresh):
    for caller, build in ((fresh.l2, fresh.node.build_l2), (fresh.l1, fresh.node.mine_l1)):
        fee = await caller("eth_baseFee")
        build()
        assert (await caller("eth_getBlockByNumber", "latest"))["baseFeePerGas"] == fee


async def test_the_pending_block_is_the_latest_on_l2_and_the_next_one_on_l1(rpc):
    for method in ("eth_getBlockByNumber", "eth_getHeaderByNumber"):
        assert await rpc.l2(method, "pending") == await rpc.l2(method, "latest")
        latest, pending = await rpc.l1(method, "latest"), await rpc.l1(method, "pending")
        assert {pending[name] for name in ("hash", "nonce", "miner")} == {None}
        assert pending["parentHash"] == latest["hash"]
        assert int(pending["number"], 16) == int(latest["number"], 16) + 1
        assert pending["baseFeePerGas"] == await rpc.l1("eth_baseFee")
        assert pending.keys() == latest.keys()
    assert (await rpc.l1("eth_getBlockByNumber", "pending"))["transactions"] == []
    assert await rpc.l1("eth_getBlockTransactionCountByNumber", "pending") == "0x0"
    assert await rpc.l1("eth_getBlockReceipts", "pending") == []


STORAGE_KEYS = [
    ("0x5", None),
    ("05", None),
    ("5", None),
    ("", None),
    ("0X05", None),
    ("0x" + "0" * 64, None),
    ("0xasdf", 'invalid hex in storage key: "0xasdf"'),
    ("0x" + "0" * 65, 'storage key too long (want at most 32 bytes): "0x' + "0" * 65 + '"'),
    *((value, "invalid argument 1: a hex string is expected") for value in (1, [], {}, True)),
]


@pytest.mark.parametrize(("key", "message"), STORAGE_KEYS, ids=[str(key)[:20] for key, _ in STORAGE_KEYS])
async def test_storage_keys_are_read_as_geth_reads_them(rpc, key, message):
    for method, given in (("eth_getStorageAt", key), ("eth_getProof", [key])):
        for caller in (rpc.l1, rpc.l2, rpc.verifier):
            if message is None:
                await caller(method, PASSER, given, "latest")
            else:
                error = await caller.failure(method, PASSER, given, "latest")
                assert (error.code, error.message) == (-32602, message)


async def test_a_proof_echoes_a_hash_as_a_hash_and_a_quantity_as_a_quantity(rpc):
    keys = ["0x5", "05", "0x" + "AB".rjust(64, "0"), "AB".rjust(64, "0"), "0x" + "0" * 63]
    answer = await rpc.l2("eth_getProof", PASSER, keys, "latest")
    whole = "0x" + "ab".rjust(64, "0")
    assert [item["key"] for item in answer["storageProof"]] == ["0x5", "0x5", whole, whole, "0x" + "0" * 64]


@pytest.mark.parametrize("key", ["0x", "0x63", "0x" + "00" * 31, "0x" + "11" * 33, "0x" + "00" * 600])
async def test_a_database_key_of_any_length_is_answered(rpc, key):
    error = await rpc.l2.failure("debug_dbGet", key)
    assert (error.code, error.message) == (-32000, "not found")


# ---------------------------------------------------------------- blobs
async def test_the_blobs_of_a_transaction_and_each_by_its_hash(rpc, story):
    chain = story.node.l1.chain
    blocks = map(chain.block_by_number, range(chain.head.number + 1))
    carrier = next(tx for block in blocks for tx in block.transactions if tx.blob_versioned_hashes)
    blobs = await rpc.l1("anvil_getBlobsByTransactionHash", h(carrier.hash))
    assert blobs == [await rpc.l1("anvil_getBlobByHash", h(item)) for item in carrier.blob_versioned_hashes]
    assert [kzg.versioned_hash(kzg.blob_to_commitment(_bytes(blobs[0])))] == [*carrier.blob_versioned_hashes[:1]]
    for caller, tx_hash in ((rpc.l1, UNKNOWN), (rpc.l2, h(carrier.hash)), (rpc.l2, h(story.logging))):
        assert await caller("anvil_getBlobsByTransactionHash", tx_hash) is None
    for caller in (rpc.l1, rpc.l2):
        assert await caller("anvil_getBlobByHash", UNKNOWN) is None
        genesis = await caller("eth_getBlockByNumber", "0x0", False)
        assert await caller("anvil_getGenesisTime") == int(genesis["timestamp"], 16)


# ---------------------------------------------------------------- blocks
async def test_a_block_on_both_layers(rpc, story):
    for caller, chain in ((rpc.l2, story.node.l2.chain), (rpc.l1, story.node.l1.chain)):
        block = await caller("eth_getBlockByNumber", "0x1", False)
        assert set(block) == BLOCK
        assert block["hash"] == h(chain.canonical_hash(1))
        assert block == await caller("eth_getBlockByHash", block["hash"], False)
        assert (block["uncles"], block["withdrawals"], block["difficulty"]) == ([], [], "0x0")
        header = await caller("eth_getHeaderByNumber", "0x1")
        assert set(header) == HEADER
        assert header == await caller("eth_getHeaderByHash", block["hash"]) == {key: block[key] for key in HEADER}


async def test_extra_data_and_da_footprint_on_jovian(rpc, story):
    block = await rpc.l2("eth_getBlockByNumber", "0xe", True)
    assert len(block["extraData"]) == 2 + 34
    assert block["extraData"].startswith("0x01")
    receipts = await rpc.l2("eth_getBlockReceipts", "0xe")
    assert int(block["blobGasUsed"], 16) == sum(int(item.get("blobGasUsed", "0x0"), 16) for item in receipts)
    proof = await rpc.l2("eth_getProof", PASSER, [], "0xe")
    assert proof["storageHash"] == block["withdrawalsRoot"]


async def test_blocks_by_tag(rpc, story):
    chain = story.node.l2.chain
    for tag, block in {
        "latest": chain.head,
        "pending": chain.head,
        "safe": chain.safe,
        "finalized": chain.finalized,
        "earliest": chain.genesis,
    }.items():
        assert (await rpc.l2("eth_getBlockByNumber", tag, False))["hash"] == h(block.hash)


async def test_an_unknown_object_is_null(rpc):
    for method, *params in (
        ("eth_getBlockByNumber", "0xffffff", False),
        ("eth_getBlockByHash", UNKNOWN, True),
        ("eth_getHeaderByNumber", "0xffffff"),
        ("eth_getHeaderByHash", UNKNOWN),
        ("eth_getBlockReceipts", "0xffffff"),
        ("eth_getBlockReceipts", UNKNOWN),
        ("eth_getBlockTransactionCountByNumber", "0xffffff"),
        ("eth_getBlockTransactionCountByHash", UNKNOWN),
        ("eth_getUncleCountByBlockNumber", "0xffffff"),
        ("eth_getUncleCountByBlockHash", UNKNOWN),
        ("eth_getUncleByBlockNumberAndIndex", "0x1", "0x0"),
        ("eth_getUncleByBlockHashAndIndex", UNKNOWN, "0x0"),
        ("eth_getTransactionByHash", UNKNOWN),
        ("eth_getTransactionReceipt", UNKNOWN),
        ("eth_getRawTransactionByHash", UNKNOWN),
        ("eth_getTransactionByBlockNumberAndIndex", "0x1", "0x99"),
        ("eth_getTransactionByBlockHashAndIndex", UNKNOWN, "0x0"),
        ("eth_getRawTransactionByBlockNumberAndIndex", "0x1", "0x99"),
        ("eth_getRawTransactionByBlockHashAndIndex", UNKNOWN, "0x0"),
    ):
        assert await rpc.l2(method, *params) is None, method


async def test_counts(rpc, story):
    block = await rpc.l2("eth_getBlockByNumber", "0xe", False)
    assert await rpc.l2("eth_getBlockTransactionCountByNumber", "0xe") == hex(len(block["transactions"])) == "0x7"
    assert await rpc.l2("eth_getBlockTransactionCountByHash", block["hash"]) == "0x7"
    assert await rpc.l2("eth_getUncleCountByBlockNumber", "0xe") == "0x0"
    assert await rpc.l2("eth_getUncleCountByBlockHash", block["hash"]) == "0x0"


# ---------------------------------------------------------------- transactions
async def test_transactions_by_type(rpc, story):
    shapes = {
        "legacy": ("0x0", TRANSACTION | {"chainId"}),
        "access_list": ("0x1", TYPED),
        "transfer": ("0x2", DYNAMIC),
        "set_code": ("0x4", DYNAMIC | {"authorizationList"}),
    }
    for name, (tx_type, fields) in shapes.items():
        found = await rpc.l2("eth_getTransactionByHash", h(getattr(story, name)))
        assert (found["type"], set(found)) == (tx_type, fields), name
        assert found["from"] == (DAVE if name == "set_code" else ALICE)
        assert found["chainId"] == "0x385"
    assert (await rpc.l2("eth_getTransactionByHash", h(story.transfer)))["value"] == hex(ETHER)
    (authorization,) = (await rpc.l2("eth_getTransactionByHash", h(story.set_code)))["authorizationList"]
    assert set(authorization) == {"chainId", "address", "nonce", "yParity", "r", "s"}
    assert authorization["address"] == h(story.contract)


async def test_a_transaction_by_every_way(rpc, story):
    found = await rpc.l2("eth_getTransactionByHash", h(story.transfer))
    where = (found["blockNumber"], found["transactionIndex"])
    block = await rpc.l2("eth_getBlockByNumber", found["blockNumber"], True)
    assert block["transactions"][int(found["transactionIndex"], 16)] == found
    assert found["blockTimestamp"] == block["timestamp"]
    assert found == await rpc.l2("eth_getTransactionByBlockNumberAndIndex", *where)
    assert found == await rpc.l2("eth_getTransactionByBlockHashAndIndex", found["blockHash"], where[1])
    raw = await rpc.l2("eth_getRawTransactionByHash", found["hash"])
    assert h(keccak256(bytes.fromhex(raw[2:]))) == found["hash"]
    assert raw == await rpc.l2("eth_getRawTransactionByBlockNumberAndIndex", *where)
    assert raw == await rpc.l2("eth_getRawTransactionByBlockHashAndIndex", found["blockHash"], where[1])
    assert raw == await rpc.l2("debug_getRawTransaction", found["hash"])
    base = int(block["baseFeePerGas"], 16)
    assert int(found["gasPrice"], 16) == base + GWEI  # mined: what was paid, not the cap


async def test_deposits(rpc, story):
    first = await rpc.l2("eth_getTransactionByBlockNumberAndIndex", "0x1", "0x0")
    deposit_fields = TRANSACTION | {"sourceHash", "depositReceiptVersion", "mint"}
    assert set(first) == deposit_fields
    assert first["type"] == "0x7e"
    assert {first[name] for name in ("gasPrice", "mint", "v", "r", "s")} == {"0x0"}
    assert first["from"] == "0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001"
    second = await rpc.l2("eth_getTransactionByBlockNumberAndIndex", "0x2", "0x0")
    assert int(second["nonce"], 16) == int(first["nonce"], 16) + 1
    receipt = await rpc.l2("eth_getTransactionReceipt", first["hash"])
    assert set(receipt) == RECEIPT | {"depositNonce", "depositReceiptVersion"}
    assert (receipt["depositNonce"], receipt["depositReceiptVersion"]) == (first["nonce"], "0x1")
    assert (receipt["type"], receipt["effectiveGasPrice"]) == ("0x7e", "0x0")
    user = [
        transaction
        for number in range(24)
        for transaction in (await rpc.l2("eth_getBlockByNumber", hex(number), True))["transactions"][1:]
        if transaction["type"] == "0x7e"
    ]
    (deposit,) = user
    assert set(deposit) == deposit_fields
    assert (deposit["mint"], deposit["value"], deposit["to"]) == (hex(2 * ETHER), hex(ETHER), BOB)


# ---------------------------------------------------------------- receipts
async def test_a_receipt_of_a_signed_transaction(rpc, story):
    receipt = await rpc.l2("eth_getTransactionReceipt", h(story.transfer))
    assert set(receipt) == ON_L2
    assert (receipt["status"], receipt["gasUsed"], receipt["type"]) == ("0x1", "0x5208", "0x2")
    assert (receipt["operatorFeeScalar"], receipt["operatorFeeConstant"]) == (hex(2_000_000), hex(77))
    assert receipt["l1BaseFeeScalar"] == hex(1_368)
    assert int(receipt["l1Fee"], 16) > 0
    assert int(receipt["blobGasUsed"], 16) > 0
    assert receipt["contractAddress"] is None
    block = await rpc.l2("eth_getBlockByHash", receipt["blockHash"], False)
    assert int(receipt["effectiveGasPrice"], 16) == int(block["baseFeePerGas"], 16) + GWEI


async def test_the_sender_pays_the_amount_of_the_receipt(rpc, story):
    """Balance before and after, to the wei: gas, L1 fee, operator fee (Jovian: gas * scalar * 100 + constant)."""
    paid = await rpc.l2("eth_getBlockReceipts", "0xe")
    sent = await rpc.l2("eth_getBlockByNumber", "0xe", True)
    spent = 0
    for receipt, transaction in zip(paid, sent["transactions"], strict=True):
        if transaction["from"] != ALICE:
            continue
        gas = int(receipt["gasUsed"], 16)
        operator = gas * int(receipt["operatorFeeScalar"], 16) * 100 + int(receipt["operatorFeeConstant"], 16)
        spent += gas * int(receipt["effectiveGasPrice"], 16) + int(receipt["l1Fee"], 16) + operator
        spent += int(transaction["value"], 16)
    before = int(await rpc.l2("eth_getBalance", ALICE, "0xd"), 16)
    after = int(await rpc.l2("eth_getBalance", ALICE, "0xe"), 16)
    assert before - after == spent > ETHER


async def test_receipts_of_creation_logs_and_failure(rpc, story):
    created = await rpc.l2("eth_getTransactionReceipt", h(story.creation))
    assert (created["to"], created["contractAddress"], created["status"]) == (None, h(story.contract), "0x1")
    logged = await rpc.l2("eth_getTransactionReceipt", h(story.logging))
    assert len(logged["logs"]) == 2
    assert all(set(log) == LOG for log in logged["logs"])
    assert [log["logIndex"] for log in logged["logs"]] == ["0x0", "0x1"]
    assert int(logged["logsBloom"], 16) > 0
    failed = await rpc.l2("eth_getTransactionReceipt", h(story.failing))
    assert (failed["status"], failed["logs"]) == ("0x0", [])


async def test_a_block_of_receipts(rpc, story):
    block = await rpc.l2("eth_getBlockByNumber", "0xe", False)
    receipts = await rpc.l2("eth_getBlockReceipts", "0xe")
    assert receipts == await rpc.l2("eth_getBlockReceipts", block["hash"])
    assert receipts == await rpc.l2("eth_getBlockReceipts", {"blockHash": block["hash"]})
    assert [item["transactionHash"] for item in receipts] == block["transactions"]
    assert receipts == [await rpc.l2("eth_getTransactionReceipt", item) for item in block["transactions"]]
    total = 0
    for item in receipts:
        total += int(item["gasUsed"], 16)
        assert int(item["cumulativeGasUsed"], 16) == total
    assert hex(total) == block["gasUsed"]


async def test_a_receipt_on_l1_has_no_l2_fields(rpc, story):
    receipt = await rpc.l1("eth_getTransactionReceipt", h(story.deposit_l1))
    assert set(receipt) == RECEIPT
    assert receipt["status"] == "0x1"


async def test_the_verifier_answers_the_same(rpc, story):
    for method, *params in (
        ("eth_getBlockByNumber", "0xe", True),
        ("eth_getBlockReceipts", "0xe"),
        ("eth_getBalance", BOB, "safe"),
        ("eth_getProof", h(story.contract), ["0x1"], "0xe"),
    ):
        assert await rpc.l2(method, *params) == await rpc.verifier(method, *params)


# ---------------------------------------------------------------- accounts
async def test_accounts_through_time(rpc, story):
    balances = [int(await rpc.l2("eth_getBalance", BOB, number), 16) for number in ("0xd", "0xe")]
    assert balances[1] - balances[0] == ETHER + 2
    assert await rpc.l2("eth_getBalance", NOBODY, "latest") == "0x0"
    assert await rpc.l2("eth_getTransactionCount", ALICE, "0xc") == "0x1"  # a deposit is a nonce too
    assert await rpc.l2("eth_getTransactionCount", ALICE, "0xd") == "0x2"
    assert await rpc.l2("eth_getTransactionCount", ALICE, "0xe") == "0x7"
    code = await rpc.l2("eth_getCode", h(story.contract), "latest")
    assert len(code) > 2
    assert await rpc.l2("eth_getCode", h(story.contract), "0xc") == "0x"
    assert await rpc.l2("eth_getCode", CAROL, "latest") == "0xef0100" + story.contract.hex()
    keys = ("0x1", "0x" + "00" * 31 + "01", "0x2")
    slots = [await rpc.l2("eth_getStorageAt", h(story.contract), key) for key in keys]
    assert [int(slot, 16) for slot in slots] == [42, 42, 0]
    assert all(len(slot) == 66 for slot in slots)
    by_hash = {"blockHash": (await rpc.l2("eth_getBlockByNumber", "0xe", False))["hash"], "requireCanonical": True}
    assert await rpc.l2("eth_getStorageAt", h(story.contract), "0x1", by_hash) == "0x" + "00" * 32


@pytest.mark.parametrize("which", ["0xe", "latest"])
async def test_proofs_hold_against_the_state_root(rpc, story, which):
    block = await rpc.l2("eth_getBlockByNumber", which, False)
    for who, keys in ((h(story.contract), ["0x1", "0x" + "00" * 31 + "02"]), (NOBODY, []), (PASSER, ["0x0"])):
        proof = await rpc.l2("eth_getProof", who, keys, block["hash"])
        assert set(proof) == {"address", "accountProof", "balance", "nonce", "codeHash", "storageHash", "storageProof"}
        assert [item["key"] for item in proof["storageProof"]] == keys
        leaf = proven(block["stateRoot"], bytes.fromhex(who[2:]), proof["accountProof"])
        fields = [proof["nonce"], proof["balance"], proof["storageHash"], proof["codeHash"]]
        if leaf == b"":
            assert fields[:2] == ["0x0", "0x0"]
        else:
            assert rlp.decode(leaf) == [_minimal(fields[0]), _minimal(fields[1]), *(_bytes(f) for f in fields[2:])]
        for item in proof["storageProof"]:
            key = int(item["key"], 16).to_bytes(32, "big")
            value = proven(proof["storageHash"], key, item["proof"]) if item["proof"] else b""
            found = int.from_bytes(rlp.decode(value), "big") if value else 0
            assert found == int(item["value"], 16)


def proven(root, key, nodes):
    return HexaryTrie.get_from_proof(_bytes(root), keccak256(key), [rlp.decode(_bytes(node)) for node in nodes])


def _bytes(text):
    return bytes.fromhex(text[2:])


def _minimal(quantity):
    number = int(quantity, 16)
    return number.to_bytes(-(-number.bit_length() // 8), "big")


async def test_a_fee_history_counts_in_any_form(rpc):
    """geth reads HexOrDecimal64, and programs write it so."""
    answers = [await rpc.l2("eth_feeHistory", count, "0xe", []) for count in ("0x3", 3, "3")]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["oldestBlock"] == "0xc"
    for count in (-1, "-1", 2**64, True, 1.5, "", "3x"):
        assert (await rpc.l2.failure("eth_feeHistory", count, "0xe", [])).code == -32602


async def test_an_account_whole(rpc, story):
    for who in (h(story.contract), ALICE, "0x" + "77" * 20):
        proof = await rpc.l2("eth_getProof", who, [], "latest")
        balance, nonce = proof["balance"], proof["nonce"]
        code = await rpc.l2("eth_getCode", who)
        assert await rpc.l2("eth_getAccount", who, "latest") == {
            "balance": balance,
            "nonce": nonce,
            "codeHash": proof["codeHash"],
            "storageRoot": proof["storageHash"],
        }
        assert await rpc.l2("eth_getAccountInfo", who) == {"balance": balance, "nonce": nonce, "code": code}


async def test_a_proof_has_at_most_so_many_keys(rpc):
    keys = [hex(number) for number in range(1024)]
    assert len((await rpc.l2("eth_getProof", PASSER, keys, "latest"))["storageProof"]) == 1024
    error = await rpc.l2.failure("eth_getProof", PASSER, [*keys, "0x400"], "latest")
    assert (error.code, error.message) == (-32602, "too many storage keys requested (max 1024, got 1025)")


async def test_state_of_a_block_that_is_not_there(rpc):
    for method, *params in (
        ("eth_getBalance", ALICE),
        ("eth_getCode", ALICE),
        ("eth_getTransactionCount", ALICE),
        ("eth_getStorageAt", ALICE, "0x0"),
        ("eth_getProof", ALICE, []),
        ("eth_call", {"to": BOB}),
        ("eth_estimateGas", {"to": BOB}),
    ):
        for which in ("0xffffff", UNKNOWN):
            error = await rpc.l2.failure(method, *params, which)
            assert (error.code, error.message) == (-32000, "header not found"), method


# ---------------------------------------------------------------- debug
async def test_raw_encodings(rpc, story):
    chain = story.node.l2.chain
    block = chain.block_by_number(14)
    for which in ("0xe", h(block.hash)):
        assert await rpc.l2("debug_getRawHeader", which) == h(block.header.encode())
        assert await rpc.l2("debug_getRawBlock", which) == h(block.encode())
        receipts = await rpc.l2("debug_getRawReceipts", which)
        assert receipts == [h(receipt.encode()) for receipt in chain.receipts(block.hash)]
    assert h(keccak256(_bytes(await rpc.l2("debug_getRawHeader", "0xe")))) == h(block.hash)
    assert await rpc.l2("debug_getRawTransaction", UNKNOWN) == "0x"
    assert await rpc.l2("debug_getBadBlocks") == []
    assert (await rpc.l2("debug_chainConfig"))["chainId"] == 901
    assert (await rpc.l1("debug_chainConfig"))["chainId"] == 900
    assert (await rpc.l2.failure("debug_getRawHeader", UNKNOWN)).message == "header not found"


async def test_nodes_and_code_by_their_hash(rpc, story):
    root = (await rpc.l2("eth_getBlockByNumber", "0xe", False))["stateRoot"]
    assert h(keccak256(_bytes(await rpc.l2("debug_dbGet", root)))) == root
    proof = await rpc.l2("eth_getProof", h(story.contract), [], "latest")
    code = await rpc.l2("eth_getCode", h(story.contract), "latest")
    assert await rpc.l2("debug_dbGet", proof["codeHash"]) == code
    assert await rpc.l2("debug_dbGet", "0x63" + proof["codeHash"][2:]) == code
    for key in (UNKNOWN, "0x", "0x63", "0x63" + UNKNOWN[2:]):
        error = await rpc.l2.failure("debug_dbGet", key)
        assert (error.code, error.message) == (-32000, "not found")
    assert await rpc.l2("debug_codeByHash", proof["codeHash"]) == code
    assert await rpc.l2("debug_codeByHash", proof["codeHash"], "latest") == code
    assert await rpc.l2("debug_codeByHash", UNKNOWN) is None
