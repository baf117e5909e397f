"""Signatures for which ecrecover answers with a chosen account (the cheat anvil_impersonateSignature).

They are slots of an account of their own, which a patch of the state writes (irregular.StatePatches), so sequencer and
verifier agree, and a revert takes them back. ecrecover reads them only on a chain that has such a patch. The native
attribution precompile reads them too: its twin in Solidity calls ecrecover.
"""

from typing import Any, Final

from eth.precompiles.ecrecover import ecrecover as protocol_ecrecover

from rollup.execution.state.accounts import AccountDatabase
from rollup.protocol.primitives import Address, keccak256

ACCOUNT: Final[Address] = keccak256(b"openrollup: impersonated signatures")[12:]
ECRECOVER_ADDRESS: Final[Address] = (1).to_bytes(20, "big")
SIGNATURE_SIZE: Final = 65  # bytes: r, s, v
_GAS: Final = 3_000


def slot_of(signature: bytes) -> int:
    """The slot of ACCOUNT that holds the signer of r, s and v; 0 where none is chosen."""
    return int.from_bytes(keccak256(signature), "big")


def impersonated_signer(accounts: AccountDatabase, v: int, r: int, s: int) -> int:
    """The chosen account, 0 where the signature is like any other."""
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((v & 0xFF,))
    return accounts.get_storage(ACCOUNT, slot_of(signature))


def signer_in(state: Any, v: int, r: int, s: int) -> int:
    """The chosen account in a py-evm state, or 0. The attribution precompile runs in a plain py-evm too."""
    return impersonated_signer(state._account_db, v, r, s) if _is_used(state) else 0


def ecrecover(computation: Any) -> Any:
    """The precompile at address 1. As anvil's, it takes the last byte of v for an impersonated signature."""
    if not _is_used(computation.state):
        return protocol_ecrecover(computation)
    data = computation.msg.data_as_bytes[:128].ljust(128, b"\0")
    signer = signer_in(computation.state, *(int.from_bytes(data[start : start + 32], "big") for start in (32, 64, 96)))
    if not signer:
        return protocol_ecrecover(computation)
    computation.consume_gas(_GAS, reason="ecrecover of an impersonated signature")
    computation.output = signer.to_bytes(32, "big")
    return computation


def _is_used(state: Any) -> bool:
    """Whether the chain has a chosen signer. A context of py-evm's own never has one."""
    return getattr(state.execution_context, "impersonates_signatures", False)
