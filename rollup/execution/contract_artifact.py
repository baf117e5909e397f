"""A compiled contract: the JSON that contracts/compile.mjs writes next to the code that loads it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from rollup.protocol.primitives import Address

# EIP-1967.
IMPLEMENTATION_SLOT = 0x360894A13BA1A3210667C828492DB98DCA3E2076CC3735A920A3CA505D382BBC
ADMIN_SLOT = 0xB53127684A568B3173AE13B9F8A6016E243E63B6E8EE1178D6A717850B5D6103

_IMPLEMENTATION_NAMESPACE = bytes.fromhex("c0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d3c0d3")


@dataclass(slots=True, frozen=True)
class Variable:
    """A state variable: its slot, and where in it its lowest byte is."""

    slot: int
    offset: int


@dataclass(slots=True, frozen=True)
class ContractArtifact:
    """ABI, creation code, runtime code, where immutables go in it (in order of declaration), storage layout."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: bytes
    runtime: bytes
    immutables: tuple[tuple[int, ...], ...]
    layout: Mapping[str, Variable]

    def runtime_with(self, *values: int) -> bytes:
        """The runtime code with its immutables set; raises ValueError for another number of them."""
        if len(values) != len(self.immutables):
            raise ValueError(f"{self.name} has {len(self.immutables)} immutables, {len(values)} given")
        code = bytearray(self.runtime)
        for starts, value in zip(self.immutables, values, strict=True):
            for start in starts:
                code[start : start + 32] = value.to_bytes(32, "big")
        return bytes(code)

    def storage(self, **values: int) -> dict[int, int]:
        """Storage that holds these state variables, packed as Solidity does; raises KeyError for an unknown name."""
        slots: dict[int, int] = {}
        for label, value in values.items():
            variable = self.layout[label]
            slots[variable.slot] = slots.get(variable.slot, 0) | value << 8 * variable.offset
        return slots


@cache
def load_artifact(package: str, name: str) -> ContractArtifact:
    """Reads `artifacts/<name>.json` in a package's folder, once in a process."""
    data = json.loads(files(package).joinpath("artifacts", f"{name}.json").read_text())
    return ContractArtifact(
        name=data["contract"],
        abi=data["abi"],
        bytecode=bytes.fromhex(data["bytecode"][2:]),
        runtime=bytes.fromhex(data["deployedBytecode"][2:]),
        immutables=tuple(tuple(starts) for starts in data["immutableReferences"]),
        layout={entry["label"]: Variable(int(entry["slot"]), entry["offset"]) for entry in data["storageLayout"]},
    )


def implementation_address(proxy: Address) -> Address:
    """Where the code behind a proxy is at genesis: 0xc0D3…XXXX, XXXX the proxy's last two bytes."""
    return _IMPLEMENTATION_NAMESPACE + proxy[-2:]


def pack_fields(fields: Sequence[tuple[int, int]]) -> int:
    """A struct of one slot from (value, size in bytes), as declared; raises ValueError when one is too big."""
    word = shift = 0
    for value, size in fields:
        if not 0 <= value < 1 << 8 * size:
            raise ValueError(f"{value} does not fit {size} bytes")
        word |= value << shift
        shift += 8 * size
    return word


def short_string(text: str) -> int:
    """A string of at most 31 bytes as Solidity stores it (Layout of State Variables in Storage, bytes and string)."""
    data = text.encode()
    if len(data) > 31:
        raise ValueError(f"{len(data)} bytes do not fit a short string")
    return int.from_bytes(data.ljust(31, b"\0") + bytes([2 * len(data)]), "big")
