"""Payload attributes: the inputs from which a block is built.

Source: specs protocol/exec-engine.md, "Extended PayloadAttributesV3".
"""

from dataclasses import dataclass

from rollup.protocol.primitives import Address, Hash


@dataclass(slots=True)
class PayloadAttributes:
    """The inputs of one L2 block.

    transactions are EIP-2718 bytes that must be included in this order. With no_tx_pool nothing else is included.
    gas_limit in gas, timestamp in seconds; eip1559_params 8 bytes (denominator u32, elasticity u32) from Holocene,
    min_base_fee in wei from Jovian.
    """

    timestamp: int
    prev_randao: Hash
    fee_recipient: Address
    parent_beacon_block_root: Hash | None  # Ecotone
    transactions: list[bytes]
    no_tx_pool: bool
    gas_limit: int
    has_withdrawals: bool = True  # Canyon: an empty list; before it, none
    eip1559_params: bytes | None = None
    min_base_fee: int | None = None
