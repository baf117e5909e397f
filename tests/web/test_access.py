"""The pages for everybody: axe without serious faults, narrow screens, the keyboard alone, less motion."""

import pytest
from playwright.sync_api import expect

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: pip install axe-playwright-python")

ROUTES = ("", "l2/block/1", "batches", "studio", "earnings", "usage", "usage/1", "datanet/1", "economics", "control")
QUICK = ("", "studio")
STATES = [
    pytest.param("light", 1280, QUICK, id="quick"),
    *(
        pytest.param(scheme, width, ROUTES, id=f"{scheme}-{width}", marks=pytest.mark.slow)
        for scheme in ("light", "dark")
        for width in (1280, 320)
    ),
]


def settled(page):
    """The page has its data: no line that only holds a place is left."""
    page.get_by_role("heading", level=1).wait_for()
    expect(page.locator(".skeleton")).to_have_count(0, timeout=15_000)


def with_an_answer(chain, routes):
    made = next(item for item in chain.rpc("open_listInferences", {}, None, 10)["inferences"] if item["influence"])
    return [*routes, f"l2/tx/{made['transactionHash']}", f"answer/{made['transactionHash']}"]


@pytest.mark.parametrize(("scheme", "width", "routes"), STATES)
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_the_screen(chain, visit, scheme, width, routes):
    page = visit(chain, "", color_scheme=scheme, viewport={"width": width, "height": 800})
    found = []
    for route in with_an_answer(chain, routes):
        page.goto(f"{chain.url}#/{route}")
        settled(page)
        for item in axe.Axe().run(page).response["violations"]:
            if item["impact"] in ("serious", "critical"):
                found += [(route, item["id"], node["target"], node["failureSummary"]) for node in item["nodes"]]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append((route, "wider than the screen"))
    assert found == []


# Ordinary words of table cells that stand on more than one line: hashes and addresses are longer, or have digits.
BROKEN_WORDS = """() => {
  const found = [];
  for (const cell of document.querySelectorAll('td, th')) {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      for (const match of texts.currentNode.data.matchAll(/(?<![\\w.-])[A-Za-z]{2,14}(?![\\w.-])/g)) {
        const range = document.createRange();
        range.setStart(texts.currentNode, match.index);
        range.setEnd(texts.currentNode, match.index + match[0].length);
        if (new Set([...range.getClientRects()].map((rect) => rect.top)).size > 1) found.push(match[0]);
      }
    }
  }
  return found;
}"""


def test_no_word_of_a_table_is_broken_on_a_narrow_screen(chain, visit):
    page = visit(chain, "", viewport={"width": 320, "height": 800})
    found = {}
    for route in with_an_answer(chain, ROUTES):
        page.goto(f"{chain.url}#/{route}")
        settled(page)
        found[route] = page.evaluate(BROKEN_WORDS)
    assert {route: words for route, words in found.items() if words} == {}
    # A rule that breaks words anywhere is seen by this measure.
    for rule in (
        "td, td * { white-space: normal !important; word-break: break-all !important }",
        "table { table-layout: fixed !important; width: 90px !important; min-width: 0 !important }",
    ):
        page.evaluate("(rule) => document.styleSheets[0].insertRule(rule)", rule)
    assert page.evaluate(BROKEN_WORDS) != []


def test_the_keyboard_alone_reaches_the_content_a_span_and_its_text(chain, visit):
    made = next(item for item in chain.rpc("open_listInferences", {}, None, 10)["inferences"] if item["influence"])
    page = visit(chain, f"answer/{made['transactionHash']}")
    page.locator(".answer mark").first.wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_text("To the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "MARK":
            break
    assert page.evaluate("document.activeElement.tagName") == "MARK"
    page.keyboard.press("Enter")
    expect(page.locator(".span.is-picked")).to_have_count(1)
    expect(page.get_by_text("in text")).to_be_visible()


def test_nothing_moves_where_less_motion_is_wanted(chain, visit):
    page = visit(chain, "", reduced_motion="reduce")
    page.get_by_role("heading", level=1).wait_for()
    is_moving = "(item) => getComputedStyle(item).animationName !== 'none'"
    assert page.evaluate(f"[...document.querySelectorAll('*')].filter({is_moving}).length") == 0


def test_at_twice_the_size_nothing_is_cut(chain, visit):
    page = visit(chain, "usage/1", viewport={"width": 640, "height": 450})
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
