"""The reason of a revert as text, from its data."""

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from attribution_precompile import explain

_ERROR_STRING, _PANIC = bytes.fromhex("08c379a0"), bytes.fromhex("4e487b71")


def revert_reason(output: bytes) -> str | None:
    """The text of Error(string) or Panic(uint256), or an attribution error with its arguments; None for other data."""
    try:
        if output[:4] == _ERROR_STRING:
            return str(decode(["string"], output[4:])[0])
        if output[:4] == _PANIC:
            code = decode(["uint256"], output[4:])[0]
            return _PANICS.get(code, f"unknown panic code: {code:#x}")
        if (typed := explain(output)) != f"0x{output.hex()}":
            return typed
    except (DecodingError, UnicodeDecodeError, OverflowError):
        return None
    return None


# Solidity's panic codes, in geth's words (accounts/abi/abi.go).
_PANICS = {
    0x00: "generic panic",
    0x01: "assert(false)",
    0x11: "arithmetic underflow or overflow",
    0x12: "division or modulo by zero",
    0x21: "enum overflow",
    0x22: "invalid encoded storage byte array accessed",
    0x31: "out-of-bounds array access; popping on an empty array",
    0x32: "out-of-bounds access of an array or bytesN",
    0x41: "out of memory",
    0x51: "uninitialized function",
}
