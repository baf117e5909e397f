"""A model as a YAML file: what `openrollup model register` reads.

name: Triage assistant          # its keccak256 is the model's metadata; or metadata: 0x… (32 bytes)
attributor: "0x7099…"           # who signs attestations and settles jobs; the owner by default
base_model: 0                   # the model it was fine-tuned from, if any
price: {per_call: 0.01 OPEN, per_kilo_input: 0.001 OPEN, per_kilo_output: 0.004 OPEN}
split: {owner: 30%, lineage: 0%, data: 70%}     # of the fee less the platform's share; 3000 is 30 %, basis points
datanets:
  - {id: 1, weight: 1}
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from attribution_precompile.terms import Price, Split
from rollup.inputs.values import parse_address, parse_amount, parse_hash
from rollup.inputs.yaml_fields import Field, read_yaml
from rollup.protocol.primitives import keccak256

NOBODY: Final = "0x" + "00" * 20
_MAX_WEIGHTS: Final = 32
_ALL_BPS: Final = 10_000
_PERCENT: Final = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))? *%")


@dataclass(slots=True, frozen=True)
class ModelFile:
    """A model to register; `weights` are (datanetId, weight), prices wei, shares basis points."""

    name: str
    metadata: bytes
    base_model_id: int
    attributor: str
    price: Price
    split: Split
    weights: tuple[tuple[int, int], ...]


def read_model(path: Path) -> ModelFile:
    """Reads and checks the file. FieldError names line and field."""
    return model_of(read_yaml(path))


def model_of(root: Field) -> ModelFile:
    """The model of a YAML document. FieldError names line and field."""
    fields = root.only("name", "metadata", "attributor", "base_model", "price", "split", "datanets")
    name = fields["name"].text() if "name" in fields else ""
    if not name and "metadata" not in fields:
        raise root.error("the field 'name' is missing (or 'metadata', 32 bytes in hex)")
    base = fields["base_model"].integer(0, 2**64 - 1) if "base_model" in fields else 0
    return ModelFile(
        name,
        fields["metadata"].parsed(parse_hash) if "metadata" in fields else keccak256(name.encode()),
        base,
        fields["attributor"].parsed(parse_address) if "attributor" in fields else NOBODY,
        read_price(fields["price"]) if "price" in fields else Price(),
        _split(root.need("split"), base) if "split" in fields else Split(),
        _weights(root.need("datanets")),
    )


def read_price(field: Field) -> Price:
    """A price; what is not named costs nothing."""
    names = ("per_call", "per_kilo_input", "per_kilo_output")
    fields = field.only(*names)
    return Price(*(_uint96(fields[name]) if name in fields else 0 for name in names))


def _uint96(field: Field) -> int:
    wei = field.parsed(parse_amount)
    if wei >> 96:
        raise field.error(f"{field.text()!r} is 2^96 wei or more")
    return wei


def _split(field: Field, base: int) -> Split:
    names = ("owner", "lineage", "data")
    fields = field.only(*names)
    shares = [_share(fields[name]) if name in fields else 0 for name in names]
    if sum(shares) != _ALL_BPS:
        total = f"{sum(shares):,} basis points ({sum(shares) / 100:g} %)"
        raise field.error(f"owner, lineage and data sum to {total}, not to {_ALL_BPS:,} (100 %)")
    if shares[1] and not base:
        raise fields["lineage"].error("a share for the lineage, but no base_model")
    return Split(*shares)


def _share(field: Field) -> int:
    """Basis points: `3000`, or `30%` with at most two decimals."""
    text = field.text().strip()
    if not text.endswith("%"):
        return field.integer(0, _ALL_BPS)
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise field.error(f"{text!r} is not a percentage with at most two decimals, such as 12.5%")
    bps = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    if bps > _ALL_BPS:
        raise field.error(f"{text} is more than 100%")
    return bps


def _weights(field: Field) -> tuple[tuple[int, int], ...]:
    weights: dict[int, int] = {}
    for item in field.items():
        parts = item.only("id", "weight")
        ident = item.need("id").integer(1, 2**64 - 1)
        if ident in weights:
            raise parts["id"].error(f"DataNet {ident} is listed twice")
        weights[ident] = parts["weight"].integer(0, 2**32 - 1) if "weight" in parts else 1
    if not 0 < len(weights) <= _MAX_WEIGHTS:
        raise field.error(f"1 to {_MAX_WEIGHTS} DataNets are expected, not {len(weights)}")
    if not any(weights.values()):
        raise field.error("all weights are 0")
    return tuple(sorted(weights.items()))
