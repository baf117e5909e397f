"""Earnings, usage and economics in a real browser: the numbers are the node's and the command line's."""

import json

from click.testing import CliRunner
from playwright.sync_api import expect

from rollup.cli import main
from tests.web.story import ACCOUNTS


def test_a_claim_moves_exactly_the_amount_shown(fresh, visit):
    from tests.web.conftest import EXAMPLES
    from tests.web.story import play

    play(fresh, EXAMPLES)
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
    expect(page.get_by_text("You pay the gas, the account gets the money.")).to_be_visible()


def test_usage_tells_self_paid_from_independent_as_the_command_line_does(chain, visit):
    said = json.loads(CliRunner().invoke(main, ["economics", "noise", "--rpc-url", chain.url, "--json"]).stdout)
    answered = chain.rpc("open_noise")
    assert {name: answered[name] for name in ("version", "fees", "independentVolume", "classes")} == {
        name: said[name] for name in ("version", "fees", "independentVolume", "classes")
    }
    page = visit(chain, "usage/1")
    payers = page.get_by_role("table", name="Payers")
    expect(payers.locator("tr", has_text="Dev account 0")).to_contain_text("self-paid")
    expect(page.get_by_text("replayed:")).to_be_visible()


def test_the_economics_page_says_what_the_command_line_says(chain, visit):
    command = ["economics", "1", "--rpc-url", chain.url, "--prices", "op-parity", "--json"]
    said = json.loads(CliRunner().invoke(main, command).stdout)
    answered = chain.rpc("open_economics", {"modelId": "0x1", "prices": "op-parity"})
    assert answered["conclusion"] == said["conclusion"]
    assert answered["facts"] == said["facts"]
    page = visit(chain, "economics?prices=op-parity")
    expect(page.locator(".conclusion")).to_have_text(said["conclusion"])


def test_an_empty_chain_says_what_to_do_on_every_page(fresh, visit):
    page = visit(fresh)
    for route, words in (
        ("earnings", "Nothing yet."),
        ("usage", "No model is registered yet."),
        ("economics", "No model is registered yet."),
        ("batches", "No batch yet"),
        ("studio", "There is no model yet"),
        ("control", "Nothing was done yet."),
    ):
        page.goto(f"{fresh.url}#/{route}")
        expect(page.get_by_text(words).first).to_be_visible()
