"""Earnings, usage and economics in a real browser: the numbers are the node's and the command line's."""

import json

from click.testing import CliRunner
from playwright.sync_api import expect

from attribution_precompile.client import Price
from rollup.cli import main
from rollup.cli.economics_source import read_source
from rollup.economics import Prices, answer
from rollup.protocol.primitives import keccak256
from tests.web.story import ACCOUNTS, play_texts


def test_a_claim_moves_exactly_the_amount_shown(fresh, visit):
    from tests.web.story import play

    play(fresh)
    owner = ACCOUNTS[0].address.lower()
    page = visit(fresh, "earnings")
    shown = page.get_by_text("Claimable to the wei").locator(".wei")
    expect(shown).to_be_visible()
    amount = int(shown.inner_text().removesuffix(" wei").replace(",", ""))
    assert amount == int(fresh.rpc("open_earnings", owner)["claimable"], 16) > 0
    before = int(fresh.rpc("eth_getBalance", owner, "latest"), 16)
    page.get_by_role("button", name="Claim").click()
    expect(page.get_by_text("were paid to Dev account 0")).to_be_visible()
    head = fresh.rpc("eth_getBlockByNumber", "latest", True)
    receipt = fresh.rpc("eth_getTransactionReceipt", head["transactions"][-1]["hash"])
    gas = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16) + int(receipt["l1Fee"], 16)
    assert int(fresh.rpc("eth_getBalance", owner, "latest"), 16) == before + amount - gas


def test_another_account_can_be_paid_out_by_who_pays_the_gas(chain, visit):
    listed = chain.rpc("open_listContributors", "0x1")["contributors"]
    account = next(item["account"] for item in listed if int(item["pending"], 16))
    page = visit(chain, f"earnings/{account}")
    expect(page.get_by_role("button", name="Pay out")).to_be_enabled()
    expect(page.get_by_text("You pay the gas, and the account gets the money.")).to_be_visible()


def test_v21_usage_tells_self_paid_from_independent_as_the_command_line_does(chain, visit):
    said = json.loads(CliRunner().invoke(main, ["economics", "noise", "--rpc-url", chain.url, "--json"]).stdout)
    answered = chain.rpc("open_noise")
    assert answered == said
    page = visit(chain, "usage/1")
    payers = page.get_by_role("table", name="Payers")
    expect(payers.locator("tr", has_text="Dev account 0")).to_contain_text("self-paid")
    expect(page.get_by_text("replayed:")).to_be_visible()


def test_v21_the_economics_page_says_what_the_command_line_says(chain, visit):
    command = ["economics", "1", "--rpc-url", chain.url, "--prices", "op-parity", "--json"]
    said = json.loads(CliRunner().invoke(main, command).stdout)
    answered = chain.rpc("open_economics", {"modelId": "0x1", "prices": "op-parity"})
    assert answered["conclusion"] == said["conclusion"]
    assert answered["facts"] == said["facts"]
    page = visit(chain, "economics?prices=op-parity")
    expect(page.locator(".conclusion")).to_have_text(said["conclusion"])


def test_usage_draws_days_by_class_and_the_lorenz_curve_of_payers(chain, visit):
    page = visit(chain, "usage/1")
    bars = page.get_by_role("img", name="Fees by day and class")
    expect(bars).to_be_visible()
    titles = bars.locator("title").all_text_contents()
    classes = {pair["class"] for pair in chain.rpc("open_noise")["pairs"] if pair["modelId"] == 1}
    assert {title.partition(", ")[2].partition(":")[0] for title in titles} == classes
    fees = sorted(int(pair["fees"]) for pair in chain.rpc("open_noise")["pairs"] if pair["modelId"] == 1)
    if len(fees) > 1:
        points = page.get_by_role("img", name="Lorenz curve").locator(".chart-line").get_attribute("points").split()
        heights = [float(point.split(",")[1]) for point in points]
        shares = [(heights[0] - height) / (heights[0] - heights[-1]) for height in heights]
        expected = [sum(fees[:count]) / sum(fees) for count in range(len(fees) + 1)]
        assert all(abs(a - b) < 1e-4 for a, b in zip(shares, expected, strict=True))


