"""The demo's own node next to a running one."""

import subprocess

import pytest
from click.testing import CliRunner
from web3.exceptions import Web3RPCError

from rollup.cli.demo import command as demo
from rollup.cli.demo_node import own_node
from rollup.cli.run import command as run


class _NotStarted(Exception):
    pass


def test_it_takes_no_port_that_another_node_may_have(monkeypatch):
    given = []

    def start(arguments, **_):
        given.extend(arguments)
        raise _NotStarted

    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(_NotStarted), own_node():
        pass
    ports = [option.opts[0] for option in run.params if option.opts[0].endswith("-port")]
    assert len(ports) == 6
    assert all(f"{name}=0" in given for name in ports)


def test_a_refusal_of_the_node_is_shown_in_its_words(monkeypatch):
    refusal = {"code": -32000, "message": "gapped-nonce tx from delegated accounts"}

    def refused(*_):
        raise Web3RPCError(repr(refusal), rpc_response={"jsonrpc": "2.0", "id": 1, "error": refusal})

    monkeypatch.setattr("rollup.cli.demo.Demo", refused)
    done = CliRunner().invoke(demo, ["--l2", "http://127.0.0.1:9545"])
    assert done.exit_code == 1
    assert done.output.endswith("Error: the node answered: gapped-nonce tx from delegated accounts\n")
