"""eth_call and its kin, and every error text that wallets match on (geth's, under geth's codes)."""

import asyncio
from types import SimpleNamespace

import pytest
from eth_abi import encode
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_utils.address import to_checksum_address

from attribution_precompile import ADDRESS_BYTES, ERRORS
from rollup.execution.revert_reason import revert_reason
from rollup.execution.transition import create_address
from rollup.protocol.accounts import USERS
from rollup.protocol.primitives import keccak256
from rollup.protocol.transaction import BLOB, DEPOSIT, DYNAMIC_FEE, LEGACY, Transaction
from rollup.rpc.limits import MAX_OVERRIDE_CODE, MAX_OVERRIDE_SLOTS
from tests.rpc.story import ETHER, GWEI, TOPIC_A

ALICE, BOB = ("0x" + account.address.hex() for account in USERS[:2])
ZOE = USERS[9]
ATTRIBUTION = "0x" + ADDRESS_BYTES.hex()
NOBODY = "0x" + "99" * 20


def to(story, data, **fields):
    return {"from": ALICE, "to": "0x" + story.contract.hex(), "data": data, **fields}


# ---------------------------------------------------------------- calls
async def test_a_call_returns_what_the_code_returns(rpc, story):
    word = "0x" + format(42, "064x")
    assert await rpc.l2("eth_call", to(story, "0x07"), "latest") == word
    assert await rpc.l2("eth_call", to(story, "0x07"), "0xe") == "0x" + "00" * 32  # before slot 1 was written
    assert await rpc.l2("eth_call", {"to": NOBODY}) == "0x"
    by_hash = {"blockHash": "0x" + story.node.l2.chain.head.hash.hex()}
    assert await rpc.l2("eth_call", {"to": "0x" + story.contract.hex(), "input": "0x07"}, by_hash) == word


@pytest.mark.parametrize(
    ("data", "code", "message", "output"),
    [
        ("0x01", 3, "execution reverted: no", "0x08c379a0" + encode(["string"], ["no"]).hex()),
        ("0x03", 3, "execution reverted: arithmetic underflow or overflow", "0x4e487b71" + format(0x11, "064x")),
        ("0x04", 3, "execution reverted", "0x"),
        ("0x02", -32000, "invalid opcode: INVALID", None),
        ("0x06", -32000, "out of gas", None),
    ],
)
async def test_a_call_that_fails(rpc, story, data, code, message, output):
    error = await rpc.l2.failure("eth_call", to(story, data, gas="0x186a0"))
    assert (error.code, error.message, error.data) == (code, message, output)


@pytest.mark.parametrize("error", ERRORS.values(), ids=lambda error: error.name)
def test_a_reverts_reason_names_every_attribution_error(error):
    types = [name for name in error.signature.partition("(")[2][:-1].split(",") if name]
    values = [0] * len(types)
    data = error(*values).data
    assert revert_reason(data).startswith(error.name + "(")
    assert revert_reason(data).count(",") == max(0, len(types) - 1)
    assert revert_reason(data[:-1]) is None, "not the data of this error"


async def test_an_attribution_error_is_named_in_the_message(rpc):
    """The data stays the revert data, which libraries decode."""
    data = "0x" + (keccak256(b"usage(uint64)")[:4] + (77).to_bytes(32, "big")).hex()
    for method in ("eth_call", "eth_estimateGas"):
        error = await rpc.l2.failure(method, {"to": ATTRIBUTION, "data": data})
        assert (error.code, error.message) == (3, "execution reverted: UnknownModel(77)")
        assert error.data == "0x" + (keccak256(b"UnknownModel(uint64)")[:4] + (77).to_bytes(32, "big")).hex()


