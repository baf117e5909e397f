"""Who may ask a port: host names that requests may have, and pages of other sites."""

import json

import aiohttp
import pytest
from multidict import CIMultiDict

from rollup.rpc.errors import RpcCannotListen
from rollup.rpc.hosts import Hosts
from rollup.rpc.origins import Origins
from rollup.rpc.server import RpcServer
from tests.rpc.door_methods import METHODS, request


async def test_an_invalid_host_is_named():
    server = RpcServer("test", METHODS)
    with pytest.raises(RpcCannotListen, match=r"test cannot listen on port 0 of 300\.1\.2\.3: "):
        await server.start("300.1.2.3", 0)


# ---------------------------------------------------------------- hosts
@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:1", "a.localhost", "127.0.0.1", "127.0.0.1:9545", "[::1]", "[::1]:80", "10.1.2.3:5", ""],
)
async def test_a_request_to_this_machine_is_answered(door, host):
    assert (await door.raw(json.dumps(request("eth_echo")), Host=host))[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.com", "evil.com:9545", "localhost.evil.com", "xlocalhost", "[evil]", "1.2.3", ":"]
)
async def test_a_request_to_another_name_is_refused(door, host):
    for given in ({"method": "POST"}, {"method": "GET"}, {"method": "OPTIONS"}):
        async with door.session.request(url=door.url, headers={"Host": host}, **given) as response:
            assert (response.status, await response.text()) == (403, "invalid host specified\n")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await door.session.ws_connect(door.url, headers={"Host": host})
    assert refused.value.status == 403


def test_hosts_that_the_user_names():
    hosts = Hosts(["Node.Example"]).allow("bound.example")
    assert hosts.allows("node.example:8545")
    assert hosts.allows("bound.example")
    assert not hosts.allows("other.example")
    assert Hosts(["*"]).allows("other.example")


# ---------------------------------------------------------------- origins
LOCAL = [
    "http://localhost",
    "http://localhost:3000",
    "https://localhost:1",
    "http://app.localhost:5173",
    "http://127.0.0.1:8080",
    "http://127.1.2.3",
    "http://[::1]:9000",
    "chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn",
    "moz-extension://2f3a",
]
FOREIGN = [
    "https://example.com",
    "http://evil.test:9545",
    "http://localhost.evil.test",
    "http://127.0.0.1.evil.test",
    "http://evil.test#localhost",
    "http://localhost@evil.test",
    "null",
    "",
    "file://",
    "http://10.0.0.1",
    "http://[::2]",
    "http://[",
    "http://evil.test\\@127.0.0.1",
    "http://user@127.0.0.1",
    "http://127.0.0.1/path",
    "http://127.0.0.1?query",
    "http://127.0.0.1, http://evil.test",
]


@pytest.mark.parametrize("origin", LOCAL)
async def test_a_page_of_this_machine_may_call(door, origin):
    status, text, headers = await door.exchange(json.dumps(request("eth_echo")), Origin=origin)
    assert (status, json.loads(text)["result"]) == (200, [])
    assert headers["Access-Control-Allow-Origin"] == origin
    async with door.session.options(door.url, headers={"Origin": origin}) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert "content-type" in response.headers["Access-Control-Allow-Headers"]
    async with door.session.ws_connect(door.url, origin=origin) as socket:
        await socket.send_json(request("eth_echo", 1))
        assert (await socket.receive_json())["result"] == [1]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_page_of_another_site_may_not(door, origin):
    for kind in ("application/json", "text/plain"):
        status, text, headers = await door.exchange(
            json.dumps(request("eth_echo")), Origin=origin, **{"content-type": kind}
        )
        assert status == 403
        assert "not allowed" in text
        assert "Access-Control-Allow-Origin" not in headers
    async with door.session.options(door.url, headers={"Origin": origin}) as response:
        assert response.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await door.session.ws_connect(door.url, headers={"Origin": origin})
    assert refused.value.status == 403


@pytest.mark.parametrize("pair", [("http://127.0.0.1", "http://evil.test"), ("http://localhost", "http://localhost")])
async def test_a_request_with_two_origins_is_refused(door, pair):
    headers = CIMultiDict([("Origin", origin) for origin in pair])
    async with door.session.post(door.url, json=request("eth_echo"), headers=headers) as response:
        assert response.status == 403


async def test_a_program_that_is_no_browser_gets_no_cors_headers(door):
    _, _, headers = await door.exchange(json.dumps(request("eth_echo")))
    assert "Access-Control-Allow-Origin" not in headers


def test_origins_that_the_user_names():
    named = Origins(["https://App.example/"])
    assert named.allows("https://app.example")
    assert named.allows("http://localhost:1")
    assert not named.allows("https://app.example.evil")
    assert Origins(["*"]).allows("https://any.example")
