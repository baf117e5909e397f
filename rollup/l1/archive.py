"""Blobs by versioned hash, the blocks of each slot (also orphaned ones), and the number of reorgs."""

from collections.abc import Iterable
from dataclasses import dataclass

from rollup.l1.kzg import BLOB_SIZE, COMMITMENT_SIZE, PROOF_SIZE, blob_proof
from rollup.l1.sidecar import BlobSidecar
from rollup.protocol.primitives import Hash
from rollup.store.kv import Store

_BLOBS = "l1_blobs"  # versioned hash -> blob without trailing zeros ‖ commitment ‖ proof
_NO_PROOF = bytes(PROOF_SIZE)  # in a proof's place until somebody asks for it; no proof begins with a zero byte
_LOOSE = "l1_loose_blobs"  # versioned hashes of blobs that have not been in a block
_SLOTS = "l1_slots"  # slot, 8 bytes -> block hashes in order of arrival
_STATE = "l1_state"  # the miner's state, kept over a restart
_HASH_SIZE = 32


@dataclass(slots=True, frozen=True)
class StoredBlob:
    """A blob (131,072 bytes) with its commitment (48 bytes)."""

    blob: bytes
    commitment: bytes


class L1Archive:
    """The data of a consensus node, in the chain's store. Blobs of blocks, including orphaned ones, are never deleted.
    Other blobs are kept as long as a pooled transaction needs them.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, versioned_hash: Hash) -> StoredBlob | None:
        """The blob with this versioned hash."""
        value = self._store.get(_BLOBS, versioned_hash)
        if value is None:
            return None
        blob_end = len(value) - PROOF_SIZE - COMMITMENT_SIZE
        return StoredBlob(value[:blob_end].ljust(BLOB_SIZE, b"\0"), value[blob_end:-PROOF_SIZE])

    def proof(self, versioned_hash: Hash) -> bytes | None:
        """The EIP-4844 proof (48 bytes) of a stored blob. It is computed when it is asked for the first time."""
        value, stored = self._store.get(_BLOBS, versioned_hash), self.get(versioned_hash)
        if value is None or stored is None:
            return None
        if not value.endswith(_NO_PROOF):
            return value[-PROOF_SIZE:]
        proof = blob_proof(stored.blob, stored.commitment)
        if self._store.get(_BLOBS, versioned_hash) == value:  # it may have been deleted meanwhile
            with self._store.write() as batch:
                batch.put(_BLOBS, versioned_hash, value[:-PROOF_SIZE] + proof)
        return proof

    def has_all(self, hashes: tuple[Hash, ...]) -> bool:
        """Whether all these blobs are stored."""
        return all(self._store.get(_BLOBS, item) is not None for item in hashes)

    def add(self, sidecar: BlobSidecar) -> list[Hash]:
        """Stores a verified sidecar's blobs. Returns the versioned hashes that were not stored before."""
        hashes = sidecar.versioned_hashes
        new = [item for item in dict.fromkeys(hashes) if self._store.get(_BLOBS, item) is None]
        proofs = sidecar.known_proofs or (_NO_PROOF,) * len(hashes)
        with self._store.write() as batch:
            for key, blob, *parts in zip(hashes, sidecar.blobs, sidecar.commitments, proofs, strict=True):
                if key in new:
                    batch.put(_BLOBS, key, b"".join([blob.rstrip(b"\0"), *parts]))
            for item in new:
                batch.put(_LOOSE, item, b"")
        return new

    def loose(self) -> list[Hash]:
        """The versioned hashes of blobs that are not in any block, not even an orphaned one."""
        return [key for key, _ in self._store.scan(_LOOSE)]

    def loose_blobs(self) -> list[tuple[Hash, bytes]]:
        """The blobs of loose, as they are stored."""
        stored = ((item, self._store.get(_BLOBS, item)) for item in self.loose())
        return [(item, value) for item, value in stored if value is not None]

    def put_back(self, blobs: Iterable[tuple[Hash, bytes]]) -> None:
        """Stores blobs of loose_blobs again that were deleted since, as loose ones."""
        gone = [(item, value) for item, value in blobs if self._store.get(_BLOBS, item) is None]
        if not gone:
            return
        with self._store.write() as batch:
            for item, value in gone:
                batch.put(_BLOBS, item, value)
                batch.put(_LOOSE, item, b"")

    def remove_loose(self, hashes: Iterable[Hash]) -> None:
        """Deletes those of these blobs that are not in a block."""
        gone = [item for item in hashes if self._store.get(_LOOSE, item) is not None]
        if not gone:
            return
        with self._store.write() as batch:
            for item in gone:
                batch.delete(_BLOBS, item)
                batch.delete(_LOOSE, item)

    def keep(self, hashes: Iterable[Hash]) -> None:
        """Records that a block has these blobs."""
        bound = [item for item in hashes if self._store.get(_LOOSE, item) is not None]
        if not bound:
            return
        with self._store.write() as batch:
            for item in bound:
                batch.delete(_LOOSE, item)

    def add_block(self, slot: int, block_hash: Hash) -> None:
        """Records that a slot has this block."""
        blocks = self.blocks(slot)
        if block_hash not in blocks:
            with self._store.write() as batch:
                batch.put(_SLOTS, slot.to_bytes(8, "big"), b"".join([*blocks, block_hash]))

    def blocks(self, slot: int) -> list[Hash]:
        """The blocks built for a slot, oldest first: more than one after a reorg."""
        value = self._store.get(_SLOTS, slot.to_bytes(8, "big")) or b""
        return [value[start : start + _HASH_SIZE] for start in range(0, len(value), _HASH_SIZE)]

    def branch(self) -> int:
        """The number of reorgs of this chain (slots.BeaconSeed)."""
        return int.from_bytes(self._store.get(_STATE, b"branch") or b"", "big")

    def set_branch(self, branch: int) -> None:
        """Stores the number of reorgs."""
        with self._store.write() as batch:
            batch.put(_STATE, b"branch", branch.to_bytes(8, "big"))
