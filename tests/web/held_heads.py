"""A page whose questions for the heads wait: what happens on the chain meanwhile, it cannot see."""


class HeldHeads:
    """Holds every question for the heads from now on, until `release`."""

    def __init__(self, page):
        self._waiting = []
        self._is_holding = True
        page.route("**/rpc/node", self._hold)

    def _hold(self, route):
        if self._is_holding and "openrollup_status" in (route.request.post_data or ""):
            self._waiting.append(route)
        else:
            route.continue_()

    def release(self):
        """Lets the questions through, those that wait first."""
        self._is_holding = False
        for route in self._waiting:
            route.continue_()