def test_earnings_over_time_end_at_what_the_node_says(chain, visit):
    owner = ACCOUNTS[0].address.lower()
    earned = chain.rpc("open_earnings", owner)
    page = visit(chain, f"earnings/{owner}")
    drawn = page.get_by_role("img", name="Earned over time")
    expect(drawn).to_be_visible()
    whole = int(earned["claimable"], 16) + int(earned["claimed"], 16)
    assert f"{whole / 10**18:.6f}"[:6] in drawn.get_attribute("aria-label")
    heights = [float(circle.get_attribute("cy")) for circle in drawn.locator("circle").all()]
    assert heights == sorted(heights, reverse=True)


def test_the_heat_map_has_the_numbers_of_the_functions_of_the_command_line(chain, visit):
    question = {"modelId": "0x1", "prices": "op-parity", "hosting": "2"}
    found = chain.rpc("open_economicsMap", question)
    source = read_source("1", chain.url, chain.url, (812, 640), None)
    expected = answer(source.model, Prices.preset("op-parity"), (50, 1_000, 50_000)).net_map(24)
    assert found["net"] == [list(map(str, row)) for row in expected.net]
    assert {int(wei) < 0 for row in found["net"] for wei in row} == {True, False}
    page = visit(chain, "economics?prices=op-parity")
    cells = page.get_by_role("img", name="Heat map").locator("rect")
    expect(cells).to_have_count(sum(map(len, found["net"])))
    assert page.locator(".chart-loss").count() == sum(int(wei) < 0 for row in found["net"] for wei in row)


def test_an_empty_chain_says_what_to_do_on_every_page(fresh, visit):
    page = visit(fresh)
    for route, words in (
        ("earnings", "No earnings yet."),
        ("usage", "No model is registered yet."),
        ("economics", "No model is registered yet."),
        ("batches", "No batch yet"),
        ("studio", "There is no model yet"),
        ("control", "No action yet."),
    ):
        page.goto(f"{fresh.url}#/{route}")
        expect(page.get_by_text(words).first).to_be_visible()


def test_an_answer_is_shown_though_a_head_moved_while_it_was_on_its_way(chain, browser):
    held = []
    page = browser.new_context().new_page()
    page.clock.install()
    page.route(lambda url: True, lambda route: hold(route, held))
    with page.expect_request(is_of_usage):
        page.goto(f"{chain.url}#/usage/1")
    with page.expect_request(is_of_usage):  # it asks again at most each ten seconds, and then without a new block
        chain.step()
        page.clock.fast_forward(10_000)
    expect(page.get_by_role("heading", name="Newest inferences")).to_have_count(0)
    held[0].continue_()  # the newer question stays without an answer
    expect(page.get_by_role("heading", name="Newest inferences")).to_be_visible()
    page.context.close()


def is_of_usage(request):
    return "open_usage" in (request.post_data or "")


def hold(route, held):
    if is_of_usage(route.request):
        held.append(route)
    else:
        route.continue_()


def test_a_long_name_hides_nothing_beside_it_and_is_whole_on_its_own_page(fresh, visit):
    name = "🩺" * 30 + "W" * 90
    client, _ = play_texts(fresh)
    fresh.rpc("open_putContent", name)
    model = client.register_model(ACCOUNTS[0], [(1, 1)], price=Price(1, 1, 1), metadata=keccak256(name.encode()))
    client.infer(ACCOUNTS[2], model, input_tokens=1, output_tokens=1)
    page = visit(fresh, "usage")
    link = page.get_by_role("link", name=f"Model {model}")
    expect(link).to_have_text(f"Model {model} · {'🩺' * 30}{'W' * 10}…")
    assert page.locator("table", has=link).evaluate("(item) => item.getBoundingClientRect().right") <= 1280
    link.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("W" * 90)