async def test_an_estimate_is_little_more_than_what_succeeds(rpc, story):
    assert await rpc.l2("eth_estimateGas", {"from": ALICE, "to": BOB, "value": "0x1"}) == "0x5208"
    request = to(story, "0x00")
    gas = int(await rpc.l2("eth_estimateGas", request), 16)
    assert await rpc.l2("eth_call", {**request, "gas": hex(gas)}) == "0x"
    less = hex(gas * 980 // 1000)  # geth stops searching at 1.5 %
    assert (await rpc.l2.failure("eth_call", {**request, "gas": less})).message == "out of gas"
    assert (await rpc.l2.failure("eth_estimateGas", to(story, "0x01"))).code == 3
    allowance = await rpc.l2.failure("eth_estimateGas", to(story, "0x06", gas=hex(100_000)))
    assert (allowance.code, allowance.message) == (-32000, "gas required exceeds allowance (100000)")


def delegation(story, nonce):
    """EIP-7702: Zoe lets the story's contract act for her."""
    pair = Account.from_key(ZOE.private_key)
    signed = pair.sign_authorization({"chainId": 901, "address": story.contract, "nonce": nonce})
    return {
        "chainId": "0x385",
        "address": "0x" + story.contract.hex(),
        "nonce": hex(nonce),
        "yParity": hex(signed.y_parity),
        "r": hex(signed.r),
        "s": hex(signed.s),
    }


async def test_an_estimate_with_an_authorization_counts_its_intrinsic_gas(rpc, story):
    """The refund for an account that exists brings what is used below the 46,000 gas needed to begin."""
    nonce = int(await rpc.l2("eth_getTransactionCount", "0x" + ZOE.address.hex(), "latest"), 16)
    request = {"from": ALICE, "to": BOB, "authorizationList": [delegation(story, nonce)]}
    assert 46_000 <= int(await rpc.l2("eth_estimateGas", request), 16) < 47_000
    error = await rpc.l2.failure("eth_estimateGas", {**request, "gas": hex(45_000)})
    assert error.message == "gas required exceeds allowance (45000)"
    assert (await rpc.l2.failure("eth_call", {**request, "gas": hex(45_000)})).message.startswith(
        "intrinsic gas too low"
    )


async def test_sending_with_an_authorization_delegates(fresh):
    contract = SimpleNamespace(contract=bytes.fromhex("42" + "00" * 18 + "06"))
    await fresh.l2("eth_sendTransaction", {"from": ALICE, "to": BOB, "authorizationList": [delegation(contract, 0)]})
    fresh.node.run_until_safe(1)
    assert await fresh.l2("eth_getCode", "0x" + ZOE.address.hex(), "latest") == "0xef0100" + contract.contract.hex()
    priced = {"from": ALICE, "to": BOB, "gasPrice": "0x1", "authorizationList": [delegation(contract, 1)]}
    assert (await fresh.l2.failure("eth_sendTransaction", priced)).code == -32602
    blobs = {"from": ALICE, "to": BOB, "blobVersionedHashes": ["0x01" + "00" * 31]}
    assert "blobs" in (await fresh.l2.failure("eth_sendTransaction", blobs)).message


async def test_an_access_list(rpc, story):
    answer = await rpc.l2("eth_createAccessList", to(story, "0x07"))
    assert answer["accessList"] == [{"address": "0x" + story.contract.hex(), "storageKeys": ["0x" + format(1, "064x")]}]
    assert int(answer["gasUsed"], 16) > 21_000
    assert "error" not in answer
    assert "revert" in (await rpc.l2("eth_createAccessList", to(story, "0x01")))["error"]


CALLER, CALLEE = "0x" + "0a" * 20, "0x" + "0b" * 20
CALLS = f"0x6000600060006000600073{CALLEE[2:]}5af1"
READS_5 = "0x600554"


@pytest.mark.parametrize("end", ["00", "60006000fd", "fe"], ids=["stops", "reverts", "halts"])
async def test_an_access_list_has_what_a_frame_touched_however_it_ended(rpc, end):
    """geth lists what was touched; a revert takes the change back, not the access."""
    slot = "0x" + format(5, "064x")
    code = {CALLER: {"code": CALLS + "00"}, CALLEE: {"code": READS_5 + end}}
    for caller in (rpc.l1, rpc.l2, rpc.verifier):
        outer = await caller("eth_createAccessList", {"from": ALICE, "to": CALLER, "gas": "0x186a0"}, "latest", code)
        assert outer["accessList"] == [{"address": CALLEE, "storageKeys": [slot]}]
        assert "error" not in outer
        inner = await caller("eth_createAccessList", {"from": ALICE, "to": CALLEE, "gas": "0x186a0"}, "latest", code)
        assert inner["accessList"] == [{"address": CALLEE, "storageKeys": [slot]}]
        assert ("error" in inner) is (end != "00")


async def test_an_access_list_of_a_creation_that_reverts(rpc):
    creation = {"from": NOBODY, "gas": "0x186a0", "data": "0x600160075560006000fd"}
    created = "0x" + create_address(bytes.fromhex(NOBODY[2:]), 0).hex()
    answer = await rpc.l2("eth_createAccessList", creation)
    assert answer["accessList"] == [{"address": created, "storageKeys": ["0x" + format(7, "064x")]}]
    plain = await rpc.l2("eth_createAccessList", creation | {"data": "0x60006000fd"})
    assert plain["accessList"] == []


async def test_an_estimate_takes_block_overrides(rpc):
    """The code stops at once before time 5, and stores a word from there."""
    code = {CALLEE: {"code": "0x60054210600d576001600055" + "005b00"}}
    call = {"from": ALICE, "to": CALLEE}
    estimates = [
        int(await rpc.l2("eth_estimateGas", call, "latest", code, {"time": time, "difficulty": "0x1"}), 16)
        for time in ("0x4", "0x5")
    ]
    assert abs(estimates[1] - estimates[0]) > 20_000
    error = await rpc.l2.failure("eth_estimateGas", call, "latest", code, {"difficulty": 1})
    assert (error.code, error.message[:32]) == (-32602, "invalid argument 3: difficulty: ")


async def test_overrides_are_bounded_in_code_and_slots_over_all_accounts(rpc):
    half = "0x" + "5b" * (MAX_OVERRIDE_CODE // 2)
    fits = {CALLER: {"code": half}, CALLEE: {"code": half}}
    assert await rpc.l2("eth_call", {"to": NOBODY}, "latest", fits) == "0x"
    slots = {"0x" + format(number, "064x"): "0x" + "00" * 32 for number in range(MAX_OVERRIDE_SLOTS // 2 + 1)}
    over = [{**fits, NOBODY: {"code": "0x00"}}, {CALLER: {"state": slots}, CALLEE: {"stateDiff": slots}}]
    for method in ("eth_call", "eth_estimateGas", "eth_createAccessList"):
        for given in over:
            error = await rpc.l2.failure(method, {"to": NOBODY}, "latest", given)
            assert error.code == -32602
            assert error.message.endswith("may be overridden")


async def test_state_overrides(rpc, story):
    contract = "0x" + story.contract.hex()
    slot = "0x" + format(1, "064x")
    seven = {contract: {"stateDiff": {slot: "0x" + "00" * 31 + "07"}}}
    changed = await rpc.l2("eth_call", to(story, "0x07"), "latest", seven)
    assert int(changed, 16) == 7
    emptied = await rpc.l2("eth_call", to(story, "0x07"), "latest", {contract: {"state": {}}})
    assert int(emptied, 16) == 0
    code = {NOBODY: {"code": "0x4760005260206000f3", "balance": "0x64"}}  # SELFBALANCE
    assert int(await rpc.l2("eth_call", {"to": NOBODY}, "latest", code), 16) == 100
    rich = {NOBODY: {"balance": hex(ETHER)}}
    assert await rpc.l2("eth_call", {"from": NOBODY, "to": BOB, "value": hex(ETHER)}, "latest", rich) == "0x"
    both = {contract: {"state": {}, "stateDiff": {}}}
    error = await rpc.l2.failure("eth_call", {"to": BOB}, "latest", both)
    assert (error.code, error.message) == (
        -32602,
        f"invalid argument 2: account {contract} has both 'state' and 'stateDiff'",
    )
    for bad in ({"0x12": {}}, {contract: 5}, {contract: {"balance": 1}}, [], {contract: {"state": []}}):
        assert (await rpc.l2.failure("eth_call", {"to": BOB}, "latest", bad)).code == -32602


@pytest.mark.parametrize(
    ("opcode", "name", "value", "expected"),
    [
        ("42", "time", "0x7b", 0x7B),
        ("43", "number", "0x1234", 0x1234),
        ("45", "gasLimit", "0xf4240", 10**6),
        ("41", "feeRecipient", NOBODY, int(NOBODY, 16)),
        ("44", "prevRandao", "0x" + "05" * 32, int("05" * 32, 16)),
        ("48", "baseFeePerGas", "0x9", 9),
        ("4a", "blobBaseFee", "0x7", 7),
        ("4a", "number", "0x1", 1),
    ],
)
async def test_block_overrides(rpc, opcode, name, value, expected):
    code = {NOBODY: {"code": f"0x{opcode}60005260206000f3"}}
    call = {"from": ALICE, "to": NOBODY, "gas": "0x186a0", "gasPrice": "0x9"}  # a price of 0 would make BASEFEE 0
    overrides = {"baseFeePerGas": "0x9"} | {name: value}
    assert int(await rpc.l2("eth_call", call, "latest", code, overrides), 16) == expected
    for bad in ("0xzz", 5, [], "0x" + "0" * 90):
        error = await rpc.l2.failure("eth_call", {"to": NOBODY}, "latest", code, {name: bad})
        assert (error.code, error.message[:21]) == (-32602, "invalid argument 3: " + name[0])
    unknown = await rpc.l2.failure("eth_call", {"to": NOBODY}, "latest", code, {"moon": "0x1"})
    assert unknown.message == "invalid argument 3: moon: this block override is not supported"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"value": hex(10**30)}, "insufficient funds for gas * price + value: address "),
        ({"gas": "0x64"}, "intrinsic gas too low: "),
        (
            {"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"},
            "max priority fee per gas higher than max fee per gas",
        ),
        ({"maxFeePerGas": "0x1"}, "max fee per gas less than block base fee: address "),
        ({"gasPrice": "0x1"}, "max fee per gas less than block base fee: address "),
    ],
)
async def test_calls_that_no_transaction_could_be(rpc, fields, message):
    error = await rpc.l2.failure("eth_call", {"from": ALICE, "to": BOB, **fields})
    assert error.code == -32000
    assert message in error.message


