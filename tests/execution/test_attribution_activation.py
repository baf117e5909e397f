"""The block in which the attribution account begins, and its first state (docs/attribution-calls.md; case A18)."""

from dataclasses import replace

import pytest

from attribution_precompile import ADDRESS_BYTES, RUNTIME_CODE
from attribution_precompile.layout import genesis_storage
from rollup.execution.attribution_activation import DEFAULT_PLATFORM_BPS
from rollup.execution.block_context import context_of_header
from rollup.execution.config import AttributionConfig, ChainConfigError, L2Config
from rollup.execution.genesis import L2GenesisParams, build_l2_alloc, build_l2_genesis, genesis_header
from rollup.execution.irregular import begin_irregularly
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.database import StateDatabase
from rollup.protocol import predeploys
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.primitives import EMPTY_TRIE_ROOT
from rollup.store.kv import MemoryStore

TIME = 1_000
OWNER = b"\x0e" * 20


def accounts_with(owner: bytes) -> AccountDatabase:
    accounts = AccountDatabase(StateDatabase(MemoryStore(), None).reader_at(EMPTY_TRIE_ROOT))
    accounts.set_storage(predeploys.PROXY_ADMIN, 0, int.from_bytes(owner, "big"))
    accounts.lock_changes()
    return accounts


def config(mode: str = "native", time: int = TIME) -> L2Config:
    return L2Config(901, ForkSchedule.all_at(Fork.ISTHMUS), attribution=AttributionConfig(mode, time))


def begin(accounts: AccountDatabase, config: L2Config, timestamp: int, parent_timestamp: int) -> None:
    """Applies the changes that a block of this time makes before its first transaction."""
    parent = replace(
        genesis_header(build_l2_genesis(L2GenesisParams(1, forks=config.forks)), config.forks),
        timestamp=parent_timestamp,
    )
    begin_irregularly(accounts, context_of_header(config, replace(parent, number=1, timestamp=timestamp), parent))


def parameters(accounts: AccountDatabase) -> dict[int, int]:
    return {slot: accounts.get_storage(ADDRESS_BYTES, slot) for slot in (0, 1)}


@pytest.mark.parametrize(
    ("parent", "timestamp", "begins"),
    [
        (TIME - 4, TIME - 2, False),
        (TIME - 2, TIME - 1, False),
        (TIME - 2, TIME, True),
        (TIME - 1, TIME + 1, True),
        (TIME - 900, TIME + 900, True),
        (TIME, TIME + 2, False),
        (TIME + 2, TIME + 4, False),
    ],
)
def test_a18_the_first_block_whose_time_has_reached_it(parent: int, timestamp: int, begins: bool) -> None:
    accounts = accounts_with(OWNER)
    begin(accounts, config(), timestamp, parent)
    assert accounts.get_code(ADDRESS_BYTES) == (RUNTIME_CODE if begins else b"")
    assert accounts.get_nonce(ADDRESS_BYTES) == begins


@pytest.mark.parametrize("mode", ["native", "contract"])
def test_a18_the_owner_of_proxy_admin_runs_the_platform(mode: str) -> None:
    accounts = accounts_with(OWNER)
    accounts.set_balance(ADDRESS_BYTES, 7)
    begin(accounts, config(mode), TIME, TIME - 2)
    assert accounts.get_code(ADDRESS_BYTES) == RUNTIME_CODE
    assert accounts.get_balance(ADDRESS_BYTES) == 7
    assert parameters(accounts) == genesis_storage(OWNER, OWNER, DEFAULT_PLATFORM_BPS)


def test_a18_without_an_owner_there_is_no_platform() -> None:
    accounts = accounts_with(bytes(20))
    begin(accounts, config(), TIME, TIME - 2)
    assert accounts.get_code(ADDRESS_BYTES) == RUNTIME_CODE
    assert parameters(accounts) == {0: 0, 1: 0}


def test_a18_a_chain_without_attribution_never_begins_it() -> None:
    accounts = accounts_with(OWNER)
    begin(accounts, L2Config(901, ForkSchedule.all_at(Fork.ISTHMUS)), TIME, TIME - 2)
    assert accounts.get_code(ADDRESS_BYTES) == b""


@pytest.mark.parametrize("later", [0, 1, 10])
@pytest.mark.parametrize("mode", ["native", "contract"])
def test_the_chain_config_says_what_genesis_does(mode: str, later: int) -> None:
    params = L2GenesisParams(timestamp=TIME, attribution=mode, attribution_time=TIME + later)  # type: ignore[arg-type]
    file = build_l2_genesis(params)
    assert file.attribution == {"mode": mode, "time": TIME + later}
    assert L2Config.from_genesis_json(file.config, file.attribution).attribution == AttributionConfig(
        mode, TIME + later
    )
    assert (ADDRESS_BYTES in build_l2_alloc(params)) is (later == 0)


def test_a_chain_without_attribution_does_not_name_it() -> None:
    file = build_l2_genesis(L2GenesisParams(timestamp=TIME, attribution="none"))
    assert "attribution" not in file.to_json()
    assert L2Config.from_genesis_json(file.config, file.attribution).attribution is None


@pytest.mark.parametrize(
    "value",
    ["native", [], {"mode": "solidity"}, {"mode": None}, {"time": -1}, {"time": "0"}, {"time": True}, {"time": 1.5}],
)
def test_a_malformed_key_is_named(value: object) -> None:
    good = build_l2_genesis(L2GenesisParams(timestamp=TIME)).config
    with pytest.raises(ChainConfigError, match=r"attribution|time"):
        L2Config.from_genesis_json(good, value)
