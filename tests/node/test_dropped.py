"""Data that derivation drops is reported, and its sender cannot flood the screen."""

from derivation.drops import Drop, Rule
from rollup.clock import ManualClock
from rollup.events import DataDropped, EventLog
from rollup.node import Node, NodeParams
from rollup.node.dropped import MAX_PER_PERIOD, PERIOD, DropReports
from rollup.protocol.accounts import USERS
from rollup.protocol.blockref import BlockId
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction
from tests.node.node_process import GENESIS_TIME, GWEI

DROP = Drop(Rule.SENDER, BlockId(bytes(32), 7), 10)


def reports(clock):
    log, events = EventLog(), []
    log.subscribe(events.append)
    return DropReports(log, clock), events


def test_a_few_drops_per_minute_are_reported_and_the_others_counted():
    clock = ManualClock(100.0)
    listener, events = reports(clock)
    for _ in range(1_000):
        listener(DROP)
    assert len(events) == MAX_PER_PERIOD
    clock.advance(PERIOD)
    listener(DROP)
    assert events[-1].left_out == 1_000 - MAX_PER_PERIOD
    clock.rewind_to(100.0)  # a snapshot was restored
    listener(DROP)
    assert (len(events), events[-1].left_out) == (MAX_PER_PERIOD + 2, 0)


def test_data_from_another_sender_is_reported_with_its_rule():
    events = []
    node = Node.open(
        NodeParams(genesis_time=GENESIS_TIME, virtual_clock=True, da="calldata"),
        lambda event: events.append(event) if isinstance(event, DataDropped) else None,
    )
    stranger = Transaction(
        DYNAMIC_FEE,
        nonce=0,
        gas_limit=100_000,
        to=node.devnet.rollup_config.batch_inbox_address,
        data=b"\0" * 40,
        chain_id=900,
        max_fee_per_gas=100 * GWEI,
        max_priority_fee_per_gas=GWEI,
    ).signed(USERS[0].private_key)
    node.l1.pool.add(stranger.encode())
    node.run_until_safe(10)
    (event,) = events
    assert (event.l1_block, event.rule, event.section) == (1, "sender", Rule.SENDER.section)
    assert stranger.hash.hex() in event.what
    node.close()
