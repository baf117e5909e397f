"""The parameters of a node that a user chooses, and the part of them that a data directory keeps."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rollup.data_directory import CHAIN_FIELDS, DataDirectoryError, begin_or_resume
from rollup.dump import Dump
from rollup.execution.genesis import AttributionMode
from rollup.l1.devnet import DEFAULT_GAS_LIMIT, SEQ_WINDOW_SIZE, DevnetParams
from rollup.pool.limits import PoolLimits
from rollup.protocol.blob_schedule import parse_l1_forks
from rollup.protocol.forks import NEWEST_STABLE, ForkSchedule, L1Fork
from sequencer.batcher.config import BatchType, Compression
from sequencer.batcher.throttle import ThrottleConfig

# Where batches go; with "none" blocks are built and never posted, so the safe head stays at genesis.
Posting = Literal["calldata", "blobs", "auto", "none"]
# L1 blocks after which L2 blocks that were not posted are replaced by empty ones (specs protocol/derivation.md,
# "Sequencing window"). Without posting no run may last so long.
_ENDLESS_WINDOW = 2**40

HISTORY = 256  # blocks whose states are kept without --archive


class NodeError(Exception):
    """The node cannot start or continue. The message is for the user."""


@dataclass(slots=True, frozen=True)
class NodeParams:
    """The parameters of a node. Times are in seconds.

    A genesis_time of None is one block time before now. Without a data_dir nothing is kept. forks is parsed by
    ForkSchedule.parse, l1_forks by parse_l1_forks. load: a dump to begin with (rollup/dump.py).

    sequencing_window: the L1 blocks within which a batch must come; None is 3,600, or no end where nothing is posted,
    or what the data directory has.
    """

    data_dir: Path | None = None
    load: Path | None = None
    l1_block_time: int = 12
    l2_block_time: int = 2
    l1_chain_id: int = 900
    l2_chain_id: int = 901
    l1_gas_limit: int = DEFAULT_GAS_LIMIT
    l2_gas_limit: int = DEFAULT_GAS_LIMIT
    instant: bool = False
    da: Posting = "auto"
    batch_type: BatchType = "span"
    compression: Compression = "brotli"
    forks: str = NEWEST_STABLE.name.lower()
    l1_forks: str = L1Fork.PRAGUE.name.lower()
    attribution: AttributionMode = "native"
    attribution_time: int = 0
    sequencing_window: int | None = None
    operator_fee_scalar: int = 0
    operator_fee_constant: int = 0
    seed: int = 0
    genesis_time: int | None = None
    virtual_clock: bool = False
    archive: bool = False
    proposer: bool = True
    verifier: bool = True
    throttle_threshold: int = ThrottleConfig().lower_threshold
    pool_limit: int = PoolLimits().total
    pool_sender_limit: int = PoolLimits().account_pending

    @property
    def posts(self) -> bool:
        """Whether batches are posted, so that blocks become safe."""
        return self.da != "none"

    @property
    def may_post_blobs(self) -> bool:
        """Whether batches may go into blobs."""
        return self.da in ("auto", "blobs")

    @property
    def window(self) -> int:
        """L1 blocks of the sequencing window."""
        if self.sequencing_window is not None:
            return self.sequencing_window
        return SEQ_WINDOW_SIZE if self.posts else _ENDLESS_WINDOW

    @property
    def history(self) -> int | None:
        """How many blocks' states are kept; None keeps all."""
        return None if self.archive else HISTORY


def devnet_params(params: NodeParams) -> DevnetParams:
    """The parameters of both genesis blocks; raises ValueError for forks that cannot be parsed."""
    genesis_time = params.genesis_time if params.genesis_time is not None else _default_genesis_time(params)
    return DevnetParams(
        genesis_time=genesis_time,
        seq_window_size=params.window,
        forks=ForkSchedule.parse(params.forks, genesis_time),
        l1_forks=parse_l1_forks(params.l1_forks, genesis_time),
        l1_block_time=params.l1_block_time,
        l2_block_time=params.l2_block_time,
        l1_chain_id=params.l1_chain_id,
        l2_chain_id=params.l2_chain_id,
        l1_gas_limit=params.l1_gas_limit,
        l2_gas_limit=params.l2_gas_limit,
        attribution=params.attribution,
        attribution_time=params.attribution_time,
        operator_fee_scalar=params.operator_fee_scalar,
        operator_fee_constant=params.operator_fee_constant,
    )


def resumed(params: NodeParams) -> NodeParams:
    """The parameters with what the data directory has of them; raises DataDirectoryError for another chain's."""
    if params.data_dir is None:
        return params
    chosen = {name: getattr(params, name) for name in CHAIN_FIELDS}
    defaults = {"genesis_time": _default_genesis_time(params), "sequencing_window": params.window}
    return replace(params, **begin_or_resume(params.data_dir, chosen, defaults))


def loaded(params: NodeParams, dump: Dump) -> NodeParams:
    """The parameters of a dump's chain, whose data directory is made if one is asked for.

    Raises DataDirectoryError for a directory that is not empty, or an option that contradicts the dump.
    """
    defaults = NodeParams()
    for name in CHAIN_FIELDS:
        chosen, kept = getattr(params, name), dump.parameters[name]
        if chosen not in (kept, getattr(defaults, name)):
            raise DataDirectoryError(f"the dump is of a chain with {name} {kept}, not {chosen}: leave the option out")
    if params.data_dir is not None:
        dump.write_directory(params.data_dir)
    return replace(params, **dump.parameters)


def _default_genesis_time(params: NodeParams) -> int:
    """One block time ago, so that the first block is due at once."""
    return int(time.time()) - params.l2_block_time
