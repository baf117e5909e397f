"""The L1 attributes deposit: what each L2 block knows of its L1 origin.

Sources: specs protocol/deposits.md ("L1 Attributes Deposited Transaction"), l1-attributes.md of the later forks.
"""

from dataclasses import dataclass
from functools import lru_cache

from rollup.protocol.blob_schedule import l1_blob_base_fee
from rollup.protocol.config import RollupConfig, SystemConfig
from rollup.protocol.deposits import l1_attributes_source_hash
from rollup.protocol.fees import DEFAULT_DA_FOOTPRINT_GAS_SCALAR, L1FeeParameters
from rollup.protocol.forks import Fork
from rollup.protocol.header import Header
from rollup.protocol.predeploys import DEPOSITOR_ACCOUNT, L1_BLOCK
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.transaction import Transaction, deposit_transaction

BEDROCK_SELECTOR = bytes.fromhex(
    "015d8eb9"
)  # setL1BlockValues(uint64,uint64,uint256,bytes32,uint64,bytes32,uint256,uint256)
ECOTONE_SELECTOR = bytes.fromhex("440a5e20")  # setL1BlockValuesEcotone()
ISTHMUS_SELECTOR = bytes.fromhex("098999be")  # setL1BlockValuesIsthmus()
JOVIAN_SELECTOR = bytes.fromhex("3db6be2b")  # setL1BlockValuesJovian()
OLDER_SELECTORS = frozenset((BEDROCK_SELECTOR, ECOTONE_SELECTOR, ISTHMUS_SELECTOR))  # before Jovian
_SIZES = {BEDROCK_SELECTOR: 260, ECOTONE_SELECTOR: 164, ISTHMUS_SELECTOR: 176, JOVIAN_SELECTOR: 178}
_MAX_UINT32 = 0xFFFFFFFF
_GAS_BEFORE_REGOLITH, _GAS = 150_000_000, 1_000_000


class L1AttributesError(ValueError):
    """Calldata that is not an L1 attributes call."""


class ScalarError(ValueError):
    """A system config's scalar of no known version or form: no fees follow from it."""


@dataclass(slots=True, frozen=True)
class L1Attributes:
    """The arguments of the call; fees in wei. Fields that a form lacks are 0. batcher_address is an address of 20
    bytes.
    """

    number: int
    timestamp: int
    base_fee: int
    block_hash: Hash
    sequence_number: int
    batcher_address: Address
    overhead: int = 0  # Bedrock's form
    scalar: int = 0  # Bedrock's form
    base_fee_scalar: int = 0  # Ecotone
    blob_base_fee_scalar: int = 0  # Ecotone
    blob_base_fee: int = 0  # Ecotone
    operator_fee_scalar: int = 0  # Isthmus
    operator_fee_constant: int = 0  # Isthmus
    da_footprint_gas_scalar: int = 0  # Jovian

    def fee_parameters(self) -> L1FeeParameters:
        """The fee parameters that L1Block returns after this call."""
        return L1FeeParameters(
            base_fee=self.base_fee,
            blob_base_fee=self.blob_base_fee,
            overhead=self.overhead,
            scalar=self.scalar,
            base_fee_scalar=self.base_fee_scalar,
            blob_base_fee_scalar=self.blob_base_fee_scalar,
            operator_fee_scalar=self.operator_fee_scalar,
            operator_fee_constant=self.operator_fee_constant,
        )

    def encode(self, form: Fork) -> bytes:
        """The calldata in the form of Bedrock, Ecotone, Isthmus or Jovian."""
        # spec: attributes.jovian, attributes.isthmus, attributes.ecotone-size
        if form < Fork.ECOTONE:
            return BEDROCK_SELECTOR + b"".join(
                (
                    self.number.to_bytes(32, "big"),
                    self.timestamp.to_bytes(32, "big"),
                    self.base_fee.to_bytes(32, "big"),
                    self.block_hash,
                    self.sequence_number.to_bytes(32, "big"),
                    self.batcher_address.rjust(32, b"\0"),
                    self.overhead.to_bytes(32, "big"),
                    self.scalar.to_bytes(32, "big"),
                )
            )
        body = b"".join(
            (
                self.base_fee_scalar.to_bytes(4, "big"),
                self.blob_base_fee_scalar.to_bytes(4, "big"),
                self.sequence_number.to_bytes(8, "big"),
                self.timestamp.to_bytes(8, "big"),
                self.number.to_bytes(8, "big"),
                self.base_fee.to_bytes(32, "big"),
                self.blob_base_fee.to_bytes(32, "big"),
                self.block_hash,
                self.batcher_address.rjust(32, b"\0"),
            )
        )
        if form < Fork.ISTHMUS:
            return ECOTONE_SELECTOR + body
        body += self.operator_fee_scalar.to_bytes(4, "big") + self.operator_fee_constant.to_bytes(8, "big")
        if form < Fork.JOVIAN:
            return ISTHMUS_SELECTOR + body
        return JOVIAN_SELECTOR + body + self.da_footprint_gas_scalar.to_bytes(2, "big")

    @classmethod
    def decode(cls, data: bytes) -> "L1Attributes":
        """Parses any form by its selector; raises L1AttributesError."""
        return _decode(data)


def l1_attributes_form(config: RollupConfig, l2_time: int) -> Fork:
    """Which form a block of this time has: a fork's first block still has the form before it (but not genesis)."""
    # spec: attributes.jovian-first-block, attributes.jovian, attributes.isthmus-first-block, attributes.isthmus
    # spec: attributes.ecotone-first-block, attributes.ecotone
    for fork in (Fork.JOVIAN, Fork.ISTHMUS, Fork.ECOTONE):
        if config.forks.is_active(fork, l2_time) and not config.activates(fork, l2_time):
            return fork
    return Fork.BEDROCK


