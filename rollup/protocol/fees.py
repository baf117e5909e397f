"""Fees: base fees, the L1 data fee of every fork, the operator fee, the DA footprint, extraData.

Sources: specs protocol/exec-engine.md, ecotone/, fjord/exec-engine.md ("Fees"), holocene/, isthmus/, jovian/; EIP-1559,
EIP-4844. Amounts in wei, sizes in bytes, gas in units.
"""

from dataclasses import dataclass

from rollup.protocol.fastlz import fastlz_length
from rollup.protocol.forks import Fork, L1ForkRow
from rollup.protocol.recent import Recent
from rollup.protocol.transaction import Transaction

GAS_PER_BLOB = 131_072
MIN_BLOB_BASE_FEE = 1
_MAX_BASE_FEE = 2**256 - 1  # wei: the header field is a 256-bit integer
_BLOB_BASE_COST = 2**13  # EIP-7918: the execution gas that a blob is worth at least

# fjord/exec-engine.md, "L1-Cost fees": all scaled by 1e6.
_FJORD_INTERCEPT = -42_585_600
_FJORD_FASTLZ_COEFFICIENT = 836_500
MIN_TRANSACTION_SIZE = 100
# Up to this size even an incompressible transaction stays at the minimum, so that its length need not be computed.
ALWAYS_MINIMUM_SIZE = 164
DEFAULT_DA_FOOTPRINT_GAS_SCALAR = 400  # jovian/exec-engine.md, "DA footprint block limit"


@dataclass(slots=True, frozen=True)
class L1FeeParameters:
    """The content of L1Block: L1 base fees in wei, the scalars of SystemConfig, and the operator fee's two numbers."""

    base_fee: int = 0
    blob_base_fee: int = 0
    overhead: int = 0  # before Ecotone
    scalar: int = 0  # before Ecotone, scaled by 1e6
    base_fee_scalar: int = 0
    blob_base_fee_scalar: int = 0
    operator_fee_scalar: int = 0
    operator_fee_constant: int = 0

    @property
    def is_before_ecotone_values(self) -> bool:
        """Ecotone's first block still has the old values in L1Block (ecotone/l1-attributes.md)."""
        return self.blob_base_fee == 0 and self.base_fee_scalar == 0 and self.blob_base_fee_scalar == 0


def calldata_gas(data: bytes) -> int:
    """Gas of calldata: 4 per zero byte, 16 per other byte (EIP-2028)."""
    # spec: fees.l1-cost-bedrock
    return 16 * len(data) - 12 * data.count(0)


def fjord_size_scaled(raw: bytes) -> int:
    """The estimated compressed size of a transaction times 1e6, at least 100 bytes."""
    if len(raw) <= ALWAYS_MINIMUM_SIZE:
        return MIN_TRANSACTION_SIZE * 1_000_000
    known = _sizes.get(raw)
    if known is None:
        size = max(MIN_TRANSACTION_SIZE * 1_000_000, _FJORD_INTERCEPT + _FJORD_FASTLZ_COEFFICIENT * fastlz_length(raw))
        known = raw, size
        _sizes.put(raw, known)
    return known[1]


# Pool, L1 fee, DA footprint and receipt need the size of the same transaction, so it is compressed once.
_sizes: Recent[tuple[bytes, int]] = Recent(65_536, lambda known: len(known[0]), 32 * 1024 * 1024)


def remember_size(raw: bytes, size_scaled: int) -> None:
    """Takes over what fjord_size_scaled returned for this transaction in another process."""
    _sizes.put(raw, (raw, size_scaled))


def forget_compressed_sizes() -> None:
    """Empties the cache of sizes, so that a measurement includes the compression."""
    _sizes.clear()


def l1_gas_used(raw: bytes, fork: Fork, parameters: L1FeeParameters) -> int:
    """The l1GasUsed of a receipt (deprecated by Fjord, still reported)."""
    if fork >= Fork.FJORD:
        return fjord_size_scaled(raw) * 16 // 1_000_000
    gas = calldata_gas(raw)
    if fork >= Fork.ECOTONE and not parameters.is_before_ecotone_values:
        return gas
    return gas + parameters.overhead + (68 * 16 if fork < Fork.REGOLITH else 0)


def l1_cost(raw: bytes, fork: Fork, parameters: L1FeeParameters) -> int:
    """The L1 data fee of an encoded transaction (deposits pay none)."""
    # spec: fjord.l1-cost, fees.l1-cost-bedrock, fees.l1-cost-ecotone
    if fork < Fork.ECOTONE or parameters.is_before_ecotone_values:
        gas = calldata_gas(raw) + parameters.overhead + (68 * 16 if fork < Fork.REGOLITH else 0)
        return gas * parameters.base_fee * parameters.scalar // 1_000_000
    price = (
        16 * parameters.base_fee_scalar * parameters.base_fee
        + parameters.blob_base_fee_scalar * parameters.blob_base_fee
    )
    if fork < Fork.FJORD:
        return calldata_gas(raw) * price // 16_000_000
    return fjord_size_scaled(raw) * price // 10**12