async def test_the_gas_of_a_call_is_capped_not_refused(rpc):
    assert await rpc.l2("eth_call", {"from": NOBODY, "to": BOB, "gas": hex(2**63)}) == "0x"


# ---------------------------------------------------------------- sending: the pool's words
def signed(account=ZOE, **fields):
    values = {
        "nonce": 0,
        "chain_id": 901,
        "gas_limit": 21_000,
        "to": USERS[1].address,
        "max_fee_per_gas": 10 * GWEI,
        "max_priority_fee_per_gas": GWEI,
    } | fields
    tx_type = values.pop("tx_type", DYNAMIC_FEE)
    return "0x" + Transaction(tx_type, **values).signed(account.private_key).encode().hex()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"value": 10**30}, "insufficient funds for gas * price + value: balance "),
        ({"gas_limit": 20_999}, "intrinsic gas too low: gas 20999, minimum needed 21000"),
        ({"gas_limit": 10**8, "max_fee_per_gas": GWEI}, "exceeds block gas limit"),
        ({"max_priority_fee_per_gas": 11 * GWEI}, "max priority fee per gas higher than max fee per gas"),
        ({"chain_id": 1}, "invalid sender: invalid chain id for signer: have 1 want 901"),
        (
            {"tx_type": LEGACY, "chain_id": None, "max_priority_fee_per_gas": 10 * GWEI},
            "only replay-protected (EIP-155) transactions allowed over RPC",
        ),
        ({"max_fee_per_gas": 10**17, "max_priority_fee_per_gas": 1}, "exceeds the configured cap (1.00 ether)"),
    ],
)
async def test_transactions_that_the_pool_refuses(rpc, fields, message):
    error = await rpc.l2.failure("eth_sendRawTransaction", signed(**fields))
    assert error.code == -32000
    assert message in error.message


