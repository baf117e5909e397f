"""The beacon API paths that rollup programs read blobs by (official clients ask these and no others)."""

from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from rollup.cooperative import Turns
from rollup.l1.beacon import BeaconApi, BeaconBadRequest, BeaconNotFound
from rollup.rpc.body import skip_body
from rollup.rpc.busy import BusyConnections
from rollup.rpc.hosts import Hosts
from rollup.rpc.http_connection import note_use, send
from rollup.rpc.limits import STOP_SECONDS
from rollup.rpc.listener import Listener
from rollup.rpc.origins import Origins


class BeaconServer:
    """The beacon API on a port of its own; an Endpoint."""

    name = "beacon API"

    def __init__(self, api: BeaconApi, turns: Turns | None = None) -> None:
        """turns: those of the node, in which it answers; a KZG proof takes long."""
        self._api = api
        self._turns = turns
        self._hosts = Hosts()
        self._busy = BusyConnections()
        self._listener: Listener | None = None

    def allow(self, hosts: Hosts, origins: Origins) -> None:
        """Sets the names it may be addressed by, before the start. No web page reads it: it sends no CORS headers."""
        del origins
        self._hosts = hosts

    async def start(self, host: str, port: int) -> int:
        """Listens; port 0 takes a free one. Returns the port; raises RpcCannotListen."""
        self._busy = BusyConnections()
        app = beacon_app(self._api, self._hosts.allow(host), self._turns, self._busy)
        runner = web.AppRunner(app, shutdown_timeout=STOP_SECONDS)
        # Nothing here reads a body, so none is unpacked.
        self._listener = Listener(runner, self.name, self._busy.__contains__, unpacks_bodies=False)
        return await self._listener.start(host, port)

    async def stop(self) -> None:
        """Closes the port and every connection. Requests in work have a short time to be answered."""
        if self._listener is not None:
            self._listener.close()
            await self._busy.stop(STOP_SECONDS)
            await self._listener.stop()
            self._listener = None


def beacon_app(
    api: BeaconApi, hosts: Hosts = Hosts(), turns: Turns | None = None, busy: BusyConnections | None = None
) -> web.Application:
    """An application that answers as a beacon node, to requests that name one of these hosts.

    busy: where it notes the connections that have a request in work.
    """
    noted = busy if busy is not None else BusyConnections()

    @web.middleware
    async def check_host(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not hosts.allows(request.headers.get("Host")):
            return web.Response(status=403, text="invalid host specified\n")
        noted.begin(request.protocol)
        try:
            response = await handler(request)
            await send(request, response)
            noted.rest(request.protocol, is_kept=False)
            await skip_body(request)
            return response
        finally:
            noted.end(request.protocol)
            note_use(request.protocol)

    app = web.Application(middlewares=[check_host])
    routes: list[tuple[str, Callable[[web.Request], Any]]] = [
        ("/eth/v1/node/version", lambda request: api.version()),
        ("/eth/v1/beacon/genesis", lambda request: api.genesis()),
        ("/eth/v1/config/spec", lambda request: api.spec()),
        (
            "/eth/v1/beacon/blobs/{slot}",
            lambda request: api.blobs(request.match_info["slot"], request.query.getall("versioned_hashes", [])),
        ),
        (
            "/eth/v1/beacon/blob_sidecars/{slot}",
            lambda request: api.blob_sidecars(request.match_info["slot"], request.query.getall("indices", [])),
        ),
        ("/eth/v1/beacon/headers", lambda request: api.headers()),
        ("/eth/v1/beacon/headers/{block}", lambda request: api.header(request.match_info["block"])),
    ]
    for path, answer in routes:
        app.router.add_get(path, _handler(answer, turns or Turns()))
    return app


def _handler(answer: Callable[[web.Request], Any], turns: Turns) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.Response:
        try:
            return web.json_response(await turns.call(lambda: answer(request)))
        except BeaconNotFound as error:
            return web.json_response({"code": 404, "message": str(error)}, status=404)
        except BeaconBadRequest as error:
            return web.json_response({"code": 400, "message": str(error)}, status=400)

    return handle
