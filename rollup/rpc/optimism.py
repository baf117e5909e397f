"""optimism_ and admin_: the rollup node (op-node/node/api.go). Numbers are JSON numbers here, keys snake_case."""

from collections.abc import Callable
from typing import Any

from derivation.driver import Verifier
from derivation.errors import Temporary
from derivation.sources import L1Source
from rollup.execution.chain import Chain
from rollup.execution.state.database import StateUnavailable
from rollup.protocol import predeploys
from rollup.protocol.blockref import L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig
from rollup.protocol.l2_blocks import l2_block_ref
from rollup.protocol.outputs import output_root
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, Hash
from rollup.rpc.errors import RpcError
from rollup.rpc.formats import hex_data
from rollup.rpc.methods import changes_chain, rpc
from rollup.rpc.net import client_version
from rollup.rpc.params import Optional, boolean, hash32, quantity, text


class Optimism:
    """The methods of a rollup node that op-batcher, op-proposer and viem use."""

    def __init__(self, config: RollupConfig, chain: Chain, verifier: Verifier, l1: L1Source) -> None:
        self._config = config
        self._chain = chain
        self._verifier = verifier
        self._l1 = l1

    @rpc("optimism_rollupConfig")
    def rollup_config(self) -> dict[str, Any]:
        """`rollup.json`."""
        return self._config.to_json()

    @rpc("optimism_version")
    def version(self) -> str:
        """Name and version."""
        return client_version()

    @rpc("optimism_syncStatus")
    def sync_status(self) -> dict[str, Any]:
        """All heads of both layers."""
        verifier = self._verifier
        try:
            head, safe, finalized = self._l1.head(), self._l1.safe(), self._l1.finalized()
        except Temporary as error:
            raise RpcError(f"L1 does not answer: {error}") from error
        safe_l2 = l2_ref_json(verifier.safe_head)
        return {
            "current_l1": l1_ref_json(verifier.current_l1),
            "current_l1_finalized": l1_ref_json(finalized),
            "head_l1": l1_ref_json(head),
            "safe_l1": l1_ref_json(safe),
            "finalized_l1": l1_ref_json(finalized),
            "unsafe_l2": l2_ref_json(verifier.unsafe_head),
            "safe_l2": safe_l2,
            "finalized_l2": l2_ref_json(verifier.finalized_head),
            "pending_safe_l2": l2_ref_json(verifier.pending_safe_head),
            "cross_unsafe_l2": l2_ref_json(verifier.unsafe_head),
            "local_safe_l2": safe_l2,
        }

    @rpc("optimism_outputAtBlock", quantity)
    def output_at_block(self, number: int) -> dict[str, Any]:
        """The output root of a block, and its parts."""
        block = self._chain.block_by_number(number)
        if block is None:
            raise RpcError("failed to get L2 block ref with sync status: not found")
        storage_root = block.header.withdrawals_root or EMPTY_TRIE_ROOT
        if not self._config.is_isthmus(block.timestamp):
            try:
                state = self._chain.state_at(block.hash)
            except StateUnavailable as error:
                raise RpcError(f"historical state 0x{error.state_root.hex()} is not available") from error
            account = state.account(predeploys.L2_TO_L1_MESSAGE_PASSER)
            storage_root = account.storage_root if account is not None else EMPTY_TRIE_ROOT
        root = output_root(block.header.state_root, storage_root, block.hash)
        return {
            "version": hex_data(bytes(32)),
            "outputRoot": hex_data(root),
            "blockRef": l2_ref_json(l2_block_ref(self._config, block)),
            "withdrawalStorageRoot": hex_data(storage_root),
            "stateRoot": hex_data(block.header.state_root),
            "syncStatus": self.sync_status(),
        }

    @rpc("optimism_safeHeadAtL1Block", quantity)
    def safe_head_at_l1_block(self, number: int) -> dict[str, Any]:
        """`{l1Block, safeHead}`: the safe head as of an L1 block; genesis before the first batch. Kept over restarts,
        never pruned.
        """
        record = self._verifier.safe_head_at_l1(number)
        if record is None:
            raise RpcError("safe head not found")
        return {
            "l1Block": {"hash": hex_data(record.derived_from.hash), "number": record.derived_from.number},
            "safeHead": {"hash": hex_data(record.l2.hash), "number": record.l2.number},
        }


