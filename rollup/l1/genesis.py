"""The genesis of the mock L1: the rollup's contracts initialised in storage, system contracts, funded accounts.

Header rules: go-ethereum core/genesis.go (ToBlock). The beacon chain's deposit contract is left out: the mock
has no validators, and a block without deposits has the same requests hash with or without the contract.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rollup.execution.contract_artifact import pack_fields
from rollup.execution.genesis import fund, preinstalls, proxied, system_contracts
from rollup.execution.genesis_account import Alloc, state_root
from rollup.execution.genesis_json import GenesisFile
from rollup.l1 import contracts
from rollup.protocol.accounts import (
    BATCHER,
    OWNER,
    PROPOSER,
    ROLE_BALANCE,
    ROLES,
    SEQUENCER,
    USER_BALANCE,
    USERS,
)
from rollup.protocol.blob_schedule import PRAGUE_FROM_GENESIS, L1Forks
from rollup.protocol.config import SystemConfig
from rollup.protocol.forks import L1_FORKS, L1Fork
from rollup.protocol.header import Header
from rollup.protocol.primitives import (
    EMPTY_REQUESTS_HASH,
    EMPTY_TRIE_ROOT,
    ZERO_HASH,
    Address,
    Hash,
    keccak256,
)

L1_CHAIN_ID: Final = 900
GWEI: Final = 10**9
NO_L2_SENDER: Final = 0xDEAD  # OptimismPortal.l2Sender outside a withdrawal

# specs protocol/guaranteed-gas-market.md, "Default values": 20,000,000 gas per block; a tenth of it is the target.
MAX_RESOURCE_LIMIT: Final = 20_000_000
SYSTEM_TX_MAX_GAS: Final = 1_000_000
_RESOURCE_CONFIG: Final = pack_fields(
    ((MAX_RESOURCE_LIMIT, 4), (10, 1), (8, 1), (GWEI, 4), (SYSTEM_TX_MAX_GAS, 4), (2**128 - 1, 16))
)


def _default_balances() -> dict[Address, int]:
    users = {user.address: USER_BALANCE for user in USERS}
    return users | {role.address: ROLE_BALANCE for role in ROLES}


def _default_system_config() -> SystemConfig:
    return SystemConfig(
        batcher_address=BATCHER.address,
        overhead=0,
        # Version 1: blob base fee scalar 810,949, base fee scalar 1,368, as on OP Mainnet when Ecotone began.
        scalar=1 << 248 | 810_949 << 32 | 1_368,
        gas_limit=60_000_000,
        unsafe_block_signer=SEQUENCER.address,
    )


@dataclass(slots=True, frozen=True)
class L1GenesisParams:
    """Parameters of the L1 genesis. timestamp in seconds, gas_limit in gas, base_fee in wei, balances wei by address.

    system_config: the values the SystemConfig contract starts with. l2_*: what the output oracle knows of L2;
    submission_interval in L2 blocks, finalization_period in seconds. starting_output: the output root of the L2 block
    that the oracle starts from, as its first output; without one the oracle is empty until the first proposal.
    """

    timestamp: int
    chain_id: int = L1_CHAIN_ID
    gas_limit: int = 60_000_000
    forks: L1Forks = PRAGUE_FROM_GENESIS
    base_fee: int = GWEI
    extra_data: bytes = b"openrollup L1"
    prev_randao: bytes = ZERO_HASH
    balances: Mapping[Address, int] = field(default_factory=_default_balances)
    system_config: SystemConfig = field(default_factory=_default_system_config)
    batch_inbox: Address = contracts.BATCH_INBOX
    owner: Address = OWNER.address
    guardian: Address = OWNER.address
    challenger: Address = OWNER.address
    proposer: Address = PROPOSER.address
    l2_chain_id: int = 901
    l2_block_time: int = 2
    l2_starting_block: int = 0
    l2_starting_timestamp: int | None = None  # the L1 timestamp when None
    submission_interval: int = 30
    finalization_period: int = 12
    starting_output: Hash | None = None


def build_l1_alloc(params: L1GenesisParams) -> Alloc:
    """Every account of the L1 genesis; raises GenesisError where a funded address is taken by a contract."""
    alloc: Alloc = preinstalls()
    alloc |= system_contracts()
    for address, storage in (
        (contracts.PROXY_ADMIN, contracts.artifact("ProxyAdmin").storage(owner=_word(params.owner))),
        (contracts.SUPERCHAIN_CONFIG, {_eip1967("superchainConfig.guardian"): _word(params.guardian)}),
        (contracts.OPTIMISM_PORTAL, _portal_storage()),
        (contracts.SYSTEM_CONFIG, _system_config_storage(params)),
        (contracts.L2_OUTPUT_ORACLE, _oracle_storage(params)),
    ):
        artifact = contracts.artifact(contracts.NAMES[address])
        alloc |= proxied(address, artifact, contracts.PROXY_ADMIN, storage)
    fund(alloc, params.balances)
    return alloc


def build_l1_genesis(params: L1GenesisParams) -> GenesisFile:
    """The whole genesis file of L1; `to_json` gives geth's genesis.json, `l1_genesis_header` the block."""
    return GenesisFile(
        config=l1_chain_config(params.chain_id, params.forks),
        alloc=build_l1_alloc(params),
        timestamp=params.timestamp,
        gas_limit=params.gas_limit,
        extra_data=params.extra_data,
        mix_hash=params.prev_randao,
        base_fee=params.base_fee,
        excess_blob_gas=0,
        blob_gas_used=0,
    )


