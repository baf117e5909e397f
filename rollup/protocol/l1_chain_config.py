"""The part of an L1's chain config that derivation needs: the blob prices of each fork (geth's ChainConfig in JSON).

Format: go-ethereum params/config.go (ChainConfig, BlobScheduleConfig, EIP-7840 and EIP-7892); read as op-node reads
`--rollup.l1-chain-config`: the config itself, or a genesis file that has it as `config`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rollup.protocol.config import ConfigError
from rollup.protocol.json_text import parse_json

# (from an L1 time in seconds, the fraction by which the blob base fee changes), oldest first.
BlobSchedule = tuple[tuple[int, int], ...]

_BLOB_FORKS = ("cancun", "prague", "osaka", "bpo1", "bpo2", "bpo3", "bpo4", "bpo5")
_KNOWN_TIMES = {f"{fork}Time" for fork in ("shanghai", *_BLOB_FORKS)}


def parse_l1_blob_schedule(data: Any, chain_id: int) -> BlobSchedule:
    """The blob schedule of an L1 chain config, or of a genesis file; raises ConfigError naming the key.

    chain_id is that of the rollup's L1. A fork without an entry keeps the prices of the fork before it. An L1 without
    blobs has an empty schedule.
    """
    if isinstance(data, Mapping) and isinstance(data.get("config"), Mapping):
        data = data["config"]
    if not isinstance(data, Mapping):
        raise ConfigError("L1 chain config: an object is expected")
    if _number(data, "chainId") != chain_id:
        raise ConfigError(f"chainId: this is chain {data['chainId']}, the rollup stands on {chain_id}")
    unknown = [key for key in data if key.endswith("Time") and key not in _KNOWN_TIMES and data[key] is not None]
    if unknown:
        raise ConfigError(f"{unknown[0]}: a fork of L1 that is not known here")
    if all(data.get(f"{fork}Time") is None for fork in _BLOB_FORKS):
        return ()
    entries = data.get("blobSchedule")
    if not isinstance(entries, Mapping):
        raise ConfigError("blobSchedule: an object is expected")
    schedule = tuple(
        (_number(data, f"{fork}Time"), _fraction(entries, fork))
        for fork in _BLOB_FORKS
        if data.get(f"{fork}Time") is not None and entries.get(fork) is not None
    )
    if not schedule:
        raise ConfigError("blobSchedule: there is no entry of a fork that has a time")
    if list(schedule) != sorted(schedule, key=lambda entry: entry[0]):
        raise ConfigError("blobSchedule: the times of its forks are out of order")
    return schedule


def load_l1_blob_schedule(path: Path, chain_id: int) -> BlobSchedule:
    """Reads a file such as `l1-chain-config.json`; raises ConfigError for anything wrong with it."""
    try:
        return parse_l1_blob_schedule(parse_json(path.read_text()), chain_id)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _fraction(entries: Mapping[str, Any], fork: str) -> int:
    entry = entries[fork]
    if not isinstance(entry, Mapping):
        raise ConfigError(f"blobSchedule.{fork}: an object is expected")
    fraction = _number(entry, "baseFeeUpdateFraction", f"blobSchedule.{fork}.")
    if not fraction:
        raise ConfigError(f"blobSchedule.{fork}.baseFeeUpdateFraction must be above 0")
    return fraction


def _number(data: Mapping[str, Any], key: str, prefix: str = "") -> int:
    value = data.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigError(f"{prefix}{key}: a number of at least 0 is expected")
    return value
