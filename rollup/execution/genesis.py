"""The L2 genesis: predeploys, preinstalls, funded accounts, attribution; its header; geth's genesis.json of it.

Sources: specs protocol/predeploys.md and protocol/preinstalls.md; header rules: op-geth core/genesis.go (ToBlock).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final, Literal

from attribution_precompile import ADDRESS_BYTES as ATTRIBUTION_ADDRESS
from attribution_precompile import RUNTIME_CODE
from attribution_precompile.layout import genesis_storage
from rollup.execution.attribution_activation import DEFAULT_PLATFORM_BPS
from rollup.execution.contract_artifact import (
    ADMIN_SLOT,
    IMPLEMENTATION_SLOT,
    ContractArtifact,
    implementation_address,
    load_artifact,
    short_string,
)
from rollup.execution.genesis_account import Alloc, GenesisAccount, state_root, storage_root
from rollup.execution.genesis_json import GenesisError, GenesisFile
from rollup.protocol import predeploys
from rollup.protocol.accounts import OWNER, USER_BALANCE, USERS
from rollup.protocol.forks import NEWEST_STABLE, Fork, ForkSchedule
from rollup.protocol.header import Header
from rollup.protocol.primitives import (
    EMPTY_REQUESTS_HASH,
    EMPTY_TRIE_ROOT,
    ZERO_HASH,
    Address,
    Hash,
)

AttributionMode = Literal["native", "contract", "none"]

L2_CHAIN_ID: Final = 901
GWEI: Final = 10**9
PRECOMPILE_RANGE: Final = 256

_VAULTS: Final = {
    predeploys.SEQUENCER_FEE_VAULT: "SequencerFeeVault",
    predeploys.BASE_FEE_VAULT: "BaseFeeVault",
    predeploys.L1_FEE_VAULT: "L1FeeVault",
    predeploys.OPERATOR_FEE_VAULT: "OperatorFeeVault",
}
_PROXIED: Final = {
    predeploys.GAS_PRICE_ORACLE: "GasPriceOracle",
    predeploys.L1_BLOCK: "L1Block",
    predeploys.L2_TO_L1_MESSAGE_PASSER: "L2ToL1MessagePasser",
}
# FeeVault.WithdrawalNetwork.
WITHDRAW_TO_L1: Final = 0
WITHDRAW_TO_L2: Final = 1


def _default_balances() -> dict[Address, int]:
    return {user.address: USER_BALANCE for user in USERS}


@dataclass(slots=True, frozen=True)
class L2GenesisParams:
    """The parameters of an L2 genesis. timestamp in seconds, gas_limit in gas, base_fee and min_base_fee in wei.

    forks: those active at `timestamp` shape the state and the header. balances: wei by address. proxy_owner: who may
    upgrade predeploys. A vault pays fee_recipient, on the layer fee_network names, once it holds min_withdrawal wei.
    attribution_bps: the platform's share of an inference fee in basis points. attribution_time in seconds: after
    `timestamp`, the account is not in the genesis state, and the three parameters before it are the activation rule's.
    """

    timestamp: int
    chain_id: int = L2_CHAIN_ID
    forks: ForkSchedule = field(default_factory=lambda: ForkSchedule.all_at(NEWEST_STABLE))
    gas_limit: int = 60_000_000
    base_fee: int = GWEI
    eip1559_elasticity: int = 6
    eip1559_denominator: int = 50
    eip1559_denominator_canyon: int = 250
    min_base_fee: int = 0
    balances: Mapping[Address, int] = field(default_factory=_default_balances)
    proxy_owner: Address = OWNER.address
    fee_recipient: Address = OWNER.address
    fee_network: int = WITHDRAW_TO_L2
    min_withdrawal: int = 0
    attribution: AttributionMode = "native"
    attribution_admin: Address = OWNER.address
    attribution_treasury: Address = OWNER.address
    attribution_bps: int = DEFAULT_PLATFORM_BPS
    attribution_time: int = 0

    def is_active(self, fork: Fork) -> bool:
        """The fork is active in the genesis block."""
        return self.forks.is_active(fork, self.timestamp)


def build_l2_alloc(params: L2GenesisParams) -> Alloc:
    """Every account of the L2 genesis; raises GenesisError where a funded address is taken by a contract."""
    alloc: Alloc = {number.to_bytes(20, "big"): GenesisAccount(balance=1) for number in range(PRECOMPILE_RANGE)}
    alloc |= preinstalls()
    alloc |= _system_contracts(params)
    alloc |= _predeploys(params)
    if params.attribution != "none" and params.attribution_time <= params.timestamp:
        alloc[ATTRIBUTION_ADDRESS] = _attribution(params)
    fund(alloc, params.balances)
    return alloc


def genesis_header(genesis: GenesisFile, forks: ForkSchedule) -> Header:
    """The L2 genesis header that geth computes from a genesis file; its `hash` is the genesis hash.

    forks decides which optional fields exist at the file's timestamp. Raises GenesisError when the file's extraData
    is not what the fork demands: op-geth could not compute block 1's base fee from it.
    """
    at = genesis.timestamp
    _check_extra_data(genesis.extra_data, forks, at)
    canyon, ecotone = forks.is_active(Fork.CANYON, at), forks.is_active(Fork.ECOTONE, at)
    isthmus = forks.is_active(Fork.ISTHMUS, at)
    return Header(
        parent_hash=genesis.parent_hash,
        coinbase=genesis.coinbase,
        state_root=state_root(genesis.alloc),
        difficulty=genesis.difficulty,
        number=genesis.number,
        gas_limit=genesis.gas_limit,
        gas_used=genesis.gas_used,
        timestamp=at,
        extra_data=genesis.extra_data,
        prev_randao=genesis.mix_hash,
        nonce=genesis.nonce.to_bytes(8, "big"),
        base_fee_per_gas=GWEI if genesis.base_fee is None else genesis.base_fee,
        withdrawals_root=message_passer_root(genesis.alloc) if isthmus else EMPTY_TRIE_ROOT if canyon else None,
        blob_gas_used=(genesis.blob_gas_used or 0) if ecotone else None,
        excess_blob_gas=(genesis.excess_blob_gas or 0) if ecotone else None,
        parent_beacon_block_root=ZERO_HASH if ecotone else None,
        requests_hash=EMPTY_REQUESTS_HASH if isthmus else None,
    )


def message_passer_root(alloc: Mapping[Address, GenesisAccount]) -> Hash:
    """L2ToL1MessagePasser's storage root, empty without the account (specs protocol/isthmus/exec-engine.md)."""
    account = alloc.get(predeploys.L2_TO_L1_MESSAGE_PASSER)
    return storage_root(account.storage) if account is not None else EMPTY_TRIE_ROOT


