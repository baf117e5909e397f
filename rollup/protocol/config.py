"""The rollup config (op-node's rollup.json) and queries on it.

Format and checks: op-node rollup/types.go (Config, Check); specs protocol/configurability.md.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rollup.protocol.blockref import BlockId
from rollup.protocol.forks import FORKS, Fork, ForkSchedule
from rollup.protocol.json_text import parse_json
from rollup.protocol.primitives import Address, Hash

_FORKS = [fork for fork in Fork if fork != Fork.BEDROCK]


class ConfigError(ValueError):
    """A config that is malformed or contradicts itself; the message names the key."""


@dataclass(slots=True, frozen=True)
class SystemConfig:
    """The settings in L1's SystemConfig contract (specs protocol/system-config.md).

    overhead and scalar are 32-byte integers (scalar packs both fee scalars from Ecotone); gas_limit in gas;
    eip1559_params 8 bytes (denominator u32, elasticity u32); operator fee scalar and constant, and the 20 bytes before
    them that no rule reads; min_base_fee in wei.
    """

    batcher_address: Address
    overhead: int
    scalar: int
    gas_limit: int
    eip1559_params: bytes = bytes(8)
    operator_fee_scalar: int = 0
    operator_fee_constant: int = 0
    operator_fee_reserved: bytes = bytes(20)
    min_base_fee: int = 0
    da_footprint_gas_scalar: int = 0
    unsafe_block_signer: Address = bytes(20)

    def to_json(self) -> dict[str, Any]:
        """The `system_config` object of rollup.json."""
        result: dict[str, Any] = {
            "batcherAddr": _hex(self.batcher_address),
            "overhead": _hex(self.overhead.to_bytes(32, "big")),
            "scalar": _hex(self.scalar.to_bytes(32, "big")),
            "gasLimit": self.gas_limit,
            "eip1559Params": _hex(self.eip1559_params),
            "operatorFeeParams": _hex(
                self.operator_fee_reserved
                + self.operator_fee_scalar.to_bytes(4, "big")
                + self.operator_fee_constant.to_bytes(8, "big")
            ),
            "minBaseFee": self.min_base_fee,
            "daFootprintGasScalar": self.da_footprint_gas_scalar,
        }
        return result

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "SystemConfig":
        """Parses the `system_config` object; raises ConfigError naming the key."""
        batcher_key = "batcherAddr" if "batcherAddr" in data else "batcherAddress"
        operator = _read_bytes(data, "operatorFeeParams", 32, default=bytes(32))
        return cls(
            batcher_address=_read_bytes(data, batcher_key, 20),
            overhead=int.from_bytes(_read_bytes(data, "overhead", 32), "big"),
            scalar=int.from_bytes(_read_bytes(data, "scalar", 32), "big"),
            gas_limit=_read_int(data, "gasLimit"),
            eip1559_params=_read_bytes(data, "eip1559Params", 8, default=bytes(8)),
            operator_fee_scalar=int.from_bytes(operator[20:24], "big"),
            operator_fee_constant=int.from_bytes(operator[24:32], "big"),
            operator_fee_reserved=operator[:20],
            min_base_fee=_read_int(data, "minBaseFee", default=0),
            da_footprint_gas_scalar=_read_int(data, "daFootprintGasScalar", default=0),
        )


@dataclass(slots=True, frozen=True)
class RollupGenesis:
    """Where the rollup starts: an L1 block, the L2 genesis block, its time in seconds, its system config."""

    l1: BlockId
    l2: BlockId
    l2_time: int
    system_config: SystemConfig


@dataclass(slots=True, frozen=True)
class RollupConfig:
    """The content of rollup.json. Times in seconds, windows and timeouts in L1 blocks."""

    genesis: RollupGenesis
    block_time: int
    max_sequencer_drift: int
    seq_window_size: int
    channel_timeout: int  # before Granite; 50 from Granite
    l1_chain_id: int
    l2_chain_id: int
    forks: ForkSchedule
    batch_inbox_address: Address
    deposit_contract_address: Address
    l1_system_config_address: Address
    eip1559_elasticity: int = 6
    eip1559_denominator: int = 50
    eip1559_denominator_canyon: int = 250
    # L1 time until which blobs are priced by Cancun's rule (specs protocol/pectra-blob-schedule/derivation.md).
    pectra_blob_schedule_time: int | None = None
    # The gas of Karst's upgrade transactions stays in the gas limit after its first block (op-node rollup/types.go).
    keep_karst_upgrade_gas: bool = False
    # What L1's blobs cost, from its chain config, which is another file: (from an L1 time in seconds, the
    # update fraction), oldest first. None: blob_schedule.py knows the L1 by its chain id.
    l1_blob_schedule: tuple[tuple[int, int], ...] | None = field(default=None, compare=False)
    # Keys of other tools' files: accepted, but not kept (protocol versions, alt DA, interop).
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)

    def fork_at(self, timestamp: int) -> Fork:
        """The newest fork active at an L2 time."""
        return self.forks.at(timestamp)

    def is_regolith(self, timestamp: int) -> bool:
        """Regolith is active at this L2 time."""
        return self.forks.is_active(Fork.REGOLITH, timestamp)

    def is_canyon(self, timestamp: int) -> bool:
        """Canyon is active at this L2 time."""
        return self.forks.is_active(Fork.CANYON, timestamp)

    def is_delta(self, timestamp: int) -> bool:
        """Delta is active at this L2 time."""
        return self.forks.is_active(Fork.DELTA, timestamp)

    def is_ecotone(self, timestamp: int) -> bool:
        """Ecotone is active at this L2 time."""
        return self.forks.is_active(Fork.ECOTONE, timestamp)

    def is_fjord(self, timestamp: int) -> bool:
        """Fjord is active at this L2 time."""
        return self.forks.is_active(Fork.FJORD, timestamp)

    def is_granite(self, timestamp: int) -> bool:
        """Granite is active at this L2 time."""
        return self.forks.is_active(Fork.GRANITE, timestamp)

    def is_holocene(self, timestamp: int) -> bool:
        """Holocene is active at this L2 time."""
        return self.forks.is_active(Fork.HOLOCENE, timestamp)

    def is_isthmus(self, timestamp: int) -> bool:
        """Isthmus is active at this L2 time."""
        return self.forks.is_active(Fork.ISTHMUS, timestamp)

    def is_jovian(self, timestamp: int) -> bool:
        """Jovian is active at this L2 time."""
        return self.forks.is_active(Fork.JOVIAN, timestamp)

    def is_karst(self, timestamp: int) -> bool:
        """Karst is active at this L2 time."""
        return self.forks.is_active(Fork.KARST, timestamp)

    def activates(self, fork: Fork, timestamp: int) -> bool:
        """True for the first L2 block of a fork; never for genesis."""
        return timestamp > self.genesis.l2_time and self.forks.activates(fork, timestamp, timestamp - self.block_time)

    def activated(self, timestamp: int) -> list[Fork]:
        """The forks whose first L2 block has this time, by age; none for genesis."""
        if timestamp <= self.genesis.l2_time:
            return []
        return self.forks.activated(timestamp, timestamp - self.block_time)

    def first_block_is_empty(self, timestamp: int) -> bool:
        """True for the first block of a fork that lets it hold deposits only; never for genesis."""
        return any(FORKS[fork].first_block_is_empty for fork in self.activated(timestamp))

    def block_number_at(self, timestamp: int) -> int:
        """The L2 block number of a time on the block grid."""
        return self.genesis.l2.number + (timestamp - self.genesis.l2_time) // self.block_time

    def channel_timeout_at(self, l1_timestamp: int) -> int:
        """The number of L1 blocks that a channel may span; 50 from Granite (specs protocol/granite/derivation.md)."""
        # spec: channel.timeout-granite
        return 50 if self.is_granite(l1_timestamp) else self.channel_timeout

    def max_sequencer_drift_at(self, l1_timestamp: int) -> int:
        """The drift in seconds; 1,800 from Fjord, by L1 origin time (specs protocol/fjord/derivation.md)."""
        # spec: fjord.drift
        return 1800 if self.is_fjord(l1_timestamp) else self.max_sequencer_drift

    def check(self) -> "RollupConfig":
        """Raises ConfigError for everything that op-node's Check refuses. Returns the config itself."""
        for name in ("block_time", "channel_timeout", "max_sequencer_drift", "l1_chain_id", "l2_chain_id"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} must be above 0")
        if self.seq_window_size < 2:
            raise ConfigError("seq_window_size must be at least 2")
        if self.l1_chain_id == self.l2_chain_id:
            raise ConfigError("l1_chain_id and l2_chain_id must differ")
        self._check_genesis()
        for name in ("batch_inbox_address", "deposit_contract_address"):
            if not any(getattr(self, name)):
                raise ConfigError(f"{name} must not be zero")
        previous: tuple[Fork, int | None] = (Fork.BEDROCK, 0)
        for fork in _FORKS:
            time = self.forks.time_of(fork)
            if time is not None and (previous[1] is None or previous[1] > time):
                raise ConfigError(
                    f"{fork.name.lower()}_time is set but {previous[0].name.lower()}_time is missing or later"
                )
            previous = (fork, time)
        return self

    def _check_genesis(self) -> None:
        genesis = self.genesis
        if not any(genesis.l1.hash) or not any(genesis.l2.hash):
            raise ConfigError("genesis: a block hash is zero")
        if genesis.l1.hash == genesis.l2.hash:
            raise ConfigError("genesis: L1 and L2 hashes are equal")
        if genesis.l2_time <= 0:
            raise ConfigError("genesis.l2_time must be above 0")
        if not any(genesis.system_config.batcher_address):
            raise ConfigError("genesis.system_config.batcherAddr must not be zero")
        if genesis.system_config.scalar == 0:
            raise ConfigError("genesis.system_config.scalar must not be zero")
        if genesis.system_config.gas_limit == 0:
            raise ConfigError("genesis.system_config.gasLimit must be above 0")

    def to_json(self) -> dict[str, Any]:
        """The rollup.json object, in op-node's key order, with the scheduled forks only."""
        result: dict[str, Any] = {
            "genesis": {
                "l1": _block_id_json(self.genesis.l1),
                "l2": _block_id_json(self.genesis.l2),
                "l2_time": self.genesis.l2_time,
                "system_config": self.genesis.system_config.to_json(),
            },
            "block_time": self.block_time,
            "max_sequencer_drift": self.max_sequencer_drift,
            "seq_window_size": self.seq_window_size,
            "channel_timeout": self.channel_timeout,
            "l1_chain_id": self.l1_chain_id,
            "l2_chain_id": self.l2_chain_id,
        }
        for fork in _FORKS:
            time = self.forks.time_of(fork)
            if time is not None:
                result[f"{fork.name.lower()}_time"] = time
        if self.pectra_blob_schedule_time is not None:
            result["pectra_blob_schedule_time"] = self.pectra_blob_schedule_time
        if self.keep_karst_upgrade_gas:
            result["keep_karst_upgrade_gas"] = True
        result |= {
            "batch_inbox_address": _hex(self.batch_inbox_address),
            "deposit_contract_address": _hex(self.deposit_contract_address),
            "l1_system_config_address": _hex(self.l1_system_config_address),
            "chain_op_config": {
                "eip1559Elasticity": self.eip1559_elasticity,
                "eip1559Denominator": self.eip1559_denominator,
                "eip1559DenominatorCanyon": self.eip1559_denominator_canyon,
            },
        }
        return result

    @classmethod
    def from_json(cls, data: Any) -> "RollupConfig":
        """Parses and checks a rollup.json object; raises ConfigError naming the key."""
        if not isinstance(data, Mapping):
            raise ConfigError("rollup config: an object is expected")
        genesis = _read_object(data, "genesis")
        fees = {} if data.get("chain_op_config") is None else _read_object(data, "chain_op_config")
        known = _KNOWN_KEYS | {f"{fork.name.lower()}_time" for fork in _FORKS}
        return cls(
            genesis=RollupGenesis(
                l1=_read_block_id(genesis, "l1"),
                l2=_read_block_id(genesis, "l2"),
                l2_time=_read_int(genesis, "l2_time"),
                system_config=SystemConfig.from_json(_read_object(genesis, "system_config")),
            ),
            block_time=_read_int(data, "block_time"),
            max_sequencer_drift=_read_int(data, "max_sequencer_drift"),
            seq_window_size=_read_int(data, "seq_window_size"),
            channel_timeout=_read_int(data, "channel_timeout"),
            l1_chain_id=_read_int(data, "l1_chain_id"),
            l2_chain_id=_read_int(data, "l2_chain_id"),
            forks=ForkSchedule(
                **{
                    fork.name.lower(): _read_int(data, f"{fork.name.lower()}_time")
                    for fork in _FORKS
                    if data.get(f"{fork.name.lower()}_time") is not None
                }
            ),
            batch_inbox_address=_read_bytes(data, "batch_inbox_address", 20),
            deposit_contract_address=_read_bytes(data, "deposit_contract_address", 20),
            l1_system_config_address=_read_bytes(data, "l1_system_config_address", 20),
            eip1559_elasticity=_read_int(fees, "eip1559Elasticity", default=6),
            eip1559_denominator=_read_int(fees, "eip1559Denominator", default=50),
            eip1559_denominator_canyon=_read_int(fees, "eip1559DenominatorCanyon", default=250),
            pectra_blob_schedule_time=_read_optional_int(data, "pectra_blob_schedule_time"),
            keep_karst_upgrade_gas=_read_flag(data, "keep_karst_upgrade_gas"),
            extra=_harmless({key: value for key, value in data.items() if key not in known}),
        ).check()

    @classmethod
    def load(cls, path: Path) -> "RollupConfig":
        """Reads a rollup.json file; raises ConfigError for anything wrong with it."""
        try:
            return cls.from_json(parse_json(path.read_text()))
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: not JSON: {error}") from error
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error


