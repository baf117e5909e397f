"""A chain of the superchain registry as a rollup config (superchain-registry superchain/configs; op-node
rollup/superchain.go). TOML or JSON, parsed by the caller."""

from collections.abc import Mapping
from typing import Any

from rollup.protocol.config import ConfigError, RollupConfig
from rollup.protocol.forks import Fork

# op-node's constant for every registry chain; 50 applies from Granite (specs protocol/derivation.md).
_CHANNEL_TIMEOUT_BEFORE_GRANITE = 300
# The keys of a chain's [hardforks] other than fork times; each is also a key of rollup.json.
_CORRECTIONS = ("pectra_blob_schedule_time", "keep_karst_upgrade_gas")
_FORK_KEYS = [f"{fork.name.lower()}_time" for fork in Fork if fork > Fork.REGOLITH]


def registry_rollup_config(chain: Mapping[str, Any], l1_chain_id: int) -> RollupConfig:
    """The config of a registry chain on this L1; Regolith is active from genesis. Raises ConfigError naming the key."""
    hardforks, addresses = _table(chain, "hardforks"), _table(chain, "addresses")
    unknown = hardforks.keys() - set(_CORRECTIONS) - set(_FORK_KEYS)
    if unknown:
        raise ConfigError(f"hardforks: {', '.join(sorted(unknown))} not known")
    fees = _table(chain, "optimism")
    times = {key: hardforks[key] for key in _FORK_KEYS if hardforks.get(key) is not None}
    return RollupConfig.from_json(
        {
            "genesis": chain.get("genesis"),
            "block_time": chain.get("block_time"),
            "max_sequencer_drift": chain.get("max_sequencer_drift"),
            "seq_window_size": chain.get("seq_window_size"),
            "channel_timeout": _CHANNEL_TIMEOUT_BEFORE_GRANITE,
            "l1_chain_id": l1_chain_id,
            "l2_chain_id": chain.get("chain_id"),
            "regolith_time": 0,
            **times,
            **{key: hardforks.get(key) for key in _CORRECTIONS},
            "batch_inbox_address": chain.get("batch_inbox_addr"),
            "deposit_contract_address": addresses.get("OptimismPortalProxy"),
            "l1_system_config_address": addresses.get("SystemConfigProxy"),
            "chain_op_config": {
                "eip1559Elasticity": fees.get("eip1559_elasticity"),
                "eip1559Denominator": fees.get("eip1559_denominator"),
                "eip1559DenominatorCanyon": fees.get("eip1559_denominator_canyon"),
            },
        }
    )


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    if not isinstance(value, Mapping):
        raise ConfigError(f"{key}: a table is expected")
    return value
