"""The attributes of an L2 block, but for the transactions of its batch (specs protocol/derivation.md, "Deriving Payload
Attributes"). The sequencer uses the same."""

from derivation.errors import Critical, Reset
from derivation.sources import L1Source
from rollup.protocol.blockref import BlockId, L2BlockRef
from rollup.protocol.config import RollupConfig, SystemConfig
from rollup.protocol.deposits import DepositError, user_deposits
from rollup.protocol.l1_attributes import ScalarError, l1_attributes_deposit
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.predeploys import SEQUENCER_FEE_VAULT
from rollup.protocol.primitives import ZERO_HASH
from rollup.protocol.system_config import apply_config_updates, attributes_eip1559_params
from rollup.protocol.upgrades import upgrade_gas, upgrade_transactions


def prepare_payload_attributes(
    config: RollupConfig, l1: L1Source, parent: L2BlockRef, system_config: SystemConfig, epoch: BlockId
) -> PayloadAttributes:
    """Attributes of the block after parent, in an epoch; system_config is the one as of the parent.

    Raises Temporary when L1 does not answer, Reset when the epoch cannot follow the parent, Critical for a deposit log
    that is not one, or a scalar of no known form.
    """
    # spec: engine-api.canyon-fields, driver.no-pool, attributes.transaction-order, upgrade.gas-suffices
    # spec: upgrade.gas-beside-limit, jovian.attributes-min-base-fee, config.min-base-fee-in-header
    # spec: deposit.l1-attributes-first, engine-api.attributes-beacon-root
    header = l1.header(epoch.hash)
    timestamp = parent.timestamp + config.block_time
    deposits: list[bytes] = []
    if parent.l1_origin.number != epoch.number:
        if header.parent_hash != parent.l1_origin.hash:
            raise Reset(
                f"cannot create a block on L1 block {epoch.number} 0x{epoch.hash.hex()} with parent "
                f"0x{header.parent_hash.hex()}, on top of an L2 block with origin 0x{parent.l1_origin.hash.hex()}"
            )
        receipts = l1.receipts(epoch.hash)
        try:
            deposits = [item.encode() for item in user_deposits(receipts, epoch.hash, config.deposit_contract_address)]
        except DepositError as error:
            raise Critical(f"L1 block {epoch.number}: {error}") from error
        system_config = apply_config_updates(config, system_config, receipts, header.timestamp)
        sequence_number = 0
    else:
        if parent.l1_origin.hash != epoch.hash:
            raise Reset(f"L1 block {epoch.number} is 0x{epoch.hash.hex()}, not 0x{parent.l1_origin.hash.hex()}")
        sequence_number = parent.sequence_number + 1
    if timestamp < header.timestamp:
        raise Reset(f"L2 time {timestamp} is before its L1 origin's, {header.timestamp}")
    try:
        info = l1_attributes_deposit(config, system_config, header, epoch.hash, sequence_number, timestamp)
    except ScalarError as error:
        raise Critical(f"system config as of L1 block {epoch.number}: {error}") from error
    is_ecotone = config.is_ecotone(timestamp)
    return PayloadAttributes(
        timestamp=timestamp,
        prev_randao=header.prev_randao,
        fee_recipient=SEQUENCER_FEE_VAULT,
        parent_beacon_block_root=(header.parent_beacon_block_root or ZERO_HASH) if is_ecotone else None,
        transactions=[info.encode(), *deposits, *upgrade_transactions(config, timestamp)],
        no_tx_pool=True,
        gas_limit=system_config.gas_limit + upgrade_gas(config, timestamp),
        has_withdrawals=config.is_canyon(timestamp),
        eip1559_params=attributes_eip1559_params(config, system_config, parent.timestamp, timestamp),
        min_base_fee=system_config.min_base_fee if config.is_jovian(timestamp) else None,
    )
