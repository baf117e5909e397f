"""Each pack and unpack function against LAYOUT, which another test compares with the compiler's own layout."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution_precompile import layout, words
from attribution_precompile.layout import LAYOUT, Field

# Function suffix: the struct and slot of its word, and those of the slot's fields that it leaves out.
WORDS = {
    "platform": ("Attribution", layout.PLATFORM),
    "counts": ("Counts", 0),
    "pool": ("Datanet", layout.POOL),
    "membership": ("Datanet", layout.MEMBERSHIP),
    "member": ("Member", 0),
    "owner": ("Model", layout.OWNER),
    "price": ("Model", layout.PRICE),
    "split": ("Model", layout.SPLIT),
    "attributor": ("Model", layout.ATTRIBUTOR),
    "usage": ("Model", layout.USAGE),
    "job": ("Job", layout.PAYER),
    "escrow": ("Job", layout.ESCROW),
}
# Not in solc's layout: an element of an array, half an element, and a word of calldata.
OTHERS = {"weight": (64, 32), "weight_pair": (96, 96), "influence": (64, 32, 160)}


def fields(struct: str, slot: int) -> list[Field]:
    return [field for field in LAYOUT[struct] if field.slot == slot]


def unpack_split(word: int) -> tuple[int, ...]:
    return *words.unpack_shares(word), *words.unpack_weights(word)


def function(kind: str, name: str) -> Callable[..., Any]:
    if (kind, name) == ("unpack", "split"):
        return unpack_split
    found: Callable[..., Any] = getattr(words, f"{kind}_{name}")
    return found


def test_every_function_is_held_to_the_layout() -> None:
    names = {name for name, item in vars(words).items() if getattr(item, "__module__", "") == words.__name__}
    expected = {f"{kind}_{name}" for kind in ("pack", "unpack") for name in [*WORDS, *OTHERS]}
    assert names == (expected - {"unpack_split"}) | {"unpack_shares", "unpack_weights", "total_units"}


@pytest.mark.parametrize("name", WORDS)
@given(word=st.integers(0, 2**256 - 1))
def test_unpack_reads_the_fields_of_the_layout(name: str, word: int) -> None:
    expected = tuple([word >> 8 * field.offset & (1 << 8 * field.size) - 1 for field in fields(*WORDS[name])])
    assert function("unpack", name)(word) == expected


@pytest.mark.parametrize("name", WORDS)
@given(data=st.data())
def test_pack_writes_the_fields_of_the_layout(name: str, data: st.DataObject) -> None:
    row = fields(*WORDS[name])
    values = [data.draw(st.integers(0, (1 << 8 * field.size) - 1)) for field in row]
    expected = sum([value << 8 * field.offset for value, field in zip(values, row, strict=True)])
    assert function("pack", name)(*values) == expected


@given(word=st.integers(0, 2**256 - 1))
def test_parts_of_a_word_are_those_of_the_whole(word: int) -> None:
    assert words.total_units(word) == words.unpack_membership(word)[0]


@pytest.mark.parametrize("name", OTHERS)
@given(data=st.data())
def test_words_outside_the_layout_are_kept(name: str, data: st.DataObject) -> None:
    values = tuple([data.draw(st.integers(0, (1 << bits) - 1)) for bits in OTHERS[name]])
    assert function("unpack", name)(function("pack", name)(*values)) == values
