"""Reading parameters: quantities, data, block tags, call objects. Anything else is geth's `invalid argument`."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, overload

from rollup.execution.calls import CallRequest
from rollup.execution.overrides import StateOverride
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.transaction import AccessList, Authorization
from rollup.rpc.errors import InvalidParams, RpcError
from rollup.rpc.limits import MAX_OVERRIDE_CODE, MAX_OVERRIDE_SLOTS, MAX_PERCENTILES, MAX_PROOF_KEYS

Value = TypeVar("Value")
Given = TypeVar("Given")
Default = TypeVar("Default")
Parser = Callable[[Any], Value]
_HEX = re.compile(r"[0-9a-fA-F]*")
_TAGS = ("latest", "pending", "safe", "finalized", "earliest")
_NO_SUBSCRIPTION_NAME = "expected subscription name as first argument"  # geth rpc/json.go


class Invalid(InvalidParams):
    """A malformed value. `read` adds the argument's position; raised elsewhere it is an answer with -32602 too."""


class Optional(Generic[Value]):
    """A parameter that may be left out or null."""

    @overload
    def __init__(self: "Optional[Given | None]", parser: Parser[Given]) -> None: ...
    @overload
    def __init__(self: "Optional[Given | Default]", parser: Parser[Given], default: Default) -> None: ...
    def __init__(self, parser: Parser[Any], default: Any = None) -> None:
        self.parser: Parser[Any] = parser
        self.default = default


Parameter = Parser[Value] | Optional[Value]


def read(parameters: Sequence[Parameter[Any]], given: Sequence[Any]) -> list[Any]:
    """The values of a request's params list; raises InvalidParams in geth's words."""
    if len(given) > len(parameters):
        raise InvalidParams(f"too many arguments, want at most {len(parameters)}")
    values = []
    for index, parameter in enumerate(parameters):
        value = given[index] if index < len(given) else None
        if isinstance(parameter, Optional):
            values.append(parameter.default if value is None else _parse(parameter.parser, value, index))
        elif value is None:
            raise InvalidParams(_MISSING.get(parameter, f"missing value for required argument {index}"))
        else:
            values.append(_parse(parameter, value, index))
    return values


def _parse(parser: Parser[Any], value: Any, index: int) -> Any:
    try:
        return parser(value)
    except Invalid as error:
        raise InvalidParams(f"invalid argument {index}: {_in_geths_words(parser, str(error))}") from error


def _in_geths_words(parser: Parser[Any], fault: str) -> str:
    """A fault in the text of an address or a hash, as Go's decoder of JSON names it (geth common/hexutil)."""
    name = {address: "common.Address", hash32: "common.Hash"}.get(parser)
    if name is None or fault not in _TEXT_FAULTS:
        return fault
    return f"json: cannot unmarshal {fault} into Go value of type {name}"


def anything(value: Any) -> Any:
    """Any JSON value."""
    return value


def boolean(value: Any) -> bool:
    """`true` or `false`."""
    if not isinstance(value, bool):
        raise Invalid("a boolean is expected")
    return value


def text(value: Any) -> str:
    """A string."""
    if not isinstance(value, str):
        raise Invalid("a string is expected")
    return value


def subscription_name(value: Any) -> str:
    """`newHeads`, `logs`, `newPendingTransactions` or `syncing`."""
    if not isinstance(value, str):
        raise InvalidParams(_NO_SUBSCRIPTION_NAME)
    return value


# What a request lacks when a required parameter is missing, where geth does not give its number.
_MISSING: Final[Mapping[object, str]] = {subscription_name: _NO_SUBSCRIPTION_NAME}


def quantity(value: Any) -> int:
    """`0x` and hexadecimal digits without leading zeros, at most 256 bits (geth common/hexutil)."""
    if not isinstance(value, str):
        raise Invalid("a hex quantity is expected, as a string")
    digits = _digits(value)
    if not digits:
        raise Invalid('hex string "0x"')
    if len(digits) > 1 and digits[0] == "0":
        raise Invalid("hex number with leading zero digits")
    if len(digits) > 64:
        raise Invalid("hex number > 256 bits")
    return int(digits, 16)


