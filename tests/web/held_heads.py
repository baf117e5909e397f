"""A page whose questions wait: what happens on the chain meanwhile, it cannot see."""

from tests.web.conftest import PATIENCE


class Held:
    """Holds every request whose body has a word, such as a method, from now on until `release`."""

    def __init__(self, page, path, word):
        self._waiting = []
        self._is_holding = True
        self._word = word
        page.route(path, self._hold)

    @property
    def count(self):
        """How many requests wait."""
        return len(self._waiting)

    def _hold(self, route):
        if self._is_holding and self._word in (route.request.post_data or ""):
            self._waiting.append(route)
        else:
            route.continue_()

    def release(self):
        """Lets the questions through, those that wait first."""
        self._is_holding = False
        for route in self._waiting:
            route.continue_()


class HeldHeads(Held):
    """Holds every question for the heads."""

    def __init__(self, page):
        super().__init__(page, "**/rpc/node", "openrollup_status")


def until(page, holds):
    """Waits until `holds()`; the page's events continue meanwhile."""
    for _ in range(PATIENCE // 20):
        if holds():
            return
        page.wait_for_timeout(20)
    raise AssertionError("it did not come to that")
