"""Network upgrade transactions: deposits that a fork's first block carries, byte for byte.

They are data (specs protocol/ecotone/, fjord/, isthmus/, jovian/derivation.md).
"""

import json
from functools import lru_cache
from importlib.resources import files

from rollup.protocol.config import RollupConfig
from rollup.protocol.forks import Fork


@lru_cache(maxsize=1)
def _transactions() -> dict[str, list[bytes]]:
    text = files("rollup.protocol").joinpath("upgrade_deposits.json").read_text()
    return {fork: [bytes.fromhex(raw[2:]) for raw in raws] for fork, raws in json.loads(text)["forks"].items()}


def upgrade_transactions(config: RollupConfig, l2_time: int) -> list[bytes]:
    """The encoded deposits that a block of this time carries after the user deposits, in order."""
    found: list[bytes] = []
    for fork in Fork:
        if fork != Fork.BEDROCK and config.activates(fork, l2_time):
            found += _transactions().get(fork.name.lower(), [])
    return found
