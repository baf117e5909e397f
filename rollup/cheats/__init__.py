"""Developer cheats over both layers: mining, time, state, snapshots and L1 reorganisations.

The JSON-RPC methods (rollup/rpc/cheat_api.py) and `openrollup ctl` call these functions. A cheat acts through the
node's own actors, so L1, L2 and the verifier still agree. A cheat that is not possible in this way raises CheatRefused
and changes nothing. Not to be called while a step of the node is under way (rollup.cooperative.Turns.change_all).

There is one clock. L1 may skip slots, and L2 may not: moving the time forward builds the L2 blocks of that time, at
most MAX_BLOCKS, without users' transactions.
"""

from rollup.cheats.effects import MAX_BLOCKS, MAX_SNAPSHOTS, CheatRefused, Effect
from rollup.cheats.shared import Cheats

__all__ = ["MAX_BLOCKS", "MAX_SNAPSHOTS", "CheatRefused", "Cheats", "Effect"]
