"""The client of the commands: web3.py's, and it asks for the chain id once."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from web3.types import RPCEndpoint

from rollup.cli.web3_client import web3_client


@pytest.fixture
def node():
    """A node that answers with `results` by method, null for others; `asked` has the methods in order."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.asked.append(request["method"])
            result = server.results.get(request["method"])
            body = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        server.asked, server.results = [], {"eth_chainId": "0x385", "eth_call": "0x01"}
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_chain_id_is_asked_once_whatever_is_called(node):
    web3 = web3_client(node.url)
    assert [web3.eth.chain_id for _ in range(3)] == [901] * 3
    for _ in range(2):
        assert web3.eth.call({"to": "0x" + "11" * 20, "chainId": 901}) == b"\1"
    assert node.asked == ["eth_chainId", "eth_call", "eth_call"]


def test_two_clients_share_no_chain_id(node):
    assert web3_client(node.url).eth.chain_id == 901
    node.results["eth_chainId"] = "0xa"
    assert web3_client(node.url).eth.chain_id == 10


def test_an_answer_without_a_chain_id_is_asked_for_again(node):
    web3 = web3_client(node.url)
    node.results["eth_chainId"] = None
    assert web3.provider.make_request(RPCEndpoint("eth_chainId"), [])["result"] is None
    node.results["eth_chainId"] = "0x385"
    assert web3.eth.chain_id == 901
