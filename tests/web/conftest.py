"""Chromium through Playwright, one for this folder's tests, with one page per test. Skipped, loudly, without it.

The pages keep nothing in the browser, so all of them share a context, and tests that follow one another share a tab. A
tab that has run the script takes a third of the processor time of a new one, which is a new process. A test that looks
at the first load opens a context of its own in `browser`.
"""

import os
import shutil
from contextlib import ExitStack

import pytest

from tests.web.page_chain import PageChain

VIEWPORT = {"width": 1280, "height": 900}
PATIENCE = 60_000  # milliseconds; a busy machine shows a page late, and a page that never comes fails all the same


def _program():
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


class SharedChromium:
    """Chromium, started by the first test that needs it; CHROMIUM names the program where it is not on the path.

    Playwright keeps an event loop running in this thread as long as it is started. A test of another folder that calls
    asyncio.run would fail meanwhile, so Chromium ends with the last test of this folder.
    """

    def __init__(self):
        self._running = ExitStack()
        self._browser = self._context = None
        self._idle = []

    @property
    def browser(self):
        """The browser itself."""
        self._start()
        return self._browser

    def tab(self):
        """A tab that nobody uses, without a page."""
        self._start()
        return self._idle.pop() if self._idle else self._context.new_page()

    def free(self, tab):
        """Empties a tab for the next test."""
        tab.unroute_all()
        tab.goto("about:blank")
        tab.mouse.move(0, 0)
        tab.set_viewport_size(VIEWPORT)
        tab.emulate_media(color_scheme="null", reduced_motion="null")
        self._context.set_offline(False)
        self._idle.append(tab)

    def close(self):
        """Ends it."""
        self._browser = self._context = None
        self._idle.clear()
        self._running.close()

    def _start(self):
        if self._browser is not None:
            return
        playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")
        program = _program()
        if program is None:
            pytest.skip("no Chromium: apt-get install chromium, or CHROMIUM=…")
        playwright.expect.set_options(timeout=PATIENCE)
        started = self._running.enter_context(playwright.sync_playwright())
        self._browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        self._running.callback(self._browser.close)
        self._context = self._browser.new_context(viewport=VIEWPORT)


CHROMIUM = SharedChromium()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """Ends Chromium after the last test of this folder."""
    if nextitem is None or nextitem.path.parent != item.path.parent:
        CHROMIUM.close()


@pytest.fixture
def browser():
    """Chromium, for contexts of a test's own."""
    return CHROMIUM.browser


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


@pytest.fixture
def visit():
    """Opens a page of a chain: `visit(chain, "l2/block/1")`. At the end no error, no dialog, nothing foreign.

    viewport, color_scheme and reduced_motion are as Playwright has them. script: runs in the tab before any page's own.
    routes: handlers of requests, by the pattern of their URLs. is_kept: whether the next test may have the tab. It may
    not where this one adds a listener of its own.
    """
    visitors = []

    def open_page(chain, route="", **options):
        visitor = Visitor(CHROMIUM.tab(), chain, **options)
        visitors.append(visitor)
        visitor.page.goto(f"{chain.url}#/{route}")
        return visitor.page

    yield open_page
    for visitor in visitors:
        visitor.close()


class Visitor:
    """A page that must stay on its own origin, without errors and dialogs."""

    def __init__(
        self,
        page,
        chain,
        allowed_errors=(),
        has_news=True,
        routes=None,
        script=None,
        is_kept=True,
        viewport=None,
        **media,
    ):
        self.allowed = allowed_errors
        self._is_kept = is_kept and has_news and script is None  # nothing takes a script or a closed socket away
        self.problems = []
        self._origin = chain.url
        self.page = page
        self.page.set_default_timeout(PATIENCE)
        if viewport is not None:
            self.page.set_viewport_size(viewport)
        if media:
            self.page.emulate_media(**media)
        for pattern, handler in (routes or {}).items():
            self.page.route(pattern, handler)
        if script is not None:
            self.page.add_init_script(script)
        if not has_news:
            self.page.route_web_socket("**", lambda socket: None)  # it opens, and nothing comes
        self._listeners = {
            "request": self._on_request,
            "pageerror": lambda error: self.problems.append(f"page error: {error}"),
            "console": self._on_console,
            "dialog": self._on_dialog,
        }
        for name, listener in self._listeners.items():
            self.page.on(name, listener)

    def _on_request(self, request):
        if not request.url.startswith((self._origin, "data:")):
            self.problems.append(f"left the origin: {request.url}")

    def _on_dialog(self, dialog):
        self.problems.append(f"dialog: {dialog.message}")  # no page has one: a text became a script
        dialog.dismiss()

    def _on_console(self, message):
        if message.type == "error" and not any(words in message.text for words in self.allowed):
            self.problems.append(f"console: {message.text}")

    def close(self):
        for name, listener in self._listeners.items():
            self.page.remove_listener(name, listener)
        if self._is_kept and not self.problems:
            CHROMIUM.free(self.page)
        else:
            self.page.close()
        assert self.problems == []