def build_l2_genesis(params: L2GenesisParams) -> GenesisFile:
    """The whole genesis file of L2; `to_json` gives geth's genesis.json, `genesis_header` the block."""
    ecotone = params.is_active(Fork.ECOTONE)
    return GenesisFile(
        config=l2_chain_config(params),
        attribution=attribution_key(params),
        alloc=build_l2_alloc(params),
        timestamp=params.timestamp,
        gas_limit=params.gas_limit,
        extra_data=genesis_extra_data(params),
        coinbase=predeploys.SEQUENCER_FEE_VAULT,
        base_fee=params.base_fee,
        excess_blob_gas=0 if ecotone else None,
        blob_gas_used=0 if ecotone else None,
    )


def genesis_extra_data(params: L2GenesisParams) -> bytes:
    """EIP-1559 parameters of block 1: empty before Holocene, 9 bytes version 0, from Jovian 17 bytes version 1."""
    # spec: holocene.genesis-extra-data
    if not params.is_active(Fork.HOLOCENE):
        return b""
    jovian = params.is_active(Fork.JOVIAN)
    fees = params.eip1559_denominator_canyon.to_bytes(4, "big") + params.eip1559_elasticity.to_bytes(4, "big")
    return bytes([jovian]) + fees + (params.min_base_fee.to_bytes(8, "big") if jovian else b"")


def l2_chain_config(params: L2GenesisParams) -> dict[str, Any]:
    """geth's `config`: Ethereum's forks tied to the rollup's, the scheduled ones only (op-geth params/config.go).

    Delta has no key: it changes derivation, not execution. There is no blobSchedule: L2 has no blobs.
    """
    forks = params.forks
    config: dict[str, Any] = {"chainId": params.chain_id}
    for name in (
        "homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul",
        "muirGlacier", "berlin", "london", "arrowGlacier", "grayGlacier", "mergeNetsplit",
    ):  # fmt: skip
        config[f"{name}Block"] = 0
    for name, fork in (("shanghai", Fork.CANYON), ("cancun", Fork.ECOTONE), ("prague", Fork.ISTHMUS)):
        _set_time(config, name, forks.time_of(fork))
    config["bedrockBlock"] = 0
    for fork in Fork:
        if fork not in (Fork.BEDROCK, Fork.DELTA):
            _set_time(config, fork.name.lower(), forks.time_of(fork))
    config["terminalTotalDifficulty"] = 0
    config["optimism"] = {
        "eip1559Elasticity": params.eip1559_elasticity,
        "eip1559Denominator": params.eip1559_denominator,
        "eip1559DenominatorCanyon": params.eip1559_denominator_canyon,
    }
    return config


def attribution_key(params: L2GenesisParams) -> dict[str, Any] | None:
    """The file's `attribution`, for our own nodes that are given it; None where the chain has none."""
    return None if params.attribution == "none" else {"mode": params.attribution, "time": params.attribution_time}


def preinstalls() -> Alloc:
    """The contracts local tools expect everywhere (specs protocol/preinstalls.md), with nonce 1 as officially."""
    return _load_accounts("preinstalls.json")


