"""Which web pages may use a port: those served from this machine, unless the user names others.

A page of any site can reach a local port from its visitor's browser, and these ports hold development keys and admin
methods. The browser says where a page comes from (Origin, RFC 6454; WebSocket, RFC 6455 section 10.2); programs that
are not browsers send nothing and are let in. Wallets that are browser extensions are programs of the user's choice.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

_EXTENSIONS = ("chrome-extension", "moz-extension", "safari-web-extension")


class Origins:
    """The rule of one port. more: origins allowed besides, as scheme://host[:port]; "*" is every origin."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        self._more = frozenset(origin.rstrip("/").lower() for origin in more)

    def allows(self, origin: str | None) -> bool:
        """Whether a request with this origin may pass. None means that the client is not a browser."""
        if origin is None or "*" in self._more or origin.lower() in self._more:
            return True
        try:
            parts = urlsplit(origin)
            host = parts.hostname or ""
        except ValueError:
            return False
        if origin != f"{parts.scheme}://{parts.netloc}" or "@" in parts.netloc:
            return False  # a browser sends scheme, host and port alone (RFC 6454, section 6.2)
        if parts.scheme in _EXTENSIONS:
            return True
        return parts.scheme in ("http", "https") and _is_local(host)

    def headers(self, origin: str | None) -> dict[str, str]:
        """The CORS headers of an answer to an origin that is allowed."""
        if origin is None:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Headers": "content-type, authorization",
            "Access-Control-Allow-Methods": "POST, GET, OPTIONS",
            "Vary": "Origin",
        }


def single_origin(headers: Sequence[str]) -> str | None:
    """The origin that a request names. Several Origin headers are joined to one text, which no rule allows."""
    return ", ".join(headers) if headers else None


def is_same_origin(origin: str | None, host: str | None) -> bool:
    """Whether a request comes from a page of the port it goes to, or from no page at all."""
    if origin is None:
        return True
    try:
        return host is not None and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


def is_local_name(name: str) -> bool:
    """Whether a host name is this machine's (RFC 6761 section 6.3)."""
    return name == "localhost" or name.endswith(".localhost")


def is_loopback(address: str | None) -> bool:
    """Whether the other end of a connection is on this machine. None means that it is not a network connection."""
    if address is None:
        return True
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def _is_local(host: str) -> bool:
    if is_local_name(host):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
