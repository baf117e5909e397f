"""geth's genesis.json: header fields and allocation, written as geth's own tools do and read with every value checked.

Form: go-ethereum core/genesis.go (Genesis), core/types/account.go (GenesisAlloc). How attribution runs is a key of our
own, `attribution`, next to `config`: programs that refuse unknown keys inside `config` (op-program) take it there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollup.execution.genesis_account import Alloc, GenesisAccount
from rollup.protocol.primitives import ZERO_ADDRESS, ZERO_HASH, Address, Hash

_WORD_LIMIT = 1 << 256
_U64_LIMIT = 1 << 64
# Patterns rather than int() and fromhex(), which take spaces, underscores and digits of other scripts, too.
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,64}|[0-9]{1,78}")
_HEX = re.compile(r"(0x)?[0-9a-fA-F]*")
_WORD = re.compile(r"(0x)?[0-9a-fA-F]{0,64}")
_MAX_CODE_SIZE = 1 << 20  # a file with more is damaged; 24,576 is EIP-170's limit for what transactions deploy
_HEADER_KEYS = {
    "nonce", "timestamp", "extraData", "gasLimit", "difficulty", "mixHash", "coinbase",
    "number", "gasUsed", "parentHash", "baseFeePerGas", "excessBlobGas", "blobGasUsed",
}  # fmt: skip
_OTHER_KEYS = {"config", "alloc", "attribution"}


class GenesisError(ValueError):
    """A genesis that is malformed; the message names the field."""


@dataclass(slots=True)
class GenesisFile:
    """The content of genesis.json: the chain config as it stands, attribution's key, header fields, accounts.

    Gas and wei are integers, timestamp seconds, nonce the 64-bit header nonce; None where the file has no value.
    """

    config: dict[str, Any]
    alloc: Alloc
    timestamp: int
    gas_limit: int
    extra_data: bytes = b""
    coinbase: Address = ZERO_ADDRESS
    mix_hash: Hash = ZERO_HASH
    parent_hash: Hash = ZERO_HASH
    nonce: int = 0
    number: int = 0
    gas_used: int = 0
    difficulty: int = 0
    base_fee: int | None = None
    excess_blob_gas: int | None = None
    blob_gas_used: int | None = None
    attribution: Any = None  # as the file has it; L2Config reads it
    extra: dict[str, Any] = field(default_factory=dict, compare=False)  # other keys, kept out of what is written

    def to_json(self) -> dict[str, Any]:
        """The genesis.json object; accounts by address, slots by number."""
        result: dict[str, Any] = {
            "config": self.config,
            "nonce": hex(self.nonce),
            "timestamp": hex(self.timestamp),
            "extraData": _data(self.extra_data),
            "gasLimit": hex(self.gas_limit),
            "difficulty": hex(self.difficulty),
            "mixHash": _data(self.mix_hash),
            "coinbase": _data(self.coinbase),
            "alloc": {_data(address): _account_json(self.alloc[address]) for address in sorted(self.alloc)},
            "number": hex(self.number),
            "gasUsed": hex(self.gas_used),
            "parentHash": _data(self.parent_hash),
        }
        for key, value in (
            ("baseFeePerGas", self.base_fee),
            ("excessBlobGas", self.excess_blob_gas),
            ("blobGasUsed", self.blob_gas_used),
        ):
            if value is not None:
                result[key] = hex(value)
        if self.attribution is not None:
            result["attribution"] = self.attribution
        return result


def parse_genesis(data: Any) -> GenesisFile:
    """Reads a genesis.json object; raises GenesisError naming the field. Numbers may be 0x strings or JSON numbers."""
    if not isinstance(data, Mapping):
        raise GenesisError("genesis: an object is expected")
    config = data.get("config")
    if not isinstance(config, Mapping):
        raise GenesisError("config: an object is expected")
    config = dict(config)
    attribution = config.pop("attribution", None)  # where files of earlier versions have it
    settings = data.get("attribution")
    if settings is not None and attribution is not None and settings != attribution:
        raise GenesisError("attribution: the file's key and the one in config differ")
    return GenesisFile(
        config=config,
        alloc=_parse_alloc(data.get("alloc")),
        timestamp=_number(data, "timestamp"),
        gas_limit=_number(data, "gasLimit"),
        extra_data=_bytes(data, "extraData", None, b""),
        coinbase=_bytes(data, "coinbase", 20, ZERO_ADDRESS),
        mix_hash=_bytes(data, "mixHash", 32, ZERO_HASH),
        parent_hash=_bytes(data, "parentHash", 32, ZERO_HASH),
        nonce=_number(data, "nonce", 0),
        number=_number(data, "number", 0),
        gas_used=_number(data, "gasUsed", 0),
        difficulty=_number(data, "difficulty", 0, _WORD_LIMIT),
        base_fee=_optional_number(data, "baseFeePerGas", _WORD_LIMIT),
        excess_blob_gas=_optional_number(data, "excessBlobGas"),
        blob_gas_used=_optional_number(data, "blobGasUsed"),
        attribution=attribution if settings is None else settings,
        extra={key: value for key, value in data.items() if key not in _HEADER_KEYS | _OTHER_KEYS},
    )


def _account_json(account: GenesisAccount) -> dict[str, Any]:
    result: dict[str, Any] = {"balance": hex(account.balance)}
    if account.nonce:
        result["nonce"] = hex(account.nonce)
    if account.code:
        result["code"] = _data(account.code)
    if account.storage:
        result["storage"] = {_word(slot): _word(account.storage[slot]) for slot in sorted(account.storage)}
    return result


def _parse_alloc(data: Any) -> Alloc:
    if not isinstance(data, Mapping):
        raise GenesisError("alloc: an object is expected")
    alloc: Alloc = {}
    for key, value in data.items():
        name = f"alloc.{key}"
        address = _decode(name, key, 20)
        if address in alloc:
            raise GenesisError(f"{name}: the address stands here twice")
        if not isinstance(value, Mapping):
            raise GenesisError(f"{name}: an object is expected")
        alloc[address] = _parse_account(name, value)
    return alloc


def _parse_account(name: str, data: Mapping[str, Any]) -> GenesisAccount:
    code = _decode(f"{name}.code", data.get("code") or "0x", None)
    if len(code) > _MAX_CODE_SIZE:
        raise GenesisError(f"{name}.code: {len(code)} bytes are too many")
    slots = data.get("storage") or {}
    if not isinstance(slots, Mapping):
        raise GenesisError(f"{name}.storage: an object is expected")
    storage: dict[int, int] = {}
    for key, value in slots.items():
        slot = _parse_word(f"{name}.storage", key)
        if slot in storage:
            raise GenesisError(f"{name}.storage: slot {key} stands here twice")
        storage[slot] = _parse_word(f"{name}.storage.{key}", value)
    return GenesisAccount(
        balance=_number(data, "balance", limit=_WORD_LIMIT, name=f"{name}.balance"),
        nonce=_number(data, "nonce", 0, name=f"{name}.nonce"),
        code=code,
        storage={slot: value for slot, value in storage.items() if value},
    )


def _number(
    data: Mapping[str, Any], key: str, default: int | None = None, limit: int = _U64_LIMIT, name: str = ""
) -> int:
    value = _optional_number(data, key, limit, name)
    if value is not None:
        return value
    if default is None:
        raise GenesisError(f"{name or key} is missing")
    return default


def _optional_number(data: Mapping[str, Any], key: str, limit: int = _U64_LIMIT, name: str = "") -> int | None:
    value = data.get(key)
    if value is None:
        return None
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise GenesisError(f"{name or key}: not a number")
        value = int(value, 16 if value[:2] in ("0x", "0X") else 10)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
        raise GenesisError(f"{name or key}: a number from 0 to 2**{limit.bit_length() - 1} - 1 is expected")
    return value


def _bytes(data: Mapping[str, Any], key: str, size: int | None, default: bytes) -> bytes:
    value = data.get(key)
    return default if value is None else _decode(key, value, size)


def _decode(name: str, value: Any, size: int | None) -> bytes:
    if not isinstance(value, str):
        raise GenesisError(f"{name}: a 0x string is expected")
    if len(value) % 2 or not _HEX.fullmatch(value):
        raise GenesisError(f"{name}: not hexadecimal")
    decoded = bytes.fromhex(value.removeprefix("0x"))
    if size is not None and len(decoded) != size:
        raise GenesisError(f"{name}: {len(decoded)} bytes, {size} expected")
    return decoded


def _parse_word(name: str, value: Any) -> int:
    """A storage key or value: hexadecimal, at most 32 bytes, leading zeros or not."""
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise GenesisError(f"{name}: not a hexadecimal word of at most 32 bytes")
    return int(value.removeprefix("0x") or "0", 16)


def _data(value: bytes) -> str:
    return "0x" + value.hex()


def _word(value: int) -> str:
    return f"0x{value:064x}"
