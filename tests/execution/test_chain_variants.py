"""Chains whose fees differ from the OP Stack's, as data."""

import json
from pathlib import Path
from typing import Any

import pytest

from rollup.execution.chain_variants import VariantError, known_variants, load_variants
from rollup.execution.config import ChainVariant

BAKLAVA = 62_320


def test_celos_chains_are_known() -> None:
    """docs.celo.org, Fees: base fees to the chain's FeeHandler, a floor of 25 gwei, no L1 fee."""
    assert known_variants().keys() == {42_220, BAKLAVA, 11_142_220}
    handler = bytes.fromhex("eed0a69c51079114c280f7b936c79e24bd94013e")
    assert known_variants()[BAKLAVA] == ChainVariant(handler, 25 * 10**9, False)


def test_a_files_chains_are_beside_the_known_ones_and_win(tmp_path: Path) -> None:
    file = tmp_path / "variants.json"
    file.write_text(json.dumps({"7": {"baseFeeFloor": 3}, str(BAKLAVA): {"name": "mine", "hasL1Fee": True}}))
    found = load_variants(file)
    assert found[7] == ChainVariant(base_fee_floor=3)
    assert found[BAKLAVA] == ChainVariant()
    assert found[42_220] == known_variants()[42_220]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "an object by chain id"),
        ({"0x7": {}}, "0x7: a chain id in decimal"),
        ({"7": []}, "7: an object"),
        ({"7": {"floor": 1}}, "7.floor: not known"),
        ({"7": {"baseFeeFloor": -1}}, "7.baseFeeFloor"),
        ({"7": {"baseFeeFloor": "1"}}, "7.baseFeeFloor"),
        ({"7": {"hasL1Fee": 1}}, "7.hasL1Fee"),
        ({"7": {"baseFeeRecipient": "0x12"}}, "7.baseFeeRecipient"),
        ({"7": {"baseFeeRecipient": "zz" * 20}}, "7.baseFeeRecipient"),
    ],
)
def test_a_damaged_file_is_refused_by_its_key(data: Any, words: str, tmp_path: Path) -> None:
    file = tmp_path / "variants.json"
    file.write_text(json.dumps(data))
    with pytest.raises(VariantError, match=words) as refusal:
        load_variants(file)
    assert str(file) in str(refusal.value)