async def test_nonces_repeats_and_replacements(fresh):
    node = fresh.node
    first = signed()
    tx_hash = await fresh.l2("eth_sendRawTransaction", first)
    assert (await fresh.l2.failure("eth_sendRawTransaction", first)).message == "already known"
    error = await fresh.l2.failure("eth_sendRawTransaction", signed(value=1))
    assert (error.code, error.message) == (-32000, "replacement transaction underpriced")
    better = signed(value=1, max_fee_per_gas=20 * GWEI, max_priority_fee_per_gas=2 * GWEI)
    replaced = await fresh.l2("eth_sendRawTransaction", better)
    assert replaced != tx_hash
    assert await fresh.l2("eth_getTransactionByHash", tx_hash) is None
    pending = await fresh.l2("eth_getTransactionByHash", replaced)
    assert (pending["blockHash"], pending["blockNumber"], pending["transactionIndex"]) == (None, None, None)
    assert pending["gasPrice"] == pending["maxFeePerGas"]
    node.run_until_safe(1)
    error = await fresh.l2.failure("eth_sendRawTransaction", signed(value=2))
    assert (error.code, error.message) == (-32000, "nonce too low: next nonce 1, tx nonce 0")
    assert (await fresh.l2("eth_getTransactionReceipt", replaced))["status"] == "0x1"


