"""Our own geneses: what is in them, the header geth would compute, files that read back, files that are refused."""

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from eth_account import Account as Wallet
from trie import HexaryTrie

from attribution_precompile import ADDRESS_BYTES as ATTRIBUTION
from attribution_precompile.layout import genesis_storage
from attribution_precompile.twin import RUNTIME_CODE
from rollup.execution.genesis import (
    AttributionMode,
    L2GenesisParams,
    build_l2_alloc,
    build_l2_genesis,
    genesis_extra_data,
    genesis_header,
)
from rollup.execution.genesis_account import Alloc, GenesisAccount, state_root, storage_root
from rollup.execution.genesis_json import GenesisError, GenesisFile, parse_genesis
from rollup.l1 import contracts
from rollup.l1.genesis import (
    L1GenesisParams,
    build_l1_alloc,
    build_l1_genesis,
    l1_chain_config,
    l1_genesis_header,
)
from rollup.protocol import accounts, predeploys
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.header import Header
from rollup.protocol.primitives import (
    EMPTY_REQUESTS_HASH,
    EMPTY_TRIE_ROOT,
    ZERO_HASH,
    keccak256,
    rlp_encode,
    to_int_bytes,
)

TIME = 1_700_000_000


def params(fork: Fork = Fork.JOVIAN, **changes: Any) -> L2GenesisParams:
    return L2GenesisParams(timestamp=TIME, forks=ForkSchedule.all_at(fork), **changes)


def header(fork: Fork) -> Header:
    chosen = params(fork)
    return genesis_header(build_l2_genesis(chosen), chosen.forks)


def test_the_accounts_are_the_mnemonics() -> None:
    Wallet.enable_unaudited_hdwallet_features()
    everyone = (*accounts.USERS, *accounts.ROLES)
    assert [account.index for account in everyone] == list(range(14))
    for account in everyone:
        path = f"m/44'/60'/0'/0/{account.index}"
        wallet = Wallet.from_mnemonic(accounts.MNEMONIC, account_path=path)
        assert bytes(wallet.key) == account.private_key
        assert bytes.fromhex(wallet.address[2:]) == account.address


def test_users_are_funded_on_both_layers_and_roles_on_l1() -> None:
    l1, l2 = build_l1_alloc(L1GenesisParams(timestamp=TIME)), build_l2_alloc(params())
    for user in accounts.USERS:
        assert l1[user.address].balance == l2[user.address].balance == 10**22
    for role in accounts.ROLES:
        assert l1[role.address].balance == 10**22
        assert role.address not in l2


@pytest.mark.parametrize(("mode", "code"), [("native", RUNTIME_CODE), ("contract", RUNTIME_CODE), ("none", None)])
def test_attribution_is_the_same_account_in_both_modes(mode: AttributionMode, code: bytes | None) -> None:
    alloc = build_l2_alloc(params(attribution=mode, attribution_bps=700))
    if code is None:
        assert ATTRIBUTION not in alloc
        return
    owner = accounts.OWNER.address
    assert alloc[ATTRIBUTION] == GenesisAccount(nonce=1, code=code, storage=genesis_storage(owner, owner, 700))


def test_the_jovian_header_follows_geths_rules() -> None:
    # spec: holocene.genesis-extra-data
    genesis = build_l2_genesis(params(min_base_fee=9))
    found = genesis_header(genesis, params().forks)
    assert found == Header(
        coinbase=predeploys.SEQUENCER_FEE_VAULT,
        state_root=state_root(genesis.alloc),
        gas_limit=60_000_000,
        timestamp=TIME,
        extra_data=b"\x01" + (250).to_bytes(4, "big") + (6).to_bytes(4, "big") + (9).to_bytes(8, "big"),
        base_fee_per_gas=10**9,
        withdrawals_root=storage_root(genesis.alloc[predeploys.L2_TO_L1_MESSAGE_PASSER].storage),
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=ZERO_HASH,
        requests_hash=EMPTY_REQUESTS_HASH,
    )
    assert found.withdrawals_root != EMPTY_TRIE_ROOT  # the proxy's two slots are in it


