"""Network upgrade transactions: deposits that a fork's first block carries, byte for byte.

The transactions are data (specs protocol/ecotone/, fjord/, isthmus/, jovian/derivation.md; Karst's: op-node's bundle).
"""

import gzip
import json
from functools import cache
from importlib.resources import files

from rollup.protocol.config import RollupConfig
from rollup.protocol.forks import FORKS, Fork
from rollup.protocol.transaction import decode_transaction

_KARST = "upgrade_deposits_karst.json.gz"  # three hundred kilobytes of contracts, read only when needed


@cache
def _transactions(fork: Fork) -> tuple[bytes, ...]:
    # spec: upgrade.same-on-every-chain, upgrade.format, jovian.l1-block-code, jovian.oracle-code
    # spec: isthmus.l1-block-code, isthmus.oracle-code, isthmus.operator-vault-code, isthmus.history-storage-code
    # spec: fjord.oracle-code, ecotone.l1-block-code, ecotone.oracle-code
    folder = files("rollup.protocol")
    if fork == Fork.KARST:
        text = gzip.decompress(folder.joinpath(_KARST).read_bytes()).decode()
    else:
        text = folder.joinpath("upgrade_deposits.json").read_text()
    return tuple(bytes.fromhex(raw[2:]) for raw in json.loads(text)["forks"].get(fork.name.lower(), ()))


@cache
def _gas_of(fork: Fork) -> int:
    return sum(decode_transaction(raw).gas_limit for raw in _transactions(fork))


def _upgrading_forks(config: RollupConfig, l2_time: int) -> list[Fork]:
    """The forks whose upgrade transactions a block of this time carries."""
    return [fork for fork in config.activated(l2_time) if FORKS[fork].has_upgrade_transactions]


def has_upgrade_transactions(config: RollupConfig, l2_time: int) -> bool:
    """True for a block that carries upgrade transactions: a sequencer builds it without its pool."""
    # spec: jovian.sequencer-no-pool
    return bool(_upgrading_forks(config, l2_time))


def upgrade_transactions(config: RollupConfig, l2_time: int) -> list[bytes]:
    """The encoded deposits that a block of this time carries after the user deposits, in order."""
    # spec: upgrade.atomic
    return [raw for fork in _upgrading_forks(config, l2_time) for raw in _transactions(fork)]


def upgrade_gas(config: RollupConfig, l2_time: int) -> int:
    """Gas that a block of this time may use above the system config's limit, for its upgrade transactions.

    From Karst the transactions bring this gas with them (op-node: derive/attributes.go, PreparePayloadAttributes).
    """
    # spec: upgrade.gas-suffices, upgrade.gas-deterministic, upgrade.gas-beside-limit, upgrade.gas-in-first-block-only
    return sum(_gas_of(fork) for fork in _upgrading_forks(config, l2_time) if FORKS[fork].has_upgrade_gas)


def passing_upgrade_gas(config: RollupConfig, l2_time: int) -> int:
    """The upgrade gas in a block's gas limit, which the next block does not have. Chains that crossed Karst with
    software that left this gas in their gas limit keep it until a setGasLimit (op-node: derive/payload_util.go,
    upgradeGasToStrip; superchain-registry: keep_karst_upgrade_gas).
    """
    # spec: upgrade.gas-in-first-block-only
    return 0 if config.keep_karst_upgrade_gas else upgrade_gas(config, l2_time)
