"""Amounts, addresses, hashes, time spans and influence entries as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution_precompile.client import Influence
from rollup.cli.attribution_session import open_amount
from rollup.cli.attribution_values import (
    parse_address,
    parse_amount,
    parse_duration,
    parse_hash,
    parse_influence,
)

ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


@pytest.mark.parametrize(
    ("text", "wei"),
    [
        ("0", 0),
        ("1000", 1_000),
        ("1_000 wei", 1_000),
        ("5gwei", 5 * 10**9),
        ("0.01 OPEN", 10**16),
        ("1,234.5 open", 1_234_500_000_000_000_000_000),
        ("1ether", 10**18),
        ("0.000000000000000001open", 1),
        ("0.0000000000000000010open", 1),
        (str(2**128 - 1), 2**128 - 1),
    ],
)
def test_amounts(text: str, wei: int) -> None:
    assert parse_amount(text) == wei


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "-1",
        "0.5",
        "0.5wei",
        "0.0000000000000000001open",
        "1 btc",
        "1e18",
        "0x10",
        str(2**128),
        "9" * 1_000,
        "٣",
    ],
)
def test_text_that_is_not_an_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not|is 2\^128"):
        parse_amount(text)


@given(st.integers(0, 2**128 - 1))
def test_what_is_shown_is_read_as_the_same(wei: int) -> None:
    assert parse_amount(open_amount(wei)) == wei


def test_addresses_and_hashes() -> None:
    assert parse_address(ADDRESS.lower()) == ADDRESS
    for wrong, words in ((ADDRESS[:-1], "40 hex digits"), ("0xF" + ADDRESS[3:], "checksum"), ("", "40 hex digits")):
        with pytest.raises(ValueError, match=words):
            parse_address(wrong)
    assert parse_hash("0x" + "aB" * 32) == b"\xab" * 32
    for wrong in ("ab" * 32, "0x" + "ab" * 31, "0x" + "zz" * 32):
        with pytest.raises(ValueError, match="64 hex digits"):
            parse_hash(wrong)


def test_time_spans() -> None:
    assert [parse_duration(text) for text in ("90", "90s", "15m", "1h", "30d")] == [90, 90, 900, 3_600, 2_592_000]
    for wrong in ("", "1w", "-1", "1.5h", "h"):
        with pytest.raises(ValueError, match="time span"):
            parse_duration(wrong)


def test_influence_entries() -> None:
    assert parse_influence("3:7") == Influence(3, "", 7)
    assert parse_influence("3:7").weight == 7
    entry = parse_influence(f"3:{ADDRESS.lower()}:9")
    assert (entry.datanet_id, entry.contributor, entry.weight) == (3, ADDRESS, 9)
    for wrong in ("3", "3:", ":7", "0:1", "1:0", f"1:{2**32}", "1:0x12:3", "1:2:3:4", f"{2**64}:1"):
        with pytest.raises(ValueError, match=r"is not|: a DataNet is"):
            parse_influence(wrong)
