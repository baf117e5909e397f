"""The control room, and what the pages do while the chain or the connection is disturbed."""

import re
from typing import get_args

import pytest
from playwright.sync_api import expect

from rollup.events import Event
from tests.docs.pages import ROOT
from tests.web.held_heads import Held, HeldHeads, until
from tests.web.page_chain import PageChain


def test_the_sequencer_is_stopped_and_started_and_the_log_says_so(fresh, visit):
    page = visit(fresh, "control")
    box = page.get_by_role("region", name="Sequencer")
    expect(box).to_contain_text("is on")
    box.get_by_role("button", name="Stop").click()
    expect(box).to_contain_text("is off")
    assert not fresh.node.sequencer.is_active
    box.get_by_role("button", name="Start").click()
    expect(box).to_contain_text("is on")
    expect(page.get_by_role("table", name="Log").locator("tbody tr")).to_have_count(2)


def after_a_pause_of_the_batcher(page, chain):
    """The log, after the batcher was stopped for four blocks and started again."""
    batcher = page.get_by_role("region", name="Batcher")
    batcher.get_by_role("button", name="Stop").click()
    log = page.get_by_role("table", name="Log")
    log.wait_for()
    chain.step(4)
    expect(page.locator(".strip")).to_contain_text("unsafe #4")
    batcher.get_by_role("button", name="Start").click()
    return log


def test_healed_is_measured_until_the_verifier_agrees(fresh, visit):
    log = after_a_pause_of_the_batcher(visit(fresh, "control"), fresh)
    expect(log).to_contain_text("waits for the verifier at #4")
    fresh.until_safe()
    expect(log).to_contain_text(re.compile(r"in \d+\.\d s: verifier equal at #\d+"))


@pytest.fixture
def unverified():
    """A node at genesis without a verifier."""
    found = PageChain(verifier=False).start()
    try:
        yield found
    finally:
        found.stop()


def test_without_a_verifier_the_safe_head_says_what_is_healed(unverified, visit):
    page = visit(unverified, "control")
    log = after_a_pause_of_the_batcher(page, unverified)
    expect(page.locator(".strip .verdict")).to_have_count(0)
    expect(log).to_contain_text("waits until #4 is safe")
    unverified.until_safe()
    expect(log).to_contain_text(re.compile(r"in \d+\.\d s: safe again at #\d+"))


def test_the_chart_shows_the_heads_and_needs_no_other_origin(fresh, visit):
    page = visit(fresh, "control")
    expect(page.locator(".chart canvas")).to_be_visible()
    assert page.locator(".chart").bounding_box()["height"] > 200


def test_a_block_that_was_replaced_stays_visible_struck_through(fresh, visit):
    fresh.step(4)
    page = visit(fresh)
    lane = page.get_by_role("region", name="L2")
    expect(lane.get_by_role("link", name="#4", exact=True)).to_be_visible()
    gone = fresh.node.l2.chain.head.hash

    def replace(node):
        node.l2.chain.set_head(node.l2.chain.canonical_hash(2))

    fresh.do(replace)
    expect(page.locator(".strip")).to_contain_text("unsafe #2")
    fresh.rpc("eth_sendTransaction", {"from": fresh.rpc("eth_accounts")[0], "to": "0x" + "11" * 20, "value": "0x1"})
    fresh.step(2)
    row = lane.locator(".is-orphan", has_text="#4")
    expect(row).to_contain_text("replaced by a reorganisation")
    row.get_by_role("link").click()
    expect(page.get_by_text("This block was replaced by a reorganisation.")).to_be_visible()
    assert gone.hex() in page.url


def test_a_socket_that_is_lost_loses_no_block(fresh, visit):
    page = visit(fresh, allowed_errors=("ERR_INTERNET_DISCONNECTED", "WebSocket"))
    page.locator(".strip").wait_for()
    page.context.set_offline(True)
    fresh.step(10)
    page.wait_for_timeout(300)
    page.context.set_offline(False)
    lane = page.get_by_role("region", name="L2")
    for number in (1, 5, 10):
        expect(lane.get_by_role("link", name=f"#{number}", exact=True)).to_be_visible()


