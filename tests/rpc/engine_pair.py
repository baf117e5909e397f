"""Two engines behind authenticated ports: one builds blocks, and the other follows."""

from rollup.protocol.forks import Fork, ForkSchedule
from tests.rpc.engine_driver import EngineDriver
from tests.scenarios.actors import World

UNKNOWN = "0x" + "11" * 32
FORKS = [Fork.BEDROCK, Fork.REGOLITH, Fork.CANYON, Fork.ECOTONE, Fork.HOLOCENE, Fork.ISTHMUS, Fork.JOVIAN]


def world_at(fork, **params):
    return World(forks=ForkSchedule.all_at(fork), **params)


class Pair:
    """A building engine with a pool, and one that gets its blocks."""

    def __init__(self, world, builder, follower):
        self.world, self.builder, self.follower = world, builder, follower


async def pair_of(world, session):
    builder = await EngineDriver.of(world, session, world.sequencer.engine)
    return Pair(world, builder, await EngineDriver.of(world, session))