def l1_genesis_header(genesis: GenesisFile) -> Header:
    """The L1 genesis header with the fields of the forks active in it; its `hash` is the genesis hash."""
    times = {name: genesis.config.get(f"{name.lower()}Time") for name in L1Fork.__members__}
    active = [L1Fork[name] for name, time in times.items() if time is not None and time <= genesis.timestamp]
    newest = max(active, default=L1Fork.PARIS)
    is_cancun = newest >= L1Fork.CANCUN
    return Header(
        parent_hash=genesis.parent_hash,
        coinbase=genesis.coinbase,
        state_root=state_root(genesis.alloc),
        difficulty=genesis.difficulty,
        number=genesis.number,
        gas_limit=genesis.gas_limit,
        gas_used=genesis.gas_used,
        timestamp=genesis.timestamp,
        extra_data=genesis.extra_data,
        prev_randao=genesis.mix_hash,
        nonce=genesis.nonce.to_bytes(8, "big"),
        base_fee_per_gas=GWEI if genesis.base_fee is None else genesis.base_fee,
        withdrawals_root=EMPTY_TRIE_ROOT if newest >= L1Fork.SHANGHAI else None,
        blob_gas_used=(genesis.blob_gas_used or 0) if is_cancun else None,
        excess_blob_gas=(genesis.excess_blob_gas or 0) if is_cancun else None,
        parent_beacon_block_root=ZERO_HASH if is_cancun else None,
        requests_hash=EMPTY_REQUESTS_HASH if newest >= L1Fork.PRAGUE else None,
    )


def l1_chain_config(chain_id: int = L1_CHAIN_ID, forks: L1Forks = PRAGUE_FROM_GENESIS) -> dict[str, Any]:
    """The L1 chain config of `l1-chain-config.json`: a bare geth ChainConfig with these forks.

    The blob schedule is obligatory: op-node and kona compute the blob base fee of the L1 attributes from it.
    """
    config: dict[str, Any] = {"chainId": chain_id}
    for name in (
        "homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul",
        "berlin", "london", "mergeNetsplit",
    ):  # fmt: skip
        config[f"{name}Block"] = 0
    config["terminalTotalDifficulty"] = 0
    schedules: dict[str, dict[str, int]] = {}
    for fork in L1Fork:
        # A fork brings those before it.
        time = min((time for later, time in forks if later >= fork), default=None)
        if time is None or fork == L1Fork.PARIS:
            continue
        name, blobs = fork.name.lower(), L1_FORKS[fork].blobs
        config[f"{name}Time"] = time
        if blobs is not None:
            schedules[name] = {
                "target": blobs.target, "max": blobs.max, "baseFeeUpdateFraction": blobs.update_fraction,
            }  # fmt: skip
    if schedules:
        config["blobSchedule"] = schedules
    return config