def test_two_tabs_of_one_account_pay_one_after_the_other(chain, visit):
    first, second = visit(chain, "studio"), visit(chain, "studio")
    for page in (first, second):
        page.get_by_label("Prompt").fill("What helps on a night shift?")
        page.get_by_role("button", name="Answer", exact=True).click()
        page.locator(".answer").wait_for()
    for page in (first, second):
        page.get_by_role("button", name="Pay").click()
        expect(page.get_by_text(re.compile(r"Inference \d+ of"))).to_be_visible()


def test_the_events_of_the_node_are_listed_as_they_happen(fresh, visit):
    fresh.until_safe()
    page = visit(fresh, "control")
    events = page.get_by_role("table", name="Events")
    expect(page.get_by_role("heading", name="Events")).to_be_visible()
    fresh.step(14)
    expect(events).to_contain_text("The batcher posted L2 #1 to")
    expect(events).to_contain_text("is safe, derived from L1 #")
    assert "was built" not in events.inner_text()
    fresh.rpc("openrollup_stop", "batcher", path="rpc/node")
    fresh.step(1)
    expect(events.locator("tbody tr").first).to_contain_text("The batcher was stopped")
    page.get_by_label("show each block").check()
    expect(events).to_contain_text("was built, with 0 transactions")
    named = fresh.rpc("openrollup_eventsSince", 0, path="rpc/node")
    numbers = [int(cell.replace(",", "")) for cell in events.locator("td:first-child").all_inner_texts()]
    assert numbers == sorted(numbers, reverse=True)[:60]
    assert numbers[0] <= named["next"]


def test_what_was_dropped_is_read_on_a_narrow_screen_without_scrolling(fresh, visit):
    for kind in ("wrong-key", "bad-zlib"):
        fresh.rpc("openrollup_postGarbage", kind, path="rpc/node")
    page = visit(fresh, "control", viewport={"width": 320, "height": 800})
    events = page.get_by_role("region", name="Events")
    dropped = events.locator("tr", has_text="DataDropped")
    expect(dropped).to_have_count(2)
    assert events.evaluate("(box) => box.scrollWidth - box.clientWidth") <= 1
    link = dropped.locator("a[href^='#/l1/tx/0x']").first
    expect(link).to_have_text(re.compile("^0x[0-9a-f]{4}…[0-9a-f]{4}$"))
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Transaction")


@pytest.mark.parametrize("name", [item.__name__ for item in get_args(Event)])
def test_each_event_has_a_sentence_of_its_own(name):
    module = (ROOT / "rollup" / "web" / "static" / "app" / "control" / "events.js").read_text()
    assert f"  {name}: (item) => " in module


@pytest.mark.parametrize(("label", "contents"), [("nothing", "empty"), ("the same without batches", "without-batches")])
def test_what_the_blocks_of_a_reorganisation_hold_is_chosen(fresh, visit, label, contents):
    fresh.until_safe()
    fresh.step(13)
    asked = []
    page = visit(fresh, "control", is_kept=False)
    page.on("request", lambda request: asked.append(request.post_data or ""))
    box = page.get_by_role("region", name="L1", exact=True)
    box.get_by_label("blocks deep").fill("1")
    box.get_by_label("the new blocks hold").select_option(label)
    before = fresh.node.l1.chain.head.hash
    box.get_by_role("button", name="Reorganise").click()
    box.get_by_role("button", name="Yes: reorganise").click()
    expect(page.get_by_role("table", name="Log")).to_contain_text(f"L1 reorganise 1 {contents}")
    expect(page.get_by_role("table", name="Events")).to_contain_text("L1 was reorganised: 1 block replaced")
    assert fresh.node.l1.chain.head.hash != before
    assert any('"openrollup_reorgL1"' in body and f'"{contents}"' in body for body in asked)


def test_an_l1_reorganisation_heals_and_says_in_how_many_seconds(fresh, visit):
    fresh.step(20)
    page = visit(fresh, "control")
    box = page.get_by_role("region", name="L1", exact=True)
    box.get_by_label("blocks deep").fill("1")
    box.get_by_role("button", name="Reorganise").click()
    expect(box).to_contain_text("This replaces L1 blocks.")
    box.get_by_role("button", name="Yes: reorganise").click()
    log = page.get_by_role("table", name="Log")
    expect(log).to_contain_text("waits for the verifier at #20")
    fresh.until_safe()
    fresh.step(12)
    expect(log).to_contain_text(re.compile(r"in \d+\.\d s: verifier equal at #\d+"))