def number(value: Any) -> int:
    """A quantity, or a plain JSON number, from 0 up to 256 bits."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value < 2**256:
            raise Invalid("number out of range")
        return value
    return quantity(value)


def integer(value: Any) -> int:
    """A plain JSON number without a fraction. It may be negative."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise Invalid("a number is expected")
    return value


def quantity64(value: Any) -> int:
    """A quantity of at most 64 bits."""
    number = quantity(value)
    if number >= 2**64:
        raise Invalid("hex number > 64 bits")
    return number


def count64(value: Any) -> int:
    """A quantity of at most 64 bits, or a decimal number, plain or as text (geth common/math: HexOrDecimal64)."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = hex(value) if value >= 0 else str(value)
    elif isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        value = hex(int(value))
    return quantity64(value)


def count_up_to(most: int, what: str, parse: Callable[[Any], int] = number) -> Callable[[Any], int]:
    """A parser of a count from 1 to `most`, in one of the forms above; `what` names it in a refusal."""

    def parser(value: Any) -> int:
        count = parse(value)
        if not 0 < count <= most:
            raise Invalid(f"a {what} of 1 to {most} is expected")
        return count

    parser.__name__ = f"{parse.__name__} of 1 to {most:,}"
    return parser


def data(value: Any) -> bytes:
    """`0x` and an even number of hexadecimal digits."""
    if not isinstance(value, str):
        raise Invalid("a hex string is expected")
    digits = _digits(value)
    if len(digits) % 2:
        raise Invalid(_ODD)
    return bytes.fromhex(digits)


def sized(size: int, name: str = "") -> Parser[bytes]:
    """A parser of data of an exact size in bytes. docs/rpc.md calls it by the name, if it has one."""

    def parser(value: Any) -> bytes:
        decoded = data(value)
        if len(decoded) != size:
            raise Invalid(f"hex string has length {2 * len(decoded)}, want {2 * size}")
        return decoded

    parser.__name__ = name or f"{size} bytes"
    parser.__doc__ = f"`0x` and {2 * size} hexadecimal digits."
    return parser


address: Parser[Address] = sized(20, "address")
hash32: Parser[Hash] = sized(32, "hash")


def list_of(parser: Parser[Value]) -> Parser[list[Value]]:
    """A parser of a list of values of one form."""

    def parse(value: Any) -> list[Value]:
        if not isinstance(value, list):
            raise Invalid("a list is expected")
        return [parser(item) for item in value]

    parse.__name__ = f"list of {parser.__name__}"
    return parse


hashes32: Parser[list[Hash]] = list_of(hash32)
byte_strings: Parser[list[bytes]] = list_of(data)
texts: Parser[list[str]] = list_of(text)


def slot(value: Any) -> int:
    """`0x` and the hexadecimal digits of at most 32 bytes, with or without leading zeros (geth: decodeHash)."""
    if not isinstance(value, str):
        raise Invalid("a hex string is expected")
    digits = _digits(value)
    if len(digits) > 64:
        raise Invalid(f"hex string too long, want at most 32 bytes: {value[:80]}")
    return int(digits, 16) if digits else 0


@dataclass(slots=True, frozen=True)
class StorageKey:
    """A storage slot, and of how many bytes it was written."""

    slot: int
    size: int


def storage_key(value: Any) -> StorageKey:
    """Hexadecimal digits of at most 32 bytes; `0x` and leading zeros are optional (geth: decodeStorageKey)."""
    if not isinstance(value, str):
        raise Invalid("a hex string is expected")
    digits = value[2:] if value[:2] in ("0x", "0X") else value
    size = (len(digits) + 1) // 2
    if size > 32:
        raise InvalidParams(f"storage key too long (want at most 32 bytes): {json.dumps(value[:100])}")
    if not _HEX.fullmatch(digits):
        raise InvalidParams(f"invalid hex in storage key: {json.dumps(value)}")
    return StorageKey(int(digits or "0", 16), size)


def storage_keys(value: Any) -> list[StorageKey]:
    """A list of storage keys, at most 1,024."""
    if not isinstance(value, list):
        raise Invalid("a list is expected")
    if len(value) > MAX_PROOF_KEYS:
        raise InvalidParams(f"too many storage keys requested (max {MAX_PROOF_KEYS}, got {len(value)})")
    return [storage_key(item) for item in value]


def percentiles(value: Any) -> list[float]:
    """A list of numbers from 0 to 100 in ascending order: shares of a block's gas."""
    if not isinstance(value, list) or not all(isinstance(item, int | float) for item in value):
        raise Invalid("a list of numbers is expected")
    if len(value) > MAX_PERCENTILES:
        raise RpcError(f"invalid reward percentile: over the query limit {MAX_PERCENTILES}")
    for index, item in enumerate(value):
        if isinstance(item, bool):
            raise Invalid("a list of numbers is expected")
        if not 0 <= item <= 100:
            raise RpcError(f"invalid reward percentile: {item:f}")
        if index and item <= value[index - 1]:
            raise RpcError(f"invalid reward percentile: #{index - 1}:{value[index - 1]:f} >= #{index}:{item:f}")
    return value