def operator_fee(gas: int, fork: Fork, parameters: L1FeeParameters) -> int:
    """The operator's fee for an amount of gas (isthmus/exec-engine.md, jovian/exec-engine.md)."""
    # spec: jovian.operator-fee
    if fork < Fork.ISTHMUS:
        return 0
    if fork < Fork.JOVIAN:
        return gas * parameters.operator_fee_scalar // 1_000_000 + parameters.operator_fee_constant
    return gas * parameters.operator_fee_scalar * 100 + parameters.operator_fee_constant


def da_footprint(transaction: Transaction, scalar: int) -> int:
    """A transaction's share of the block's DA footprint, in gas (jovian/exec-engine.md); deposits have none."""
    # spec: jovian.da-footprint
    if transaction.is_deposit:
        return 0
    return fjord_size_scaled(transaction.encode()) // 1_000_000 * scalar


def next_base_fee(
    parent_base_fee: int, gas_metered: int, gas_limit: int, elasticity: int, denominator: int, minimum: int = 0
) -> int:
    """The next base fee by EIP-1559, with the chain's own elasticity and denominator, and Jovian's minimum.

    Defined for every value that SystemConfig's owner may set: an elasticity above the gas limit gives a target of 1
    (official clients divide by zero there), and a fee stays within the header's 256 bits.
    """
    # spec: jovian.min-base-fee
    target = max(gas_limit // elasticity, 1)
    fee = parent_base_fee
    if gas_metered > target:
        fee += max(parent_base_fee * (gas_metered - target) // target // denominator, 1)
    elif gas_metered < target:
        fee = max(fee - parent_base_fee * (target - gas_metered) // target // denominator, 0)
    return min(max(fee, minimum), _MAX_BASE_FEE)


def l1_gas_limit_may_follow(parent_gas_limit: int, gas_limit: int) -> bool:
    """Whether a block on L1 may have this gas limit: at least 5,000, and less than 1/1024 of the parent's away from it
    (Yellow Paper, 47). OP chains have no such rule; their limit comes from the SystemConfig."""
    return gas_limit >= 5_000 and abs(gas_limit - parent_gas_limit) < parent_gas_limit // 1_024


def blob_base_fee(excess_blob_gas: int, update_fraction: int) -> int:
    """Wei per unit of blob gas (EIP-4844, fake_exponential)."""
    index, output = 1, 0
    term = MIN_BLOB_BASE_FEE * update_fraction
    while term > 0:
        output += term
        term = term * excess_blob_gas // (update_fraction * index)
        index += 1
    return output // update_fraction


def next_excess_blob_gas(parent_excess: int, parent_used: int, parent_base_fee: int, row: L1ForkRow) -> int:
    """The excess blob gas of a block under an L1 fork's rules (EIP-4844, EIP-7918); 0 before blobs."""
    blobs = row.blobs
    if blobs is None:
        return 0
    total, target = parent_excess + parent_used, blobs.target * GAS_PER_BLOB
    if total < target:
        return 0
    if row.has_blob_fee_floor:
        price = blob_base_fee(parent_excess, blobs.update_fraction)
        if _BLOB_BASE_COST * parent_base_fee > GAS_PER_BLOB * price:
            return parent_excess + parent_used * (blobs.max - blobs.target) // blobs.max
    return total - target


@dataclass(slots=True, frozen=True)
class BaseFeeParameters:
    """The content of a header's extraData from Holocene on."""

    denominator: int
    elasticity: int
    min_base_fee: int | None = None  # Jovian


def encode_extra_data(parameters: BaseFeeParameters) -> bytes:
    """9 bytes (Holocene, version 0), or 17 with a minimum base fee (Jovian, version 1)."""
    # spec: jovian.extra-data, holocene.extra-data
    body = parameters.denominator.to_bytes(4, "big") + parameters.elasticity.to_bytes(4, "big")
    if parameters.min_base_fee is None:
        return b"\0" + body
    return b"\1" + body + parameters.min_base_fee.to_bytes(8, "big")


def decode_extra_data(extra_data: bytes, fork: Fork) -> BaseFeeParameters:
    """Reads a header's extraData; raises ValueError when it is not valid for the fork."""
    # spec: jovian.extra-data, holocene.extra-data
    if fork < Fork.HOLOCENE:
        if extra_data:
            raise ValueError("extraData must be empty before Holocene")
        raise ValueError("no parameters in extraData before Holocene")
    version, size = (1, 17) if fork >= Fork.JOVIAN else (0, 9)
    if len(extra_data) != size or extra_data[0] != version:
        raise ValueError(f"extraData must have {size} bytes and version {version}, not 0x{extra_data.hex()}")
    denominator, elasticity = int.from_bytes(extra_data[1:5], "big"), int.from_bytes(extra_data[5:9], "big")
    if denominator == 0:
        raise ValueError("extraData: the denominator is 0")
    if elasticity == 0:
        raise ValueError("extraData: the elasticity is 0")
    return BaseFeeParameters(denominator, elasticity, int.from_bytes(extra_data[9:17], "big") if version else None)
