"""The changes of the SystemConfig in L1 logs (specs protocol/system-config.md)."""

from collections.abc import Sequence
from dataclasses import replace

from rollup.protocol.config import RollupConfig, SystemConfig
from rollup.protocol.primitives import keccak256
from rollup.protocol.receipt import Log, Receipt

CONFIG_UPDATE = keccak256(b"ConfigUpdate(uint256,uint8,bytes)")
BATCHER, FEE_SCALARS, GAS_LIMIT, UNSAFE_BLOCK_SIGNER, EIP_1559, OPERATOR_FEE, MIN_BASE_FEE, DA_FOOTPRINT = range(8)
UPDATE_NAMES = {
    BATCHER: "batcher",
    FEE_SCALARS: "fee scalars",
    GAS_LIMIT: "gas limit",
    UNSAFE_BLOCK_SIGNER: "unsafe block signer",
    EIP_1559: "EIP-1559 parameters",
    OPERATOR_FEE: "operator fee",
    MIN_BASE_FEE: "minimum base fee",
    DA_FOOTPRINT: "DA footprint scalar",
}


class ConfigUpdateError(ValueError):
    """A ConfigUpdate log that cannot be applied. Derivation ignores it."""


def apply_config_updates(
    config: RollupConfig, current: SystemConfig, receipts: Sequence[Receipt], l1_time: int
) -> SystemConfig:
    """The system config after an L1 block; malformed logs change nothing."""
    # spec: config.unparsable-skipped
    for receipt in receipts:
        if receipt.status != 1:
            continue
        for log in receipt.logs:
            is_update = bool(log.topics) and log.topics[0] == CONFIG_UPDATE
            if is_update and log.address == config.l1_system_config_address:
                try:
                    current = apply_config_update(config, current, log, l1_time)
                except ConfigUpdateError:
                    continue
    return current


def apply_config_update(config: RollupConfig, current: SystemConfig, log: Log, l1_time: int) -> SystemConfig:
    """The system config after one log; raises ConfigUpdateError."""
    if len(log.topics) != 3 or log.topics[0] != CONFIG_UPDATE:
        raise ConfigUpdateError("not a ConfigUpdate log")
    if any(log.topics[1]):
        raise ConfigUpdateError("unknown ConfigUpdate version")
    kind = int.from_bytes(log.topics[2], "big")
    payload = _payload(log.data, 64 if kind == FEE_SCALARS else 32)
    if kind == BATCHER:
        return replace(current, batcher_address=_padded(payload, 20))
    if kind == FEE_SCALARS:
        return _with_scalars(config, current, payload, l1_time)
    if kind == GAS_LIMIT:
        return replace(current, gas_limit=int.from_bytes(_padded(payload, 8), "big"))
    if kind == UNSAFE_BLOCK_SIGNER:
        _padded(payload, 20)
        return current  # not part of derivation
    if kind == EIP_1559:
        return _with_eip1559_params(current, _padded(payload, 8))
    if kind == OPERATOR_FEE:
        params = _padded(payload, 12)
        return replace(
            current,
            operator_fee_reserved=bytes(20),
            operator_fee_scalar=int.from_bytes(params[:4], "big"),
            operator_fee_constant=int.from_bytes(params[4:], "big"),
        )
    if kind == MIN_BASE_FEE:
        return replace(current, min_base_fee=int.from_bytes(_padded(payload, 8), "big"))
    if kind == DA_FOOTPRINT:
        return replace(current, da_footprint_gas_scalar=int.from_bytes(_padded(payload, 2), "big"))
    raise ConfigUpdateError(f"unknown ConfigUpdate type {kind}")


def attributes_eip1559_params(
    config: RollupConfig, current: SystemConfig, parent_time: int, l2_time: int
) -> bytes | None:
    """The EIP-1559 parameters in payload attributes: none before Holocene, zeros (the chain's own constants) in its
    first block, then those of the system config (holocene/derivation.md, "Attributes Builder")."""
    # spec: holocene.attributes-params
    if not config.is_holocene(l2_time):
        return None
    return current.eip1559_params if config.is_holocene(parent_time) else bytes(8)


def _with_eip1559_params(current: SystemConfig, params: bytes) -> SystemConfig:
    """Denominator and elasticity. Both must be set, or neither (op-node refuses values with which no block can be
    built).
    """
    if any(params[:4]) != any(params[4:]):
        raise ConfigUpdateError(f"EIP-1559 parameters 0x{params.hex()}: one of the two is zero")
    return replace(current, eip1559_params=params)


def _with_scalars(config: RollupConfig, current: SystemConfig, payload: bytes, l1_time: int) -> SystemConfig:
    """Overhead and scalar; from Ecotone no overhead, and a scalar only of a known version and form."""
    # spec: config.scalar-padding
    overhead, scalar = payload[:32], payload[32:]
    if not config.is_ecotone(l1_time):
        return replace(current, overhead=int.from_bytes(overhead, "big"), scalar=int.from_bytes(scalar, "big"))
    zeros = {0: 28, 1: 24}.get(scalar[0])
    if zeros is None or any(scalar[1:zeros]):
        raise ConfigUpdateError(f"scalar 0x{scalar.hex()} is of no known form")
    return replace(current, overhead=0, scalar=int.from_bytes(scalar, "big"))


def _payload(data: bytes, size: int) -> bytes:
    """The one `bytes` of the log's data, of an exact size."""
    if len(data) != 64 + size:
        raise ConfigUpdateError(f"ConfigUpdate data has {len(data)} bytes, {64 + size} expected")
    if int.from_bytes(data[:32], "big") != 32 or int.from_bytes(data[32:64], "big") != size:
        raise ConfigUpdateError("ConfigUpdate data: offset or length is wrong")
    return data[64:]


def _padded(word: bytes, size: int) -> bytes:
    """The low bytes of a word whose high bytes are zero."""
    if any(word[: 32 - size]):
        raise ConfigUpdateError(f"ConfigUpdate value 0x{word.hex()} has more than {size} bytes")
    return word[32 - size :]
