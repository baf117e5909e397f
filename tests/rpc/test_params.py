"""Reading parameters: geth's forms and geth's words, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.rpc.errors import InvalidParams
from rollup.rpc.methods import collect, rpc
from rollup.rpc.params import (
    Invalid,
    Optional,
    anything,
    block_id,
    boolean,
    call_request,
    data,
    hash32,
    number,
    quantity,
    quantity64,
    slot,
    state_overrides,
    text,
)


def refusal(parser, value):
    with pytest.raises(Invalid) as refused:
        parser(value)
    return str(refused.value)


@given(st.integers(0, 2**256 - 1))
def test_a_quantity_is_encoded_as_hex_encodes_it(value):
    assert quantity(hex(value)) == value
    assert quantity("0X" + format(value, "X")) == value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "empty hex string"),
        ("0x", 'hex string "0x"'),
        ("1", "hex string without 0x prefix"),
        ("x1", "hex string without 0x prefix"),
        (" 0x1", "hex string without 0x prefix"),
        ("-0x1", "hex string without 0x prefix"),
        ("0x1 ", "invalid hex string"),
        ("0x 1", "invalid hex string"),
        ("0x-1", "invalid hex string"),
        ("0x+1", "invalid hex string"),
        ("0x_1", "invalid hex string"),
        ("0x1_0", "invalid hex string"),
        ("0x1\n", "invalid hex string"),
        ("0x\t1", "invalid hex string"),
        ("0xg", "invalid hex string"),
        ("0x١", "invalid hex string"),  # a digit to Python's int, not to hex
        ("0x１", "invalid hex string"),
        ("0x00", "hex number with leading zero digits"),
        ("0x01", "hex number with leading zero digits"),
        ("0x1" + "0" * 64, "hex number > 256 bits"),
        (1, "a hex quantity is expected, as a string"),
        (-1, "a hex quantity is expected, as a string"),
        (1.5, "a hex quantity is expected, as a string"),
        (True, "a hex quantity is expected, as a string"),
        ([], "a hex quantity is expected, as a string"),
        ({}, "a hex quantity is expected, as a string"),
    ],
)
def test_a_quantity_refused(value, why):
    assert refusal(quantity, value) == why


def test_a_quantity_of_64_bits():
    assert quantity64("0xffffffffffffffff") == 2**64 - 1
    assert refusal(quantity64, "0x10000000000000000") == "hex number > 64 bits"


def test_a_number_may_be_plain():
    assert number(5) == number("0x5") == 5
    for value in (-1, True, 1.0, 2**256, "5"):
        refusal(number, value)


@given(st.binary(max_size=100))
def test_data_is_pairs_of_digits(value):
    assert data("0x" + value.hex()) == value
    assert data("0X" + value.hex().upper()) == value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "empty hex string"),
        ("00", "hex string without 0x prefix"),
        ("0x0", "hex string of odd length"),
        ("0x\n00", "invalid hex string"),
        ("0x00 00", "invalid hex string"),
        ("0x 0", "invalid hex string"),
        ("0x00\n", "invalid hex string"),
        ("0xzz", "invalid hex string"),
        (b"0x00", "a hex string is expected"),
        (0, "a hex string is expected"),
        ([], "a hex string is expected"),
    ],
)
def test_data_refused(value, why):
    assert refusal(data, value) == why


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(value):
    for parser in (quantity, data, slot, hash32, block_id):
        try:
            parser("0x" + value)
        except Invalid:
            continue


def test_data_of_a_size():
    assert refusal(hash32, "0x00") == "hex string has length 2, want 64"


def test_a_slot_may_have_leading_zeros():
    assert slot("0x") == slot("0x0") == slot("0x" + "0" * 64) == 0
    assert slot("0x" + "0" * 63 + "5") == slot("0x05") == slot("0x5") == 5
    assert "too long" in refusal(slot, "0x" + "0" * 65)
    refusal(slot, "0x 1")
    refusal(slot, 1)


def test_a_block_by_tag_number_or_hash():
    block_hash = "0x" + "ab" * 32
    assert block_id("latest") == "latest"
    assert block_id("0x10") == 16
    assert block_id(block_hash) == block_id({"blockHash": block_hash}) == bytes.fromhex("ab" * 32)
    assert block_id({"blockNumber": "0x10", "requireCanonical": True}) == 16
    assert block_id({"blockNumber": "safe"}) == "safe"
    for value in (
        "newest",
        "LATEST",
        "0x010",
        {},
        [],
        5,
        None,
        {"blockNumber": {"blockNumber": "0x1"}},
        "0x" + "f" * 16,
    ):
        refusal(block_id, value)
    both = {"blockHash": block_hash, "blockNumber": "0x1"}
    assert refusal(block_id, both) == "cannot specify both BlockHash and BlockNumber, choose one or the other"


def test_nesting_is_bounded_by_the_form():
    value = {"blockNumber": "0x1"}
    for _ in range(900):
        value = {"blockNumber": value}
    refusal(block_id, value)


class Methods:
    @rpc("eth_two", quantity, boolean)
    def two(self, first, second):
        return first, second

    @rpc("eth_one", quantity, Optional(text, "latest"))
    def one(self, first, second):
        return first, second

    @rpc("eth_any", anything)
    def any(self, value):
        return value


@pytest.mark.parametrize(
    ("method", "given", "why"),
    [
        ("two", [], "missing value for required argument 0"),
        ("two", ["0x1"], "missing value for required argument 1"),
        ("two", [None, True], "missing value for required argument 0"),
        ("two", ["0x1", None], "missing value for required argument 1"),
        ("two", ["0x1", True, None], "too many arguments, want at most 2"),
        ("two", ["1", True], "invalid argument 0: hex string without 0x prefix"),
        ("two", ["0x1", "true"], "invalid argument 1: a boolean is expected"),
        ("one", [None], "missing value for required argument 0"),
        ("any", [None], "missing value for required argument 0"),
    ],
)
def test_arguments_refused(method, given, why):
    with pytest.raises(InvalidParams) as refused:
        collect(Methods())[f"eth_{method}"](given)
    assert (refused.value.code, refused.value.message) == (-32602, why)


def test_arguments_left_out_or_null():
    handler = collect(Methods())["eth_one"]
    assert handler(["0x1"]) == handler(["0x1", None]) == (1, "latest")


HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just("0x1"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["to", "from", "gas", "value", "data", "input", "accessList", "authorizationList", "address"]
            )
            | st.sampled_from(["storageKeys", "chainId", "nonce", "yParity", "r", "s", "state", "stateDiff", "balance"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(HOSTILE)
def test_a_call_object_of_any_shape_is_read_or_refused(value):
    for parser in (call_request, state_overrides, block_id):
        try:
            parser(value)
        except Invalid:
            continue


def test_a_call_object_in_geths_words():
    both = {"gasPrice": "0x1", "maxFeePerGas": "0x1"}
    assert refusal(call_request, both) == "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified"
    different = {"data": "0x00", "input": "0x01"}
    assert 'both "data" and "input" are set and not equal' in refusal(call_request, different)
    assert refusal(call_request, {"to": "0x12"}) == "to: hex string has length 2, want 40"
