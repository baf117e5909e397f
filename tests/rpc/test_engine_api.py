"""The Engine API over HTTP, as op-node drives it: execution-apis src/engine, op-geth eth/catalyst/api.go."""

import time
from dataclasses import replace

import aiohttp
import jwt
import pytest
import pytest_asyncio

from rollup.protocol.accounts import USERS
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.rpc.engine_json import payload_from_json
from tests.rpc.caller import Caller
from tests.rpc.engine_driver import SECRET, ZERO, EngineDriver, bearer, token
from tests.scenarios.actors import ETHER, GENESIS_TIME, GWEI, World

UNKNOWN = "0x" + "11" * 32
FORKS = [Fork.BEDROCK, Fork.REGOLITH, Fork.CANYON, Fork.ECOTONE, Fork.HOLOCENE, Fork.ISTHMUS, Fork.JOVIAN]
BOB = USERS[1].address


def world_at(fork, **params):
    return World(forks=ForkSchedule.all_at(fork), **params)


@pytest_asyncio.fixture
async def session():
    async with aiohttp.ClientSession() as opened:
        yield opened


class Pair:
    """A building engine with a pool, and one that is only told."""

    def __init__(self, world, builder, follower):
        self.world, self.builder, self.follower = world, builder, follower


async def pair_of(world, session):
    builder = await EngineDriver.of(world, session, world.sequencer.engine)
    return Pair(world, builder, await EngineDriver.of(world, session))


@pytest_asyncio.fixture
async def jovian(session):
    """The driver of an engine on the newest fork."""
    pair = await pair_of(world_at(Fork.JOVIAN, operator_fee_constant=5), session)
    yield pair
    await pair.builder.server.stop()
    await pair.follower.server.stop()


# ---------------------------------------------------------------- the whole loop
@pytest.mark.parametrize("fork", FORKS, ids=lambda fork: fork.name.lower())
async def test_an_engine_fed_by_another_holds_the_same_blocks(session, fork):
    world = world_at(fork)
    pair = await pair_of(world, session)
    builder, follower = pair.builder, pair.follower
    world.users[2].deposits(BOB, mint=ETHER)
    world.l1.mine()
    assert builder.head() == follower.head()
    for number in range(1, 8):
        world.users[0].sends(BOB, value=number)
        envelope = await builder.build()
        if builder.payload_version(world.l1.head.timestamp) == 2:
            assert set(envelope) == {"executionPayload", "blockValue"}
        else:
            assert set(envelope) >= {"executionPayload", "blockValue", "blobsBundle", "parentBeaconBlockRoot"}
        block_hash = envelope["executionPayload"]["blockHash"]
        answer = await builder.adopt(envelope)
        valid = {"status": "VALID", "latestValidHash": block_hash, "validationError": None}
        assert answer == {"payloadStatus": valid, "payloadId": None}
        assert await follower.adopt(envelope, safe=block_hash, finalized=block_hash) == answer
        assert builder.head() == follower.head() == block_hash
        tips = int(envelope["blockValue"], 16)
        assert tips == 21_000 * GWEI
    chain, other = builder.engine.chain, follower.engine.chain
    assert other.head.number == 7
    assert other.safe.hash == other.finalized.hash == chain.head.hash
    account = other.state_at(other.head.hash).account(BOB)
    assert account.balance == world.params.user_balance + sum(range(1, 8)) + ETHER
    assert account == chain.state_at(chain.head.hash).account(BOB)
    for driver in (builder, follower):
        await driver.server.stop()


async def test_the_fields_of_a_payload_by_fork(session):
    # spec: engine-api.bedrock-fields, engine-api.canyon-fields, engine-api.ecotone-fields
    # spec: engine-api.envelope-beacon-root
    base = {
        *("parentHash", "feeRecipient", "stateRoot", "receiptsRoot", "logsBloom", "prevRandao", "blockNumber"),
        *("gasLimit", "gasUsed", "timestamp", "extraData", "baseFeePerGas", "blockHash", "transactions"),
    }
    blobs = {"blobGasUsed", "excessBlobGas"}
    expected = {
        Fork.BEDROCK: (base, 0),
        Fork.CANYON: (base | {"withdrawals"}, 0),
        Fork.ECOTONE: (base | {"withdrawals"} | blobs, 0),
        Fork.HOLOCENE: (base | {"withdrawals"} | blobs, 9),
        Fork.ISTHMUS: (base | {"withdrawals", "withdrawalsRoot"} | blobs, 9),
        Fork.JOVIAN: (base | {"withdrawals", "withdrawalsRoot"} | blobs, 17),
    }
    for fork, (names, extra_bytes) in expected.items():
        builder = await EngineDriver.of(world_at(fork), session)
        payload = (await builder.build())["executionPayload"]
        assert set(payload) == names, fork
        assert len(payload["extraData"]) == 2 + 2 * extra_bytes, fork
        await builder.server.stop()


