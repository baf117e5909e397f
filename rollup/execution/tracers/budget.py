"""How much a trace may hold."""


class TraceTooLarge(Exception):
    """A trace that would take more memory than it may."""

    def __init__(self, most: int) -> None:
        super().__init__(f"trace too large: more than {most} bytes")


class Budget:
    """Bytes that the tracers of one request may hold together, about."""

    def __init__(self, most: int) -> None:
        self._left = self._most = most

    def take(self, size: int) -> None:
        """Counts data that a trace keeps; raises TraceTooLarge."""
        self._left -= size
        if self._left < 0:
            raise TraceTooLarge(self._most)
