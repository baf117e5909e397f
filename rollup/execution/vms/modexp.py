"""The modular exponentiation precompile (EIP-198), at Berlin's price (EIP-2565) and at Osaka's (EIP-7823, EIP-7883)."""

from collections.abc import Callable
from typing import Any

from eth.exceptions import VMError

MODEXP_ADDRESS = (0x05).to_bytes(20, "big")
_HEADER_SIZE = 96  # the lengths of base, exponent and modulus, 32 bytes each
_OSAKA_MAX_LENGTH = 1_024  # bytes, EIP-7823
_WORK_AT_ONCE = 1_500_000  # squarings times squared words: some 40 ms


def modexp_eip2565(computation: Any) -> Any:
    """base ** exponent % modulus, as many bytes as the modulus has; Berlin to Prague."""
    return _modexp(computation, _eip2565_gas)


def modexp_osaka(computation: Any) -> Any:
    """MODEXP at EIP-7883's price; fails with VMError if a length is above 1,024 bytes (EIP-7823)."""
    return _modexp(computation, _eip7883_gas, _OSAKA_MAX_LENGTH)


def _modexp(computation: Any, price: Callable[[int, int, int, int], int], max_length: int | None = None) -> Any:
    data = computation.msg.data_as_bytes
    base_size, exponent_size, modulus_size = (_number(data, start, 32) for start in (0, 32, 64))
    exponent_at = _HEADER_SIZE + base_size
    head = _number(data, exponent_at, min(exponent_size, 32))
    computation.consume_gas(price(base_size, exponent_size, modulus_size, head), reason="MODEXP precompile")
    if max_length is not None and max(base_size, exponent_size, modulus_size) > max_length:
        raise VMError(f"MODEXP: a length is above {max_length} bytes")
    check = computation.state.execution_context.check_interrupt
    # An exponent may be of any declared length where nothing is to be raised: do not read it then.
    computation.output = b"" if not modulus_size else _output(data, base_size, exponent_size, modulus_size, check)
    return computation


def _output(
    data: bytes, base_size: int, exponent_size: int, modulus_size: int, check_interrupt: Callable[[], None]
) -> bytes:
    exponent_at = _HEADER_SIZE + base_size
    modulus = _number(data, exponent_at + exponent_size, modulus_size)
    if not modulus:
        return bytes(modulus_size)
    base, exponent = _number(data, _HEADER_SIZE, base_size), _number(data, exponent_at, exponent_size)
    words = (modulus.bit_length() + 63) // 64
    bits = max(_WORK_AT_ONCE // (words * words), 64)
    return _power(base, exponent, modulus, bits, check_interrupt).to_bytes(modulus_size, "big")


def _power(base: int, exponent: int, modulus: int, bits: int, check_interrupt: Callable[[], None]) -> int:
    """base ** exponent % modulus, for this many bits of the exponent per step."""
    if exponent.bit_length() <= bits:
        return pow(base, exponent, modulus)
    result = 1 % modulus
    mask = (1 << bits) - 1
    for shift in range((exponent.bit_length() - 1) // bits * bits, -1, -bits):
        check_interrupt()
        result = pow(result, 1 << bits, modulus)
        check_interrupt()
        result = result * pow(base, exponent >> shift & mask, modulus) % modulus
    return result


def _number(data: bytes, start: int, size: int) -> int:
    """The number at a place of the input. The input continues with zeros after its end."""
    given = data[start : start + size]
    value = int.from_bytes(given, "big")
    return value << 8 * (size - len(given)) if value else 0


def _eip2565_gas(base_size: int, exponent_size: int, modulus_size: int, head: int) -> int:
    words = (max(base_size, modulus_size) + 7) // 8
    return max(200, words * words * _iterations(exponent_size, head, 8) // 3)


def _eip7883_gas(base_size: int, exponent_size: int, modulus_size: int, head: int) -> int:
    size = max(base_size, modulus_size)
    words = (size + 7) // 8
    complexity = 16 if size <= 32 else 2 * words * words
    return max(500, complexity * _iterations(exponent_size, head, 16))


def _iterations(exponent_size: int, head: int, per_byte: int) -> int:
    """Squarings the price reckons with; head = the exponent's first 32 bytes."""
    return max(max(exponent_size - 32, 0) * per_byte + max(head.bit_length() - 1, 0), 1)