async def test_a_payload_lost_to_a_restart_is_executed_not_trusted(jovian):
    """The builder knows its own payload; the follower executes it, and finds every lie."""
    jovian.world.users[0].sends(BOB, value=1)
    envelope = await jovian.builder.build()
    payload = envelope["executionPayload"]
    for name, value in (("stateRoot", UNKNOWN), ("gasUsed", "0x1"), ("receiptsRoot", UNKNOWN), ("gasLimit", "0x1")):
        lie = {**envelope, "executionPayload": resealed(envelope, **{name: value})}
        status = await jovian.follower.insert(lie)
        assert status["status"] == "INVALID", name
        assert status["latestValidHash"] == payload["parentHash"]
        assert status["validationError"]
    assert (await jovian.follower.insert(envelope))["status"] == "VALID"


def resealed(envelope, **changes):
    """A payload changed and given the hash that goes with the change."""
    payload = {**envelope["executionPayload"], **changes}
    root = bytes.fromhex(envelope["parentBeaconBlockRoot"][2:])
    return {**payload, "blockHash": "0x" + payload_from_json(payload, root, []).header.hash.hex()}


# ---------------------------------------------------------------- newPayload
async def test_a_hash_that_is_not_the_payloads(jovian):
    # spec: gossip.block-hash
    envelope = await jovian.builder.build()
    envelope["executionPayload"]["blockHash"] = UNKNOWN
    status = await jovian.follower.insert(envelope)
    assert (status["status"], status["latestValidHash"]) == ("INVALID", None)
    assert status["validationError"].startswith(f"blockhash mismatch, want {'11' * 32}, got ")


async def test_an_unknown_parent_is_syncing_and_later_valid(jovian):
    first = await jovian.builder.build()
    await jovian.builder.adopt(first)
    second = await jovian.builder.build()
    await jovian.builder.adopt(second)
    syncing = {"status": "SYNCING", "latestValidHash": None, "validationError": None}
    assert await jovian.follower.insert(second) == syncing
    state = jovian.follower.state(second["executionPayload"]["blockHash"])
    answer = await jovian.follower("forkchoiceUpdatedV3", state, None)
    assert answer == {"payloadStatus": syncing, "payloadId": None}
    await jovian.follower.adopt(first)
    await jovian.follower.adopt(second)
    assert jovian.follower.head() == jovian.builder.head()


async def test_descendants_of_an_invalid_block_are_invalid(jovian):
    envelope = await jovian.builder.build()
    genesis = envelope["executionPayload"]["parentHash"]
    bad = resealed(envelope, stateRoot=UNKNOWN)
    assert (await jovian.follower.insert({**envelope, "executionPayload": bad}))["status"] == "INVALID"
    changes = {"parentHash": bad["blockHash"], "blockNumber": "0x2"}
    child = resealed(envelope, **changes)
    status = await jovian.follower.insert({**envelope, "executionPayload": child})
    assert (status["status"], status["latestValidHash"]) == ("INVALID", genesis)
    for block_hash in (bad["blockHash"], child["blockHash"]):
        answer = await jovian.follower("forkchoiceUpdatedV3", jovian.follower.state(block_hash), None)
        assert answer["payloadStatus"]["status"] == "INVALID"
        assert answer["payloadStatus"]["latestValidHash"] == genesis


async def test_a_payload_that_is_known_is_valid_again(jovian):
    envelope = await jovian.builder.build()
    for _ in range(3):
        assert (await jovian.follower.insert(envelope))["status"] == "VALID"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"transactions": ["0x"]}, "invalid transaction"),
        ({"transactions": ["0x7e00"]}, "invalid transaction"),
        ({"transactions": ["0xff"]}, "invalid transaction"),
        ({"transactions": ["0x03c0"]}, "invalid transaction"),
    ],
)
async def test_bytes_that_are_not_a_transaction_make_a_payload_invalid(jovian, changes, why):
    envelope = await jovian.builder.build()
    envelope["executionPayload"] |= changes
    status = await jovian.follower.insert(envelope)
    assert (status["status"], status["latestValidHash"]) == ("INVALID", None)
    assert why in status["validationError"]


