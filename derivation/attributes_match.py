"""Whether a block that is there already is the one L1 data calls for (op-node: AttributesMatchBlock)."""

from rollup.protocol.block import Block
from rollup.protocol.config import RollupConfig
from rollup.protocol.fees import decode_extra_data
from rollup.protocol.payload import PayloadAttributes


def attributes_mismatch(config: RollupConfig, attributes: PayloadAttributes, block: Block) -> str | None:
    """The first difference between attributes and a block on the same parent; None if they agree."""
    # spec: driver.consolidate, engine-api.payload-beacon-root
    header = block.header
    pairs: list[tuple[str, object, object]] = [
        ("timestamp", header.timestamp, attributes.timestamp),
        ("prevRandao", header.prev_randao, attributes.prev_randao),
        ("number of transactions", len(block.transactions), len(attributes.transactions)),
        ("gas limit", header.gas_limit, attributes.gas_limit),
        ("fee recipient", header.coinbase, attributes.fee_recipient),
        ("parent beacon block root", header.parent_beacon_block_root, attributes.parent_beacon_block_root),
    ]
    for name, found, derived in pairs:
        if found != derived:
            return f"{name}: {_text(found)}, L1 data says {_text(derived)}"
    for index, (transaction, raw) in enumerate(zip(block.transactions, attributes.transactions, strict=True)):
        if transaction.encode() != raw:
            return f"transaction {index} differs"
    return _base_fee_mismatch(config, attributes, block)


def _base_fee_mismatch(config: RollupConfig, attributes: PayloadAttributes, block: Block) -> str | None:
    params = attributes.eip1559_params
    if params is None:
        return None
    found = decode_extra_data(block.header.extra_data, config.fork_at(block.timestamp))
    denominator, elasticity = int.from_bytes(params[:4], "big"), int.from_bytes(params[4:], "big")
    if denominator == 0:
        denominator, elasticity = config.eip1559_denominator_canyon, config.eip1559_elasticity
    if (found.denominator, found.elasticity) != (denominator, elasticity):
        return f"EIP-1559 parameters {found.denominator}/{found.elasticity}, L1 data says {denominator}/{elasticity}"
    if found.min_base_fee != attributes.min_base_fee:
        return f"minimum base fee {found.min_base_fee}, L1 data says {attributes.min_base_fee}"
    return None


def _text(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
