"""A JSON-RPC client of the tests: real sockets, and errors as values."""

import json
from contextlib import asynccontextmanager


class Failed(Exception):
    """An answer with an error object."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code, self.message, self.data = error["code"], error["message"], error.get("data")


class Caller:
    """Calls one endpoint."""

    def __init__(self, session, url, headers=None):
        self.session, self.url, self.headers = session, url, headers or {}

    async def __call__(self, method, *params):
        """The result; raises Failed."""
        answer = await self.send({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        assert answer["jsonrpc"] == "2.0"
        assert answer["id"] == 1
        if "error" in answer:
            raise Failed(answer["error"])
        return answer["result"]

    async def failure(self, method, *params):
        """The error of a call that must fail."""
        try:
            result = await self(method, *params)
        except Failed as error:
            return error
        raise AssertionError(f"{method} answered {result!r}")

    async def send(self, request):
        """The answer to any JSON."""
        return json.loads((await self.raw(json.dumps(request)))[1])

    async def raw(self, body, **headers):
        """Status and body of the answer to any bytes."""
        status, text, _ = await self.exchange(body, **headers)
        return status, text

    async def exchange(self, body, **headers):
        """Status, body and headers of the answer."""
        given = {"content-type": "application/json", **self.headers, **headers}
        async with self.session.post(self.url, data=body, headers=given) as response:
            return response.status, await response.text(), response.headers

    @asynccontextmanager
    async def websocket(self):
        """A WebSocket with the same calls."""
        async with self.session.ws_connect(self.url, headers=self.headers) as socket:
            yield Socket(socket)


class Socket:
    """A WebSocket: answers and notifications apart."""

    def __init__(self, socket):
        self.socket = socket
        self.notifications = []

    async def __call__(self, method, *params):
        await self.socket.send_str(json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)}))
        while True:
            message = json.loads((await self.socket.receive(timeout=10)).data)
            if message.get("id") == 7:
                if "error" in message:
                    raise Failed(message["error"])
                return message["result"]
            self.notifications.append(message["params"])

    async def notified(self):
        """The next notification: subscription id and value."""
        if not self.notifications:
            message = json.loads((await self.socket.receive(timeout=10)).data)
            assert message["method"] == "eth_subscription"
            self.notifications.append(message["params"])
        item = self.notifications.pop(0)
        return item["subscription"], item["result"]