def test_each_fork_adds_its_header_fields() -> None:
    assert header(Fork.REGOLITH).withdrawals_root is None
    assert header(Fork.CANYON).withdrawals_root == EMPTY_TRIE_ROOT
    assert header(Fork.CANYON).blob_gas_used is None
    assert header(Fork.ECOTONE).parent_beacon_block_root == ZERO_HASH
    assert header(Fork.GRANITE).requests_hash is None
    assert header(Fork.GRANITE).extra_data == b""
    assert header(Fork.HOLOCENE).extra_data == bytes.fromhex("00000000fa00000006")
    assert header(Fork.HOLOCENE).withdrawals_root == EMPTY_TRIE_ROOT
    assert header(Fork.ISTHMUS).requests_hash == EMPTY_REQUESTS_HASH
    assert len(header(Fork.JOVIAN).extra_data) == 17


def test_a_fork_that_comes_later_leaves_its_contracts_to_its_deposits() -> None:
    later = ForkSchedule(**{**dict.fromkeys(("regolith", "canyon", "delta"), 0), "ecotone": TIME + 10})
    alloc = build_l2_alloc(L2GenesisParams(timestamp=TIME, forks=later))
    for address in (predeploys.BEACON_ROOTS, predeploys.BEACON_ROOTS_DEPLOYER, predeploys.HISTORY_STORAGE):
        assert address not in alloc
    assert 0 not in alloc[predeploys.GAS_PRICE_ORACLE].storage
    alloc = build_l2_alloc(params(Fork.ISTHMUS))
    assert alloc[predeploys.BEACON_ROOTS_DEPLOYER] == GenesisAccount(nonce=1)
    assert alloc[predeploys.GAS_PRICE_ORACLE].storage[0] == 0x010101


def test_one_storage_trie_by_hand() -> None:
    # A single leaf: compact path of an even key with the leaf flag, then the RLP of the value in a string.
    key = keccak256((7).to_bytes(32, "big"))
    leaf = rlp_encode([b"\x20" + key, rlp_encode(b"\x05")])
    assert storage_root({7: 5}) == storage_root({7: 5, 8: 0}) == keccak256(leaf)
    assert storage_root({}) == EMPTY_TRIE_ROOT


@pytest.mark.parametrize("build", [lambda: build_l2_alloc(params()), lambda: build_l1_alloc(L1GenesisParams(TIME))])
def test_a_states_root_is_the_one_of_hexary_trie(build: Callable[[], Alloc]) -> None:
    def root(leaves: Mapping[bytes, list[bytes] | bytes]) -> bytes:
        trie = HexaryTrie({})
        for key, value in leaves.items():
            trie[keccak256(key)] = rlp_encode(value)
        return bytes(trie.root_hash)

    alloc, leaves = build(), dict[bytes, list[bytes] | bytes]()
    for address, account in alloc.items():
        storage = root({slot.to_bytes(32, "big"): to_int_bytes(value) for slot, value in account.storage.items()})
        fields = [to_int_bytes(account.nonce), to_int_bytes(account.balance), storage, keccak256(account.code)]
        leaves[address] = fields
    assert sum(bool(account.storage) for account in alloc.values()) > 3
    assert state_root(alloc) == root(leaves)


@pytest.mark.parametrize("build", [lambda: build_l2_genesis(params()), lambda: build_l1_genesis(L1GenesisParams(TIME))])
def test_a_file_reads_back_as_it_was(build: Any) -> None:
    genesis: GenesisFile = build()
    again = parse_genesis(json.loads(json.dumps(genesis.to_json())))
    assert again == genesis
    assert again.to_json() == genesis.to_json()


def test_attributions_key_is_beside_config_and_read_inside_it_too() -> None:
    """op-program refuses a key inside `config` that op-geth's chain config does not have."""
    written = build_l2_genesis(params()).to_json()
    key = {"mode": "native", "time": 0}
    assert written["attribution"] == key
    assert "attribution" not in written["config"]
    inside = {**written, "config": {**written["config"], "attribution": key}}
    del inside["attribution"]
    for data in (written, inside, {**inside, "attribution": key}):
        assert parse_genesis(data) == build_l2_genesis(params())
    with pytest.raises(GenesisError, match="attribution"):
        parse_genesis({**inside, "attribution": {"mode": "contract", "time": 0}})