async def test_versioned_hashes_without_blobs(jovian):
    # spec: engine-api.no-blob-hashes
    envelope = await jovian.builder.build()
    method, payload, _, root, requests = jovian.follower.arguments(envelope)
    status = await jovian.follower(method, payload, [UNKNOWN], root, requests)
    assert status["status"] == "INVALID"
    assert "versionedHashes" in status["validationError"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"withdrawals": None}, "nil withdrawals post-shanghai"),
        ({"excessBlobGas": None}, "nil excessBlobGas post-cancun"),
        ({"blobGasUsed": None}, "nil blobGasUsed post-cancun"),
        ({"withdrawalsRoot": None}, "nil withdrawalsRoot post-isthmus"),
    ],
)
async def test_v4_needs_what_its_fork_has(jovian, changes, why):
    envelope = await jovian.builder.build()
    envelope["executionPayload"] |= changes
    error = await jovian.follower.failure(*jovian.follower.arguments(envelope))
    assert (error.code, error.message, error.data) == (-32602, "Invalid parameters", {"err": why})


@pytest.mark.parametrize(
    ("index", "value", "why"),
    [
        (1, None, "nil versionedHashes post-cancun"),
        (2, None, "nil beaconRoot post-cancun"),
        (3, None, "nil executionRequests post-prague"),
        (3, ["0x"], "empty request: 0x"),
        (3, ["0x01"], "empty request: 0x01"),
        (3, ["0x0101", "0x0001"], "invalid request order: 0x0001"),
    ],
)
async def test_v4_needs_its_other_arguments(jovian, index, value, why):
    # spec: engine-api.payload-beacon-root
    method, *arguments = jovian.follower.arguments(await jovian.builder.build())
    arguments[index] = value
    error = await jovian.follower.failure(method, *arguments)
    assert (error.code, error.message, error.data) == (-32602, "Invalid parameters", {"err": why})


async def test_requests_that_the_chain_cannot_have_change_the_hash(jovian):
    # spec: isthmus.no-requests, engine-api.v4-requests, engine-api.new-payload-v4
    method, payload, hashes, root, _ = jovian.follower.arguments(await jovian.builder.build())
    status = await jovian.follower(method, payload, hashes, root, ["0x0001"])
    assert status["status"] == "INVALID"
    assert "blockhash mismatch" in status["validationError"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("blockNumber", None),
        ("blockNumber", 1),
        ("blockNumber", "1"),
        ("gasUsed", "0x10000000000000000"),
        ("timestamp", "0x0x"),
        ("stateRoot", "0x00"),
        ("logsBloom", "0x00"),
        ("transactions", None),
        ("transactions", "0x"),
        ("transactions", [1]),
        ("transactions", ["0x0"]),
        ("extraData", "0x\n00"),
        ("withdrawals", [{}]),
        ("blockHash", None),
    ],
)
async def test_a_payload_with_a_field_of_the_wrong_form(jovian, name, value):
    envelope = await jovian.builder.build()
    envelope["executionPayload"][name] = value
    error = await jovian.follower.failure(*jovian.follower.arguments_v4(envelope))
    assert error.code == -32602
    assert error.message.startswith("invalid argument 0: ")
    assert name in error.message


@pytest.mark.parametrize(
    ("fork", "version", "code"),
    [
        (Fork.JOVIAN, 3, -38005),
        (Fork.JOVIAN, 2, -32602),
        (Fork.ISTHMUS, 3, -38005),
        (Fork.HOLOCENE, 4, -38005),
        (Fork.HOLOCENE, 2, -32602),
        (Fork.ECOTONE, 4, -38005),
        (Fork.CANYON, 3, -32602),
        (Fork.BEDROCK, 3, -32602),
    ],
    ids=str,
)
async def test_a_payload_in_another_forks_version(session, fork, version, code):
    # spec: engine-api.new-payload-v3, engine-api.new-payload-v4, engine-api.v2-before-ecotone
    builder = await EngineDriver.of(world_at(fork), session)
    envelope = await builder.build()
    payload = envelope["executionPayload"]
    more = {2: [], 3: [[], ZERO], 4: [[], ZERO, []]}[version]
    error = await builder.failure(f"newPayloadV{version}", payload, *more)
    assert error.code == code
    assert error.message == ("Unsupported fork" if code == -38005 else "Invalid parameters")
    await builder.server.stop()