def system_contracts() -> Alloc:
    """Ethereum's system contracts: EIP-4788, EIP-2935, EIP-7002, EIP-7251."""
    return _load_accounts("system_contracts.json")


def proxied(
    proxy: Address, artifact: ContractArtifact, admin: Address, storage: Mapping[int, int], code: bytes | None = None
) -> Alloc:
    """An EIP-1967 proxy that holds `storage` and the implementation behind it, by default the artifact's code."""
    target = implementation_address(proxy)
    slots = {IMPLEMENTATION_SLOT: int.from_bytes(target, "big"), ADMIN_SLOT: int.from_bytes(admin, "big")}
    slots |= {slot: value for slot, value in storage.items() if value}
    return {
        proxy: GenesisAccount(code=_artifact("Proxy").runtime, storage=slots),
        target: GenesisAccount(code=artifact.runtime if code is None else code),
    }


def fund(alloc: Alloc, balances: Mapping[Address, int]) -> None:
    """Adds balances in wei; raises GenesisError for an address that holds code, or for an amount below 0."""
    for address, balance in balances.items():
        account = alloc.setdefault(address, GenesisAccount())
        if account.code:
            raise GenesisError(f"balances: 0x{address.hex()} is a contract of this genesis")
        if not 0 <= balance < 1 << 256:
            raise GenesisError(f"balances: 0x{address.hex()} cannot hold {balance} wei")
        account.balance += balance


def _predeploys(params: L2GenesisParams) -> Alloc:
    admin = predeploys.PROXY_ADMIN
    owner = int.from_bytes(params.proxy_owner, "big")
    result = proxied(admin, _artifact("ProxyAdmin"), admin, _artifact("ProxyAdmin").storage(owner=owner))
    for address, name in _PROXIED.items():
        storage = _oracle_flags(params) if address == predeploys.GAS_PRICE_ORACLE else {}
        result |= proxied(address, _artifact(name), admin, storage)
    for address, name in _VAULTS.items():
        artifact = _artifact(name)
        recipient = int.from_bytes(params.fee_recipient, "big")
        code = artifact.runtime_with(params.min_withdrawal, recipient, params.fee_network)
        result |= proxied(address, artifact, admin, {}, code)
    weth = _artifact("WETH9")
    names = weth.storage(name=short_string("Wrapped OPEN"), symbol=short_string("WOPEN"), decimals=18)
    result[predeploys.WETH9] = GenesisAccount(code=weth.runtime, storage=names)
    return result


def _oracle_flags(params: L2GenesisParams) -> dict[int, int]:
    """The flags that upgrade transactions set, for forks that are active at genesis and so have no upgrade
    transactions.
    """
    return _artifact("GasPriceOracle").storage(
        isEcotone=params.is_active(Fork.ECOTONE),
        isFjord=params.is_active(Fork.FJORD),
        isIsthmus=params.is_active(Fork.ISTHMUS),
        isJovian=params.is_active(Fork.JOVIAN),
    )


def _system_contracts(params: L2GenesisParams) -> Alloc:
    """The system contracts that are active at genesis, and their deployers' accounts. Later forks deploy theirs."""
    contracts = system_contracts()
    result: Alloc = {}
    for fork, address, deployer in (
        (Fork.ECOTONE, predeploys.BEACON_ROOTS, predeploys.BEACON_ROOTS_DEPLOYER),
        (Fork.ISTHMUS, predeploys.HISTORY_STORAGE, predeploys.HISTORY_STORAGE_DEPLOYER),
    ):
        if params.is_active(fork):
            result[address] = contracts[address]
            result[deployer] = GenesisAccount(nonce=1)
    return result


def _attribution(params: L2GenesisParams) -> GenesisAccount:
    storage = genesis_storage(params.attribution_admin, params.attribution_treasury, params.attribution_bps)
    return GenesisAccount(nonce=1, code=RUNTIME_CODE, storage=storage)


def _artifact(name: str) -> ContractArtifact:
    return load_artifact("rollup.execution", name)


def _load_accounts(file: str) -> Alloc:
    data = json.loads(files("rollup.execution").joinpath("artifacts", file).read_text())
    return {
        bytes.fromhex(entry["address"][2:]): GenesisAccount(nonce=1, code=bytes.fromhex(entry["code"][2:]))
        for entry in data["accounts"]
    }


def _set_time(config: dict[str, Any], name: str, time: int | None) -> None:
    if time is not None:
        config[f"{name}Time"] = time


def _check_extra_data(data: bytes, forks: ForkSchedule, at: int) -> None:
    # spec: holocene.genesis-extra-data, fees.extra-data-before-holocene
    if not forks.is_active(Fork.HOLOCENE, at):
        return  # any: real chains carry a word there
    version, size = (1, 17) if forks.is_active(Fork.JOVIAN, at) else (0, 9)
    if len(data) != size or data[0] != version or not any(data[1:5]):
        raise GenesisError(f"extraData: {size} bytes of version {version} with a denominator above 0 are expected")