def test_the_l2_config_is_what_op_geth_accepts() -> None:
    # CheckOptimismValidity: Ethereum's forks at the rollup's times, no blob schedule, and no key op-geth does not know.
    config = build_l2_genesis(params()).config
    assert config["chainId"] == 901
    assert config["shanghaiTime"] == config["canyonTime"] == 0
    assert config["cancunTime"] == config["ecotoneTime"] == 0
    assert config["pragueTime"] == config["isthmusTime"] == 0
    assert config["terminalTotalDifficulty"] == 0
    assert config["optimism"] == {
        "eip1559Elasticity": 6,
        "eip1559Denominator": 50,
        "eip1559DenominatorCanyon": 250,
    }
    assert not {"blobSchedule", "osakaTime", "karstTime", "deltaTime", "attribution"} & config.keys()
    blocks = {key for key in config if key.endswith("Block")}
    assert {"arrowGlacierBlock", "grayGlacierBlock", "mergeNetsplitBlock", "bedrockBlock"} <= blocks
    assert all(config[key] == 0 for key in blocks)
    early = build_l2_genesis(params(Fork.CANYON)).config
    assert not {"cancunTime", "ecotoneTime"} & early.keys()


def test_the_l1_config_is_the_one_op_node_and_kona_read() -> None:
    config = l1_chain_config()
    assert config["chainId"] == 900
    assert config["londonBlock"] == config["pragueTime"] == 0
    assert config["blobSchedule"] == {
        "cancun": {"target": 3, "max": 6, "baseFeeUpdateFraction": 3338477},
        "prague": {"target": 6, "max": 9, "baseFeeUpdateFraction": 5007716},
    }
    config["blobSchedule"]["prague"]["max"] = 1
    assert l1_chain_config()["blobSchedule"]["prague"]["max"] == 9


def test_the_l1_header_is_prague() -> None:
    genesis = build_l1_genesis(L1GenesisParams(TIME, prev_randao=b"\7" * 32))
    found = l1_genesis_header(genesis)
    assert found.requests_hash == EMPTY_REQUESTS_HASH
    assert found.withdrawals_root == EMPTY_TRIE_ROOT
    assert found.prev_randao == b"\7" * 32
    assert found.state_root == state_root(genesis.alloc)
    assert Header.decode(found.encode()) == found


def test_the_l1_has_its_system_contracts_and_no_deposit_contract() -> None:
    alloc = build_l1_alloc(L1GenesisParams(TIME))
    for address in (
        predeploys.BEACON_ROOTS,
        predeploys.HISTORY_STORAGE,
        predeploys.WITHDRAWAL_REQUESTS,
        predeploys.CONSOLIDATION_REQUESTS,
    ):
        assert (alloc[address].nonce, bool(alloc[address].code)) == (1, True)
    assert contracts.BATCH_INBOX not in alloc


def test_funding_a_contract_is_refused() -> None:
    with pytest.raises(GenesisError, match="is a contract of this genesis"):
        build_l2_alloc(params(balances={predeploys.L1_BLOCK: 1}))
    with pytest.raises(GenesisError, match="cannot hold"):
        build_l2_alloc(params(balances={b"\1" * 20: -1}))
    with pytest.raises(GenesisError, match="cannot hold"):
        build_l1_alloc(L1GenesisParams(TIME, balances={b"\1" * 20: 2**256}))


@pytest.mark.parametrize("data", [b"", bytes(17), b"\x01" + bytes(16), bytes.fromhex("00000000fa00000006")])
def test_a_jovian_genesis_without_fee_parameters_is_refused(data: bytes) -> None:
    # spec: holocene.genesis-extra-data
    genesis = build_l2_genesis(params())
    genesis.extra_data = data
    with pytest.raises(GenesisError, match="extraData"):
        genesis_header(genesis, params().forks)


def test_extra_data_reaches_the_params_limits() -> None:
    chosen = params(eip1559_denominator_canyon=2**32 - 1, eip1559_elasticity=2**32 - 1, min_base_fee=2**64 - 1)
    assert genesis_extra_data(chosen) == b"\x01" + b"\xff" * 16