async def test_a_transaction_on_l1_and_types_that_are_not_taken(rpc):
    deposit = Transaction(DEPOSIT, source_hash=bytes(32), to=USERS[1].address, gas_limit=21_000)
    deposit._sender = USERS[0].address
    error = await rpc.l2.failure("eth_sendRawTransaction", "0x" + deposit.encode().hex())
    assert (error.code, error.message) == (-32000, "transaction type not supported")
    blob = signed(tx_type=BLOB, max_fee_per_blob_gas=1, blob_versioned_hashes=(b"\1" + bytes(31),))
    error = await rpc.l2.failure("eth_sendRawTransaction", blob)
    assert (error.code, error.message) == (-32000, "transaction type not supported")
    refusal = await rpc.verifier.failure("eth_sendRawTransaction", signed())
    assert refusal.code == -32000
    assert "sequencer" in refusal.message


@pytest.mark.parametrize("raw", ["0x", "0x00", "0x02", "0x02c0", "0xc0", "0xff", "0x02f8", "0x" + "ff" * 200])
async def test_bytes_that_are_not_a_transaction_are_refused(rpc, raw):
    error = await rpc.l2.failure("eth_sendRawTransaction", raw)
    assert error.code == -32000
    assert error.message
    assert "crashed" not in error.message


