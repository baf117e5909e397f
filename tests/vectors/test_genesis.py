"""Real chains: genesis file → state root → genesis hash; registry entries → rollup config and chain config."""

from typing import Any

import pytest

from rollup.execution.chain import Chain
from rollup.execution.config import L2Config
from rollup.execution.genesis import L2GenesisParams, genesis_header, l2_chain_config
from rollup.execution.genesis_json import GenesisFile, parse_genesis
from rollup.execution.replay import header_from_json
from rollup.execution.state.changes import changes_of_alloc
from rollup.execution.state.database import StateDatabase
from rollup.protocol.blob_schedule import l1_blob_base_fee
from rollup.protocol.config import ConfigError, RollupConfig
from rollup.protocol.fees import blob_base_fee
from rollup.protocol.forks import L1_FORKS, Fork, ForkSchedule, L1Fork
from rollup.protocol.header import Header
from rollup.protocol.predeploys import L2_TO_L1_MESSAGE_PASSER
from rollup.protocol.primitives import EMPTY_TRIE_ROOT
from rollup.protocol.superchain import registry_rollup_config
from rollup.store.kv import MemoryStore
from tests.vector_files import files, load, unknown_keys
from tests.vectors.hexes import unhex

FOLDER = "genesis"
DOCUMENTS: dict[str, Any] = {file: load(FOLDER, file) for file in files(FOLDER)}
GENESES = [pytest.param(file, data, id=file) for file, data in DOCUMENTS.items() if "genesis" in data]
CHAINS = [
    pytest.param(file, data, name, id=f"{file}/{name}")
    for file, data in DOCUMENTS.items()
    for name in data.get("chains", {})
]
L1_CHAIN_IDS = {"mainnet": 1, "sepolia": 11_155_111}


@pytest.mark.parametrize("file", DOCUMENTS)
def test_every_file_has_a_runner(file: str) -> None:
    data = DOCUMENTS[file]
    known = ("genesis", "expected", "chain_config_toml") if "genesis" in data else ("superchains", "chains")
    unknown = unknown_keys(data, known) + unknown_keys(data.get("expected", {}), ("block_hash", "state_root", "header"))
    if unknown or not data.keys() & {"genesis", "chains"}:
        pytest.fail(f"{FOLDER}/{file}: no check for {unknown or sorted(data)}")


# ---------------------------------------------------------------- allocations
def parsed(data: dict[str, Any]) -> tuple[GenesisFile, ForkSchedule]:
    """The genesis file, and the chain's forks: the file's own config says nothing."""
    config = registry_rollup_config(data["chain_config_toml"], 1)
    return parse_genesis({**data["genesis"], "config": data["genesis"].get("config") or {}}), config.forks


@pytest.mark.parametrize(("file", "data"), GENESES)
def test_a_real_genesis_has_its_real_hash(file: str, data: dict[str, Any], ran: Any) -> None:
    genesis, forks = parsed(data)
    assert len(genesis.alloc) == len(data["genesis"]["alloc"])
    header = genesis_header(genesis, forks)
    expected = data["expected"]
    assert header.state_root == unhex(expected["state_root"])
    if "header" in expected:
        assert header == header_from_json(expected["header"])
    assert header.hash == unhex(expected["block_hash"])
    assert header.hash == unhex(data["chain_config_toml"]["genesis"]["l2"]["hash"])
    assert L2_TO_L1_MESSAGE_PASSER in genesis.alloc
    ran(f"{FOLDER}/{file}")


@pytest.mark.parametrize(("file", "data"), GENESES)
def test_our_store_has_the_same_root(file: str, data: dict[str, Any], ran: Any) -> None:
    """The trie of the store is another one than the genesis tool's; a chain begins on it, and every account is read."""
    genesis, forks = parsed(data)
    staged = StateDatabase(MemoryStore()).stage(EMPTY_TRIE_ROOT, changes_of_alloc(genesis.alloc))
    assert staged.root == unhex(data["expected"]["state_root"])
    chain = Chain.open(MemoryStore(), genesis_header(genesis, forks), genesis.alloc)
    assert chain.head.hash == unhex(data["expected"]["block_hash"])
    reader = chain.states.reader_at(staged.root)
    for address, entry in genesis.alloc.items():
        account = reader.account(address)
        assert account is not None, address.hex()
        assert (account.nonce, account.balance) == (entry.nonce, entry.balance)
        assert reader.code(account.code_hash) == entry.code
        for slot, value in entry.storage.items():
            assert reader.storage(address, slot) == value
    ran(f"{FOLDER}/{file}")


