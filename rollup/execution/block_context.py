"""A block before its transactions: the header fields that follow from its parent and from its builder."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from rollup.cooperative import pause
from rollup.execution.config import L1Config, L2Config
from rollup.execution.vms.base import EvmContext
from rollup.execution.vms.program import PROGRAMS, Programs
from rollup.execution.vms.rules import EvmRules, l1_rules, l2_rules
from rollup.protocol.blob_schedule import blob_base_fee_under
from rollup.protocol.fees import (
    BaseFeeParameters,
    decode_extra_data,
    encode_extra_data,
    next_base_fee,
    next_excess_blob_gas,
)
from rollup.protocol.forks import L1_FORKS, Fork
from rollup.protocol.header import Header
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.primitives import Address, Hash


class InvalidPayloadAttributes(ValueError):
    """Attributes no block can be built from on this parent (Engine API: -38003)."""


@dataclass(slots=True, frozen=True)
class BlockOverrides:
    """Block fields that a call replaces (geth internal/ethapi/override); None keeps the block's value."""

    number: int | None = None
    timestamp: int | None = None
    gas_limit: int | None = None
    coinbase: Address | None = None
    prev_randao: Hash | None = None
    base_fee: int | None = None
    blob_base_fee: int | None = None


@dataclass(slots=True, frozen=True)
class BlockContext:
    """The fixed part of a block; gas in units, fees in wei, timestamp in seconds."""

    config: L1Config | L2Config
    parent: Header
    parent_hash: Hash
    number: int
    timestamp: int
    coinbase: Address
    prev_randao: Hash
    gas_limit: int
    base_fee: int
    extra_data: bytes
    parent_beacon_block_root: Hash | None
    excess_blob_gas: int = 0
    blob_base_fee: int | None = None  # of a call that sets it; otherwise it follows from the excess blob gas

    @property
    def rules(self) -> EvmRules:
        """The execution rules in force at the block's time."""
        return rules_at(self.config, self.timestamp)

    def evm_context(
        self,
        block_hash: Callable[[int], Hash | None],
        check_interrupt: Callable[[], None] = pause,
        programs: Programs = PROGRAMS,
    ) -> EvmContext:
        """The block as the opcodes see it; block_hash answers BLOCKHASH."""
        blob_base_fee = self.blob_base_fee
        if blob_base_fee is None:
            blob_base_fee = blob_base_fee_under(self.rules.l1_fork, self.excess_blob_gas)
        return EvmContext(
            coinbase=self.coinbase,
            timestamp=self.timestamp,
            block_number=self.number,
            mix_hash=self.prev_randao,
            gas_limit=self.gas_limit,
            chain_id=self.config.chain_id,
            base_fee_per_gas=self.base_fee,
            blob_base_fee=blob_base_fee,
            block_hash=block_hash,
            check_interrupt=check_interrupt,
            programs=programs,
            impersonates_signatures=any(change.impersonates_signatures for change in self.config.irregular),
        )

    def overridden(self, overrides: BlockOverrides) -> "BlockContext":
        """A context with some fields replaced; a new time brings the rules of that time."""
        given = {name: getattr(overrides, name) for name in overrides.__slots__}
        return replace(self, **{name: value for name, value in given.items() if value is not None})


def l2_context(
    config: L2Config, parent: Header, attributes: PayloadAttributes, parent_hash: Hash | None = None
) -> BlockContext:
    """The context of an L2 block; raises InvalidPayloadAttributes."""
    # spec: engine-api.gas-limit
    _check_attributes(config, parent, attributes)
    return BlockContext(
        config=config,
        parent=parent,
        parent_hash=parent_hash or parent.hash,
        number=parent.number + 1,
        timestamp=attributes.timestamp,
        coinbase=attributes.fee_recipient,
        prev_randao=attributes.prev_randao,
        gas_limit=attributes.gas_limit,
        base_fee=l2_base_fee(config, parent, attributes.timestamp),
        extra_data=_extra_data(config, attributes),
        parent_beacon_block_root=attributes.parent_beacon_block_root,
    )


def l1_context(
    config: L1Config,
    parent: Header,
    timestamp: int,
    coinbase: Address,
    gas_limit: int,
    extra_data: bytes,
    prev_randao: Hash,
    parent_beacon_block_root: Hash | None,
    parent_hash: Hash | None = None,
) -> BlockContext:
    """The context of an L1 block."""
    return BlockContext(
        config=config,
        parent=parent,
        parent_hash=parent_hash or parent.hash,
        number=parent.number + 1,
        timestamp=timestamp,
        coinbase=coinbase,
        prev_randao=prev_randao,
        gas_limit=gas_limit,
        base_fee=l1_base_fee(parent),
        extra_data=extra_data,
        parent_beacon_block_root=parent_beacon_block_root,
        excess_blob_gas=l1_excess_blob_gas(config, parent, timestamp),
    )


def context_of_header(
    config: L1Config | L2Config, header: Header, parent: Header, base_fee: int | None = None
) -> BlockContext:
    """The context a sealed block ran in (for validating it, calling on it, tracing it)."""
    return BlockContext(
        config=config,
        parent=parent,
        parent_hash=header.parent_hash,
        number=header.number,
        timestamp=header.timestamp,
        coinbase=header.coinbase,
        prev_randao=header.prev_randao,
        gas_limit=header.gas_limit,
        base_fee=header.base_fee_per_gas or 0 if base_fee is None else base_fee,
        extra_data=header.extra_data,
        parent_beacon_block_root=header.parent_beacon_block_root,
        excess_blob_gas=header.excess_blob_gas or 0,
    )


