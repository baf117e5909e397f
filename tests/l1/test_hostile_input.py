"""Whatever bytes are sent to the mock L1, the answer is a hash or a PoolError, and it continues to mine."""

from contextlib import suppress
from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollup.l1.rpc_types import MalformedResponse, block_from_json, receipt_from_json, transaction_from_json
from rollup.pool.errors import PoolError
from tests.l1.chains import World, carry, make_l1, pay, sidecar_of

SMALL = pay().encode()


@cache
def wrapped() -> bytes:
    """A blob transaction with its blob. Made by the first test: KZG's setup takes two seconds to load."""
    sidecar = sidecar_of(b"hostile")
    return sidecar.wrap(carry(sidecar))


@cache
def world() -> World:
    """The L1 of all tests of this file."""
    return make_l1()


def send(raw: bytes) -> None:
    """Anything but a hash or a PoolError fails the test."""
    with suppress(PoolError):
        assert len(world().l1.send_raw_transaction(raw)) == 32


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(lambda tail: b"\x03" + tail)))
@settings(max_examples=300, deadline=None)
def test_any_bytes(raw: bytes):
    send(raw)


@given(st.integers(0, len(SMALL) - 1), st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_a_transaction_with_one_byte_changed(position: int, value: int):
    send(SMALL[:position] + bytes([value]) + SMALL[position + 1 :])


# The head of the transaction, and of its commitment and proof; what lies between is the blob.
PLACES = st.deferred(lambda: st.sampled_from([*range(300), *range(len(wrapped()) - 120, len(wrapped()))]))


@given(PLACES, st.integers(0, 255))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_wrapped_blob_transaction_with_one_byte_changed(position: int, value: int):
    send(wrapped()[:position] + bytes([value]) + wrapped()[position + 1 :])


KEYS = ["type", "hash", "nonce", "gas", "input", "logs", "status", "transactions", "accessList", "number", "to"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["0x", "0x0", "0x1", "0xzz"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
@settings(max_examples=300, deadline=None)
def test_any_json_from_a_node(value: object):
    for parse in (block_from_json, transaction_from_json, receipt_from_json):
        with suppress(MalformedResponse):
            parse(value)


def test_after_all_that_it_still_mines():
    chain = world().l1.chain
    before = chain.head.number
    world().l1.mine()
    assert chain.head.number == before + 1