_EMPTY, _NO_PREFIX, _NOT_HEX, _ODD = (
    "empty hex string",
    "hex string without 0x prefix",
    "invalid hex string",
    "hex string of odd length",
)
_TEXT_FAULTS = frozenset((_EMPTY, _NO_PREFIX, _NOT_HEX, _ODD))


def _digits(value: str) -> str:
    """The digits after 0x; raises Invalid with geth's text."""
    if not value:
        raise Invalid(_EMPTY)
    if value[:2] not in ("0x", "0X"):
        raise Invalid(_NO_PREFIX)
    if not _HEX.fullmatch(value, 2):
        raise Invalid(_NOT_HEX)
    return value[2:]


BlockId = str | int | Hash


def block_id(value: Any) -> BlockId:
    """`latest`, `pending`, `safe`, `finalized`, `earliest`, a number, a hash, `{blockNumber}` or `{blockHash}`."""
    if isinstance(value, Mapping):
        given, numbered = value.get("blockHash"), value.get("blockNumber")
        if given is not None and numbered is not None:
            raise Invalid("cannot specify both BlockHash and BlockNumber, choose one or the other")
        if given is not None:
            return hash32(given)
        if isinstance(numbered, str):
            return block_id(numbered)
        raise Invalid("blockNumber or blockHash is expected")
    if isinstance(value, str) and value in _TAGS:
        return value
    if isinstance(value, str) and len(value) == 66:
        return hash32(value)
    number = quantity(value)
    if number >= 2**63:
        raise Invalid("block number larger than int64")
    return number


def _optional(source: Mapping[str, Any], name: str, parser: Parser[Value]) -> Value | None:
    value = source.get(name)
    if value is None:
        return None
    try:
        return parser(value)
    except Invalid as error:
        raise Invalid(f"{name}: {error}") from error


def mapping(value: Any) -> Mapping[str, Any]:
    """An object."""
    if not isinstance(value, Mapping):
        raise Invalid("an object is expected")
    return value


def given_members(value: Any) -> dict[str, Any]:
    """An object's members that are not null: one that is null counts as absent, as in geth."""
    return {name: item for name, item in mapping(value).items() if item is not None}


def access_list(value: Any) -> AccessList:
    """EIP-2930's JSON form."""
    if not isinstance(value, list):
        raise Invalid("accessList: a list is expected")
    return tuple(
        (
            address(mapping(item).get("address")),
            tuple(hashes32(item.get("storageKeys") or [])),
        )
        for item in value
    )


