"""An attestation as a JSON document: what `openrollup attest` writes and `openrollup infer --attestation` reads."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from attribution_precompile.client import Attestation, decode_influence
from rollup.cli.answer import read_text_file
from rollup.cli.attribution_session import hexed
from rollup.inputs.values import parse_address, parse_hash
from rollup.protocol.json_text import parse_json

_NUMBERS: Final = {
    "modelId": ("model_id", 64),
    "nonce": ("nonce", 64),
    "deadline": ("deadline", 64),
    "inputTokens": ("input_tokens", 32),
    "outputTokens": ("output_tokens", 32),
}
_HASHES: Final = {"requestHash": "request_hash", "responseHash": "response_hash", "evidence": "evidence"}


@dataclass(slots=True, frozen=True)
class SignedAttestation:
    """An attestation with its influence words and the attributor's signature (65 bytes), for one chain."""

    chain_id: int
    attestation: Attestation
    influence: tuple[int, ...]
    signature: bytes

    def to_json(self) -> dict[str, Any]:
        """The document; hashes, influence words and the signature in hex."""
        item = self.attestation
        numbers = {name: getattr(item, field) for name, (field, _) in _NUMBERS.items()}
        hashes = {name: hexed(getattr(item, field)) for name, field in _HASHES.items()}
        return {
            "chainId": self.chain_id,
            "attestation": {"payer": item.payer, **numbers, **hashes},
            "influence": [hexed(word.to_bytes(32, "big")) for word in self.influence],
            "signature": hexed(self.signature),
        }


def read_attestation(path: Path) -> SignedAttestation:
    """Reads the document; `-` is standard input. ClickException names the field that is wrong."""
    try:
        document = parse_json(read_text_file(path))
    except json.JSONDecodeError as error:
        raise click.ClickException(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    try:
        item = document["attestation"]
        fields: dict[str, Any] = {field: _number(item[name], bits) for name, (field, bits) in _NUMBERS.items()}
        fields |= {field: parse_hash(item[name]) for name, field in _HASHES.items()}
        influence = tuple(int.from_bytes(parse_hash(word), "big") for word in document["influence"])
        attestation = Attestation(payer=parse_address(item["payer"]), **fields)
        signature = bytes.fromhex(document["signature"].removeprefix("0x"))
        return SignedAttestation(_number(document["chainId"], 64), attestation, influence, signature)
    except KeyError as error:
        raise click.ClickException(f"{path}: the field {error} is missing") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise click.ClickException(f"{path}: not an attestation: {error}") from error


def influence_json(words: Sequence[int]) -> list[dict[str, Any]]:
    """Influence words for programs: contributor null is the DataNet's pool."""
    return [
        {"datanetId": entry.datanet_id, "contributor": entry.contributor or None, "weight": entry.weight}
        for entry in decode_influence(words)
    ]


def _number(value: Any, bits: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << bits:
        raise ValueError(f"{value!r} is not a number below 2^{bits}")
    return value
