"""A complete local rollup from parameters: both genesis blocks, the rollup config, and the files that other programs
read.

The same parameters give the same hashes. Formats: op-node's rollup.json, geth's genesis.json and chain config.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rollup.execution.config import L1Config, L2Config
from rollup.execution.genesis import (
    AttributionMode,
    L2GenesisParams,
    build_l2_genesis,
    genesis_header,
    message_passer_root,
)
from rollup.execution.genesis_account import GenesisAccount
from rollup.execution.genesis_json import GenesisFile
from rollup.l1 import contracts
from rollup.l1.genesis import (
    MAX_RESOURCE_LIMIT,
    SYSTEM_TX_MAX_GAS,
    L1GenesisParams,
    build_l1_genesis,
    l1_genesis_header,
)
from rollup.protocol.accounts import BATCHER, OWNER, PROPOSER, ROLES, SEQUENCER, USER_BALANCE, USERS, DevAccount
from rollup.protocol.blob_schedule import PRAGUE_FROM_GENESIS, L1Forks, blob_schedule_of
from rollup.protocol.blockref import BlockId
from rollup.protocol.config import ConfigError, RollupConfig, RollupGenesis, SystemConfig
from rollup.protocol.forks import NEWEST_STABLE, Fork, ForkSchedule
from rollup.protocol.header import Header
from rollup.protocol.outputs import output_root
from rollup.protocol.primitives import Address

GWEI = 10**9
DEFAULT_GAS_LIMIT = 60_000_000
SEQ_WINDOW_SIZE = 3_600  # L1 blocks
# SystemConfig.setGasLimit accepts these L2 gas limits: minimumGasLimit to MAX_GAS_LIMIT.
MIN_L2_GAS_LIMIT = MAX_RESOURCE_LIMIT + SYSTEM_TX_MAX_GAS
MAX_L2_GAS_LIMIT = 500_000_000
# On L1 a full batcher transaction of calldata needs 5.3 million gas (EIP-7623); others must fit into the same block.
MIN_L1_GAS_LIMIT = 15_000_000
MAX_L1_GAS_LIMIT = 1_000_000_000
# L1s whose forks and blob schedule op-node knows by their chain ids, whatever the file says (op-node service.go).
REAL_L1S: Mapping[int, str] = {1: "Mainnet", 17_000: "Holesky", 560_048: "Hoodi", 11_155_111: "Sepolia"}


# Values of the SystemConfig at genesis, and the fork that brings each.
_SINCE = {
    "operator_fee_scalar": Fork.ISTHMUS,
    "operator_fee_constant": Fork.ISTHMUS,
    "min_base_fee": Fork.JOVIAN,
    "da_footprint_gas_scalar": Fork.JOVIAN,
}

_LEAST_FINALIZATION = 8  # seconds


@dataclass(slots=True, frozen=True)
class DevnetParams:
    """The parameters of a local rollup. Times in seconds, balances and fees in wei, gas in units.

    Both genesis blocks have the time genesis_time. Windows and timeouts in L1 blocks. A finalization_period of None is
    chosen by the L1 block time. Every fork of `forks` that is active at genesis_time is so from the genesis block on.
    """

    genesis_time: int
    l1_chain_id: int = 900
    l2_chain_id: int = 901
    l1_block_time: int = 12
    l2_block_time: int = 2
    forks: ForkSchedule = field(default_factory=lambda: ForkSchedule.all_at(NEWEST_STABLE))
    attribution: AttributionMode = "native"
    attribution_time: int = 0
    users: tuple[DevAccount, ...] = USERS
    user_balance: int = USER_BALANCE
    batcher: DevAccount = BATCHER
    proposer: DevAccount = PROPOSER
    owner: DevAccount = OWNER
    sequencer: DevAccount = SEQUENCER
    l1_gas_limit: int = DEFAULT_GAS_LIMIT
    l1_forks: L1Forks = PRAGUE_FROM_GENESIS
    l2_gas_limit: int = DEFAULT_GAS_LIMIT
    l1_base_fee: int = GWEI
    l2_base_fee: int = GWEI
    seq_window_size: int = SEQ_WINDOW_SIZE
    channel_timeout: int = 300
    max_sequencer_drift: int = 600
    base_fee_scalar: int = 1_368  # with the next one OP Mainnet's, since Fjord
    blob_base_fee_scalar: int = 810_949
    bedrock_overhead: int = 188
    bedrock_scalar: int = 684_000
    operator_fee_scalar: int = 0
    operator_fee_constant: int = 0
    min_base_fee: int = 0
    da_footprint_gas_scalar: int = 0
    keep_karst_upgrade_gas: bool = False
    eip1559_elasticity: int = 6
    eip1559_denominator: int = 50
    eip1559_denominator_canyon: int = 250
    submission_interval: int = 30  # L2 blocks between outputs
    finalization_period: int | None = None  # seconds
    batch_inbox_address: Address = contracts.BATCH_INBOX

    def finalization_seconds(self) -> int:
        """Seconds from a withdrawal's proof until it may be finalized.

        Libraries wait for this period and a few seconds more on their own clock (viem: 10); by then L1 must have a
        block that is later than the period. One block time would be met by no block before the second. They do not
        wait at all when their clock says that the period is over, though L1's newest block may be older: so it must be
        longer than a client takes from the block of its proof to the question.
        """
        if self.finalization_period is not None:
            return self.finalization_period
        return max(self.l1_block_time - 4, _LEAST_FINALIZATION)

    def check(self) -> None:
        """Raises ConfigError for a value that the SystemConfig refuses, or that no block would have: its fork comes
        after genesis."""
        if not MIN_L2_GAS_LIMIT <= self.l2_gas_limit <= MAX_L2_GAS_LIMIT:
            raise ConfigError(
                f"the L2 gas limit is {MIN_L2_GAS_LIMIT:,} to {MAX_L2_GAS_LIMIT:,}, not {self.l2_gas_limit:,}: "
                "SystemConfig takes no other"
            )
        for name, fork in _SINCE.items():
            if getattr(self, name) and not self._is_active(fork):
                raise ConfigError(
                    f"{name.replace('_', '-')} needs {fork.name.title()} at genesis: "
                    "with a later fork, set it in the SystemConfig contract once the fork is active"
                )

    def system_config(self) -> SystemConfig:
        """The SystemConfig contract's values at genesis, in the form of the forks active there."""
        return SystemConfig(
            batcher_address=self.batcher.address,
            overhead=0 if self._is_active(Fork.ECOTONE) else self.bedrock_overhead,
            scalar=self._scalar(),
            gas_limit=self.l2_gas_limit,
            eip1559_params=self._eip1559_params() if self._is_active(Fork.HOLOCENE) else bytes(8),
            operator_fee_scalar=self.operator_fee_scalar,
            operator_fee_constant=self.operator_fee_constant,
            min_base_fee=self.min_base_fee,
            da_footprint_gas_scalar=self.da_footprint_gas_scalar,
        )

    def _is_active(self, fork: Fork) -> bool:
        return self.forks.is_active(fork, self.genesis_time)

    def _scalar(self) -> int:
        """The word with both scalars, used from Ecotone on (specs protocol/system-config.md, scalar version 1)."""
        if not self._is_active(Fork.ECOTONE):
            return self.bedrock_scalar
        return 1 << 248 | self.blob_base_fee_scalar << 32 | self.base_fee_scalar

    def _eip1559_params(self) -> bytes:
        return self.eip1559_denominator_canyon.to_bytes(4, "big") + self.eip1559_elasticity.to_bytes(4, "big")


