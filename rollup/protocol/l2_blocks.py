"""The position of an L2 block: its L1 origin, and the system config that it was built with."""

from rollup.protocol.block import Block
from rollup.protocol.blockref import BlockId, L2BlockRef
from rollup.protocol.config import RollupConfig, SystemConfig
from rollup.protocol.fees import decode_extra_data
from rollup.protocol.forks import Fork
from rollup.protocol.l1_attributes import L1Attributes, L1AttributesError, encode_scalar, l1_attributes_form
from rollup.protocol.upgrades import passing_upgrade_gas


class NotAnL2Block(ValueError):
    """A block whose first transaction is not an L1 attributes deposit, or the genesis of another chain."""


def l1_attributes_of(block: Block) -> L1Attributes:
    """The attributes in a block's first transaction; raises NotAnL2Block."""
    if not block.transactions or not block.transactions[0].is_deposit:
        raise NotAnL2Block(f"block {block.number}: the first transaction is not the L1 attributes deposit")
    try:
        return L1Attributes.decode(block.transactions[0].data)
    except L1AttributesError as error:
        raise NotAnL2Block(f"block {block.number}: {error}") from error


def l2_block_ref(config: RollupConfig, block: Block) -> L2BlockRef:
    """A block's reference with its L1 origin; raises NotAnL2Block."""
    genesis = config.genesis
    if block.number <= genesis.l2.number:
        if block.hash != genesis.l2.hash:
            raise NotAnL2Block(
                f"block {block.number} 0x{block.hash.hex()} is not the genesis 0x{genesis.l2.hash.hex()}"
            )
        origin, sequence_number = genesis.l1, 0
    else:
        attributes = l1_attributes_of(block)
        origin = BlockId(attributes.block_hash, attributes.number)
        sequence_number = attributes.sequence_number
    return L2BlockRef(block.hash, block.number, block.header.parent_hash, block.timestamp, origin, sequence_number)


def system_config_of_block(config: RollupConfig, block: Block) -> SystemConfig:
    """The system config in force at a block (op-node: PayloadToSystemConfig); raises NotAnL2Block."""
    if block.number <= config.genesis.l2.number:
        l2_block_ref(config, block)
        return config.genesis.system_config
    attributes, time = l1_attributes_of(block), block.timestamp
    scalar = attributes.scalar
    if l1_attributes_form(config, time) >= Fork.ECOTONE:
        scalar = encode_scalar(attributes.base_fee_scalar, attributes.blob_base_fee_scalar)
    params, min_base_fee = bytes(8), 0
    if config.is_holocene(time):
        try:
            parameters = decode_extra_data(block.header.extra_data, config.fork_at(time))
        except ValueError as error:
            raise NotAnL2Block(f"block {block.number}: {error}") from error
        params = parameters.denominator.to_bytes(4, "big") + parameters.elasticity.to_bytes(4, "big")
        min_base_fee = parameters.min_base_fee or 0
    passing = passing_upgrade_gas(config, time)
    if block.header.gas_limit < passing:
        raise NotAnL2Block(f"block {block.number}: gas limit {block.header.gas_limit} is below upgrade gas {passing}")
    return SystemConfig(
        batcher_address=attributes.batcher_address,
        overhead=attributes.overhead,
        scalar=scalar,
        gas_limit=block.header.gas_limit - passing,
        eip1559_params=params,
        operator_fee_scalar=attributes.operator_fee_scalar,
        operator_fee_constant=attributes.operator_fee_constant,
        min_base_fee=min_base_fee,
        da_footprint_gas_scalar=attributes.da_footprint_gas_scalar,
    )