A = "0x" + "11" * 20
DAMAGES: tuple[tuple[tuple[str, ...], Any, str], ...] = (
    ((), None, "genesis: an object"),
    (("config",), None, "config: an object"),
    (("alloc",), [], "alloc: an object"),
    (("alloc", "0x12"), {"balance": "0x0"}, "alloc.0x12: 1 bytes, 20 expected"),
    (("alloc", "zz" * 20), {"balance": "0x0"}, f"alloc.{'zz' * 20}: not hexadecimal"),
    (("alloc", "11" * 20), {"balance": "0x0"}, f"alloc.{'11' * 20}: the address stands here twice"),
    (("alloc", A), "0x0", f"alloc.{A}: an object"),
    (("alloc", A), {}, f"alloc.{A}.balance is missing"),
    (("alloc", A, "balance"), "0xzz", f"alloc.{A}.balance: not a number"),
    (("alloc", A, "balance"), "-1", f"alloc.{A}.balance: not a number"),
    (("alloc", A, "balance"), "1_000", f"alloc.{A}.balance: not a number"),
    (("alloc", A, "balance"), "0x 1", f"alloc.{A}.balance: not a number"),
    (("alloc", A, "balance"), -1, f"alloc.{A}.balance: a number from 0"),
    (("alloc", A, "code"), "0x00 01", f"alloc.{A}.code: not hexadecimal"),
    (("alloc", A, "balance"), hex(2**256), f"alloc.{A}.balance: "),
    (("alloc", A, "balance"), 1.5, f"alloc.{A}.balance: a number from 0"),
    (("alloc", A, "balance"), True, f"alloc.{A}.balance: a number from 0"),
    (("alloc", A, "nonce"), hex(2**64), f"alloc.{A}.nonce: a number from 0"),
    (("alloc", A, "code"), "0x1", f"alloc.{A}.code: not hexadecimal"),
    (("alloc", A, "code"), 7, f"alloc.{A}.code: a 0x string"),
    (("alloc", A, "code"), "0x" + "00" * (2**20 + 1), f"alloc.{A}.code: 1048577 bytes are too many"),
    (("alloc", A, "storage"), [1], f"alloc.{A}.storage: an object"),
    (("alloc", A, "storage"), {"0x" + "0" * 65: "0x1"}, f"alloc.{A}.storage: not a hexadecimal word"),
    (("alloc", A, "storage"), {"0x1": "0x1", "0x01": "0x2"}, f"alloc.{A}.storage: slot 0x01 stands here twice"),
    (("alloc", A, "storage"), {"0x1": "-1"}, f"alloc.{A}.storage.0x1: not a hexadecimal word"),
    (("alloc", A, "storage"), {"0x1": None}, f"alloc.{A}.storage.0x1: not a hexadecimal word"),
    (("timestamp",), None, "timestamp is missing"),
    (("timestamp",), "soon", "timestamp: not a number"),
    (("gasLimit",), None, "gasLimit is missing"),
    (("coinbase",), "0x00", "coinbase: 1 bytes, 20 expected"),
    (("mixHash",), "0x" + "00" * 31, "mixHash: 31 bytes, 32 expected"),
    (("baseFeePerGas",), "many", "baseFeePerGas: not a number"),
    (("extraData",), 5, "extraData: a 0x string"),
)


@pytest.mark.parametrize(("path", "value", "message"), DAMAGES)
def test_a_damaged_file_is_refused_by_the_name_of_its_field(path: tuple[str, ...], value: Any, message: str) -> None:
    good = {
        "config": {},
        "timestamp": "0x1",
        "gasLimit": "0x1",
        "alloc": {A: {"balance": "0x1", "storage": {"0x0": "0x0"}}},
    }
    assert parse_genesis(good).alloc == {b"\x11" * 20: GenesisAccount(balance=1)}
    damaged: Any = copy.deepcopy(good)
    if not path:
        damaged = value
    else:
        holder = damaged
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = value
    with pytest.raises(GenesisError) as refusal:
        parse_genesis(damaged)
    assert str(refusal.value).startswith(message)
