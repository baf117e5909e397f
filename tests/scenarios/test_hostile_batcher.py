"""Scenarios 4 to 6: whatever the batcher's key posts, nothing after it is lost."""

import zlib

import brotli
import pytest

from rollup.protocol.accounts import BATCHER, USERS
from rollup.protocol.primitives import keccak256, rlp_encode, to_int_bytes
from tests.scenarios.actors import User, World

BOB = USERS[1].address


def frame(data, *, number=0, is_last=True, channel=b"\x07" * 16, length=None):
    """A frame by hand (specs protocol/derivation.md, "Frame Format")."""
    size = len(data) if length is None else length
    return channel + number.to_bytes(2, "big") + size.to_bytes(4, "big") + data + bytes([is_last])


def channel(raw):
    return b"\x00" + frame(zlib.compress(raw))


def singular(*, parent=bytes(32), epoch=0, epoch_hash=bytes(32), time=0, transactions=()):
    """A channel with one singular batch."""
    fields = [parent, to_int_bytes(epoch), epoch_hash, to_int_bytes(time), list(transactions)]
    return channel(rlp_encode(b"\x00" + rlp_encode(fields)))


NOISE = b"".join(keccak256(bytes([number])) for number in range(40))
GARBAGE = {
    "nothing": b"",
    "random bytes": NOISE,
    "an unknown derivation version": b"\x01" + frame(b""),
    "a version byte alone": b"\x00",
    "a truncated frame": (b"\x00" + frame(b"abcdef"))[:-4],
    "a frame that says it is longer than it is": b"\x00" + frame(b"abc", length=10_000),
    "a frame that is neither last nor not": b"\x00" + frame(b"abc")[:-1] + b"\x02",
    "a frame above the size limit": b"\x00" + frame(b"abc", length=1_000_001),
    "an empty channel": b"\x00" + frame(b""),
    "bytes that are no zlib": b"\x00" + frame(b"\x78\x9c" + NOISE),
    "truncated zlib": b"\x00" + frame(zlib.compress(NOISE)[:-20]),
    "bytes that are no brotli": b"\x00" + frame(b"\x01" + NOISE),
    "truncated brotli": b"\x00" + frame(b"\x01" + brotli.compress(NOISE)[:-20]),
    "an unknown compression": b"\x00" + frame(b"\x05" + NOISE),
    "bad RLP": channel(b"\xb9\xff\xff\x00"),
    "a list where a string is due": channel(rlp_encode([b"\x00"])),
    "a batch of no type": channel(rlp_encode(b"")),
    "a batch of an unknown type": channel(rlp_encode(b"\x09" + NOISE)),
    "a singular batch that is no list": channel(rlp_encode(b"\x00" + rlp_encode(b"abc"))),
    "a singular batch with too few fields": channel(rlp_encode(b"\x00" + rlp_encode([b"", b""]))),
    "a span batch of noise": channel(rlp_encode(b"\x01" + NOISE)),
    "a span batch of 2**60 blocks": channel(
        rlp_encode(b"\x01" + b"\x01\x01" + bytes(40) + b"\xff\xff\xff\xff\xff\xff\xff\xff\x0f")
    ),
    "a wrong parent": singular(time=1_700_000_002),
    "an old batch": singular(time=1_600_000_000),
    "a batch of the far future": singular(time=2**40),
    "a decompression bomb": b"\x00" + frame(zlib.compress(bytes(120_000_000), 9)),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_dropped_and_nothing_after_it_is_lost(name):
    world = World()
    world.users[0].sends(BOB, value=1)
    world.sequencer.build(3)
    batcher = User(world, BATCHER)
    batcher.sends_on_l1(world.config.batch_inbox_address, 0, GARBAGE[name], gas=10_000_000)
    world.l1.mine()
    verifier = world.new_verifier()
    verifier.derive()
    assert verifier.safe.number == 0

    world.sequencer.derive()
    world.batcher.post()
    world.l1.mine(2)
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=3)


@pytest.mark.parametrize("kind", ["deposit", "not a transaction", "empty", "unpayable"])
def test_a_batch_with_a_transaction_that_may_not_be_there(kind):
    world = World()
    world.sequencer.build(1)
    genesis, origin = world.devnet.l2.header, world.devnet.l1.header
    unpayable = USERS[0]
    transactions = {
        "deposit": world.sequencer.chain.head.transactions[0].encode(),
        "not a transaction": NOISE,
        "empty": b"",
        "unpayable": User(world, unpayable).signed_for_l2(BOB, value=10**30).encode(),
    }
    batch = singular(
        parent=genesis.hash,
        epoch_hash=origin.hash,
        time=genesis.timestamp + 2,
        transactions=[transactions[kind]],
    )
    User(world, BATCHER).sends_on_l1(world.config.batch_inbox_address, 0, batch)
    world.l1.mine(2)
    verifier = world.new_verifier()
    verifier.derive()
    if kind in ("deposit", "empty"):
        # The batch itself is invalid (specs protocol/derivation.md, "Batch Queue"): the honest one is taken.
        assert verifier.safe.number == 0
        world.sequencer.derive()
        world.batcher.post()
        world.l1.mine(2)
        verifier.derive()
        verifier.must_equal(world.sequencer, safe=1)
    else:
        # The payload is invalid: its deposits alone are the block (specs protocol/holocene/derivation.md, "Engine
        # Queue"), and the sequencer, whose first block is another, follows.
        assert verifier.safe.number == 1
        assert all(tx.is_deposit for tx in verifier.chain.head.transactions)
        world.sequencer.derive()
        verifier.must_equal(world.sequencer, safe=1)


def test_batches_from_anyone_else_are_not_read():
    world = World()
    world.users[0].sends(BOB, value=1)
    world.sequencer.build(2)
    stranger = world.new_batcher(USERS[5].private_key)
    stranger.post()
    world.l1.mine(2)
    assert len(world.l1.batches()) == 1
    verifier = world.new_verifier()
    verifier.derive()
    assert verifier.safe.number == 0
