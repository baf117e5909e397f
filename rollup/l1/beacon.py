"""The answers of the mock L1's beacon API (ethereum/beacon-APIs), as plain JSON values.

It has only the paths that rollup nodes, proof programs and people use. Numbers are decimal strings, bytes 0x strings.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from rollup.l1.archive import StoredBlob
from rollup.l1.miner import MockL1
from rollup.protocol.block import Block
from rollup.protocol.forks import L1_FORKS
from rollup.protocol.primitives import Hash, keccak256

_VERSION = "openrollup/1"
_FORK_VERSION = b"\x05\x00\x03\x84"  # Electra, with the local chain id in the low bytes
_INCLUSION_PROOF_DEPTH = 17  # KZG_COMMITMENT_INCLUSION_PROOF_DEPTH; nobody verifies it against a mock
_SIGNATURE = b"\xc0" + bytes(95)  # the compressed point at infinity


class BeaconNotFound(LookupError):
    """No such slot, block or blob: HTTP 404."""


class BeaconBadRequest(ValueError):
    """A malformed slot, index or hash: HTTP 400."""


class BeaconApi:
    """The beacon node of a mock L1. A slot has the blocks of all branches, the canonical one first."""

    def __init__(self, l1: MockL1) -> None:
        self._l1 = l1

    def version(self) -> dict[str, Any]:
        """GET /eth/v1/node/version"""
        return {"data": {"version": _VERSION}}

    def genesis(self) -> dict[str, Any]:
        """GET /eth/v1/beacon/genesis"""
        return {
            "data": {
                "genesis_time": str(self._l1.slots.genesis_time),
                "genesis_validators_root": _hex(keccak256(b"openrollup l1 validators")),
                "genesis_fork_version": _hex(_FORK_VERSION),
            }
        }

    def spec(self) -> dict[str, Any]:
        """GET /eth/v1/config/spec; the limit of blobs is the largest that a fork of this L1 has."""
        schedules = (L1_FORKS[fork].blobs for fork, _ in self._l1.config.forks)
        max_blobs = str(max((blobs.max for blobs in schedules if blobs is not None), default=0))
        return {
            "data": {
                "CONFIG_NAME": "openrollup",
                "PRESET_BASE": "mainnet",
                "SECONDS_PER_SLOT": str(self._l1.block_time),
                "SLOTS_PER_EPOCH": "32",
                "DEPOSIT_CHAIN_ID": str(self._l1.config.chain_id),
                "DEPOSIT_NETWORK_ID": str(self._l1.config.chain_id),
                "GENESIS_FORK_VERSION": _hex(_FORK_VERSION),
                "ELECTRA_FORK_VERSION": _hex(_FORK_VERSION),
                "ELECTRA_FORK_EPOCH": "0",
                "MAX_BLOBS_PER_BLOCK": max_blobs,
                "MAX_BLOBS_PER_BLOCK_ELECTRA": max_blobs,
                "MIN_EPOCHS_FOR_BLOB_SIDECARS_REQUESTS": str(2**32),
            }
        }

    def blobs(self, slot: str, versioned_hashes: Sequence[str] = ()) -> dict[str, Any]:
        """GET /eth/v1/beacon/blobs/{slot}

        versioned_hashes: the values of that parameter; each may itself be several joined by commas. Returns one blob
        per requested hash, in that order and with duplicates; without hashes, the blobs of the canonical block.
        """
        blocks = self._blocks(slot)
        wanted = [_hash(item) for item in _split(versioned_hashes)]
        if not wanted:
            wanted = self._l1.blobs_of(blocks[0])
        else:
            present = {item for block in blocks for item in self._l1.blobs_of(block)}
            wanted = [item for item in wanted if item in present]
            if not wanted:
                raise BeaconNotFound(f"slot {slot} has none of these blobs")
        return self._envelope(blocks[0]) | {"data": [_hex(self._stored(item).blob) for item in wanted]}

    def blob_sidecars(self, slot: str, indices: Sequence[str] = ()) -> dict[str, Any]:
        """GET /eth/v1/beacon/blob_sidecars/{slot}

        indices: the values of that parameter, each may itself be several joined by commas; without them all.
        """
        block = self._blocks(slot)[0]
        wanted = {_number(item, "index") for item in _split(indices)}
        header = self._signed_header(block)
        sidecars = [
            {
                "index": str(index),
                "blob": _hex(stored.blob),
                "kzg_commitment": _hex(stored.commitment),
                "kzg_proof": _hex(self._proof(versioned_hash)),
                "signed_block_header": header,
                "kzg_commitment_inclusion_proof": ["0x" + bytes(32).hex()] * _INCLUSION_PROOF_DEPTH,
            }
            for index, versioned_hash in enumerate(self._l1.blobs_of(block))
            if not wanted or index in wanted
            for stored in (self._stored(versioned_hash),)
        ]
        return {"version": "electra"} | self._envelope(block) | {"data": sidecars}

    def header(self, block_id: str) -> dict[str, Any]:
        """GET /eth/v1/beacon/headers/{block_id}"""
        block = self._blocks(block_id)[0]
        return self._envelope(block) | {"data": self._header_data(block)}

    def headers(self) -> dict[str, Any]:
        """GET /eth/v1/beacon/headers: the head's."""
        block = self._l1.chain.head
        return self._envelope(block) | {"data": [self._header_data(block)]}

    def _blocks(self, block_id: str) -> list[Block]:
        """A slot's blocks, the canonical one first; the names head, genesis, finalized and justified work too."""
        chain = self._l1.chain
        named = {
            "head": chain.head,
            "genesis": chain.genesis,
            "finalized": chain.finalized,
            "justified": chain.safe,
        }
        if block_id in named:
            return [named[block_id]]
        hashes = self._l1.archive.blocks(_number(block_id, "slot"))
        blocks = [block for block in map(chain.block, hashes) if block is not None]
        if not blocks:
            raise BeaconNotFound(f"no block in slot {block_id}")
        blocks.reverse()  # if the slot has no canonical block, the newest orphaned one goes first
        return sorted(blocks, key=lambda block: not chain.is_canonical(block.hash))

    def _stored(self, versioned_hash: Hash) -> StoredBlob:
        stored = self._l1.archive.get(versioned_hash)
        if stored is None:
            raise BeaconNotFound(f"blob 0x{versioned_hash.hex()} is not kept")
        return stored

    def _proof(self, versioned_hash: Hash) -> bytes:
        proof = self._l1.archive.proof(versioned_hash)
        if proof is None:
            raise BeaconNotFound(f"blob 0x{versioned_hash.hex()} is not kept")
        return proof

    def _envelope(self, block: Block) -> dict[str, Any]:
        return {"execution_optimistic": False, "finalized": block.number <= self._l1.chain.finalized.number}

    def _header_data(self, block: Block) -> dict[str, Any]:
        return {
            "root": _hex(_root(block)),
            "canonical": self._l1.chain.is_canonical(block.hash),
            "header": self._signed_header(block),
        }

    def _signed_header(self, block: Block) -> dict[str, Any]:
        return {
            "message": {
                "slot": str(self._l1.slots.slot_at(block.timestamp)),
                "proposer_index": "0",
                "parent_root": _hex(block.header.parent_beacon_block_root or bytes(32)),
                "state_root": _hex(block.header.state_root),
                "body_root": _hex(hashlib.sha256(block.hash).digest()),
            },
            "signature": _hex(_SIGNATURE),
        }


def _root(block: Block) -> Hash:
    """A placeholder for the beacon block's root: there is no beacon state to hash."""
    return keccak256(b"openrollup l1 beacon block " + block.hash)


def _split(values: Iterable[str]) -> list[str]:
    return [part for value in values for part in value.split(",") if part]


def _number(text: str, name: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 19:
        raise BeaconBadRequest(f"Invalid {name}: {text[:40]}")
    return int(text)


def _hash(text: str) -> Hash:
    try:
        value = bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        raise BeaconBadRequest(f"Invalid versioned hash: {text[:80]}") from error
    if len(value) != 32:
        raise BeaconBadRequest(f"Invalid versioned hash: {text[:80]}")
    return value


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
