"""Rollup configs of the vectors: what a case says, and for the rest values that no rule under test reads."""

from dataclasses import fields
from typing import Any

from rollup.protocol.blockref import BlockId
from rollup.protocol.config import RollupConfig, RollupGenesis, SystemConfig
from rollup.protocol.forks import ForkSchedule

INBOX = bytes.fromhex("ff00000000000000000000000000000000000010")
PORTAL = bytes.fromhex("beb5fc579115071764c7423a4f12edde41f106ed")
SYSTEM_CONFIG_ADDRESS = bytes.fromhex("229047fed2591dbec1ef1118d64f7af3db9eb290")
BATCHER = bytes.fromhex("6887246668a3b87f54deb3b94ba47a6f63f32985")


def rollup_config(forks: ForkSchedule | None = None, genesis_l2_time: int = 1, **changes: Any) -> RollupConfig:
    """A config with these forks (none: Bedrock), and what else is named."""
    genesis = RollupGenesis(
        BlockId(b"\1" * 32, 0), BlockId(b"\2" * 32, 0), genesis_l2_time, SystemConfig(BATCHER, 188, 684000, 30_000_000)
    )
    values: dict[str, Any] = {
        "genesis": genesis,
        "block_time": 2,
        "max_sequencer_drift": 600,
        "seq_window_size": 3600,
        "channel_timeout": 300,
        "l1_chain_id": 1,
        "l2_chain_id": 10,
        "forks": forks or ForkSchedule(),
        "batch_inbox_address": INBOX,
        "deposit_contract_address": PORTAL,
        "l1_system_config_address": SYSTEM_CONFIG_ADDRESS,
    }
    return RollupConfig(**values | changes)


def fork_times(case: dict[str, Any]) -> ForkSchedule:
    """The `<fork>_time` keys of a case; a fork without one is not scheduled."""
    names = {field.name for field in fields(ForkSchedule)}
    return ForkSchedule(**{key.removesuffix("_time"): case[key] for key in case if key.removesuffix("_time") in names})