class Admin:
    """admin_: starting and stopping the sequencer, the batcher and the proposer."""

    def __init__(
        self,
        verifier: Verifier,
        *,
        start_sequencer: Callable[[Hash], None] | None = None,
        stop_sequencer: Callable[[], Hash] | None = None,
        is_sequencing: Callable[[], bool] | None = None,
        start_batcher: Callable[[], None] | None = None,
        stop_batcher: Callable[[], None] | None = None,
        flush_batcher: Callable[[], None] | None = None,
        start_proposer: Callable[[], None] | None = None,
        stop_proposer: Callable[[], None] | None = None,
    ) -> None:
        self._verifier = verifier
        self._start_sequencer = start_sequencer
        self._stop_sequencer = stop_sequencer
        self._is_sequencing = is_sequencing
        self._start_batcher = start_batcher
        self._stop_batcher = stop_batcher
        self._flush_batcher = flush_batcher
        self._start_proposer = start_proposer
        self._stop_proposer = stop_proposer

    @changes_chain
    @rpc("admin_startSequencer", hash32)
    def start_sequencer(self, block_hash: Hash) -> None:
        """Starts building on this block, which must be the head; `null`."""
        if self._start_sequencer is None:
            raise RpcError("sequencer not enabled")
        try:
            self._start_sequencer(block_hash)
        except ValueError as error:
            raise RpcError(str(error)) from error

    @changes_chain
    @rpc("admin_stopSequencer")
    def stop_sequencer(self) -> str:
        """Stops building; the head's hash."""
        if self._stop_sequencer is None:
            raise RpcError("sequencer not enabled")
        return hex_data(self._stop_sequencer())

    @rpc("admin_sequencerActive")
    def sequencer_active(self) -> bool:
        """Whether the sequencer builds blocks."""
        return self._is_sequencing is not None and self._is_sequencing()

    @changes_chain
    @rpc("admin_resetDerivationPipeline")
    def reset_derivation_pipeline(self) -> None:
        """Makes derivation begin again at the safe head; `null`."""
        self._verifier.reset()

    @changes_chain
    @rpc("admin_startBatcher")
    def start_batcher(self) -> None:
        """Starts the batcher; `null`."""
        _run(self._start_batcher)

    @changes_chain
    @rpc("admin_stopBatcher")
    def stop_batcher(self) -> None:
        """Stops the batcher; `null`."""
        _run(self._stop_batcher)

    @changes_chain
    @rpc("admin_flushBatcher")
    def flush_batcher(self) -> None:
        """Makes the batcher send everything that it has; `null`."""
        _run(self._flush_batcher)

    @rpc("admin_startProposer")
    def start_proposer(self) -> None:
        """Starts proposing output roots; `null`. An error if the proposer is running."""
        _run(self._start_proposer, "proposer")

    @rpc("admin_stopProposer")
    def stop_proposer(self) -> None:
        """Stops proposing output roots; `null`. An error if the proposer is stopped."""
        _run(self._stop_proposer, "proposer")

    @rpc("admin_setLogLevel", Optional(text))
    def set_log_level(self, level: str | None) -> None:
        """Changes nothing; `null`. The options of `openrollup run` set the level."""
        del level

    @rpc("admin_conductorEnabled", Optional(boolean))
    def conductor_enabled(self, flag: bool | None) -> bool:
        """Always `false`: there is no conductor."""
        return False


def l1_ref_json(ref: L1BlockRef) -> dict[str, Any]:
    """An L1 reference as op-node writes it."""
    return {
        "hash": hex_data(ref.hash),
        "number": ref.number,
        "parentHash": hex_data(ref.parent_hash),
        "timestamp": ref.timestamp,
    }


def l2_ref_json(ref: L2BlockRef) -> dict[str, Any]:
    """An L2 reference as op-node writes it: l1origin with a small o."""
    return {
        "hash": hex_data(ref.hash),
        "number": ref.number,
        "parentHash": hex_data(ref.parent_hash),
        "timestamp": ref.timestamp,
        "l1origin": {"hash": hex_data(ref.l1_origin.hash), "number": ref.l1_origin.number},
        "sequenceNumber": ref.sequence_number,
    }


def _run(verb: Callable[[], None] | None, actor: str = "batcher") -> None:
    if verb is None:
        raise RpcError(f"{actor} not enabled")
    try:
        verb()
    except ValueError as error:
        raise RpcError(str(error)) from error