def l1_attributes(
    config: RollupConfig,
    system_config: SystemConfig,
    l1_header: Header,
    l1_hash: Hash,
    sequence_number: int,
    l2_time: int,
) -> L1Attributes:
    """The attributes of an L2 block of this time, on this L1 origin; raises ScalarError from Ecotone's form on."""
    # spec: attributes.jovian-footprint-default, attributes.ecotone-no-overhead, attributes.blob-base-fee
    form = l1_attributes_form(config, l2_time)
    is_packed = form >= Fork.ECOTONE
    base_fee_scalar, blob_base_fee_scalar = decode_scalar(system_config.scalar) if is_packed else (0, 0)
    footprint = system_config.da_footprint_gas_scalar or DEFAULT_DA_FOOTPRINT_GAS_SCALAR
    return L1Attributes(
        number=l1_header.number,
        timestamp=l1_header.timestamp,
        base_fee=l1_header.base_fee_per_gas or 0,
        block_hash=l1_hash,
        sequence_number=sequence_number,
        batcher_address=system_config.batcher_address,
        overhead=0 if is_packed else system_config.overhead,
        scalar=0 if is_packed else system_config.scalar,
        base_fee_scalar=base_fee_scalar,
        blob_base_fee_scalar=blob_base_fee_scalar,
        blob_base_fee=_blob_base_fee(config, l1_header) if is_packed else 0,
        operator_fee_scalar=system_config.operator_fee_scalar if form >= Fork.ISTHMUS else 0,
        operator_fee_constant=system_config.operator_fee_constant if form >= Fork.ISTHMUS else 0,
        da_footprint_gas_scalar=footprint if form >= Fork.JOVIAN else 0,
    )


def _blob_base_fee(config: RollupConfig, l1_header: Header) -> int:
    return l1_blob_base_fee(config.l1_chain_id, l1_header, config.pectra_blob_schedule_time, config.l1_blob_schedule)


def l1_attributes_deposit(
    config: RollupConfig,
    system_config: SystemConfig,
    l1_header: Header,
    l1_hash: Hash,
    sequence_number: int,
    l2_time: int,
) -> Transaction:
    """The first transaction of an L2 block; raises ScalarError."""
    # spec: regolith.no-system-transactions, attributes.values
    attributes = l1_attributes(config, system_config, l1_header, l1_hash, sequence_number, l2_time)
    is_regolith = config.is_regolith(l2_time)
    return deposit_transaction(
        source_hash=l1_attributes_source_hash(l1_hash, sequence_number),
        sender=DEPOSITOR_ACCOUNT,
        to=L1_BLOCK,
        mint=None,
        value=0,
        gas_limit=_GAS if is_regolith else _GAS_BEFORE_REGOLITH,
        is_system=not is_regolith,
        data=attributes.encode(l1_attributes_form(config, l2_time)),
    )


def decode_scalar(scalar: int) -> tuple[int, int]:
    """Base fee scalar and blob base fee scalar of a system config's scalar (ecotone/l1-attributes.md).

    Version 0 has no blob base fee scalar, and is capped where Bedrock's scalar was above 32 bits. Raises ScalarError.
    """
    # spec: config.scalar-padding
    version, content = scalar >> 248, scalar & (1 << 248) - 1
    if version == 0:
        return min(content, _MAX_UINT32), 0
    if version == 1 and content < 1 << 64:
        return content & _MAX_UINT32, content >> 32
    raise ScalarError(f"scalar 0x{scalar:064x} is of no known form")


def encode_scalar(base_fee_scalar: int, blob_base_fee_scalar: int) -> int:
    """A version 1 scalar."""
    return 1 << 248 | blob_base_fee_scalar << 32 | base_fee_scalar


@lru_cache(maxsize=256)  # a block's attributes are asked for whenever its reference is
def _decode(data: bytes) -> L1Attributes:
    # spec: attributes.ecotone-size
    selector = data[:4]
    size = _SIZES.get(selector)
    if size is None:
        raise L1AttributesError(f"not an L1 attributes call: selector 0x{selector.hex()}")
    if len(data) != size:
        raise L1AttributesError(f"L1 attributes 0x{selector.hex()}: {len(data)} bytes, {size} expected")
    return _decode_bedrock(data) if selector == BEDROCK_SELECTOR else _decode_packed(data)


def _decode_bedrock(data: bytes) -> L1Attributes:
    words = [data[index : index + 32] for index in range(4, 260, 32)]
    if any(words[0][:24]) or any(words[1][:24]) or any(words[4][:24]):
        raise L1AttributesError("L1 attributes: a uint64 is out of range")
    return L1Attributes(
        number=int.from_bytes(words[0], "big"),
        timestamp=int.from_bytes(words[1], "big"),
        base_fee=int.from_bytes(words[2], "big"),
        block_hash=words[3],
        sequence_number=int.from_bytes(words[4], "big"),
        batcher_address=words[5][12:],
        overhead=int.from_bytes(words[6], "big"),
        scalar=int.from_bytes(words[7], "big"),
    )


def _decode_packed(data: bytes) -> L1Attributes:
    def number(start: int, size: int) -> int:
        return int.from_bytes(data[start : start + size], "big")

    return L1Attributes(
        base_fee_scalar=number(4, 4),
        blob_base_fee_scalar=number(8, 4),
        sequence_number=number(12, 8),
        timestamp=number(20, 8),
        number=number(28, 8),
        base_fee=number(36, 32),
        blob_base_fee=number(68, 32),
        block_hash=data[100:132],
        batcher_address=data[144:164],
        operator_fee_scalar=number(164, 4),
        operator_fee_constant=number(168, 8),
        da_footprint_gas_scalar=number(176, 2),
    )
