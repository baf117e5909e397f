"""eth_config and eth_capabilities: the node's rules and stored data. eth_getStorageValues: many slots at once."""

import zlib
from collections.abc import Mapping
from typing import Any

from attribution_precompile import ADDRESS_BYTES as ATTRIBUTION
from rollup.execution.block_context import rules_at
from rollup.execution.config import L1Config
from rollup.execution.vms.rules import EvmRules
from rollup.protocol import predeploys
from rollup.protocol.forks import Fork
from rollup.protocol.primitives import Address
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.errors import InvalidParams, RpcError
from rollup.rpc.formats import hex_data, hex_quantity
from rollup.rpc.limits import MAX_STORAGE_VALUES
from rollup.rpc.methods import rpc
from rollup.rpc.params import BlockId, Optional, address, block_id, list_of, mapping, slot

_LIMIT_EXCEEDED = -38026
# EIP-7910's names, in order of the precompiles' addresses from 1 on.
_PRECOMPILES = (
    *("ECREC", "SHA256", "RIPEMD160", "ID", "MODEXP", "BN254_ADD", "BN254_MUL", "BN254_PAIRING", "BLAKE2F"),
    *("KZG_POINT_EVALUATION", "BLS12_G1ADD", "BLS12_G1MSM", "BLS12_G2ADD", "BLS12_G2MSM", "BLS12_PAIRING_CHECK"),
    *("BLS12_MAP_FP_TO_G1", "BLS12_MAP_FP2_TO_G2"),
)
_NAMES: dict[Address, str] = {number.to_bytes(20, "big"): name for number, name in enumerate(_PRECOMPILES, 1)}
_NAMES |= {(0x100).to_bytes(20, "big"): "P256VERIFY", ATTRIBUTION: "ATTRIBUTION"}

StorageRequests = dict[Address, list[int]]


def storage_requests(value: Any) -> StorageRequests:
    """Lists of slots by address."""
    return {bytes(address(who)): list_of(slot)(keys) for who, keys in mapping(value).items()}


class EthNode:
    """The node's rules and its data."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self._backend = backend
        self._chain = backend.chain

    @rpc("eth_getStorageValues", storage_requests, Optional(block_id, "latest"))
    def get_storage_values(self, slots: StorageRequests, block_id: BlockId) -> dict[str, list[str]]:
        """The values of slots, by address and in the order of the request."""
        count = sum(map(len, slots.values()))
        if count > MAX_STORAGE_VALUES:
            raise RpcError(f"too many slots (max {MAX_STORAGE_VALUES})", _LIMIT_EXCEEDED)
        if not count:
            raise InvalidParams("empty request")
        state = self._backend.state(self._backend.require_block(block_id))
        return {
            hex_data(who): [hex_data(state.storage(who, key).to_bytes(32, "big")) for key in keys]
            for who, keys in slots.items()
        }

    @rpc("eth_capabilities")
    def capabilities(self) -> dict[str, Any]:
        """The first block of which the node has blocks, receipts and logs, and the first of which it has states."""
        head = self._chain.head.header
        everything = {"disabled": False, "oldestBlock": "0x0"}
        states = {"disabled": False, "oldestBlock": hex_quantity(self._oldest_state())}
        return {
            "head": {"number": hex_quantity(head.number), "hash": hex_data(self._chain.head.hash)},
            "state": states,
            "stateproofs": states,
            **dict.fromkeys(("tx", "logs", "receipts", "blocks"), everything),
        }

    def _oldest_state(self) -> int:
        """The lowest block whose state is kept: they are kept without a gap up to the head."""
        low, high = 0, self._chain.head.number
        while low < high:
            middle = (low + high) // 2
            header = self._chain.header_by_number(middle)
            if header is not None and self._chain.has_state(header):
                high = middle
            else:
                low = middle + 1
        return low

    @rpc("eth_config")
    def config(self) -> dict[str, Any]:
        """The rules in force, the next ones and the last ones (EIP-7910)."""
        times = self._activation_times()
        now = self._chain.head.header.timestamp
        current = max(time for time in times if time <= now)
        later = [time for time in times if time > now]
        return {
            "current": self._rules_json(current),
            "next": self._rules_json(later[0]) if later else None,
            "last": self._rules_json(later[-1]) if later else None,
        }

    def _activation_times(self) -> list[int]:
        config, genesis = self._backend.config, self._chain.genesis.header.timestamp
        if isinstance(config, L1Config):
            times = [time for _, time in config.forks]
        else:
            times = [time for fork in Fork if (time := config.forks.time_of(fork)) is not None]
        return sorted({0, *(time for time in times if time > genesis)})

    def _rules_json(self, time: int) -> dict[str, Any]:
        config, genesis = self._backend.config, self._chain.genesis
        rules = rules_at(config, max(time, genesis.header.timestamp))
        blobs = rules.l1_row.blobs if isinstance(config, L1Config) else None
        target, most, fraction = blobs if blobs is not None else (0, 0, 0)
        fork_id = _fork_id(genesis.hash, self._backend.chain_config, genesis.header.timestamp, time)
        return {
            "activationTime": time,
            "blobSchedule": {"target": target, "max": most, "baseFeeUpdateFraction": fraction},
            "chainId": hex_quantity(config.chain_id),
            "forkId": hex_data(fork_id),
            "precompiles": {_NAMES[where]: hex_data(where) for where in rules.precompiles},
            "systemContracts": _system_contracts(rules),
        }


def _system_contracts(rules: EvmRules) -> dict[str, str]:
    found: dict[str, Address] = {}
    if rules.is_cancun:
        found["BEACON_ROOTS_ADDRESS"] = predeploys.BEACON_ROOTS
    if rules.is_prague:
        found["HISTORY_STORAGE_ADDRESS"] = predeploys.HISTORY_STORAGE
        if rules.fork is None:  # no OP chain has requests (isthmus/exec-engine.md)
            found["CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS"] = predeploys.CONSOLIDATION_REQUESTS
            found["DEPOSIT_CONTRACT_ADDRESS"] = predeploys.DEPOSIT_CONTRACT
            found["WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS"] = predeploys.WITHDRAWAL_REQUESTS
    return {name: hex_data(where) for name, where in found.items()}


def _fork_id(genesis_hash: bytes, chain_config: Mapping[str, Any], genesis_time: int, time: int) -> bytes:
    """EIP-6122's FORK_HASH of the forks up to a time: those of genesis are in its hash."""
    numbers = {name: value for name, value in chain_config.items() if isinstance(value, int)}
    blocks = sorted({value for name, value in numbers.items() if name.endswith("Block") and value})
    times = sorted({value for name, value in numbers.items() if name.endswith("Time") and genesis_time < value <= time})
    checksum = zlib.crc32(genesis_hash)
    for fork in (*blocks, *times):
        checksum = zlib.crc32(fork.to_bytes(8, "big"), checksum)
    return checksum.to_bytes(4, "big")
