"""The attribution account's interface for programs that write calls and read logs without a compiler at hand."""

from typing import Any

from attribution_precompile import ADDRESS_BYTES
from attribution_precompile.errors import ERRORS
from attribution_precompile.events import EVENTS
from attribution_precompile.twin import ABI
from rollup.protocol.primitives import keccak256
from rollup.rpc.formats import hex_data

_TOPICS = {signature.partition("(")[0]: topic for signature, topic in EVENTS.items()}
_ERRORS = {error.name: selector for selector, error in ERRORS.items()}


def interface_json() -> dict[str, Any]:
    """The ABI by kind, with the selector of each function and error and the topic of each event."""
    entries: dict[str, list[dict[str, Any]]] = {"function": [], "event": [], "error": []}
    for entry in ABI:
        kind = entry["type"]
        if kind not in entries:
            continue
        found = {"name": entry["name"], "inputs": entry["inputs"]}
        if kind == "function":
            found |= {"outputs": entry["outputs"], "selector": hex_data(keccak256(_signature(entry).encode())[:4])}
            found |= {"mutability": entry["stateMutability"]}
        elif kind == "event":
            found |= {"topic": hex_data(_TOPICS[entry["name"]].to_bytes(32, "big"))}
        else:
            found |= {"selector": hex_data(_ERRORS[entry["name"]])}
        entries[kind].append(found)
    return {
        "address": hex_data(ADDRESS_BYTES),
        "functions": entries["function"],
        "events": entries["event"],
        "errors": entries["error"],
    }


def _signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(map(_type, entry['inputs']))})"


def _type(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(_type, parameter['components']))}){kind.removeprefix('tuple')}"
