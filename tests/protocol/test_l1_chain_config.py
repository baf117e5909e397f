"""An L1's forks and blob schedule from geth's chain config; the price of a blob that follows from them."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from rollup.l1.genesis import L1GenesisParams, build_l1_genesis, l1_chain_config
from rollup.protocol.blob_schedule import l1_blob_base_fee
from rollup.protocol.config import ConfigError
from rollup.protocol.header import Header
from rollup.protocol.l1_chain_config import load_l1_blob_schedule, parse_l1_blob_schedule

CANCUN, PRAGUE, BPO1, BPO2 = 3_338_477, 5_007_716, 8_346_193, 11_684_671
FORKS = {
    "cancun": (0, CANCUN),
    "prague": (100, PRAGUE),
    "osaka": (200, PRAGUE),
    "bpo1": (300, BPO1),
    "bpo2": (400, BPO2),
}


def config(**changes: Any) -> dict[str, Any]:
    entries = {
        name: {"target": 6, "max": 9, "baseFeeUpdateFraction": fraction} for name, (_, fraction) in FORKS.items()
    }
    times = {f"{name}Time": time for name, (time, _) in FORKS.items()}
    return {"chainId": 900, "londonBlock": 0, "shanghaiTime": 0, **times, "blobSchedule": entries} | changes


def test_our_own_file_is_read() -> None:
    assert parse_l1_blob_schedule(l1_chain_config(), 900) == ((0, CANCUN), (0, PRAGUE))
    genesis = build_l1_genesis(L1GenesisParams(1)).to_json()
    assert parse_l1_blob_schedule(genesis, 900) == ((0, CANCUN), (0, PRAGUE)), "the config of a genesis file"


@pytest.mark.parametrize(
    ("time", "wei"),
    [(0, 63_864_039), (99, 63_864_039), (100, 159_773), (299, 159_773), (300, 1_324), (400, 169), (9_999, 169)],
)
def test_a_blob_costs_what_the_fork_of_its_time_says(time: int, wei: int) -> None:
    """EIP-4844's formula at an excess of 60,000,000; Mainnet's schedule stays Mainnet's."""
    header = Header(timestamp=time, excess_blob_gas=60_000_000)
    schedule = parse_l1_blob_schedule(config(), 900)
    assert l1_blob_base_fee(900, header, None, schedule) == wei
    assert l1_blob_base_fee(1, header, None, schedule) == l1_blob_base_fee(1, header)


def test_a_fork_without_an_entry_keeps_the_prices_before_it() -> None:
    entries = copy.deepcopy(config()["blobSchedule"])
    del entries["bpo1"]
    assert [time for time, _ in parse_l1_blob_schedule(config(blobSchedule=entries), 900)] == [0, 100, 200, 400]
    assert [time for time, _ in parse_l1_blob_schedule(config(bpo2Time=None), 900)] == [0, 100, 200, 300]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amsterdamTime": 500}, "amsterdamTime: a fork of L1 that is not known"),
        ({"chainId": 901}, "chainId: this is chain 901"),
        ({"chainId": None}, "chainId"),
        ({"pragueTime": -1}, "pragueTime"),
        ({"pragueTime": 301}, "out of order"),
        ({"blobSchedule": None}, "blobSchedule: an object"),
        ({"blobSchedule": {}}, "there is no entry"),
        ({"blobSchedule": {"cancun": 3}}, "blobSchedule.cancun"),
        ({"blobSchedule": {"cancun": {"target": 3}}}, "blobSchedule.cancun.baseFeeUpdateFraction"),
        ({"blobSchedule": {"cancun": {"baseFeeUpdateFraction": 0}}}, "above 0"),
    ],
)
def test_a_damaged_config_is_refused_by_its_key(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    file = tmp_path / "l1-chain-config.json"
    file.write_text(json.dumps(config(**change)))
    with pytest.raises(ConfigError, match=words) as refusal:
        load_l1_blob_schedule(file, 900)
    assert str(file) in str(refusal.value)
