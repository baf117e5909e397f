"""The typed errors of IAttribution.sol, and the two ways in which a call fails.

`Revert` carries ABI-encoded error data and leaves unspent gas with the caller; `OutOfGas` belongs to the host and
carries no data.
"""

from dataclasses import dataclass
from typing import Final

from sha3 import keccak_256


class Revert(Exception):
    """The call reverts. `data` is the revert data: a 4-byte error selector and its ABI-encoded arguments."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data

    def __str__(self) -> str:
        return explain(self.data)


class OutOfGas(Exception):
    """Raised if a frame cannot pay a charge. Hosts inside an EVM raise that EVM's own exception instead."""


@dataclass(frozen=True, slots=True)
class ErrorType:
    """One Solidity error. Call it with its arguments (integers; bytesN values left-aligned) to get the Revert."""

    signature: str
    selector: bytes

    @property
    def name(self) -> str:
        return self.signature.partition("(")[0]

    def __call__(self, *arguments: int) -> Revert:
        return Revert(self.selector + b"".join([value.to_bytes(32, "big") for value in arguments]))


ERRORS: Final[dict[bytes, ErrorType]] = {}


def _error(signature: str) -> ErrorType:
    selector: bytes = keccak_256(signature.encode()).digest()[:4]
    error = ErrorType(signature, selector)
    ERRORS[selector] = error
    return error


DELEGATE_CALL_NOT_ALLOWED: Final = _error("DelegateCallNotAllowed()")
STATIC_CALL_NOT_ALLOWED: Final = _error("StaticCallNotAllowed()")
NON_PAYABLE: Final = _error("NonPayable()")
UNKNOWN_FUNCTION_SELECTOR: Final = _error("UnknownFunctionSelector(bytes4)")
MALFORMED_INPUT: Final = _error("MalformedInput()")
REENTRANCY: Final = _error("Reentrancy()")
UNAUTHORIZED: Final = _error("Unauthorized(address)")
UNKNOWN_DATANET: Final = _error("UnknownDatanet(uint64)")
UNKNOWN_MODEL: Final = _error("UnknownModel(uint64)")
UNKNOWN_JOB: Final = _error("UnknownJob(uint64)")
JOB_CLOSED: Final = _error("JobClosed(uint64)")
JOB_OPEN_UNTIL: Final = _error("JobOpenUntil(uint64)")
DUPLICATE_CONTENT: Final = _error("DuplicateContent(bytes32)")
INVALID_SPLIT: Final = _error("InvalidSplit()")
INVALID_WEIGHTS: Final = _error("InvalidWeights()")
INVALID_ADDRESS: Final = _error("InvalidAddress()")
LINEAGE_TOO_DEEP: Final = _error("LineageTooDeep(uint256,uint256)")
TOO_MANY: Final = _error("TooMany(uint256,uint256)")
AMOUNT_OVERFLOW: Final = _error("AmountOverflow()")
FEE_TOO_LOW: Final = _error("FeeTooLow(uint256,uint256)")
INVALID_SIGNATURE: Final = _error("InvalidSignature()")
INVALID_NONCE: Final = _error("InvalidNonce(uint64,uint64)")
EXPIRED: Final = _error("Expired(uint64)")
NOTHING_TO_CLAIM: Final = _error("NothingToClaim()")
PAYOUT_FAILED: Final = _error("PayoutFailed()")


def explain(data: bytes) -> str:
    """Revert data as text, such as `FeeTooLow(3, 5)`. Addresses and fixed bytes are hex; unknown data is shown as
    hex.

    >>> explain(FEE_TOO_LOW(3, 5).data), explain(b"\\1\\2")
    ('FeeTooLow(3, 5)', '0x0102')
    """
    error = ERRORS.get(data[:4])
    if error is None:
        return f"0x{data.hex()}"
    types = [name for name in error.signature.partition("(")[2][:-1].split(",") if name]
    if len(data) != 4 + 32 * len(types):
        return f"0x{data.hex()}"
    words = [data[4 + 32 * i : 36 + 32 * i] for i in range(len(types))]
    return f"{error.name}({', '.join(_render(name, word) for name, word in zip(types, words, strict=True))})"


def _render(type_name: str, word: bytes) -> str:
    if type_name == "address":
        return f"0x{word[12:].hex()}"
    if type_name.startswith("bytes"):
        return f"0x{word[: int(type_name[5:])].hex()}"
    return str(int.from_bytes(word, "big"))
