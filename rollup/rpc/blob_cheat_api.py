"""anvil's methods that read blobs and the genesis time (docs/cheats.md)."""

from collections.abc import Callable

from rollup.protocol.primitives import Hash
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.cheat_api import cheats_of
from rollup.rpc.formats import hex_data
from rollup.rpc.methods import Method, for_local_callers, rpc
from rollup.rpc.params import hash32


class BlobCheatApi:
    """The blob methods of one layer's port."""

    def __init__(self, backend: ExecutionBackend, blob: Callable[[Hash], bytes | None]) -> None:
        """blob: the blob with a versioned hash, or None."""
        self._backend = backend
        self._blob = blob

    def methods(self, is_strict: bool) -> dict[str, Method]:
        """The handlers by method name; when strict, all of them refuse."""
        return cheats_of(self, is_strict)

    @for_local_callers
    @rpc("anvil_getBlobByHash", hash32)
    def blob(self, versioned_hash: Hash) -> str | None:
        """The blob with a versioned hash, of L1's blocks or its pool; `null` if there is none. L2 has no blobs."""
        found = self._blob(versioned_hash)
        return None if found is None else hex_data(found)

    @for_local_callers
    @rpc("anvil_getBlobsByTransactionHash", hash32)
    def blobs_of(self, tx_hash: Hash) -> list[str] | None:
        """The blobs of a transaction in L1's chain; `null` for one that is not there or has none."""
        location = self._backend.chain.find_transaction(tx_hash)
        block = None if location is None else self._backend.chain.block(location.block_hash)
        if location is None or block is None:
            return None
        hashes = block.transactions[location.index].blob_versioned_hashes
        blobs = [hex_data(found) for found in map(self._blob, hashes) if found is not None]
        return blobs or None

    @for_local_callers
    @rpc("anvil_getGenesisTime")
    def genesis_time(self) -> int:
        """The time of the layer's first block in Unix seconds."""
        return self._backend.chain.genesis.timestamp