@dataclass(slots=True, frozen=True)
class LayerGenesis:
    """A layer's genesis file and the block it makes."""

    file: GenesisFile
    header: Header

    @property
    def alloc(self) -> Mapping[Address, GenesisAccount]:
        """The content of the genesis state."""
        return self.file.alloc


@dataclass(slots=True, frozen=True)
class Devnet:
    """Both layers and the rollup config that connects them."""

    params: DevnetParams
    l1: LayerGenesis
    l2: LayerGenesis
    rollup_config: RollupConfig
    l1_config: L1Config
    l2_config: L2Config

    @property
    def l2_genesis_json(self) -> dict[str, Any]:
        """geth's genesis.json of L2."""
        return self.l2.file.to_json()

    @property
    def l1_genesis_json(self) -> dict[str, Any]:
        """geth's genesis.json of L1."""
        return self.l1.file.to_json()

    @property
    def l1_chain_config_json(self) -> dict[str, Any]:
        """geth's chain config of L1 (op-node's --rollup.l1-chain-config)."""
        return dict(self.l1.file.config)


def make_devnet(params: DevnetParams) -> Devnet:
    """Everything of a local rollup; raises ConfigError or GenesisError for parameters that contradict each other."""
    params.check()
    if params.l1_chain_id in REAL_L1S:
        raise ConfigError(
            f"l1_chain_id {params.l1_chain_id} is {REAL_L1S[params.l1_chain_id]}: op-node takes its forks for it"
        )
    l2 = _l2_genesis(params)
    l1 = _l1_genesis(params, l2)
    config = RollupConfig(
        genesis=RollupGenesis(
            l1=BlockId(l1.header.hash, 0),
            l2=BlockId(l2.header.hash, 0),
            l2_time=params.genesis_time,
            system_config=params.system_config(),
        ),
        block_time=params.l2_block_time,
        max_sequencer_drift=params.max_sequencer_drift,
        seq_window_size=params.seq_window_size,
        channel_timeout=params.channel_timeout,
        l1_chain_id=params.l1_chain_id,
        l2_chain_id=params.l2_chain_id,
        forks=params.forks,
        batch_inbox_address=params.batch_inbox_address,
        deposit_contract_address=contracts.OPTIMISM_PORTAL,
        l1_system_config_address=contracts.SYSTEM_CONFIG,
        eip1559_elasticity=params.eip1559_elasticity,
        eip1559_denominator=params.eip1559_denominator,
        eip1559_denominator_canyon=params.eip1559_denominator_canyon,
        keep_karst_upgrade_gas=params.keep_karst_upgrade_gas,
        l1_blob_schedule=blob_schedule_of(params.l1_forks) or None,
    ).check()
    l1_config = L1Config(params.l1_chain_id, params.l1_gas_limit, params.l1_forks)
    return Devnet(params, l1, l2, config, l1_config, L2Config.from_genesis_json(l2.file.config, l2.file.attribution))