@pytest.mark.parametrize(("file", "data"), GENESES)
def test_a_genesis_file_is_written_as_it_was_read(file: str, data: dict[str, Any], ran: Any) -> None:
    genesis, _ = parsed(data)
    assert parse_genesis(genesis.to_json()) == genesis
    ran(f"{FOLDER}/{file}")


# ---------------------------------------------------------------- chain configs
def l1_of(data: dict[str, Any], chain: dict[str, Any]) -> int:
    """The L1 of a registry chain: of the superchain whose forks it shares."""
    times = {key: value for key, value in chain["hardforks"].items() if key.endswith("_time")}
    for superchain in data["superchains"].values():
        shared = superchain["hardforks"].keys() & times.keys()
        if all(superchain["hardforks"][key] == times[key] or times[key] <= chain["superchain_time"] for key in shared):
            chain_id: int = superchain["l1"]["chain_id"]
            return chain_id
    pytest.fail(f"{chain['name']}: of no superchain here")


def config_of(data: dict[str, Any], name: str) -> RollupConfig:
    chain = data["chains"][name]
    return registry_rollup_config(chain, l1_of(data, chain))


@pytest.mark.parametrize(("file", "data", "name"), CHAINS)
def test_a_registry_chain_as_a_rollup_config(file: str, data: dict[str, Any], name: str, ran: Any) -> None:
    chain, config = data["chains"][name], config_of(data, name)
    suffix = next((known for known in L1_CHAIN_IDS if name.endswith(f"-{known}")), None)
    assert suffix is None or config.l1_chain_id == L1_CHAIN_IDS[suffix]
    genesis, system_config = chain["genesis"], chain["genesis"]["system_config"]
    assert {
        "chain_id": config.l2_chain_id,
        "batch_inbox_addr": config.batch_inbox_address,
        "block_time": config.block_time,
        "seq_window_size": config.seq_window_size,
        "max_sequencer_drift": config.max_sequencer_drift,
    } == {
        "chain_id": chain["chain_id"],
        "batch_inbox_addr": unhex(chain["batch_inbox_addr"]),
        "block_time": chain["block_time"],
        "seq_window_size": chain["seq_window_size"],
        "max_sequencer_drift": chain["max_sequencer_drift"],
    }
    for side, block in (("l1", config.genesis.l1), ("l2", config.genesis.l2)):
        assert (block.hash, block.number) == (unhex(genesis[side]["hash"]), genesis[side]["number"])
    assert config.genesis.l2_time == genesis["l2_time"]
    batcher = config.genesis.system_config
    assert batcher.batcher_address == unhex(system_config["batcherAddress"])
    assert batcher.overhead == int(system_config["overhead"], 16)
    assert batcher.scalar == int(system_config["scalar"], 16)
    assert batcher.gas_limit == system_config["gasLimit"]
    assert config.deposit_contract_address == unhex(chain["addresses"]["OptimismPortalProxy"])
    assert config.l1_system_config_address == unhex(chain["addresses"]["SystemConfigProxy"])
    assert config.channel_timeout_at(0) == (50 if chain["hardforks"]["granite_time"] == 0 else 300)
    assert RollupConfig.from_json(config.to_json()) == config
    ran(f"{FOLDER}/{file}")