async def test_v1_serves_bedrock_and_no_withdrawals(session):
    # spec: engine-api.bedrock-fields
    bedrock = await pair_of(world_at(Fork.BEDROCK), session)
    attributes = bedrock.builder.attributes()
    started = await bedrock.builder("forkchoiceUpdatedV1", bedrock.builder.state(), attributes)
    payload = await bedrock.builder("getPayloadV1", started["payloadId"])
    assert "withdrawals" not in payload
    assert (await bedrock.follower("newPayloadV1", payload))["status"] == "VALID"
    assert (await bedrock.follower("forkchoiceUpdatedV1", bedrock.follower.state(payload["blockHash"])))[
        "payloadStatus"
    ]["status"] == "VALID"
    error = await bedrock.follower.failure("newPayloadV1", {**payload, "withdrawals": []})
    assert (error.code, error.data) == (-32602, {"err": "withdrawals not supported in V1"})
    error = await bedrock.follower.failure("newPayloadV2", {**payload, "withdrawals": []})
    assert (error.code, error.data) == (-32602, {"err": "non-nil withdrawals pre-shanghai"})
    for driver in (bedrock.builder, bedrock.follower):
        await driver.server.stop()


# ---------------------------------------------------------------- forkchoiceUpdated
async def test_zero_head_and_unknown_head(jovian):
    answer = await jovian.builder("forkchoiceUpdatedV3", jovian.builder.state(ZERO), None)
    assert answer["payloadStatus"] == {"status": "INVALID", "latestValidHash": None, "validationError": None}
    answer = await jovian.builder("forkchoiceUpdatedV3", jovian.builder.state(UNKNOWN), jovian.builder.attributes())
    assert (answer["payloadStatus"]["status"], answer["payloadId"]) == ("SYNCING", None)


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_without_attributes_every_version_serves_every_fork(session, version):
    for fork in (Fork.BEDROCK, Fork.CANYON, Fork.JOVIAN):
        driver = await EngineDriver.of(world_at(fork), session)
        for more in ([], [None]):
            answer = await driver(f"forkchoiceUpdatedV{version}", driver.state(), *more)
            assert answer["payloadStatus"]["status"] == "VALID"
        await driver.server.stop()


async def test_labels_outside_the_chain_are_an_invalid_forkchoice_state(jovian):
    builder = jovian.builder
    first = await builder.build()
    sibling = await builder.build(prevRandao=UNKNOWN)
    await builder.adopt(first)
    assert (await builder.insert(sibling))["status"] == "VALID"
    elsewhere = sibling["executionPayload"]["blockHash"]
    for labels in ({"safe": UNKNOWN}, {"finalized": UNKNOWN}, {"safe": elsewhere}, {"finalized": elsewhere}):
        error = await builder.failure("forkchoiceUpdatedV3", builder.state(**labels), None)
        assert (error.code, error.message) == (-38002, "Invalid forkchoice state")
        assert "is not" in error.data["err"]
    assert builder.engine.chain.safe.number == 0


async def test_a_refused_forkchoice_leaves_the_head_where_it_was(jovian):
    """Engine API, Paris, engine_forkchoiceUpdatedV1: updates are atomic."""
    builder = jovian.builder
    first, sibling = await builder.build(), await builder.build(prevRandao=UNKNOWN)
    await builder.adopt(first)
    await builder.insert(sibling)
    head, other = builder.head(), sibling["executionPayload"]["blockHash"]
    for labels in ({"safe": UNKNOWN}, {"finalized": UNKNOWN}, {"safe": head}, {"finalized": head}):
        error = await builder.failure("forkchoiceUpdatedV3", builder.state(other, **labels), None)
        assert error.code == -38002
        assert builder.head() == head


