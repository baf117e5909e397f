"""rollup.json and the registry's entries: no key that changes what is derived is dropped."""

from typing import Any

import pytest

from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.protocol.config import ConfigError, RollupConfig
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.superchain import registry_rollup_config
from tests.node.node_process import GENESIS_TIME

BASE = make_devnet(DevnetParams(GENESIS_TIME, forks=ForkSchedule.all_at(Fork.KARST))).rollup_config
FORK_KEYS = [f"{fork.name.lower()}_time" for fork in Fork if fork > Fork.REGOLITH]


def registry_entry(**hardforks: Any) -> dict[str, Any]:
    file = BASE.to_json()
    return {
        **{key: file[key] for key in ("genesis", "block_time", "max_sequencer_drift", "seq_window_size")},
        "chain_id": 901,
        "batch_inbox_addr": file["batch_inbox_address"],
        "addresses": {
            "OptimismPortalProxy": file["deposit_contract_address"],
            "SystemConfigProxy": file["l1_system_config_address"],
        },
        "optimism": {"eip1559_elasticity": 6, "eip1559_denominator": 50, "eip1559_denominator_canyon": 250},
        "hardforks": dict.fromkeys(FORK_KEYS, 0) | hardforks,
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [("karst_time", 7), ("pectra_blob_schedule_time", 5), ("keep_karst_upgrade_gas", True)],
)
def test_every_key_of_a_registry_entrys_hardforks_reaches_rollup_json(key: str, value: Any) -> None:
    plain = registry_rollup_config(registry_entry(), 900)
    config = registry_rollup_config(registry_entry(**{key: value}), 900)
    assert config != plain
    assert config.to_json()[key] == value
    assert RollupConfig.from_json(config.to_json()) == config


def test_a_flag_that_is_not_set_is_not_written() -> None:
    assert "keep_karst_upgrade_gas" not in BASE.to_json()
    assert RollupConfig.from_json({**BASE.to_json(), "keep_karst_upgrade_gas": False}) == BASE
    with pytest.raises(ConfigError, match="keep_karst_upgrade_gas: true or false"):
        RollupConfig.from_json({**BASE.to_json(), "keep_karst_upgrade_gas": 1})


@pytest.mark.parametrize("key", ["lagoon_time", "interop_time", "alt_da", "da_challenge_contract_address"])
def test_a_key_whose_rule_is_missing_here_is_refused(key: str) -> None:
    value = {"da_commitment_type": "KeccakCommitment"} if key == "alt_da" else 1
    with pytest.raises(ConfigError, match=key):
        RollupConfig.from_json({**BASE.to_json(), key: value})
    assert RollupConfig.from_json({**BASE.to_json(), key: None}) == BASE


def test_a_key_that_no_rule_reads_is_kept_aside() -> None:
    kept = {"protocol_versions_address": "0x" + "11" * 20, "da_challenge_contract_address": "0x" + "00" * 20}
    config = RollupConfig.from_json({**BASE.to_json(), **kept})
    assert (config, config.extra) == (BASE, kept)
