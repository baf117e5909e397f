"""Cheats with a whole state: dump, load and reset, and signatures with a chosen signer (docs/cheats.md).

anvil's own dumps can be loaded too: their accounts are added to the state, as anvil does it.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rollup.execution.impersonated_signatures import ACCOUNT as SIGNATURES
from rollup.execution.impersonated_signatures import SIGNATURE_SIZE, slot_of
from rollup.execution.overrides import StateOverride
from rollup.protocol.json_text import parse_json
from rollup.protocol.primitives import Address
from rollup.rpc.cheat_api import Layer, Shared, cheat, cheats_of
from rollup.rpc.errors import InvalidParams, RpcError
from rollup.rpc.formats import hex_data
from rollup.rpc.methods import Method, rpc
from rollup.rpc.params import Invalid, Optional, address, boolean, data, given_members, hash32, mapping, number, sized

_GZIP: Final = b"\x1f\x8b"
_signature: Final = sized(SIGNATURE_SIZE)
_MOST: Final = 256 * 2**20  # bytes of a state of anvil, unpacked


@dataclass(slots=True, frozen=True)
class Signature:
    """A signature of 65 bytes, and the account that stands with it in a list."""

    data: bytes
    signer: Address | None = None


def chosen_signer(value: Any) -> Signature:
    """A signature of 65 bytes (r, s, v), alone or in a list with an address."""
    if not isinstance(value, list):
        return Signature(_signature(value))
    if len(value) != 2:
        raise Invalid("a signature and an address are expected")
    return Signature(_signature(value[0]), address(value[1]))


class StateCheatApi:
    """The cheats of one layer's port that dump and load the state."""

    def __init__(self, layer: Layer, shared: Shared) -> None:
        self._layer = layer
        self._shared = shared

    def methods(self, is_strict: bool) -> dict[str, Method]:
        """The handlers by method name; when strict, all of them refuse."""
        return cheats_of(self, is_strict)

    @rpc(("anvil_dumpState", "hardhat_dumpState"), Optional(boolean))
    @cheat
    def dump_state(self, historical: bool | None) -> str:
        """The whole node as the bytes of a dump ("Dumps", below). Historical states are always in it."""
        return hex_data(self._shared.dump())

    @rpc(("anvil_loadState", "hardhat_loadState"), data)
    @cheat
    def load_state(self, data: bytes) -> bool:
        """Takes the node back to a dump of its own, or adds the accounts of anvil's dump, packed or as JSON, in a new
        block; `true`.
        """
        if data[:2] == _GZIP or data[:1] == b"{":
            own = self._layer.own_accounts
            found = accounts_of(data)
            self._layer.patch_all({account: state for account, state in found.items() if account not in own})
        elif not self._shared.load(data):
            raise RpcError("this is not a state that this node has dumped: openrollup run --load FILE starts from one")
        return True

    @rpc("anvil_impersonateSignature", chosen_signer, Optional(address))
    @cheat
    def impersonate_signature(self, signature: Signature, signer: Address | None) -> None:
        """Lets `ecrecover` answer with this account for a signature, whatever was signed, from a new block on. anvil
        takes both in one list. The zero address ends it.
        """
        chosen = signer if signature.signer is None else signature.signer
        if chosen is None or (signer is not None and signature.signer is not None):
            raise InvalidParams("one address is expected: [[signature, address]] or [signature, address]")
        slots = {slot_of(signature.data): int.from_bytes(chosen, "big")}
        # An account without a nonce would be deleted when it is touched (EIP-161).
        self._layer.patch(SIGNATURES, StateOverride(nonce=1, storage_diff=slots))

    @rpc(("anvil_reset", "hardhat_reset"), Optional(mapping))
    @cheat
    def reset(self, options: Mapping[str, Any] | None) -> bool:
        """Takes both layers, the verifier and the clock back to the start; `true`. The option `forking` is refused."""
        forking = {} if options is None else given_members(options.get("forking") or {})
        if forking:  # viem names its members without giving them values
            raise RpcError("a rollup is not a fork of another chain: leave `forking` out")
        self._shared.reset()
        return True


def accounts_of(content: bytes) -> dict[Address, StateOverride]:
    """The accounts of a state that anvil dumped: JSON, or gzip of JSON; raises InvalidParams."""
    try:
        text = _unpacked(content) if content[:2] == _GZIP else content
        accounts = mapping(mapping(parse_json(text)).get("accounts"))
        return {address(name): _account(mapping(account)) for name, account in accounts.items()}
    except (zlib.error, ValueError, Invalid) as error:
        raise InvalidParams(f"invalid argument 0: not a state of anvil: {error}") from error


def _unpacked(content: bytes) -> bytes:
    """The content of gzip data; raises zlib.error and Invalid."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    text = unpacker.decompress(content, _MOST)
    if not unpacker.eof:
        raise Invalid("the state is cut off, or too large")
    return text


def _account(account: Mapping[str, Any]) -> StateOverride:
    slots = mapping(account.get("storage") or {})
    return StateOverride(
        balance=number(account.get("balance", 0)),
        nonce=number(account.get("nonce", 0)),
        code=data(account.get("code") or "0x"),
        storage_diff={
            int.from_bytes(hash32(slot), "big"): int.from_bytes(hash32(value), "big") for slot, value in slots.items()
        },
    )
