"""Chromium through Playwright, one per test file, with a page of its own per test. Skipped, loudly, without it.

The pages keep nothing in the browser, so those of a file share a context. Chromium then has their files and compiled
code already. A test that needs another kind of context has one of its own.
"""

import os
import shutil

import pytest

from tests.web.page_chain import PageChain

VIEWPORT = {"width": 1280, "height": 900}
PATIENCE = 60_000  # milliseconds; a busy machine shows a page late, and a page that never comes fails all the same


def _program():
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser():
    """Chromium; CHROMIUM names the program where it is not on the path.

    Playwright keeps an event loop running in this thread as long as it is started. A test of another file that calls
    asyncio.run would fail meanwhile, so Chromium ends with each file.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")
    program = _program()
    if program is None:
        pytest.skip("no Chromium: apt-get install chromium, or CHROMIUM=…")
    playwright.expect.set_options(timeout=PATIENCE)
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def chain():
    """A node with the medical DataNet, a model and some inferences, all of it safe but the newest blocks."""
    from tests.web.story import play

    found = PageChain(archive=True).start()
    try:
        play(found)
        yield found
    finally:
        found.stop()


@pytest.fixture
def fresh():
    """A node at genesis."""
    found = PageChain().start()
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def shared_context(browser):
    """The context of the pages that need none of their own."""
    found = browser.new_context(viewport=VIEWPORT)
    yield found
    found.close()


@pytest.fixture
def visit(browser, shared_context):
    """Opens a page of a chain: `visit(chain, "l2/block/1")`. At the end no error, no violation, nothing foreign."""
    visitors = []

    def open_page(chain, route="", **context):
        visitor = Visitor(browser, shared_context, chain, context)
        visitors.append(visitor)
        visitor.page.goto(f"{chain.url}#/{route}")
        return visitor.page

    yield open_page
    for visitor in visitors:
        visitor.close()


class Visitor:
    """A page that must stay on its own origin and without errors."""

    def __init__(self, browser, shared, chain, context):
        self.allowed = context.pop("allowed_errors", ())
        has_news = context.pop("has_news", True)
        self._own = browser.new_context(**{"viewport": VIEWPORT, **context}) if context else None
        self.problems = []
        self._origin = chain.url
        self.page = (self._own or shared).new_page()
        self.page.set_default_timeout(PATIENCE)
        if not has_news:
            self.page.route_web_socket("**", lambda socket: None)  # it opens, and nothing comes
        self.page.on("request", self._on_request)
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        self.page.on("console", self._on_console)

    def _on_request(self, request):
        if not request.url.startswith((self._origin, "data:")):
            self.problems.append(f"left the origin: {request.url}")

    def _on_console(self, message):
        if message.type == "error" and not any(words in message.text for words in self.allowed):
            self.problems.append(f"console: {message.text}")

    def close(self):
        self.page.close()
        if self._own:
            self._own.close()
        assert self.problems == []