async def test_the_head_may_move_to_a_sibling_and_back(jovian):
    builder = jovian.builder
    first, sibling = await builder.build(), await builder.build(prevRandao=UNKNOWN)
    for envelope in (first, sibling, first):
        await builder.adopt(envelope)
        assert builder.head() == envelope["executionPayload"]["blockHash"]
    back = builder.state("0x" + builder.engine.chain.genesis.hash.hex())
    assert (await builder("forkchoiceUpdatedV3", back, None))["payloadStatus"]["status"] == "VALID"
    assert builder.engine.chain.head.number == 0


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ({}, "headBlockHash: a hex string is expected"),
        ({"headBlockHash": "0x00"}, "headBlockHash: hex string has length 2, want 64"),
        ({"headBlockHash": ZERO, "safeBlockHash": 5}, "safeBlockHash: a hex string is expected"),
    ],
)
async def test_a_state_of_the_wrong_form(jovian, state, why):
    error = await jovian.builder.failure("forkchoiceUpdatedV3", state, None)
    assert (error.code, error.message) == (-32602, f"invalid argument 0: {why}")


async def test_arguments_left_out(jovian):
    for method in ("forkchoiceUpdatedV3", "newPayloadV4", "getPayloadV4", "exchangeCapabilities"):
        for arguments in ([], [None]):
            error = await jovian.builder.failure(method, *arguments)
            assert (error.code, error.message) == (-32602, "missing value for required argument 0")
    error = await jovian.builder.failure("getPayloadV4", "0x" + "00" * 8, 1)
    assert error.message == "too many arguments, want at most 1"


@pytest.mark.parametrize(
    ("fork", "version", "changes", "code", "why"),
    [
        (Fork.BEDROCK, 1, {"withdrawals": []}, -32602, "withdrawals and beacon root not supported in V1"),
        (Fork.CANYON, 1, {"withdrawals": None}, -32602, "forkChoiceUpdateV1 called post-shanghai"),
        (Fork.BEDROCK, 2, {"withdrawals": []}, -38003, "withdrawals before shanghai"),
        (Fork.CANYON, 2, {"withdrawals": None}, -38003, "missing withdrawals"),
        (Fork.CANYON, 2, {"parentBeaconBlockRoot": ZERO}, -38003, "unexpected beacon root"),
        (Fork.ECOTONE, 2, {"parentBeaconBlockRoot": None}, -38005, "V2 must only be called with paris and shanghai"),
        (Fork.JOVIAN, 3, {"withdrawals": None}, -38003, "missing withdrawals"),
        (Fork.JOVIAN, 3, {"parentBeaconBlockRoot": None}, -38003, "missing beacon root"),
        (Fork.CANYON, 3, {"parentBeaconBlockRoot": ZERO}, -38005, "V3 must only be called for cancun"),
    ],
)
async def test_attributes_in_another_forks_version(session, fork, version, changes, code, why):
    # spec: engine-api.forkchoice-v3, engine-api.v2-before-ecotone
    driver = await EngineDriver.of(world_at(fork), session)
    error = await driver.failure(f"forkchoiceUpdatedV{version}", driver.state(), driver.attributes(**changes))
    names = {-32602: "Invalid parameters", -38003: "Invalid payload attributes", -38005: "Unsupported fork"}
    assert (error.code, error.message) == (code, names[code])
    assert why in error.data["err"]
    await driver.server.stop()