def test_a_batch_is_listed_with_its_channel_and_its_blocks(chain, visit):
    page = visit(chain, "batches")
    row = page.get_by_role("table", name="Batcher transactions, newest first").locator("tbody tr").first
    row.locator("a[href^='#/batch/']").click()
    expect(page.get_by_role("table", name="Batches of the channel")).to_contain_text("derived")
    expect(page.get_by_role("table", name="L1 transactions of the channel")).to_contain_text("calldata")


def test_the_calls_of_a_transaction_are_traced(chain, visit):
    made = chain.rpc("open_listInferences", {}, None, 1)["inferences"][0]
    page = visit(chain, f"l2/tx/{made['transactionHash']}")
    page.get_by_role("button", name="Trace the calls").click()
    expect(page.locator(".tree .frame")).to_contain_text("Attribution")


def test_a_snapshot_is_taken_and_restored_and_l1_is_paused(fresh, visit):
    fresh.step(3)
    page = visit(fresh, "control")
    snapshots = page.get_by_role("region", name="Snapshots")
    snapshots.get_by_role("button", name="Take a snapshot").click()
    log = page.get_by_role("table", name="Log")
    expect(log).to_contain_text("snapshot 1")
    fresh.step(4)
    expect(page.locator(".strip")).to_contain_text("unsafe #7")
    snapshots.get_by_role("button", name="Go back to it").click()
    expect(snapshots).to_contain_text("Both layers go back to the snapshot")
    snapshots.get_by_role("button", name="Yes: go back to it").click()
    expect(page.locator(".strip")).to_contain_text("unsafe #3")
    expect(log).to_contain_text("L2 head went back from #7 to #3")
    l1 = page.get_by_role("region", name="L1", exact=True)
    l1.get_by_role("button", name="Pause").click()
    expect(log).to_contain_text("L1 pause")
    before = fresh.node.l1.chain.head.number
    fresh.step(12)
    assert fresh.node.l1.chain.head.number == before
    l1.get_by_role("button", name="Resume").click()
    expect(log).to_contain_text("L1 resume")


def test_a_head_that_came_and_went_between_two_questions_is_noticed(fresh, visit):
    page = visit(fresh)
    expect(page.locator(".strip")).to_contain_text("unsafe #0")
    held = HeldHeads(page)
    fresh.step(1)
    page.goto(f"{fresh.url}#/l2/block/1")
    expect(page.get_by_role("heading", name="L2 block #1")).to_be_visible()
    fresh.do(lambda node: node.l2.chain.set_head(node.l2.chain.canonical_hash(0)))
    held.release()
    expect(page.get_by_text("L2 has no block 1.")).to_be_visible()


def test_blocks_that_are_not_those_of_the_heads_are_read_again_where_no_socket_tells(fresh, visit):
    page = visit(fresh, has_news=False)
    expect(page.locator(".strip")).to_contain_text("unsafe #0")
    blocks = Held(page, fresh.url, "ByNumber")
    fresh.step(1)
    first = fresh.node.l2.chain.head.hash
    expect(page.locator(".strip")).to_contain_text("unsafe #1")
    until(page, lambda: blocks.count)
    heads = HeldHeads(page)
    fresh.do(lambda node: node.l2.chain.set_head(node.l2.chain.canonical_hash(0)))
    fresh.rpc("eth_sendTransaction", {"from": fresh.rpc("eth_accounts")[0], "to": "0x" + "11" * 20, "value": "0x1"})
    until(page, lambda: fresh.node.l2.chain.head.number == 1)
    blocks.release()
    row = page.get_by_role("region", name="L2").locator(
        ".block-row", has=page.get_by_role("link", name="#1", exact=True)
    )
    expect(row.filter(has_text="1 transaction")).to_be_visible()
    fresh.rpc("admin_stopSequencer", path="rpc/node")  # the transaction that comes back into the pool stays there
    fresh.do(lambda node: node.l2.chain.set_head(first))
    heads.release()
    expect(row.filter(has_text="no transactions")).to_be_visible()
    expect(row.filter(has_text="replaced by a reorganisation")).to_be_visible()
