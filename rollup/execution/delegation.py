"""EIP-7702's delegation designator: the code of an account that runs another account's code."""

from rollup.protocol.primitives import Address

DELEGATION_PREFIX = b"\xef\x01\x00"
_SIZE = len(DELEGATION_PREFIX) + 20


def delegate_of(code: bytes) -> Address | None:
    """The account whose code this code delegates to, or None if it is not a designator."""
    return code[3:] if len(code) == _SIZE and code.startswith(DELEGATION_PREFIX) else None


def designator(address: Address) -> bytes:
    """The code that delegates to an account; none for the zero address, which ends a delegation."""
    return DELEGATION_PREFIX + address if any(address) else b""
