"""Every engine_ method that is served answers by the schema of ethereum/execution-apis, on a chain of each fork."""

import asyncio
from collections import defaultdict

import orjson
import pytest
from jsonschema import Draft202012Validator

from rollup.execution.chain import Chain
from rollup.execution.engine import Engine
from rollup.protocol.accounts import USERS
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.rpc.engine import EngineApi
from rollup.rpc.methods import collect
from rollup.store.kv import MemoryStore
from tests.conformance.test_schemas import METHODS, NOT_SERVED, SCHEMAS, any_of, leaf
from tests.rpc.engine_driver import EngineDriver
from tests.scenarios.actors import ETHER, World

SERVED = sorted(name for name in METHODS if name.startswith("engine_") and name not in NOT_SERVED)
UNKNOWN = "0x" + "11" * 32
# By fork: the versions of getPayload and of newPayload that take its payloads.
VERSIONS = {
    Fork.BEDROCK: ((1, 2), (1, 2)),
    Fork.CANYON: ((2,), (2,)),
    Fork.ECOTONE: ((3,), (3,)),
    Fork.JOVIAN: ((4,), (4,)),
    Fork.KARST: ((4, 5), (4,)),
}
# The prose of the specification (src/engine/paris.md and later) has null in these places, and geth and op-geth answer
# with it; the schemas do not.
NULL_STATUS = {"latestValidHash", "validationError"}  # where a null is answered
EXCEPTIONS = {
    **{f"engine_newPayloadV{version}": NULL_STATUS for version in (1, 2, 3, 4)},
    **{
        f"engine_forkchoiceUpdatedV{version}": {"payloadId", *(f"payloadStatus/{name}" for name in NULL_STATUS)}
        for version in (1, 2, 3)
    },
    "engine_getPayloadBodiesByHashV1": {"2"},  # of the hash that no block has
}


class Asked:
    """The methods of an engine, and every answer that they gave."""

    def __init__(self, engine, answers):
        self.methods, self.answers = collect(EngineApi(engine)), answers

    async def __call__(self, method, *params):
        answer = orjson.loads(orjson.dumps(self.methods[method](list(params))))
        self.answers[method].append(answer)
        return answer


def follower_of(world, answers):
    devnet = world.devnet
    return Asked(Engine(Chain.open(MemoryStore(), devnet.l2.header, devnet.l2.alloc), devnet.l2_config), answers)


async def tell(fork, answers):
    """Builds a block with a deposit and a transaction, and hands it to another engine in every way there is."""
    world = World(forks=ForkSchedule.all_at(fork))
    engine = world.sequencer.engine
    builder = EngineDriver(world, engine, Asked(engine, answers), None)
    world.users[2].deposits(USERS[1].address, mint=ETHER)
    world.l1.mine()
    gets, puts = VERSIONS[fork]
    for number in range(3):
        world.users[0].sends(USERS[1].address, value=number)
        attributes = builder.attributes()
        started = await builder.begin(attributes)
        envelopes = [await builder(f"getPayloadV{version}", started["payloadId"]) for version in gets]
        envelope = envelopes[-1]
        payload, more = envelope["executionPayload"], [[], envelope.get("parentBeaconBlockRoot"), []]
        for version in puts:
            given = [payload, *more[: {1: 0, 2: 0, 3: 2, 4: 3}[version]]]
            follower, lied_to = follower_of(world, answers), follower_of(world, answers)
            if number == 0:
                assert (await follower(f"engine_newPayloadV{version}", *given))["status"] == "VALID"
                lie = [{**payload, "stateRoot": UNKNOWN}, *given[1:]]
                assert (await lied_to(f"engine_newPayloadV{version}", *lie))["status"] == "INVALID"
            else:
                assert (await follower(f"engine_newPayloadV{version}", *given))["status"] == "SYNCING"
            assert (await builder(f"newPayloadV{version}", *given))["status"] == "VALID"
        for version in (1, 2, 3):
            await builder(f"forkchoiceUpdatedV{version}", builder.state(payload["blockHash"]), None)
            await builder(f"forkchoiceUpdatedV{version}", builder.state(UNKNOWN))
    await builder("getPayloadBodiesByHashV1", [payload["blockHash"], payload["parentHash"], UNKNOWN])
    await builder("getPayloadBodiesByRangeV1", "0x1", "0x5")
    await builder("exchangeCapabilities", SERVED)
    await builder("getClientVersionV1", {"code": "ON", "name": "op-node", "version": "1", "commit": "0x00000000"})


@pytest.fixture(scope="module")
def answers():
    found = defaultdict(list)
    for fork in VERSIONS:
        asyncio.run(tell(fork, found))
    return found


@pytest.mark.parametrize("method", SERVED)
def test_an_answer_is_what_the_schema_says(answers, method):
    check = Draft202012Validator({**any_of(METHODS[method]["result"]), "components": {"schemas": SCHEMAS}})
    faults = [leaf(error) for answer in answers[method] for error in check.iter_errors(answer)]
    places = ["/".join(map(str, fault.absolute_path)) for fault in faults]
    assert answers[method]
    assert [place for place, fault in zip(places, faults, strict=True) if fault.instance is not None] == []
    assert set(places) == EXCEPTIONS.get(method, set())
