"""Blobs from a consensus node over the beacon API. Each blob is checked against the requested hash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from derivation.errors import Critical, NotFound, Temporary
from rollup.l1 import kzg
from rollup.l1.json_rpc import HttpEndpoint
from rollup.l1.rpc_types import MalformedResponse, data
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.primitives import Hash

_NOT_HERE = (404, 410)  # anvil answers 410 for the older path


@dataclass(slots=True, frozen=True)
class _Timing:
    """Times in seconds. seconds_per_slot is None for anvil, which has no spec and uses block numbers."""

    genesis_time: int
    seconds_per_slot: int | None


class BeaconClient:
    """Requests `/eth/v1/beacon/blobs/{slot}`, or from an older node `/eth/v1/beacon/blob_sidecars/{slot}`."""

    def __init__(self, endpoint: HttpEndpoint) -> None:
        self._endpoint = endpoint
        self._timing: _Timing | None = None

    def slot_of(self, ref: L1BlockRef) -> int:
        """The slot of an L1 block; raises Temporary, Critical for a block from before the beacon node's genesis."""
        if self._timing is None:
            self._timing = self._read_timing()
        timing = self._timing
        if timing.seconds_per_slot is None:
            return ref.number
        if ref.timestamp < timing.genesis_time:
            raise Critical(
                f"{self._endpoint.url} is another chain's beacon node: its genesis time {timing.genesis_time} "
                f"is after the L1 block's {ref.timestamp}"
            )
        return (ref.timestamp - timing.genesis_time) // timing.seconds_per_slot

    def blobs(self, ref: L1BlockRef, hashes: Sequence[Hash]) -> list[bytes]:
        """The blobs (131,072 bytes each) of an L1 block with these versioned hashes, in their order.

        Raises NotFound if the node does not have them (any more), and Temporary if it does not answer or its answer is
        invalid.
        """
        if not hashes:
            return []
        slot = self.slot_of(ref)
        wanted = list(dict.fromkeys(hashes))
        try:
            found = self._from_blobs(slot, wanted) or self._from_sidecars(slot)
        except MalformedResponse as error:
            raise Temporary(f"{self._endpoint.url}: {error}") from error
        if not found:
            raise NotFound(f"{self._endpoint.url} has no blobs for slot {slot}")
        missing = [item for item in wanted if item not in found]
        if missing:
            raise NotFound(f"{self._endpoint.url} has no blob 0x{missing[0].hex()} in slot {slot}")
        return [found[item] for item in hashes]

    def _from_blobs(self, slot: int, hashes: Sequence[Hash]) -> dict[Hash, bytes] | None:
        """Blobs by versioned hash, or None if the node has no such blobs or no such path."""
        fields = [("versioned_hashes", "0x" + item.hex()) for item in hashes]
        found = self._get_blobs(slot, fields)
        if found is not None and len(found) < len(hashes):
            return self._get_blobs(slot, [])  # anvil uses only one of several hashes
        return found

    def _get_blobs(self, slot: int, fields: Sequence[tuple[str, str]]) -> dict[Hash, bytes] | None:
        status, answer = self._endpoint.get(f"/eth/v1/beacon/blobs/{slot}", fields)
        if status != 200:
            return None
        blobs = [data(item, "blob", kzg.BLOB_SIZE) for item in _list(answer)]
        return {_checked_hash(blob): blob for blob in blobs}

    def _from_sidecars(self, slot: int) -> dict[Hash, bytes] | None:
        # spec: blob.verified
        status, answer = self._endpoint.get(f"/eth/v1/beacon/blob_sidecars/{slot}")
        if status in _NOT_HERE:
            return None
        if status != 200:
            raise Temporary(f"{self._endpoint.url}: HTTP {status} for the blobs of slot {slot}")
        items = _list(answer)
        blobs = [_field(item, "blob", kzg.BLOB_SIZE) for item in items]
        commitments = [_field(item, "kzg_commitment", kzg.COMMITMENT_SIZE) for item in items]
        proofs = [_field(item, "kzg_proof", kzg.PROOF_SIZE) for item in items]
        if not kzg.verify_blobs(blobs, commitments, proofs):
            raise MalformedResponse(f"slot {slot}: a blob is not the one of its commitment")
        return {kzg.versioned_hash(key): blob for key, blob in zip(commitments, blobs, strict=True)}

    def _read_timing(self) -> _Timing:
        genesis_time = self._read_number("/eth/v1/beacon/genesis", "genesis_time")
        if genesis_time is None:
            raise Temporary(f"{self._endpoint.url} is not a beacon node: it has no /eth/v1/beacon/genesis")
        seconds_per_slot = self._read_number("/eth/v1/config/spec", "SECONDS_PER_SLOT")
        if seconds_per_slot == 0:
            raise Temporary(f"{self._endpoint.url}: SECONDS_PER_SLOT is 0")
        return _Timing(genesis_time, seconds_per_slot)

    def _read_number(self, path: str, key: str) -> int | None:
        """A decimal string of an answer's data, or None if the node has no such path."""
        status, answer = self._endpoint.get(path)
        if status in _NOT_HERE:
            return None
        if status == 200 and isinstance(answer, Mapping) and isinstance(answer.get("data"), Mapping):
            value = answer["data"].get(key)
            if isinstance(value, str) and value.isdecimal():
                return int(value)
        raise Temporary(f"{self._endpoint.url}{path}: no {key} in the answer (HTTP {status})")


def _checked_hash(blob: bytes) -> Hash:
    # spec: blob.verified
    try:
        return kzg.blob_versioned_hash(blob)
    except kzg.KzgError as error:
        raise MalformedResponse(f"blob: {error}") from error


def _list(answer: Any) -> list[Any]:
    items = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(items, list):
        raise MalformedResponse("data: a list is expected")
    return items


def _field(item: Any, name: str, size: int) -> bytes:
    return data(item.get(name) if isinstance(item, Mapping) else None, name, size)
