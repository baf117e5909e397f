"""Scenarios 4 to 6: whatever the batcher's key posts, nothing after it is lost."""

import tracemalloc

import brotli
import pytest

from derivation.batches import SingularBatch
from derivation.drops import Drop
from derivation.span_batches import decode_raw_span_batch, decode_span_batch, encode_span_batch
from rollup.cheats.garbage import KINDS, NOISE, Place, channel, frame, singular
from rollup.l1.sidecar import make_sidecar
from rollup.protocol.accounts import BATCHER, USERS
from rollup.protocol.blobs import encode_blob
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.l2_blocks import l2_block_ref
from rollup.protocol.primitives import rlp_decode, rlp_encode
from rollup.protocol.transaction import BLOB, Transaction
from tests.scenarios.actors import GENESIS_TIME, User, World

BOB = USERS[1].address


# Where the first batch of a World has to be.
FIRST = Place(parent=World().devnet.l2.header.hash, time=GENESIS_TIME + 2, origin=World().config.genesis.l1)
# The test of forbidden transactions has the kinds that replace a block; what a stranger posts has a test of its own.
GARBAGE = [name for name, kind in KINDS.items() if not kind.is_stranger and not kind.replaces]
DROPPED_BY = {name: kind.rule for name, kind in KINDS.items()}


def drops_of(verifier):
    """A list to which everything that a verifier drops from now on is added."""
    found = []
    verifier.derivation.journal.subscribe(lambda fact: found.append(fact) if isinstance(fact, Drop) else None)
    return found


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_dropped_and_nothing_after_it_is_lost(name):
    # spec: frame.version
    world = World()
    world.users[0].sends(BOB, value=1)
    world.sequencer.build(3)
    batcher = User(world, BATCHER)
    batcher.sends_on_l1(world.config.batch_inbox_address, 0, KINDS[name].data(FIRST), gas=10_000_000)
    world.l1.mine()
    verifier = world.new_verifier()
    drops = drops_of(verifier)
    verifier.derive()
    assert verifier.safe.number == 0
    assert [drop.rule for drop in drops] == [DROPPED_BY[name]]

    world.sequencer.derive()
    world.batcher.post()
    world.l1.mine(2)
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=3)
    assert len(drops) == 1


@pytest.mark.parametrize("kind", ["deposit", "not a transaction", "empty", "unpayable"])
def test_a_batch_with_a_forbidden_transaction_is_dropped(kind):
    # spec: batch.transactions
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


def test_the_kinds_that_replace_a_block_or_come_from_a_stranger_are_dropped_by_their_rule():
    for kind in KINDS.values():
        if kind.is_stranger or kind.replaces:
            world = World()
            world.sequencer.build(1)
            sender = USERS[9] if kind.is_stranger else BATCHER
            User(world, sender).sends_on_l1(world.config.batch_inbox_address, 0, kind.data(FIRST), gas=10_000_000)
            world.l1.mine(2)
            verifier = world.new_verifier()
            drops = drops_of(verifier)
            verifier.derive()
            assert kind.rule in [drop.rule for drop in drops]
            assert verifier.safe.number == kind.replaces


def test_batches_from_anyone_else_are_not_read():
    # spec: retrieval.sender
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


def three_blocks(fork=Fork.JOVIAN):
    """Three L2 blocks with a transfer each that nobody has posted."""
    world = World(forks=ForkSchedule.all_at(fork))
    for _ in range(3):
        world.users[0].sends(BOB, value=1)
        world.sequencer.build()
    return world


def singular_of(world, number):
    """A block of the sequencer as a singular batch."""
    block, origin = world.sequencer.chain.block_by_number(number), world.sequencer.origin(number)
    raws = [transaction.encode() for transaction in block.transactions if not transaction.is_deposit]
    return SingularBatch(block.header.parent_hash, origin.number, origin.hash, block.timestamp, raws)


def span_of(world, first, batches):
    """Batches as the content of a span batch, type byte included."""
    ref = l2_block_ref(world.config, world.sequencer.chain.block_by_number(first))
    return rlp_decode(encode_span_batch(world.config, ref, batches))


def honest_span(world):
    return span_of(world, 1, [singular_of(world, number) for number in (1, 2, 3)])


def posted(world, data):
    """Posts it; the safe head of a fresh verifier, whose blocks are the sequencer's."""
    User(world, BATCHER).sends_on_l1(world.config.batch_inbox_address, 0, data, gas=10_000_000)
    return safe_of(world)


def safe_of(world):
    world.l1.mine(2)
    verifier = world.new_verifier()
    verifier.derive()
    assert verifier.hashes(verifier.safe.number) == world.sequencer.hashes(verifier.safe.number)
    return verifier.safe.number


def post_blob(world, blob, calldata=b""):
    """A blob transaction of the batcher."""
    sidecar = make_sidecar((blob,))
    transaction = Transaction(
        BLOB,
        nonce=world.l1.pool.nonce(BATCHER.address),
        gas_limit=5_000_000,
        to=world.config.batch_inbox_address,
        data=calldata,
        chain_id=900,
        max_fee_per_gas=100 * 10**9,
        max_priority_fee_per_gas=10**9,
        max_fee_per_blob_gas=10**9,
        blob_versioned_hashes=sidecar.versioned_hashes,
    ).signed(BATCHER.private_key)
    world.l1.node.send_raw_transaction(sidecar.wrap(transaction))