def rules_at(config: L1Config | L2Config, timestamp: int) -> EvmRules:
    """The execution rules of a block of this time."""
    if isinstance(config, L1Config):
        return l1_rules(config.fork_at(timestamp))
    return l2_rules(config.fork_at(timestamp), config.is_native_attribution(timestamp))


def l1_base_fee(parent: Header) -> int:
    """EIP-1559 on L1."""
    return next_base_fee(parent.base_fee_per_gas or 0, parent.gas_used, parent.gas_limit, 2, 8)


def l1_excess_blob_gas(config: L1Config, parent: Header, timestamp: int) -> int:
    """The excess blob gas of an L1 block on this parent, by the rules of the block's own time."""
    row = L1_FORKS[config.fork_at(timestamp)]
    return next_excess_blob_gas(
        parent.excess_blob_gas or 0, parent.blob_gas_used or 0, parent.base_fee_per_gas or 0, row
    )


def l1_blob_base_fee_after(config: L1Config, parent: Header, timestamp: int) -> int:
    """The blob base fee, in wei, of an L1 block on this parent."""
    return blob_base_fee_under(config.fork_at(timestamp), l1_excess_blob_gas(config, parent, timestamp))


def l2_base_fee(config: L2Config, parent: Header, timestamp: int) -> int:
    """The base fee of a block on this parent (holocene/, jovian/exec-engine.md); timestamp decides Canyon's."""
    # spec: jovian.min-base-fee, jovian.footprint-in-base-fee, fees.chain-parameters
    fork = config.fork_at(parent.timestamp)
    elasticity, denominator, minimum = config.eip1559_elasticity, config.denominator_at(timestamp), 0
    if fork >= Fork.HOLOCENE:
        parameters = decode_extra_data(parent.extra_data, fork)
        elasticity, denominator = parameters.elasticity, parameters.denominator
        minimum = parameters.min_base_fee or 0
    if config.fork_at(timestamp) < Fork.JOVIAN:
        minimum = max(minimum, config.variant.base_fee_floor)
    metered = max(parent.gas_used, parent.blob_gas_used or 0) if fork >= Fork.JOVIAN else parent.gas_used
    return next_base_fee(parent.base_fee_per_gas or 0, metered, parent.gas_limit, elasticity, denominator, minimum)


def _check_attributes(config: L2Config, parent: Header, attributes: PayloadAttributes) -> None:
    """op-geth eth/catalyst: what forkchoiceUpdated refuses."""
    # spec: jovian.attributes-min-base-fee, holocene.attributes-before, engine-api.gas-limit
    # spec: engine-api.attributes-beacon-root, engine-api.attributes-eip1559, engine-api.attributes-min-base-fee
    fork = config.fork_at(attributes.timestamp)
    if attributes.timestamp <= parent.timestamp:
        raise InvalidPayloadAttributes(f"timestamp {attributes.timestamp} is not after the parent's {parent.timestamp}")
    if not attributes.gas_limit:
        raise InvalidPayloadAttributes("gasLimit is missing")
    if attributes.has_withdrawals != (fork >= Fork.CANYON):
        raise InvalidPayloadAttributes(f"withdrawals must be {'a list' if fork >= Fork.CANYON else 'missing'}")
    if (attributes.parent_beacon_block_root is not None) != (fork >= Fork.ECOTONE):
        word = "missing" if fork >= Fork.ECOTONE else "given before Ecotone"
        raise InvalidPayloadAttributes(f"parentBeaconBlockRoot is {word}")
    if (attributes.eip1559_params is not None) != (fork >= Fork.HOLOCENE):
        word = "missing" if fork >= Fork.HOLOCENE else "given before Holocene"
        raise InvalidPayloadAttributes(f"eip1559Params are {word}")
    if (attributes.min_base_fee is not None) != (fork >= Fork.JOVIAN):
        word = "missing" if fork >= Fork.JOVIAN else "given before Jovian"
        raise InvalidPayloadAttributes(f"minBaseFee is {word}")


def _extra_data(config: L2Config, attributes: PayloadAttributes) -> bytes:
    """The header's extraData; parameters of 0 stand for the chain's constants (holocene/exec-engine.md)."""
    # spec: config.min-base-fee-in-header, holocene.attributes-encoding, holocene.payload-extra-data
    # spec: holocene.zero-params
    params = attributes.eip1559_params
    if params is None:
        return b""
    if len(params) != 8:
        raise InvalidPayloadAttributes(f"eip1559Params: {len(params)} bytes, 8 expected")
    denominator, elasticity = int.from_bytes(params[:4], "big"), int.from_bytes(params[4:], "big")
    if bool(denominator) != bool(elasticity):
        zero = "elasticity" if denominator else "denominator"
        raise InvalidPayloadAttributes(f"eip1559Params: the {zero} is 0, the other is not")
    if denominator == 0:
        denominator, elasticity = config.denominator_at(attributes.timestamp), config.eip1559_elasticity
    return encode_extra_data(BaseFeeParameters(denominator, elasticity, attributes.min_base_fee))
