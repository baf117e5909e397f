"""The rollup node's side of the Engine API, over HTTP: attributes as op-node writes them, versions as it picks them."""

import time

import jwt

from rollup.cooperative import Turns
from rollup.execution.chain import Chain
from rollup.execution.engine import Engine
from rollup.protocol.forks import Fork
from rollup.protocol.l2_blocks import l2_block_ref
from rollup.serve import engine_server, l2_backend
from rollup.store.kv import MemoryStore
from tests.rpc.caller import Caller

ZERO = "0x" + "00" * 32
SECRET = bytes(range(32))


def token(secret=SECRET, **claims):
    """A token of now, or with other claims; iat=None leaves it out."""
    claims = {"iat": int(time.time()), **claims}
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, secret, algorithm="HS256")


def bearer(given):
    return {"Authorization": f"Bearer {given}"}


def attributes_json(attributes):
    """Payload attributes in op-node's JSON: minBaseFee is a plain number, what a fork lacks is left out."""
    result = {
        "timestamp": hex(attributes.timestamp),
        "prevRandao": "0x" + attributes.prev_randao.hex(),
        "suggestedFeeRecipient": "0x" + attributes.fee_recipient.hex(),
        "transactions": ["0x" + raw.hex() for raw in attributes.transactions],
        "gasLimit": hex(attributes.gas_limit),
    }
    if attributes.no_tx_pool:
        result["noTxPool"] = True
    if attributes.has_withdrawals:
        result["withdrawals"] = []
    if attributes.parent_beacon_block_root is not None:
        result["parentBeaconBlockRoot"] = "0x" + attributes.parent_beacon_block_root.hex()
    if attributes.eip1559_params is not None:
        result["eip1559Params"] = "0x" + attributes.eip1559_params.hex()
    if attributes.min_base_fee is not None:
        result["minBaseFee"] = attributes.min_base_fee
    return result


class EngineDriver:
    """One engine behind an authenticated port."""

    def __init__(self, world, engine, caller, server):
        self.world, self.engine, self.caller, self.server = world, engine, caller, server

    @classmethod
    async def of(cls, world, session, engine=None):
        """Serves an engine: the sequencer's, or one of its own from the same genesis."""
        devnet = world.devnet
        if engine is None:
            engine = Engine(Chain.open(MemoryStore(), devnet.l2.header, devnet.l2.alloc), devnet.l2_config)
        server = engine_server(Turns(), engine, l2_backend(engine, engine.pool, {}, {}), SECRET)
        port = await server.start("127.0.0.1", 0)
        return cls(world, engine, Caller(session, f"http://127.0.0.1:{port}", bearer(token())), server)

    async def __call__(self, method, *params):
        return await self.caller("engine_" + method, *params)

    async def failure(self, method, *params):
        return await self.caller.failure("engine_" + method, *params)

    def head(self):
        return "0x" + self.engine.chain.head.hash.hex()

    def fork(self, timestamp):
        return self.world.config.fork_at(timestamp)

    def state(self, head=None, safe=ZERO, finalized=ZERO):
        return {"headBlockHash": head or self.head(), "safeBlockHash": safe, "finalizedBlockHash": finalized}

    def attributes(self, **changes):
        """Attributes of the block after the head, in the L1 epoch of its time."""
        chain = self.engine.chain
        sequencing = self.world.sequencer.building
        parent = l2_block_ref(self.world.config, chain.head)
        origin = sequencing.origins.next_origin(parent)
        attributes = sequencing._attributes(chain.head, parent, origin)
        result = attributes_json(attributes) | changes
        return {name: value for name, value in result.items() if value is not None}

    # What op-node does (official.md 1.2).
    def forkchoice_version(self, attributes):
        fork = self.fork(int(attributes["timestamp"], 16))
        return 1 if fork < Fork.CANYON else 2 if fork < Fork.ECOTONE else 3

    def payload_version(self, timestamp):
        fork = self.fork(timestamp)
        return 2 if fork < Fork.ECOTONE else 3 if fork < Fork.ISTHMUS else 4

    async def begin(self, attributes):
        """forkchoiceUpdated on the head with attributes."""
        return await self(f"forkchoiceUpdatedV{self.forkchoice_version(attributes)}", self.state(), attributes)

    async def build(self, **changes):
        """The envelope of a new block on the head."""
        attributes = self.attributes(**changes)
        started = await self.begin(attributes)
        assert started["payloadStatus"]["status"] == "VALID"
        return await self(f"getPayloadV{self.payload_version(int(attributes['timestamp'], 16))}", started["payloadId"])

    def arguments(self, envelope):
        """The method and the parameters of newPayload for this payload."""
        payload = envelope["executionPayload"]
        version = self.payload_version(int(payload["timestamp"], 16))
        more = [[], envelope.get("parentBeaconBlockRoot"), []][: {2: 0, 3: 2, 4: 3}[version]]
        return f"newPayloadV{version}", payload, *more

    @staticmethod
    def arguments_v4(envelope):
        """A method's version for a payload whose own time is not to be read."""
        return "newPayloadV4", envelope["executionPayload"], [], envelope["parentBeaconBlockRoot"], []

    async def insert(self, envelope):
        """newPayload's status."""
        return await self(*self.arguments(envelope))

    async def adopt(self, envelope, **labels):
        """newPayload and forkchoiceUpdatedV3 without attributes, as op-node does at every fork."""
        payload = envelope["executionPayload"]
        assert await self.insert(envelope) == {
            "status": "VALID",
            "latestValidHash": payload["blockHash"],
            "validationError": None,
        }
        return await self("forkchoiceUpdatedV3", self.state(payload["blockHash"], **labels), None)
