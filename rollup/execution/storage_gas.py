"""The gas of SLOAD and SSTORE: EIP-2200 as changed by EIP-2929 and EIP-3529."""

from typing import Final

SLOAD_WARM: Final = 100
SLOAD_COLD: Final = 2_100
SSTORE_SENTRY: Final = 2_300
_SET, _RESET, _CLEARS_REFUND = 20_000, 2_900, 4_800


def sstore_gas(original: int, current: int, value: int) -> tuple[int, int]:
    """Cost of an SSTORE to a warm slot, and its refund. original: the value at the start of the transaction."""
    if current == value:
        return SLOAD_WARM, 0
    if original == current:
        if not original:
            return _SET, 0
        return _RESET, 0 if value else _CLEARS_REFUND
    refund = 0
    if original:
        if not current:
            refund -= _CLEARS_REFUND
        elif not value:
            refund += _CLEARS_REFUND
    if original == value:
        refund += (_RESET if original else _SET) - SLOAD_WARM
    return SLOAD_WARM, refund