def authorizations(value: Any) -> tuple[Authorization, ...]:
    """EIP-7702's JSON form."""
    if not isinstance(value, list):
        raise Invalid("authorizationList: a list is expected")
    return tuple(
        Authorization(
            quantity(item["chainId"]),
            address(item["address"]),
            quantity(item["nonce"]),
            quantity(item.get("yParity", item.get("v"))),
            quantity(item["r"]),
            quantity(item["s"]),
        )
        for item in map(_authorization, value)
    )


def _authorization(value: Any) -> Mapping[str, Any]:
    item = mapping(value)
    for name in ("chainId", "address", "nonce", "r", "s"):
        if name not in item:
            raise Invalid(f"authorizationList: {name} is missing")
    return item


def call_request(value: Any) -> CallRequest:
    """A transaction as an object: `from`, `to`, `gas`, fees, `value`, `input` or `data`, and the lists of its type."""
    source = mapping(value)
    gas_price = _optional(source, "gasPrice", quantity)
    cap, tip = _optional(source, "maxFeePerGas", quantity), _optional(source, "maxPriorityFeePerGas", quantity)
    if gas_price is not None and (cap is not None or tip is not None):
        raise Invalid("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
    given, alias = _optional(source, "input", data), _optional(source, "data", data)
    if given is not None and alias is not None and given != alias:
        raise Invalid('both "data" and "input" are set and not equal. Please use "input" to pass transaction call data')
    request = CallRequest(
        to=_optional(source, "to", address),
        gas=_optional(source, "gas", quantity64),
        max_fee_per_gas=gas_price if gas_price is not None else cap or 0,
        max_priority_fee_per_gas=gas_price if gas_price is not None else tip or 0,
        value=_optional(source, "value", quantity) or 0,
        data=given if given is not None else alias or b"",
        nonce=_optional(source, "nonce", quantity64),
        access_list=_optional(source, "accessList", access_list) or (),
        blob_versioned_hashes=tuple(_optional(source, "blobVersionedHashes", hashes32) or ()),
        authorization_list=_optional(source, "authorizationList", authorizations) or (),
        has_gas_price=gas_price is not None,
    )
    sender: Address | None = _optional(source, "from", address)
    if sender is not None:
        request.sender = sender
    return request


def state_overrides(value: Any) -> dict[Address, StateOverride]:
    """By address: `{balance, nonce, code, state or stateDiff, movePrecompileToAddress}`, each of them optional."""
    result = {}
    for key, entry in mapping(value).items():
        item = mapping(entry)
        if item.get("state") is not None and item.get("stateDiff") is not None:
            raise Invalid(f"account {key} has both 'state' and 'stateDiff'")
        result[address(key)] = StateOverride(
            balance=_optional(item, "balance", quantity),
            nonce=_optional(item, "nonce", quantity64),
            code=_optional(item, "code", data),
            storage=_optional(item, "state", _slots),
            storage_diff=_optional(item, "stateDiff", _slots) or {},
            move_precompile_to=_optional(item, "movePrecompileToAddress", address),
        )
    _check_size(result)
    return result


def _check_size(overrides: Mapping[Address, StateOverride]) -> None:
    """geth bounds overrides by the request's size only; here code and slots cost more memory than they do there."""
    code = sum(len(item.code or b"") for item in overrides.values())
    if code > MAX_OVERRIDE_CODE:
        raise Invalid(f"{code} bytes of code, at most {MAX_OVERRIDE_CODE} may be overridden")
    slots = sum(len(item.storage or ()) + len(item.storage_diff) for item in overrides.values())
    if slots > MAX_OVERRIDE_SLOTS:
        raise Invalid(f"{slots} slots, at most {MAX_OVERRIDE_SLOTS} may be overridden")


def _slots(value: Any) -> dict[int, int]:
    return {slot(key): slot(entry) for key, entry in mapping(value).items()}