# ---------------------------------------------------------------- accounts of the node
async def test_the_node_signs_for_its_development_keys(fresh):
    accounts = await fresh.l2("eth_accounts")
    assert accounts == await fresh.l2("eth_requestAccounts")
    assert accounts[:2] == [ALICE, BOB]
    assert await fresh.verifier("eth_accounts") == await fresh.verifier("eth_requestAccounts") == []
    tx_hash = await fresh.l2("eth_sendTransaction", {"from": ALICE, "to": BOB, "value": "0x1"})
    assert [item["hash"] for item in await fresh.l2("eth_pendingTransactions")] == [tx_hash]
    assert await fresh.l2("eth_getTransactionCount", ALICE, "pending") == "0x1"
    assert await fresh.l2("eth_getTransactionCount", ALICE, "latest") == "0x0"
    filled = await fresh.l2("eth_fillTransaction", {"from": ALICE, "to": BOB})
    assert filled["tx"]["nonce"] == "0x1"
    assert filled["tx"]["gas"] == "0x5208"
    signed_one = await fresh.l2("eth_signTransaction", {"from": ALICE, "to": BOB, "nonce": "0x1"})
    second = await fresh.l2("eth_sendRawTransaction", signed_one["raw"])
    fresh.node.run_until_safe(1)
    for item in (tx_hash, second):
        assert (await fresh.l2("eth_getTransactionReceipt", item))["status"] == "0x1"
    assert await fresh.l2("eth_pendingTransactions") == []


async def test_sending_and_waiting_for_the_receipt_in_one_call(fresh):
    signed = (await fresh.l2("eth_signTransaction", {"from": ALICE, "to": BOB}))["raw"]
    waiting = asyncio.create_task(fresh.l2("eth_sendRawTransactionSync", signed, 30_000))
    while not await fresh.l2("eth_pendingTransactions"):
        assert not waiting.done()
    fresh.node.run_until_safe(1)
    receipt = await waiting
    assert receipt == await fresh.l2("eth_getTransactionReceipt", receipt["transactionHash"])
    assert (await fresh.l2.failure("eth_sendRawTransactionSync", signed)).message.startswith("nonce too low")
    assert "sequencer" in (await fresh.verifier.failure("eth_sendRawTransactionSync", signed)).message


async def test_signing_sending_and_waiting_for_the_receipt_in_one_call(fresh):
    waiting = asyncio.create_task(fresh.l2("eth_sendTransactionSync", {"from": ALICE, "to": BOB}))
    while not await fresh.l2("eth_pendingTransactions"):
        assert not waiting.done()
    fresh.node.run_until_safe(1)
    receipt = await waiting
    assert receipt == await fresh.l2("eth_getTransactionReceipt", receipt["transactionHash"])
    error = await fresh.l2.failure("eth_sendTransactionSync", {"from": ALICE, "to": BOB}, 1)
    assert error.code == 4
    assert (await fresh.l2.failure("eth_sendTransactionSync", {"from": NOBODY, "to": BOB})).code == -32000


async def test_a_receipt_that_does_not_come_in_time(fresh):
    signed = (await fresh.l2("eth_signTransaction", {"from": ALICE, "to": BOB}))["raw"]
    error = await fresh.l2.failure("eth_sendRawTransactionSync", signed, "0x1")
    assert error.code == 4  # EIP-7966
    assert error.message.endswith("wasn't processed in 0.001s")
    assert [item["hash"] for item in await fresh.l2("eth_pendingTransactions")] == [error.data]


async def test_accounts_that_the_node_does_not_have(rpc):
    for method, *params in (
        ("eth_sendTransaction", {"from": NOBODY, "to": BOB, "gas": "0x5208"}),
        ("eth_sendTransaction", {"to": BOB}),
        ("eth_sign", NOBODY, "0x00"),
        ("personal_sign", "0x00", NOBODY),
    ):
        error = await rpc.l2.failure(method, *params)
        assert (error.code, error.message) == (-32000, "unknown account")


async def test_a_transaction_for_another_chain_is_not_signed_here(rpc):
    for method in ("eth_sendTransaction", "eth_signTransaction", "eth_fillTransaction"):
        error = await rpc.l2.failure(method, {"from": ALICE, "to": BOB, "chainId": "0x1"})
        assert (error.code, error.message) == (-32000, "chainId does not match node's (have=1, want=901)")
        assert (await rpc.l2.failure(method, {"from": ALICE, "to": BOB, "chainId": 901})).code == -32602
    filled = await rpc.l2("eth_fillTransaction", {"from": ALICE, "to": BOB, "chainId": "0x385"})
    assert filled["tx"]["chainId"] == "0x385"