# ---------------------------------------------------------------- OP attributes
@pytest.mark.parametrize(
    ("fork", "changes", "why"),
    [
        (Fork.JOVIAN, {"gasLimit": None}, "gasLimit"),
        (Fork.JOVIAN, {"eip1559Params": None}, "eip1559Params"),
        (Fork.JOVIAN, {"eip1559Params": "0x0000000000000001"}, "eip1559Params"),
        (Fork.JOVIAN, {"minBaseFee": None}, "minBaseFee"),
        (Fork.ISTHMUS, {"minBaseFee": 1}, "minBaseFee"),
        (Fork.ECOTONE, {"eip1559Params": "0x" + "00" * 8}, "eip1559Params"),
        (Fork.JOVIAN, {"timestamp": hex(GENESIS_TIME)}, "timestamp"),
        (Fork.JOVIAN, {"transactions": ["0x7e"]}, "transaction 0"),
        (Fork.JOVIAN, {"transactions": ["0x"]}, "transaction 0"),
    ],
)
async def test_attributes_that_no_block_can_have(session, fork, changes, why):
    # spec: jovian.attributes-min-base-fee, holocene.attributes-before, engine-api.forced-transactions
    # spec: engine-api.gas-limit, engine-api.attributes-eip1559, engine-api.attributes-min-base-fee
    driver = await EngineDriver.of(world_at(fork), session)
    error = await driver.failure("forkchoiceUpdatedV3", driver.state(), driver.attributes(**changes))
    assert (error.code, error.message) == (-38003, "Invalid payload attributes")
    assert why in error.data["err"]
    await driver.server.stop()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"timestamp": None}, "missing required field 'timestamp'"),
        ({"eip1559Params": "0x00"}, "eip1559Params: hex string has length 2, want 16"),
        ({"eip1559Params": 0}, "eip1559Params: a hex string is expected"),
        ({"minBaseFee": -1}, "minBaseFee: number out of range"),
        ({"minBaseFee": 2**64}, "minBaseFee: "),
        ({"minBaseFee": True}, "minBaseFee: "),
        ({"noTxPool": "yes"}, "noTxPool: a boolean is expected"),
        ({"gasLimit": 30_000_000}, "gasLimit: a hex quantity is expected"),
        ({"transactions": "0x"}, "transactions: a list is expected"),
        ({"withdrawals": [{"index": "0x0"}]}, "withdrawals: an empty list is expected"),
    ],
)
async def test_attributes_of_the_wrong_form(jovian, changes, why):
    # spec: holocene.attributes-encoding
    attributes = {**jovian.builder.attributes(), **changes}
    error = await jovian.builder.failure("forkchoiceUpdatedV3", jovian.builder.state(), attributes)
    assert error.code == -32602
    assert error.message.startswith(f"invalid argument 1: {why}")


async def test_no_tx_pool_leaves_the_pool_alone(jovian):
    # spec: driver.no-pool, engine-api.no-tx-pool
    jovian.world.users[0].sends(BOB, value=1)
    alone = (await jovian.builder.build(noTxPool=True))["executionPayload"]
    filled = (await jovian.builder.build())["executionPayload"]
    assert (len(alone["transactions"]), len(filled["transactions"])) == (1, 2)


async def test_transactions_are_forced_in_their_order(jovian):
    # spec: engine-api.forced-transactions
    user = jovian.world.users[3]
    forced = ["0x" + user.signed_for_l2(BOB, value=nonce, nonce=nonce).encode().hex() for nonce in range(3)]
    first = jovian.builder.attributes()["transactions"]
    payload = (await jovian.builder.build(transactions=first + forced, noTxPool=True))["executionPayload"]
    assert payload["transactions"] == first + forced
    error = await jovian.builder.failure(
        "forkchoiceUpdatedV3", jovian.builder.state(), jovian.builder.attributes(transactions=first + forced[::-1])
    )
    assert error.code == -38003
    assert "transaction 1: nonce too high" in error.data["err"]


async def test_the_gas_limit_is_the_attributes(jovian):
    # spec: engine-api.gas-limit
    payload = (await jovian.builder.build(gasLimit=hex(12_345_678)))["executionPayload"]
    assert payload["gasLimit"] == hex(12_345_678)


async def test_base_fee_parameters_go_into_the_extra_data(jovian):
    # spec: holocene.payload-extra-data
    payload = (await jovian.builder.build(eip1559Params="0x000000640000000a", minBaseFee=12_345))["executionPayload"]
    assert payload["extraData"] == "0x01" + "00000064" + "0000000a" + format(12_345, "016x")
    zero = (await jovian.builder.build(eip1559Params="0x" + "00" * 8, minBaseFee=0))["executionPayload"]
    params = jovian.world.params
    constants = format(params.eip1559_denominator_canyon, "08x") + format(params.eip1559_elasticity, "08x")
    assert zero["extraData"] == "0x01" + constants + "00" * 8


async def test_the_minimum_base_fee_holds_in_the_next_block(jovian):
    # spec: jovian.min-base-fee
    first = await jovian.builder.build(minBaseFee=5 * GWEI)
    await jovian.builder.adopt(first)
    second = (await jovian.builder.build())["executionPayload"]
    assert int(second["baseFeePerGas"], 16) == 5 * GWEI


# ---------------------------------------------------------------- getPayload
async def test_an_unknown_payload(jovian):
    for version in (1, 2, 3, 4):
        error = await jovian.builder.failure(f"getPayloadV{version}", "0x" + "00" * 8)
        assert (error.code, error.message) == (-38001, "Unknown payload")
    error = await jovian.builder.failure("getPayloadV4", "0x00")
    assert (error.code, error.message) == (-32602, "invalid argument 0: hex string has length 2, want 16")


