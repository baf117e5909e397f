"""The one form of HTTP request that a front process reads itself; a connection with any other goes back to the node.

It is `POST / HTTP/1.1` (RFC 9112) with a Content-Length, to a host name that the port answers, from no web page. So
chunks, compression, upgrades, other paths and whatever is malformed have one reader, which is the node's.
"""

import re
import time
from dataclasses import dataclass

from rollup.rpc.hosts import Hosts
from rollup.rpc.limits import LARGE_BODY

MAX_HEAD = 8_000  # bytes; aiohttp refuses a line of 8,190
_REQUEST_LINE = b"POST / HTTP/1.1"
_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)[ \t]*")
_LENGTH = re.compile(rb"[0-9]{1,7}")
# Headers that change how a request is read or answered, besides the three that are read here.
_NOT_HERE = frozenset(
    b"authorization content-encoding expect keep-alive origin proxy-connection te trailer".split()
    + b"transfer-encoding upgrade".split()
)


@dataclass(slots=True, frozen=True)
class Head:
    """A request: the size of its body in bytes, and whether the connection ends with the answer."""

    body_size: int
    is_last: bool


def read_head(head: bytes, hosts: Hosts) -> Head | None:
    """Reads what stands before a request's body, without the empty line; None where the node must read it."""
    request_line, *lines = head.split(b"\r\n")
    if request_line != _REQUEST_LINE:
        return None
    found: dict[bytes, bytes] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            return None
        name = match[1].lower()
        if name in found or name in _NOT_HERE or name.startswith((b"sec-", b"access-control-")):
            return None
        found[name] = match[2]
    size, host = found.get(b"content-length", b""), found.get(b"host")
    connection = found.get(b"connection", b"keep-alive").lower()
    if not _LENGTH.fullmatch(size) or connection not in (b"keep-alive", b"close"):
        return None
    if host is None or not hosts.allows(host.decode("ascii")):
        return None
    body_size = int(size)
    return Head(body_size, connection == b"close") if body_size <= LARGE_BODY else None


class Responses:
    """Writes answers as the node writes them."""

    def __init__(self, server: str) -> None:
        """server: what the header of that name says."""
        self._end = f" GMT\r\nServer: {server}\r\n".encode()
        self._second = 0
        self._date = b""

    def of(self, body: bytes, is_last: bool) -> bytes:
        """An answer with JSON text."""
        now = int(time.time())
        if now != self._second:
            self._second, self._date = now, _http_date(now)
        return b"".join(
            (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nDate: " % len(body),
                self._date,
                self._end,
                b"Connection: close\r\n\r\n" if is_last else b"\r\n",
                body,
            )
        )


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _http_date(seconds: int) -> bytes:
    """RFC 9110, section 5.6.7, without the time zone; names do not depend on the locale."""
    year, month, day, hour, minute, second, weekday, *_ = time.gmtime(seconds)
    text = f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year} {hour:02}:{minute:02}:{second:02}"
    return text.encode()
