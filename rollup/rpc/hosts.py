"""Which names a port may be addressed by (geth --http.vhosts).

A page of another site can point its own name at this machine (DNS rebinding), and is then not stopped by the rule of
origins alone. A browser sends that name as Host. An IP address cannot be pointed elsewhere.
"""

import ipaddress
from collections.abc import Iterable

from rollup.rpc.origins import is_local_name


class Hosts:
    """The rule of one port. more: names allowed besides localhost and IP addresses; "*" is every name."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        self._more = frozenset(name.lower() for name in more)

    @property
    def names(self) -> list[str]:
        """The names that are allowed besides."""
        return sorted(self._more)

    def allow(self, name: str) -> "Hosts":
        """This rule with one more name."""
        return Hosts((*self._more, name))

    def allows(self, host: str | None) -> bool:
        """Whether a request with this Host header may pass. One without it comes from no browser."""
        if not host or "*" in self._more:
            return True
        name = _without_port(host).lower()
        return name in self._more or is_local_name(name) or _is_address(name)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