@pytest.mark.parametrize(("file", "data", "name"), CHAINS)
def test_forks_begin_at_their_second(file: str, data: dict[str, Any], name: str, ran: Any) -> None:
    hardforks, config = data["chains"][name]["hardforks"], config_of(data, name)
    for fork in Fork:
        time = hardforks.get(f"{fork.name.lower()}_time", 0 if fork <= Fork.REGOLITH else None)
        assert config.forks.time_of(fork) == time
        if time is not None:
            assert config.fork_at(time) >= fork
            assert getattr(config, f"is_{fork.name.lower()}", lambda _: True)(time)
        if time:
            assert config.fork_at(time - 1) < fork
    ran(f"{FOLDER}/{file}")


@pytest.mark.parametrize(("file", "data", "name"), CHAINS)
def test_a_registry_chain_as_a_chain_config(file: str, data: dict[str, Any], name: str, ran: Any) -> None:
    chain, config = data["chains"][name], config_of(data, name)
    fees = chain["optimism"]
    params = L2GenesisParams(
        timestamp=config.genesis.l2_time,
        chain_id=config.l2_chain_id,
        forks=config.forks,
        eip1559_elasticity=fees["eip1559_elasticity"],
        eip1559_denominator=fees["eip1559_denominator"],
        eip1559_denominator_canyon=fees["eip1559_denominator_canyon"],
    )
    written = l2_chain_config(params)
    read = L2Config.from_genesis_json(written)
    assert read.chain_id == chain["chain_id"]
    for fork in Fork:
        if fork != Fork.DELTA:  # derivation's alone: no key of geth's
            assert read.forks.time_of(fork) == config.forks.time_of(fork)
    for ethereum, fork in (("shanghai", Fork.CANYON), ("cancun", Fork.ECOTONE), ("prague", Fork.ISTHMUS)):
        assert written.get(f"{ethereum}Time") == config.forks.time_of(fork)
    assert read.eip1559_elasticity == config.eip1559_elasticity == fees["eip1559_elasticity"]
    canyon = chain["hardforks"]["canyon_time"]
    assert read.denominator_at(canyon) == config.eip1559_denominator_canyon == fees["eip1559_denominator_canyon"]
    if canyon:
        assert read.denominator_at(canyon - 1) == config.eip1559_denominator == fees["eip1559_denominator"]
    ran(f"{FOLDER}/{file}")


@pytest.mark.parametrize(("file", "data", "name"), CHAINS)
def test_blobs_are_priced_by_cancun_until_the_chain_says(file: str, data: dict[str, Any], name: str) -> None:
    """specs protocol/pectra-blob-schedule/derivation.md; by L1 time, and only where the chain has the key."""
    config = config_of(data, name)
    time = config.pectra_blob_schedule_time
    assert time == data["chains"][name]["hardforks"].get("pectra_blob_schedule_time")
    if time is None:
        return
    excess = 100_000_000
    for l1_time, rule in ((time - 1, L1Fork.CANCUN), (time, L1Fork.PRAGUE)):
        header = Header(timestamp=l1_time, excess_blob_gas=excess)
        price = blob_base_fee(excess, L1_FORKS[rule].blobs.update_fraction)
        assert l1_blob_base_fee(config.l1_chain_id, header, time) == price
    earlier = Header(timestamp=time - 1, excess_blob_gas=excess)
    assert l1_blob_base_fee(config.l1_chain_id, earlier) == blob_base_fee(
        excess, L1_FORKS[L1Fork.PRAGUE].blobs.update_fraction
    )


@pytest.mark.parametrize(("file", "data", "name"), CHAINS)
def test_a_damaged_entry_is_refused_by_its_key(file: str, data: dict[str, Any], name: str) -> None:
    chain = data["chains"][name]
    for key in ("genesis", "block_time", "seq_window_size", "max_sequencer_drift", "hardforks", "addresses"):
        with pytest.raises(ConfigError, match=key):
            registry_rollup_config({k: v for k, v in chain.items() if k != key}, 1)
    with pytest.raises(ConfigError, match="later_time"):
        registry_rollup_config({**chain, "hardforks": {**chain["hardforks"], "later_time": 1}}, 1)
    with pytest.raises(ConfigError, match="l2_chain_id"):
        registry_rollup_config({**chain, "chain_id": "ten"}, 1)
