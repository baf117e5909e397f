"""The short way from a span batch's columns to transactions gives what decoding every field gives, errors too."""

from random import Random
from types import SimpleNamespace

import pytest

from derivation import span_batch_transactions, span_batches
from derivation.batches import BatchError
from derivation.span_batch_transactions import Reader, SpanTransactions, decode_datas
from derivation.span_batches import decode_span_batch
from derivation.span_fields import usual_fields
from rollup.protocol.primitives import rlp_encode, to_int_bytes

SIZES = (0, 1, 2, 31, 54, 55, 56, 200, 255, 256, 300)
NUMBERS = (b"", b"\x01", b"\x7f", b"\x80", b"\x01\x00", b"\xff" * 32, b"\xff" * 33, b"\0", b"\0\x01")


def tx_datas(random):
    """Well-formed tx_datas of every type, and some whose numbers are not canonical."""
    first, second, third = random.choices(NUMBERS, weights=[9, 9, 9, 9, 9, 9, 1, 1, 1], k=3)
    payload = random.randbytes(random.choice(SIZES))
    access_list = [] if random.random() < 0.8 else [[random.randbytes(20), [random.randbytes(32)]]]
    tx_type = random.choice((0, 1, 2, 2, 2, 2, 4))
    if tx_type == 0:
        return rlp_encode([first, second, payload])
    if tx_type == 1:
        return b"\x01" + rlp_encode([first, second, payload, access_list])
    if tx_type == 4:
        return b"\x04" + rlp_encode([first, second, third, payload, access_list, []])
    return b"\x02" + rlp_encode([first, second, third, payload, access_list])


def damaged(random, data):
    """Encoded fields with a byte changed, left out or put in."""
    place, kind = random.randrange(min(len(data), 12)), random.randrange(3)
    new = bytes((random.choice((0, 1, 0x7F, 0x80, 0x81, 0xB7, 0xB8, 0xC0, 0xF7, 0xF8, 0xF9, 0xFF)),))
    return data[:place] + (b"" if kind == 1 else new) + data[place + (kind != 2) :]


def columns_of(random, data):
    is_creation = random.random() < 0.2
    nonce, gas = random.choice((0, 1, 127, 128, 2**64 - 1)), random.choice((0, 21_000, 2**64 - 1))
    word = random.choice((0, 1, 127, 128, 2**255, 2**256 - 1))
    return SpanTransactions(
        [is_creation],
        [random.random() < 0.5],
        [(word, random.getrandbits(256))],
        [] if is_creation else [random.randbytes(20)],
        [data],
        [nonce],
        [gas],
        [True] if data[0] >= 0xC0 else [],
    )


def read(content, count):
    reader = Reader(content)
    return decode_datas(reader, count), reader.left


def outcome(function, *arguments):
    try:
        return function(*arguments)
    except BatchError as error:
        return type(error), str(error)


@pytest.mark.parametrize("seed", range(4))
def test_the_short_way_and_the_long_way_give_the_same_transactions(monkeypatch, seed):
    random, usual = Random(seed), 0
    for _ in range(1_000):
        data = tx_datas(random)
        if random.random() < 0.5:
            data = damaged(random, data) or b"\x02"
        columns, chain_id = columns_of(random, data), random.choice((0, 1, 10, 901, 2**64 - 1))
        usual += usual_fields(data) is not None
        short = outcome(columns.full_transactions, chain_id)
        with monkeypatch.context() as patched:
            patched.setattr(span_batch_transactions, "usual_fields", lambda data: None)
            assert short == outcome(columns.full_transactions, chain_id), data.hex()
    assert usual > 100


@pytest.mark.parametrize("seed", range(4))
def test_the_short_way_reads_the_same_tx_datas(monkeypatch, seed):
    random = Random(seed)
    for _ in range(500):
        datas = [tx_datas(random) for _ in range(random.randrange(1, 5))]
        if random.random() < 0.5:
            datas[-1] = damaged(random, datas[-1])
        content = b"".join(datas)[: random.choice((None, -1, 2))]
        short = outcome(read, content, len(datas))
        with monkeypatch.context() as patched:
            patched.setattr(Reader, "short_data", lambda self: None)
            assert short == outcome(read, content, len(datas)), content.hex()


def test_both_derivations_of_a_node_share_what_a_span_decodes_to(monkeypatch):
    config = SimpleNamespace(block_time=2, genesis=SimpleNamespace(l2_time=100), l2_chain_id=901)
    other = SimpleNamespace(block_time=2, genesis=SimpleNamespace(l2_time=100), l2_chain_id=902)
    data = tx_content()
    first, second = decode_span_batch(config, data), decode_span_batch(config, bytes(bytearray(data)))
    assert second.blocks is first.blocks
    assert second is not first  # the place where it was read differs
    assert decode_span_batch(other, data).blocks[0].transactions != first.blocks[0].transactions
    monkeypatch.setattr(span_batches, "_MOST_SHARED", 1)
    assert decode_span_batch(config, data + b"\0").blocks is not decode_span_batch(config, data + b"\0").blocks


def tx_content():
    """One block of one transaction."""
    data = b"\x02" + rlp_encode([b"", b"\x01", b"\x02", b"data", []])
    word = to_int_bytes(2**255)
    return b"\x01\x01" + bytes(40) + b"\x01\x01\x01" + b"\0\0" + word + word + bytes(20) + data + b"\0" + b"\x15"
