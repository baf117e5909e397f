import json
from dataclasses import replace

import pytest

from rollup.execution.chain import Chain
from rollup.execution.config import AttributionConfig, L2Config
from rollup.execution.genesis import genesis_header
from rollup.execution.genesis_json import parse_genesis
from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.protocol.config import ConfigError, RollupConfig
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.store.kv import MemoryStore

PARAMS = DevnetParams(genesis_time=1_700_000_000)
FIRST_FORK = {
    "operator_fee_scalar": Fork.ISTHMUS,
    "operator_fee_constant": Fork.ISTHMUS,
    "min_base_fee": Fork.JOVIAN,
    "da_footprint_gas_scalar": Fork.JOVIAN,
}


def test_the_same_parameters_give_the_same_hashes_and_others_give_others():
    one, two = make_devnet(PARAMS), make_devnet(PARAMS)
    assert (one.l1.header.hash, one.l2.header.hash) == (two.l1.header.hash, two.l2.header.hash)
    later = make_devnet(replace(PARAMS, genesis_time=PARAMS.genesis_time + 2))
    assert one.l1.header.hash != later.l1.header.hash
    assert one.l2.header.hash != later.l2.header.hash


@pytest.mark.parametrize("fork", Fork)
def test_both_chains_open_on_their_genesis_and_the_files_say_the_same(fork):
    devnet = make_devnet(replace(PARAMS, forks=ForkSchedule.all_at(fork)))
    for layer in (devnet.l1, devnet.l2):
        assert Chain.open(MemoryStore(), layer.header, layer.alloc).genesis.hash == layer.header.hash
    assert RollupConfig.from_json(json.loads(json.dumps(devnet.rollup_config.to_json()))) == devnet.rollup_config
    file = parse_genesis(json.loads(json.dumps(devnet.l2_genesis_json)))
    config = L2Config.from_genesis_json(file.config, file.attribution)
    assert config == devnet.l2_config
    assert genesis_header(file, config.forks).hash == devnet.rollup_config.genesis.l2.hash


def test_the_attribution_mode_is_in_the_genesis_file():
    assert make_devnet(PARAMS).l2_config.attribution == AttributionConfig("native", 0)
    assert make_devnet(replace(PARAMS, attribution="contract")).l2_config.attribution == AttributionConfig(
        "contract", 0
    )
    assert make_devnet(replace(PARAMS, attribution="none")).l2_config.attribution is None


def test_the_l1_chain_config_has_the_blob_schedule_that_op_node_demands():
    config = make_devnet(PARAMS).l1_chain_config_json
    assert config["chainId"] == 900
    assert config["blobSchedule"]["prague"] == {"target": 6, "max": 9, "baseFeeUpdateFraction": 5_007_716}


@pytest.mark.parametrize("fork", Fork, ids=lambda fork: fork.name.lower())
def test_a_value_of_a_later_fork_is_refused_and_never_dropped(fork):
    for name, since in FIRST_FORK.items():
        params = replace(PARAMS, forks=ForkSchedule.all_at(fork), **{name: 5})
        if fork >= since:
            assert getattr(make_devnet(params).rollup_config.genesis.system_config, name) == 5
        else:
            with pytest.raises(ConfigError, match=f"{name.replace('_', '-')} needs {since.name.title()} at genesis"):
                make_devnet(params)
