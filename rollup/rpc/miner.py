"""miner_: what the batcher tells the builder of blocks."""

from rollup.execution.engine import Engine
from rollup.rpc.methods import rpc
from rollup.rpc.params import quantity64


class Miner:
    """The batcher's throttle (specs: op-batcher's `--throttle.*`; op-geth miner/miner.go)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @rpc("miner_setMaxDASize", quantity64, quantity64)
    def set_max_da_size(self, transaction: int, block: int) -> bool:
        """Compressed bytes a transaction and a block may have, by Fjord's estimate; 0 is no limit."""
        self._engine.max_da_transaction = transaction or None
        self._engine.max_da_block = block or None
        return True
