"""One layer's chain, pool and keys, from which the namespaces answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rollup.execution.block_context import BlockContext, context_of_header
from rollup.execution.chain import Chain
from rollup.execution.config import L1Config, L2Config
from rollup.execution.engine import AncestorHashes
from rollup.execution.state.database import StateUnavailable
from rollup.execution.state.reader import StateReader
from rollup.protocol.block import Block
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.transaction import Transaction
from rollup.rpc.errors import RpcError
from rollup.rpc.instant_blocks import Inclusion, NoInclusion
from rollup.rpc.params import BlockId


class Pool(Protocol):
    """The transaction pool, as RPC sees it."""

    def nonce(self, address: Address) -> int: ...
    def get(self, tx_hash: Hash) -> Transaction | None: ...
    def content(self) -> Any: ...


@dataclass(slots=True)
class ExecutionBackend:
    """One layer. send takes an encoded transaction and returns its hash; None on a read-only node.

    rewind makes an older block the head again; None where the head follows another layer. inclusion waits for blocks
    that come at once.
    """

    name: str
    chain: Chain
    config: L1Config | L2Config
    pool: Pool | None = None
    send: Callable[[bytes], Hash] | None = None
    keys: Mapping[Address, bytes] = field(default_factory=dict)
    chain_config: Mapping[str, Any] = field(default_factory=dict)
    mine: Callable[[], Block] | None = None
    rewind: Callable[[Hash], object] | None = None
    inclusion: Inclusion = field(default_factory=NoInclusion)

    def block(self, which: BlockId) -> Block | None:
        """A block by tag, number or hash; pending is the latest, as on op-geth."""
        chain = self.chain
        if isinstance(which, bytes):
            return chain.block(which)
        if isinstance(which, int):
            return chain.block_by_number(which)
        return {"safe": chain.safe, "finalized": chain.finalized, "earliest": chain.genesis}.get(which, chain.head)

    def require_block(self, which: BlockId) -> Block:
        """A block by tag, number or hash. Raises geth's error if there is none."""
        block = self.block(which)
        if block is None:
            raise RpcError("header not found")
        return block

    def state(self, block: Block) -> StateReader:
        """The state after a block. Raises geth's error if it is no longer kept."""
        try:
            return self.chain.state_at(block.hash)
        except StateUnavailable as error:
            raise RpcError(f"historical state 0x{error.state_root.hex()} is not available") from error

    def context(self, block: Block) -> BlockContext:
        """The context a call in a block runs in."""
        parent = self.chain.header(block.header.parent_hash) or block.header
        return context_of_header(self.config, block.header, parent)

    def ancestors(self, block: Block) -> Callable[[int], Hash | None]:
        """BLOCKHASH for a call in a block."""
        return AncestorHashes(self.chain, block.header.parent_hash)