@pytest.mark.parametrize(
    "source",
    [{"to": "0x12"}, {"from": 5}, {"from": ALICE, "gas": "21000"}, {"value": -1}, {"accessList": 5}, {"nonce": "0x01"}],
)
async def test_transaction_objects_of_the_wrong_form(rpc, source):
    for method in ("eth_sendTransaction", "eth_signTransaction", "eth_fillTransaction", "eth_call", "eth_estimateGas"):
        error = await rpc.l2.failure(method, source)
        assert error.code == -32602
        assert error.message.startswith("invalid argument 0: ")


@pytest.mark.parametrize(
    "typed", ["{", "5", "[]", {}, [], {"types": 5}, {"types": {"A": 1}, "primaryType": "A"}, "[" * 100_000]
)
async def test_typed_data_that_is_none(rpc, typed):
    error = await rpc.l2.failure("eth_signTypedData_v4", ALICE, typed)
    assert error.code in (-32000, -32602)
    assert "typed data" in error.message


async def test_signatures_recover_to_the_account(rpc):
    for signature in (
        await rpc.l2("eth_sign", ALICE, "0x68656c6c6f"),
        await rpc.l2("personal_sign", "0x68656c6c6f", ALICE),
    ):
        assert Account.recover_message(encode_defunct(b"hello"), signature=signature).lower() == ALICE
    typed = {
        "types": {"EIP712Domain": [{"name": "name", "type": "string"}], "A": [{"name": "x", "type": "uint256"}]},
        "primaryType": "A",
        "domain": {"name": "d"},
        "message": {"x": 5},
    }
    signature = await rpc.l2("eth_signTypedData_v4", ALICE, typed)
    assert Account.recover_message(encode_typed_data(full_message=typed), signature=signature).lower() == ALICE


# ---------------------------------------------------------------- txpool
async def test_the_pool_by_every_view(fresh):
    assert await fresh.l2("txpool_status") == {"pending": "0x0", "queued": "0x0"}
    ready = await fresh.l2("eth_sendRawTransaction", signed())
    waiting = await fresh.l2("eth_sendRawTransaction", signed(nonce=2))
    zoe = to_checksum_address(ZOE.address)
    assert await fresh.l2("txpool_status") == {"pending": "0x1", "queued": "0x1"}
    content = await fresh.l2("txpool_content")
    assert content["pending"][zoe]["0"]["hash"] == ready
    assert content["queued"][zoe]["2"]["hash"] == waiting
    assert await fresh.l2("txpool_contentFrom", zoe) == {part: content[part][zoe] for part in ("pending", "queued")}
    assert await fresh.l2("txpool_contentFrom", NOBODY) == {"pending": {}, "queued": {}}
    line = (await fresh.l2("txpool_inspect"))["pending"][zoe]["0"]
    assert line == f"{to_checksum_address(BOB)}: 0 wei + 21000 gas × {10 * GWEI} wei"
    assert await fresh.verifier("txpool_status") == {"pending": "0x0", "queued": "0x0"}


async def test_the_batchers_throttle(fresh):
    assert await fresh.l2("miner_setMaxDASize", "0x64", "0x2710") is True
    engine = fresh.node.l2.engine
    assert (engine.max_da_transaction, engine.max_da_block) == (100, 10_000)
    assert await fresh.l2("miner_setMaxDASize", "0x0", "0x0") is True
    assert (engine.max_da_transaction, engine.max_da_block) == (None, None)
    assert (await fresh.l1.failure("miner_setMaxDASize", "0x0", "0x0")).code == -32601


async def test_logs_are_found_by_the_topic_the_call_emits(rpc, story):
    logs = await rpc.l2("eth_getLogs", {"fromBlock": "0x0", "topics": ["0x" + TOPIC_A.hex()]})
    assert len(logs) == 2
