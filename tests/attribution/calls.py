"""Calldata by method name, and what comes back, through eth_abi: an encoder that shares no code with ours."""

from typing import Any

from coincurve import PrivateKey
from eth_abi import decode, encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from sha3 import keccak_256

from attribution_precompile import ADDRESS_BYTES, METHODS
from attribution_precompile.twin import ABI

METHOD = {method.name: method for method in METHODS}
FUNCTIONS = {entry["name"]: entry for entry in ABI if entry["type"] == "function"}
NO_HASH = bytes(32)


def type_of(parameter: dict[str, Any]) -> str:
    """The canonical ABI type of a parameter, tuples spelt out."""
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(type_of(component) for component in parameter["components"])
    return f"({inner}){kind[5:]}"


INPUTS = {name: [type_of(p) for p in entry["inputs"]] for name, entry in FUNCTIONS.items()}
OUTPUTS = {name: [type_of(p) for p in entry["outputs"]] for name, entry in FUNCTIONS.items()}


def hexed(account: int) -> str:
    return "0x" + account.to_bytes(20, "big").hex()


def call(name: str, *arguments: Any) -> bytes:
    return METHOD[name].selector + encode(INPUTS[name], arguments)


def compact(model_id: int, input_tokens: int, output_tokens: int, record: bytes) -> bytes:
    numbers = b"".join(value.to_bytes(4, "big") for value in (model_id, input_tokens, output_tokens))
    return METHOD["inferCompact"].selector + numbers + record


def result(name: str, output: bytes) -> Any:
    values = decode(OUTPUTS[name], output)
    return values[0] if len(values) == 1 else values


def influence_word(datanet_id: int, weight: int, contributor: int = 0) -> int:
    return datanet_id << 192 | weight << 160 | contributor


def model_params(
    weights: list[tuple[int, int]],
    *,
    split: tuple[int, int, int] = (3000, 0, 7000),
    price: tuple[int, int, int] = (1000, 0, 0),
    base: int = 0,
    attributor: int = 0,
    metadata: bytes = b"\x11" * 32,
) -> tuple[Any, ...]:
    return (metadata, base, hexed(attributor), price, split, weights)


def key_of(seed: int) -> tuple[PrivateKey, int]:
    """A private key and its address."""
    key = PrivateKey(seed.to_bytes(32, "big"))
    digest = keccak_256(key.public_key.format(compressed=False)[1:]).digest()
    return key, int.from_bytes(digest[12:], "big")


def typed_data(attestation: tuple[Any, ...], influence: list[int], chain_id: int) -> dict[str, Any]:
    """The attestation as a wallet sees it: EIP-712 JSON, for eth_account to hash and sign."""
    names = (
        ("modelId", "uint64"),
        ("payer", "address"),
        ("nonce", "uint64"),
        ("deadline", "uint64"),
        ("inputTokens", "uint32"),
        ("outputTokens", "uint32"),
        ("requestHash", "bytes32"),
        ("responseHash", "bytes32"),
        ("evidence", "bytes32"),
        ("influence", "uint256[]"),
    )
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Attestation": [{"name": name, "type": kind} for name, kind in names],
        },
        "primaryType": "Attestation",
        "domain": {
            "name": "OpenAttribution",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": "0x" + ADDRESS_BYTES.hex(),
        },
        "message": dict(zip([name for name, _ in names], [*attestation, influence], strict=True)),
    }


def attest(attestation: tuple[Any, ...], influence: list[int], key: PrivateKey, chain_id: int) -> bytes:
    """The attributor's 65-byte signature, hashed by eth_account."""
    message = encode_typed_data(full_message=typed_data(attestation, influence, chain_id))
    return bytes(Account.sign_message(message, key.secret).signature)
