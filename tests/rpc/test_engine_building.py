"""Heads and payloads that are built over HTTP: engine_forkchoiceUpdated, OP attributes, engine_getPayload."""

import pytest

from rollup.protocol.accounts import USERS
from rollup.protocol.forks import Fork
from tests.rpc.engine_driver import ZERO, EngineDriver
from tests.rpc.engine_pair import UNKNOWN, world_at
from tests.scenarios.actors import GENESIS_TIME, GWEI

BOB = USERS[1].address


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