@pytest.mark.parametrize("fork", [Fork.CANYON, Fork.GRANITE, Fork.JOVIAN])
def test_bytes_after_a_singular_batchs_list_are_ignored(fork):
    # spec: batch.extra-content
    world = three_blocks(fork)
    contents = [rlp_decode(singular_of(world, number).encode()) + b"\0" for number in (1, 2, 3)]
    assert posted(world, channel(b"".join(map(rlp_encode, contents)))) == 3


@pytest.mark.parametrize("fork", [Fork.GRANITE, Fork.JOVIAN])
def test_a_span_that_contradicts_the_safe_chain_where_it_overlaps_it_is_dropped(fork):
    # spec: span.overlap, span.overlap-validated
    world = three_blocks(fork)
    assert posted(world, channel(rlp_encode(honest_span(world)))) == 3
    world.sequencer.derive()
    world.sequencer.build(2)
    batches = [singular_of(world, number) for number in range(2, 6)]
    assert batches[0].transactions
    emptied = [SingularBatch(b.parent_hash, b.epoch_number, b.epoch_hash, b.timestamp, []) for b in batches[:2]]
    assert posted(world, channel(rlp_encode(span_of(world, 2, emptied + batches[2:])))) == 3
    assert posted(world, channel(rlp_encode(span_of(world, 2, batches)))) == 5


@pytest.mark.parametrize("fork", [Fork.GRANITE, Fork.JOVIAN])
@pytest.mark.parametrize("tx_type", [0, 3, 5, 0x7E, 0x7F])
def test_a_span_whose_transactions_cannot_be_put_together_costs_that_span_alone(fork, tx_type):
    # spec: span.no-deposits
    world = three_blocks(fork)
    good = honest_span(world)
    raw = decode_raw_span_batch(good[1:])
    # A type byte of 0 is counted among the legacy transactions, each of which has a protected bit.
    raw.transactions.datas[0] = bytes((tx_type,)) + raw.transactions.datas[0][1:]
    if tx_type == 0:
        raw.transactions.protected = [True]
    assert posted(world, channel(rlp_encode(b"\x01" + raw.encode()) + rlp_encode(good))) == 3


@pytest.mark.parametrize("fork", [Fork.GRANITE, Fork.JOVIAN])
def test_a_span_that_cannot_be_read_ends_its_channel(fork):
    world = three_blocks(fork)
    good = honest_span(world)
    assert posted(world, channel(rlp_encode(good[:-1]) + rlp_encode(good))) == 0


def test_a_span_before_delta_costs_that_span_alone():
    # spec: span.delta
    world = three_blocks(Fork.CANYON)
    singles = b"".join(singular_of(world, number).encode() for number in (1, 2, 3))
    assert posted(world, channel(rlp_encode(honest_span(world)) + singles)) == 3


def test_the_first_origin_bit_moves_no_origin():
    """Here L1 begins at block 0, which has no block before it."""
    world = three_blocks()
    raw = decode_raw_span_batch(honest_span(world)[1:])
    raw.origin_bits[0] = True
    assert posted(world, channel(rlp_encode(b"\x01" + raw.encode()))) == 3


def test_the_first_byte_of_a_blob_is_masked():
    # spec: blob.first-element-masked
    world = three_blocks()
    blob = bytearray(encode_blob(channel(rlp_encode(honest_span(world)))))
    blob[0] |= 0x40
    post_blob(world, bytes(blob))
    assert safe_of(world) == 3


@pytest.mark.parametrize(("fork", "safe"), [(Fork.DELTA, 3), (Fork.ECOTONE, 0)])
def test_a_blob_transactions_calldata_is_read_before_ecotone(fork, safe):
    world = three_blocks(fork)
    post_blob(world, encode_blob(b""), channel(rlp_encode(honest_span(world))))
    assert safe_of(world) == safe


def test_a_brotli_channel_with_a_padding_bit_set_gives_nothing():
    """The decoder of op-node has given out nothing by the time it meets the bit."""
    world = three_blocks()
    content = rlp_encode(honest_span(world)) + rlp_encode(b"\x09" + NOISE)
    compressed = bytearray(brotli.compress(content, quality=9))
    compressed[-1] ^= 0x80
    assert posted(world, b"\x00" + frame(b"\x01" + bytes(compressed))) == 0


@pytest.mark.parametrize("fork", [Fork.GRANITE, Fork.JOVIAN])
def test_a_span_of_ten_million_blocks_is_dropped_and_costs_little_memory(fork):
    """33 bytes of brotli; its blocks are not made before the span is found to build on the safe chain."""
    world = three_blocks(fork)
    good = honest_span(world)
    raw = decode_raw_span_batch(good[1:])
    head = good[: good.index(raw.parent_check)] + bytes(20) + raw.l1_origin_check
    count = 10_000_000
    huge = head + b"\x80\xad\xe2\x04" + bytes(count // 8) + bytes(count)
    tracemalloc.start()
    span = decode_span_batch(world.config, huge[1:])
    assert len(span.blocks) == count
    assert span.blocks[-1].timestamp == span.timestamp + (count - 1) * world.config.block_time
    assert tracemalloc.get_traced_memory()[1] < 250_000_000
    tracemalloc.stop()
    assert posted(world, b"\x00" + frame(b"\x01" + brotli.compress(rlp_encode(huge), quality=9))) == 0
