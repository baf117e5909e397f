"""The demo's own node beside one that runs."""

import subprocess

import pytest

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