async def test_a_payload_in_another_forks_envelope(session):
    # spec: engine-api.get-payload-v3, engine-api.get-payload-v4
    for fork, served in ((Fork.BEDROCK, {1, 2}), (Fork.CANYON, {2}), (Fork.ECOTONE, {3}), (Fork.JOVIAN, {4})):
        driver = await EngineDriver.of(world_at(fork), session)
        ident = (await driver.begin(driver.attributes()))["payloadId"]
        for version in (1, 2, 3, 4):
            if version in served:
                await driver(f"getPayloadV{version}", ident)
            else:
                error = await driver.failure(f"getPayloadV{version}", ident)
                assert (error.code, error.message) == (-38005, "Unsupported fork")
        await driver.server.stop()


async def test_an_id_names_parent_and_attributes(jovian):
    builder = jovian.builder
    begin = [await builder.begin(builder.attributes(**changes)) for changes in ({}, {}, {"gasLimit": "0x1000000"})]
    first, same, other = (answer["payloadId"] for answer in begin)
    assert first == same != other
    assert len(first) == 18


# ---------------------------------------------------------------- bodies, capabilities, version
async def test_bodies_by_hash_and_range(jovian):
    builder = jovian.builder
    payloads = []
    for number in range(1, 4):
        jovian.world.users[0].sends(BOB, value=number)
        envelope = await builder.build()
        await builder.adopt(envelope)
        payloads.append(envelope["executionPayload"])
    bodies = [{"transactions": item["transactions"], "withdrawals": []} for item in payloads]
    hashes = [item["blockHash"] for item in payloads]
    assert await builder("getPayloadBodiesByHashV1", [hashes[2], UNKNOWN, hashes[0]]) == [bodies[2], None, bodies[0]]
    assert await builder("getPayloadBodiesByHashV1", []) == []
    assert await builder("getPayloadBodiesByRangeV1", "0x1", "0x3") == bodies
    assert await builder("getPayloadBodiesByRangeV1", "0x2", "0x10") == bodies[1:]
    assert await builder("getPayloadBodiesByRangeV1", "0x9", "0x1") == []


async def test_bodies_asked_wrongly(jovian):
    for start, count in (("0x0", "0x1"), ("0x1", "0x0")):
        error = await jovian.builder.failure("getPayloadBodiesByRangeV1", start, count)
        assert (error.code, error.message) == (-32602, "Invalid parameters")
        assert error.data["err"].startswith("invalid start or count")
    for arguments in (("getPayloadBodiesByRangeV1", "0x1", "0x401"), ("getPayloadBodiesByHashV1", [ZERO] * 1025)):
        error = await jovian.builder.failure(*arguments)
        assert (error.code, error.message) == (-38004, "Too large request")
        assert error.data == {"err": "requested count too large: 1025"}
    for given in ("0x", [1], ["0x00"], {}):
        assert (await jovian.builder.failure("getPayloadBodiesByHashV1", given)).code == -32602


async def test_bodies_before_canyon_have_no_withdrawals(session):
    driver = await EngineDriver.of(world_at(Fork.BEDROCK), session)
    await driver.adopt(await driver.build())
    assert (await driver("getPayloadBodiesByRangeV1", "0x1", "0x1"))[0]["withdrawals"] is None
    await driver.server.stop()


async def test_capabilities(jovian):
    names = await jovian.builder("exchangeCapabilities", ["engine_newPayloadV4"])
    versions = {"forkchoiceUpdated": 3, "newPayload": 4, "getPayload": 5}
    expected = {f"engine_{name}V{n}" for name, last in versions.items() for n in range(1, last + 1)}
    expected |= {"engine_getPayloadBodiesByHashV1", "engine_getPayloadBodiesByRangeV1", "engine_getClientVersionV1"}
    assert set(names) == expected
    assert len(names) == len(expected)
    assert (await jovian.builder.failure("exchangeCapabilities", [1])).code == -32602


async def test_the_client_version(jovian):
    caller = {"code": "GE", "name": "go-ethereum", "version": "1", "commit": "0x00000000"}
    (version,) = await jovian.builder("getClientVersionV1", caller)
    assert set(version) == {"code", "name", "version", "commit"}
    assert (len(version["code"]), version["name"], len(version["commit"])) == (2, "openrollup", 10)