def _portal_storage() -> dict[int, int]:
    return contracts.artifact("OptimismPortal").storage(
        _initialized=1,
        params=pack_fields(((GWEI, 16), (0, 8), (0, 8))),
        l2Sender=NO_L2_SENDER,
        superchainConfig=_word(contracts.SUPERCHAIN_CONFIG),
        l2Oracle=_word(contracts.L2_OUTPUT_ORACLE),
        systemConfig=_word(contracts.SYSTEM_CONFIG),
    )


def _system_config_storage(params: L1GenesisParams) -> dict[int, int]:
    config = params.system_config
    is_ecotone_scalar = config.scalar >> 248 == 1
    variables = contracts.artifact("SystemConfig").storage(
        _initialized=1,
        owner=_word(params.owner),
        overhead=config.overhead,
        scalar=config.scalar,
        batcherHash=_word(config.batcher_address),
        gasLimit=config.gas_limit,
        basefeeScalar=config.scalar & 0xFFFFFFFF if is_ecotone_scalar else 0,
        blobbasefeeScalar=config.scalar >> 32 & 0xFFFFFFFF if is_ecotone_scalar else 0,
        _resourceConfig=_RESOURCE_CONFIG,
        eip1559Denominator=int.from_bytes(config.eip1559_params[:4], "big"),
        eip1559Elasticity=int.from_bytes(config.eip1559_params[4:], "big"),
        operatorFeeScalar=config.operator_fee_scalar,
        operatorFeeConstant=config.operator_fee_constant,
        l2ChainId=params.l2_chain_id,
        superchainConfig=_word(contracts.SUPERCHAIN_CONFIG),
        minBaseFee=config.min_base_fee,
        daFootprintGasScalar=config.da_footprint_gas_scalar,
    )
    return variables | {
        int.from_bytes(keccak256(b"systemconfig.unsafeblocksigner"), "big"): _word(config.unsafe_block_signer),
        _eip1967("systemconfig.optimismportal"): _word(contracts.OPTIMISM_PORTAL),
        _eip1967("systemconfig.batchinbox"): _word(params.batch_inbox),
    }


def _oracle_storage(params: L1GenesisParams) -> dict[int, int]:
    # spec: output.start
    start = params.timestamp if params.l2_starting_timestamp is None else params.l2_starting_timestamp
    oracle = contracts.artifact("L2OutputOracle")
    variables = oracle.storage(
        _initialized=1,
        startingBlockNumber=params.l2_starting_block,
        startingTimestamp=start,
        submissionInterval=params.submission_interval,
        l2BlockTime=params.l2_block_time,
        challenger=_word(params.challenger),
        proposer=_word(params.proposer),
        finalizationPeriodSeconds=params.finalization_period,
    )
    if params.starting_output is None:
        return variables
    array = oracle.layout["l2Outputs"].slot
    first = int.from_bytes(keccak256(array.to_bytes(32, "big")), "big")
    return variables | {
        array: 1,
        first: int.from_bytes(params.starting_output, "big"),
        first + 1: pack_fields(((start, 16), (params.l2_starting_block, 16))),
    }


def _eip1967(name: str) -> int:
    """The slot of a name, one below its hash so that no mapping can reach it."""
    return int.from_bytes(keccak256(name.encode()), "big") - 1


def _word(address: Address) -> int:
    return int.from_bytes(address, "big")
