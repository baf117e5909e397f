"""miner_: limits that the batcher sets for the builder of blocks."""

from rollup.execution.engine import Engine
from rollup.rpc.methods import rpc
from rollup.rpc.params import quantity64


class Miner:
    """The batcher's throttle (specs: op-batcher's `--throttle.*`; op-geth miner/miner.go)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @rpc("miner_setMaxDASize", quantity64, quantity64)
    def set_max_da_size(self, transaction: int, block: int) -> bool:
        """Limits the compressed bytes of a transaction and of a block, by Fjord's estimate, that the builder takes from
        the pool. 0 means no limit.
        """
        self._engine.max_da_transaction = transaction or None
        self._engine.max_da_block = block or None
        return True
