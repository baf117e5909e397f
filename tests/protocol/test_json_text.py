"""JSON that would end the process, and JSON that must stay exact."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.protocol.config import ConfigError, RollupConfig
from rollup.protocol.json_text import parse_json


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"b":['])
@pytest.mark.parametrize("levels", [2_000, 1_000_000])
def test_nesting_deeper_than_the_stack_is_an_error(opening: str, levels: int) -> None:
    with pytest.raises(json.JSONDecodeError):
        parse_json(opening * levels)


def test_a_rollup_config_nested_too_deep_is_named(tmp_path) -> None:
    path = tmp_path / "rollup.json"
    path.write_text("[" * 1_000_000)
    with pytest.raises(ConfigError, match=r"rollup\.json: not JSON"):
        RollupConfig.load(path)


@pytest.mark.parametrize("text", ["", "{", "NaN", "[1,]", "\ud800", b"\xff", '{"a": Infinity}'])
def test_text_that_is_not_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)


@given(values)
def test_values_are_exact(value: object) -> None:
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value).encode()) == value
