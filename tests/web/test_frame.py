"""The frame that the shell has as HTML: it is the one that the script draws, and it is there without the script."""

import json
import re
from html import escape

from playwright.sync_api import expect

from rollup.web.frame import frame
from tests.web.held_heads import until

HOUR, DAY = 3_600, 86_400

# The elements, attributes and texts of the frame; the page marks its own link, which the server does not know.
AS_WRITTEN = """(root) => {
  const copy = root.cloneNode(true);
  copy.normalize();
  const written = (node) => {
    if (node.nodeType !== Node.ELEMENT_NODE) return node.data;
    const given = [...node.attributes].filter(({name}) => name !== 'aria-current');
    const names = given.map(({name, value}) => [name, value]).sort();
    return [node.localName, names, node.id === 'main' ? [] : [...node.childNodes].map(written)];
  };
  return [...copy.childNodes].map(written);
}"""


def head(number, timestamp, digit="a"):
    return {"number": number, "hash": "0x" + digit * 64, "timestamp": timestamp}


def heads(unsafe, safe, lag, digit="a"):
    return {
        "unsafe": head(unsafe, 10 * DAY),
        "safe": head(safe, 10 * DAY - lag, digit),
        "finalized": head(safe // 2, 9 * DAY),
    }


def status(unsafe=7, safe=5, lag=4, theirs=5, digit="a", is_active=True):
    return {
        "chains": {
            "l1": heads(1_204, 3, 12),
            "l2": heads(unsafe, safe, lag),
            "verifier": heads(theirs, theirs, 0, digit),
        },
        "isActive": {} if is_active is None else {"sequencer": is_active},
        "isVerifierEqual": True,
    }


STATES = {
    "safe heads equal": status(),
    "no block": status(0, 0, 0, 0),
    "long numbers": status(7_654_321, 7_123_456, 45, 7_123_456),
    "sequencer off": status(is_active=False),
    "no word of the sequencer": status(is_active=None),
    "verifier behind": status(theirs=4, digit="b"),
    "another block at the same height": status(digit="b"),
    **{f"safe {lag} s behind": status(lag=lag) for lag in (89, 90, 150, 5_399, 5_400, 2 * DAY - 1, 60 * HOUR)},
}


def test_the_script_draws_the_frame_that_the_shell_has(chain, browser):
    shown = {}

    def without_frame(route):
        if route.request.method != "GET":
            return  # no question is answered: the script has the heads of the shell alone
        answer = route.fetch()
        text, count = re.subn(r'<div id="app">.*?</div>\n(?=<script)', '<div id="app"></div>\n', answer.text())
        text, more = re.subn(r'(name="heads" content=")[^"]*', lambda m: m[1] + escape(json.dumps(shown)), text)
        assert (count, more) == (1, 1)
        route.fulfill(response=answer, body=text)

    page = browser.new_page()
    page.route_web_socket("**", lambda socket: None)
    page.route("**/rpc/*", lambda route: None)
    page.route(chain.url, without_frame)
    drawn, sent = {}, {}
    for name, state in STATES.items():
        shown = state
        page.goto(chain.url)
        page.locator(".strip .figure").first.wait_for()
        drawn[name] = page.evaluate(f"({AS_WRITTEN})(document.getElementById('app'))")
        in_template = "Object.assign(document.createElement('template'), {innerHTML: text}).content"
        sent[name] = page.evaluate(f"(text) => ({AS_WRITTEN})({in_template})", frame(state))
    page.close()
    assert drawn == sent
    assert len({json.dumps(written) for written in sent.values()}) > len(STATES) // 2


def test_a_node_without_a_verifier_has_no_verdict():
    state = status()
    assert "verdict" in frame(state)
    assert "verdict" not in frame({**state, "isVerifierEqual": None})


def test_the_heads_are_there_without_the_script(chain, browser):
    page = browser.new_page(java_script_enabled=False)
    page.goto(chain.url)
    expect(page.locator(".strip")).to_contain_text(f"unsafe #{chain.node.l2.chain.head.number}")
    expect(page.get_by_role("navigation", name="Pages").get_by_role("link")).to_have_count(6)
    page.close()


def test_what_is_typed_before_the_script_is_there_stays(chain, browser):
    page, waiting = browser.new_page(), []
    page.route("**/bundle.js", lambda route: waiting.append(route))
    page.goto(chain.url, wait_until="commit")
    field = page.get_by_role("searchbox")
    field.fill("model 1")
    until(page, lambda: waiting)
    waiting[0].continue_()
    expect(page.get_by_role("heading", name="Explorer")).to_be_visible()
    expect(field).to_have_value("model 1")
    field.press("Enter")
    expect(page).to_have_url(re.compile("#/usage/1$"))
    page.close()
