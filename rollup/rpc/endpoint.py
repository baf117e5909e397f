"""The interface of every port of a node."""

from typing import Protocol

from rollup.rpc.hosts import Hosts
from rollup.rpc.origins import Origins


class Endpoint(Protocol):
    """One listening port. rollup/serve.py lists the endpoints of a node."""

    @property
    def name(self) -> str:
        """Its name on the first screen and in error messages."""

    def allow(self, hosts: Hosts, origins: Origins) -> None:
        """Sets which names it may be addressed by and which web pages may use it; before the start."""

    async def start(self, host: str, port: int) -> int:
        """Listens; port 0 takes a free one. Returns the port; raises RpcCannotListen."""

    async def stop(self) -> None:
        """Closes the port and every connection."""
