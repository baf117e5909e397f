"""The data that a port's clients have sent by WebSocket and that is not answered yet.

HTTP bodies have their own bounds (rollup/rpc/body.py). A WebSocket's message is held by aiohttp until its last fragment
has come, and there is no time in which that must be.
"""

from collections.abc import Callable

from rollup.rpc.limits import MAX_PORT_HALF_SENT

_HEADER = 6  # bytes of the shortest header of a client's frame: two, and the mask (RFC 6455, 5.2)


class Incoming:
    """The bytes that one WebSocket has sent, less those of the messages that were answered."""

    def __init__(self, port: "PortIncoming", abort: Callable[[], None]) -> None:
        self._port = port
        self.abort = abort
        self.size = 0
        self._last_chunk = self._in_work = 0
        self._is_waiting = False

    def add(self, size: int) -> None:
        """Counts bytes that came."""
        if size and self in self._port.open:
            self._last_chunk = size
            self._is_waiting = False
            self._port.change(self, size)

    def answered(self) -> None:
        """The last message is answered, and the next one is waited for."""
        self._port.change(self, -self._in_work)
        self._in_work = 0
        self._is_waiting = True

    def control(self, payload: int) -> None:
        """A control frame was taken. It may have come in the middle of a message."""
        self._port.change(self, -min(self.size, payload + _HEADER))

    def message(self, payload: int) -> None:
        """A whole message was taken.

        If it was waited for, it ended in the last chunk: what lies before that chunk were its own headers.
        """
        rest = max(0, self.size - payload - _HEADER)
        if not self._is_waiting:
            rest = min(rest, self._last_chunk)
        self._in_work = payload
        self._port.change(self, rest + payload - self.size)


class PortIncoming:
    """All WebSockets of a port. Above MAX_PORT_HALF_SENT the one that holds the most is cut."""

    def __init__(self) -> None:
        self.open: set[Incoming] = set()
        self.size = 0

    def begin(self, abort: Callable[[], None]) -> Incoming:
        """Counts for a new WebSocket. abort: ends it at once."""
        incoming = Incoming(self, abort)
        self.open.add(incoming)
        return incoming

    def end(self, incoming: Incoming) -> None:
        """Forgets a WebSocket."""
        if incoming in self.open:
            self.open.discard(incoming)
            self.size -= incoming.size

    def change(self, incoming: Incoming, size: int) -> None:
        """Counts bytes that came, or fewer that are held."""
        incoming.size += size
        if incoming in self.open:
            self.size += size
        while self.size > MAX_PORT_HALF_SENT:
            most = max(self.open, key=lambda other: other.size)
            self.end(most)
            most.abort()