_KNOWN_KEYS = {
    "genesis",
    "block_time",
    "max_sequencer_drift",
    "seq_window_size",
    "channel_timeout",
    "l1_chain_id",
    "l2_chain_id",
    "batch_inbox_address",
    "deposit_contract_address",
    "l1_system_config_address",
    "chain_op_config",
    "pectra_blob_schedule_time",
    "keep_karst_upgrade_gas",
}
# Alternative data availability, in its newer and its older form: the batches of such a chain are not on L1.
_ALT_DA_KEYS = {"alt_da", "da_challenge_contract_address", "da_challenge_window", "da_resolve_window", "use_plasma"}
_ZERO_ADDRESS = "0x" + bytes(20).hex()
_MISSING = object()


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _block_id_json(block: BlockId) -> dict[str, Any]:
    return {"hash": _hex(block.hash), "number": block.number}


def _read_object(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    if not isinstance(value, Mapping):
        raise ConfigError(f"{key}: an object is expected")
    return value


def _read_int(data: Mapping[str, Any], key: str, default: Any = _MISSING) -> int:
    value = data.get(key, default)
    if value is None and default is not _MISSING:
        value = default
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigError(f"{key}: a number of at least 0 is expected" if key in data else f"{key} is missing")
    if value >= 2**64 and not key.endswith("_chain_id"):  # uint64 in op-node, except the chain ids
        raise ConfigError(f"{key}: {value} is above 2**64 - 1")
    return value


def _harmless(extra: dict[str, Any]) -> dict[str, Any]:
    """The keys that no rule here reads. Raises ConfigError for a key that changes what is derived."""
    for key, value in extra.items():
        if key.endswith("_time") and value is not None:
            raise ConfigError(f"{key}: not a fork or a time that is known here; without it other blocks would come out")
        if key in _ALT_DA_KEYS and value and value != _ZERO_ADDRESS:
            raise ConfigError(f"{key}: alternative data availability is not supported")
    return extra


def _read_flag(data: Mapping[str, Any], key: str) -> bool:
    value = data.get(key)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise ConfigError(f"{key}: true or false is expected")
    return value


def _read_optional_int(data: Mapping[str, Any], key: str) -> int | None:
    return None if data.get(key) is None else _read_int(data, key)


def _read_bytes(data: Mapping[str, Any], key: str, size: int, default: bytes | None = None) -> bytes:
    value = data.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise ConfigError(f"{key}: a 0x string is expected" if key in data else f"{key} is missing")
    try:
        decoded = bytes.fromhex(value.removeprefix("0x"))
    except ValueError as error:
        raise ConfigError(f"{key}: not hexadecimal") from error
    if len(decoded) != size:
        raise ConfigError(f"{key}: {len(decoded)} bytes, {size} expected")
    return decoded


def _read_block_id(data: Mapping[str, Any], key: str) -> BlockId:
    value: Hash = _read_bytes(_read_object(data, key), "hash", 32)
    return BlockId(value, _read_int(_read_object(data, key), "number"))