async def test_the_eth_methods_that_a_rollup_node_asks_here(jovian):
    caller = jovian.builder.caller
    assert await caller("eth_chainId") == "0x385"
    genesis = await caller("eth_getBlockByNumber", "0x0", True)
    assert genesis["hash"] == jovian.builder.head()
    for tag in ("finalized", "safe", "latest"):
        assert (await caller("eth_getBlockByNumber", tag, True))["hash"] == genesis["hash"]
    proof = await caller("eth_getProof", "0x4200000000000000000000000000000000000016", [], genesis["hash"])
    assert proof["storageHash"] == genesis["withdrawalsRoot"]
    assert (await caller.failure("admin_stopSequencer")).code == -32601


# ---------------------------------------------------------------- who may
async def test_a_request_without_a_good_token_is_unauthorized(jovian):
    # spec: deposit.authenticated
    now = int(time.time())
    good = token()
    head, body, signature = good.split(".")
    other = ("B" if signature[0] == "A" else "A") + signature[1:]  # base64 as before
    refused = {
        "missing token": ({}, {"Authorization": "Bearer "}, {"Authorization": good}, {"Authorization": "Basic x"}),
        "stale token": (bearer(token(iat=now - 120)), bearer(token(iat=0))),
        "future token": (bearer(token(iat=now + 120)), bearer(token(iat=2**70))),
        "missing issued-at": (bearer(token(iat=None)), bearer(token(iat="now")), bearer(token(iat=float("nan")))),
        "signature is invalid": (bearer(token(b"\1" * 32)), bearer(f"{head}.{body}.{other}")),
        "signing method is invalid: HS256 is expected": (
            bearer(jwt.encode({"iat": now}, "", algorithm="none")),
            bearer(jwt.encode({"iat": now}, SECRET * 2, algorithm="HS512")),
        ),
        "token is malformed": (bearer("x"), bearer("a.b.c"), bearer(good + ".x"), bearer("é")),
        "token is expired": (bearer(token(exp=now - 1)),),
    }
    for why, cases in refused.items():
        for headers in cases:
            caller = Caller(jovian.builder.caller.session, jovian.builder.caller.url, headers)
            status, text = await caller.raw(b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}')
            assert status == 401, headers
            assert text.startswith(why), headers
            with pytest.raises(aiohttp.WSServerHandshakeError) as handshake:
                await caller.session.ws_connect(caller.url, headers=headers)
            assert handshake.value.status == 401


async def test_a_token_of_nearly_a_minute_is_good(jovian):
    now = int(time.time())
    for claims in ({"iat": now - 50}, {"iat": now + 50}, {"iat": now + 0.5}, {"nbf": now + 99, "aud": "x", "sub": "y"}):
        caller = Caller(jovian.builder.caller.session, jovian.builder.caller.url, bearer(token(**claims)))
        assert await caller("eth_chainId") == "0x385"
        async with caller.websocket() as socket:
            assert await socket("eth_chainId") == "0x385"


async def test_forks_in_the_middle_of_the_chain_change_versions_on_the_way(session):
    """Canyon, Ecotone, Isthmus and Jovian between blocks: both engines and the versions agree on each."""
    times = {"regolith": 0, "canyon": 4, "delta": 4, "ecotone": 8, "fjord": 8, "granite": 8, "holocene": 12}
    times |= {"isthmus": 16, "jovian": 20}
    schedule = replace(ForkSchedule.all_at(Fork.BEDROCK), **{name: GENESIS_TIME + at for name, at in times.items()})
    world = World(forks=schedule)
    world.l1.mine(2)
    pair = await pair_of(world, session)
    seen = []
    for _ in range(12):
        envelope = await pair.builder.build()
        await pair.builder.adopt(envelope)
        await pair.follower.adopt(envelope)
        seen.append(pair.builder.payload_version(int(envelope["executionPayload"]["timestamp"], 16)))
    assert pair.builder.head() == pair.follower.head()
    assert seen == [2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4]
    for driver in (pair.builder, pair.follower):
        await driver.server.stop()


async def test_an_issue_time_of_any_size_is_refused_with_a_reason(jovian):
    for issued, why in ((10**400, "future token"), (2**70, "future token"), (-(10**400), "stale token")):
        caller = Caller(jovian.builder.caller.session, jovian.builder.caller.url, bearer(token(iat=issued)))
        assert await caller.raw("{}") == (401, why)
