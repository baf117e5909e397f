"""The Engine API over HTTP, as op-node drives it: payloads, bodies, and callers without a token.

Follows execution-apis src/engine and op-geth eth/catalyst/api.go.
"""

import time
from dataclasses import replace

import aiohttp
import jwt
import pytest

from rollup.protocol.accounts import USERS
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.rpc.engine_json import payload_from_json
from tests.rpc.caller import Caller
from tests.rpc.engine_driver import SECRET, ZERO, EngineDriver, bearer, token
from tests.rpc.engine_pair import FORKS, UNKNOWN, pair_of, world_at
from tests.scenarios.actors import ETHER, GENESIS_TIME, GWEI, World

BOB = USERS[1].address


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
