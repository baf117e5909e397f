"""Answers of the port with the pages, and the clients that get them: header by header, without a browser."""

import json
import re
from html import unescape

import pytest
import requests

from tests.web.page_chain import PageChain

HTML = {"Accept": "text/html"}
HOSTILE = "https://evil.example"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "x" * 22 + "==",
}
CALL = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}


@pytest.fixture(scope="module")
def quiet():
    found = PageChain().start()
    yield found
    found.stop()


def post(chain, path="", **headers):
    return requests.post(chain.url + path, json=CALL, headers=headers, timeout=10)


def test_a_browser_gets_the_page_and_a_program_the_name_of_the_port(quiet):
    page = requests.get(quiet.url, headers=HTML, timeout=10)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<div id="app">' in page.text
    assert "send JSON-RPC here" in requests.get(quiet.url, timeout=10).text
    assert post(quiet).json()["result"] == "0x385"


def test_the_page_has_the_heads_of_its_moment_and_is_another_when_they_moved(quiet):
    tags = []
    for _ in range(2):
        page = requests.get(quiet.url, headers=HTML, timeout=10)
        sent = json.loads(unescape(re.search(r'<meta name="heads" content="([^"]*)">', page.text)[1]))
        status = quiet.rpc("openrollup_status", path="rpc/node")
        assert sent == {name: status[name] for name in ("chains", "isActive", "isVerifierEqual")}
        tags.append(page.headers["ETag"])
        quiet.step()
    assert tags[0] != tags[1]


def test_the_page_is_revalidated_and_its_hashed_files_are_cached_for_good(quiet):
    page = requests.get(quiet.url, headers=HTML, timeout=10)
    assert page.headers["Cache-Control"] == "no-cache"
    again = requests.get(quiet.url, headers=HTML | {"If-None-Match": page.headers["ETag"]}, timeout=10)
    assert (again.status_code, again.content) == (304, b"")
    path = page.text.partition('src="/')[2].partition('"')[0]
    module = requests.get(quiet.url + path, timeout=10)
    assert module.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert "immutable" in module.headers["Cache-Control"]


def test_every_page_says_where_it_may_load_from_and_is_in_no_frame(quiet):
    page = requests.get(quiet.url, headers=HTML, timeout=10)
    path = page.text.partition('src="/')[2].partition('"')[0]
    for found in (page, requests.get(quiet.url + path, timeout=10)):
        policy = found.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert found.headers["X-Content-Type-Options"] == "nosniff"
        assert found.headers["Referrer-Policy"] == "no-referrer"


def test_a_host_header_cannot_write_into_the_policy(quiet):
    host = quiet.url.removeprefix("http://").rstrip("/")
    good = requests.get(quiet.url, headers=HTML, timeout=10)
    assert f"ws://{host}" in good.headers["Content-Security-Policy"]
    bad = requests.get(quiet.url, headers=HTML | {"Host": "evil.example; script-src *"}, timeout=10)
    assert bad.status_code == 403


@pytest.mark.parametrize("path", ["", "rpc/l1", "rpc/node", "rpc/verifier"])
def test_another_site_is_refused_on_every_endpoint(quiet, path):
    assert post(quiet, path).status_code == 200
    assert post(quiet, path, Origin=HOSTILE).status_code == 403
    assert post(quiet, path, Host="evil.example").status_code == 403
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "x" * 22 + "==",
    }
    refused = requests.get(quiet.url + path, headers=upgrade | {"Origin": HOSTILE}, timeout=10)
    assert refused.status_code == 403


@pytest.mark.parametrize("path", ["rpc/l1", "rpc/node", "rpc/verifier"])
def test_the_other_ports_are_reached_by_the_port_s_own_pages_alone(quiet, path):
    """A page of another local port may use the L2, but not the switches of the sequencer."""
    own = quiet.url.rstrip("/")
    assert post(quiet, path, Origin=own).status_code == 200
    assert post(quiet, path, Origin="http://localhost:3000").status_code == 403
    assert post(quiet, "", Origin="http://localhost:3000").status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_page_cannot_send_json_rpc_as_a_form(quiet, kind):
    """These are the types that a browser sends to another site without asking first."""
    own = quiet.url.rstrip("/")
    body = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'
    from_page = requests.post(quiet.url, data=body, headers={"Content-Type": kind, "Origin": own}, timeout=10)
    assert from_page.status_code == 415
    program = requests.post(quiet.url, data=body, headers={"Content-Type": kind}, timeout=10)
    assert program.json()["result"] == "0x385"


def test_each_mounted_endpoint_is_the_port_that_it_is_named_after(quiet):
    assert quiet.rpc("eth_chainId", path="rpc/l1") == "0x384"
    assert quiet.rpc("eth_chainId", path="rpc/verifier") == "0x385"
    assert "head_l1" in quiet.rpc("optimism_syncStatus", path="rpc/node")
    assert quiet.rpc("eth_accounts", path="rpc/verifier") == []