def _l1_genesis(params: DevnetParams, l2: LayerGenesis) -> LayerGenesis:
    roles = {params.batcher.address, params.proposer.address, params.owner.address, params.sequencer.address}
    roles |= {role.address for role in ROLES}
    balances = {user.address: params.user_balance for user in params.users}
    balances |= dict.fromkeys(sorted(roles), params.user_balance)
    file = build_l1_genesis(
        L1GenesisParams(
            timestamp=params.genesis_time,
            chain_id=params.l1_chain_id,
            gas_limit=params.l1_gas_limit,
            forks=params.l1_forks,
            base_fee=params.l1_base_fee,
            balances=balances,
            # rollup.json does not name the unsafe block signer; the contract does.
            system_config=replace(params.system_config(), unsafe_block_signer=params.sequencer.address),
            batch_inbox=params.batch_inbox_address,
            owner=params.owner.address,
            guardian=params.owner.address,
            challenger=params.owner.address,
            proposer=params.proposer.address,
            l2_chain_id=params.l2_chain_id,
            l2_block_time=params.l2_block_time,
            submission_interval=params.submission_interval,
            finalization_period=params.finalization_seconds(),
            starting_output=output_root(l2.header.state_root, message_passer_root(l2.alloc), l2.header.hash),
        )
    )
    return LayerGenesis(file, l1_genesis_header(file))


def _l2_genesis(params: DevnetParams) -> LayerGenesis:
    file = build_l2_genesis(
        L2GenesisParams(
            timestamp=params.genesis_time,
            chain_id=params.l2_chain_id,
            forks=params.forks,
            gas_limit=params.l2_gas_limit,
            base_fee=params.l2_base_fee,
            eip1559_elasticity=params.eip1559_elasticity,
            eip1559_denominator=params.eip1559_denominator,
            eip1559_denominator_canyon=params.eip1559_denominator_canyon,
            min_base_fee=params.min_base_fee,
            balances={user.address: params.user_balance for user in params.users},
            proxy_owner=params.owner.address,
            fee_recipient=params.owner.address,
            attribution=params.attribution,
            attribution_time=params.attribution_time,
            attribution_admin=params.owner.address,
            attribution_treasury=params.owner.address,
        )
    )
    return LayerGenesis(file, genesis_header(file, params.forks))
