"""Hostile requests to a node process: others are answered meanwhile, memory comes back, SIGTERM works at any time."""

import asyncio
import json
import multiprocessing
import resource
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.node import hostile, poller
from tests.node.node_process import L2, NodeProcess, call

MOST_SECONDS = 0.25  # that another client waits
QUIET_SECONDS = 0.05  # that it waits at most where the node has nothing else to do and the machine is free
GROWTH = 1.2
# One program of 262,144 blocks takes 24 MiB of small objects, and Python keeps an arena while one object in it lives.
HIGH_WATER = {"the_largest_code_that_a_call_may_have": 1.4}
STOP_SECONDS = 2.0
GRACE_SECONDS = 20  # in which what a request has used is given back


class Waits:
    """A second client that asks the node during a `with` block and measures how long it waits."""

    def __init__(self, node):
        pids = [str(process.pid) for process in serving(node)]
        self.command = [sys.executable, poller.__file__, node.url(L2), *pids]
        self.clock = self.processor = 0.0

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *failure):
        text, _ = self.process.communicate()
        if failure[0] is None:
            found = json.loads(text)
            assert found["answers"] > 0
            self.clock, self.processor = found["clock"], found["processor"]

    @property
    def longest(self):
        """Seconds. A wait in which the node itself had nothing to do is the machine's."""
        return min(self.clock, self.processor)


def serving(node):
    """The node's process and its front processes: what takes requests. The one for KZG takes none."""
    main = psutil.Process(node.process.pid)
    return [main, *(child for child in main.children() if "kzg_process" not in " ".join(child.cmdline()))]


def memory(node):
    """Resident bytes."""
    return sum(process.memory_info().rss for process in serving(node))


def attack(name, url, again):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4_096)), hard))
    asyncio.run(hostile.send(name, url, again=again))


def attacker(name, node, *, again=False):
    """Sends in a process of its own, so that the test's work is not taken for the node's."""
    process = multiprocessing.get_context("spawn").Process(target=attack, args=(name, node.url(L2), again))
    process.start()
    return process


@pytest.fixture
def node():
    """A node with some blocks."""
    with NodeProcess("--da=calldata", "--block-time=1", "--l1-block-time=4") as node:
        node.wait_for("L2BlockBuilt", lambda event: event["number"] >= 4)
        yield node


CHEAP = ("keys_that_are_no_keys", "fee_history_with_20_000_percentiles", "bodies_that_are_not_compressed_as_they_say")


def test_cheap_hostile_requests_leave_no_trace():
    with NodeProcess("--da=calldata") as node:
        before = memory(node)
        for name in CHEAP:
            asyncio.run(hostile.send(name, node.url(L2)))
            assert call(node.url(L2), "eth_chainId") == "0x385"
        assert memory(node) <= before * GROWTH
        node.process.terminate()
        node.rest()
        assert (node.process.returncode, node.errors()) == (0, "")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", hostile.HOSTILE)
def test_others_are_answered_memory_comes_back_and_sigterm_ends_the_node(node, name):
    with Waits(node) as quiet:
        time.sleep(3)
    before, growth = memory(node), HIGH_WATER.get(name, GROWTH)
    for _ in range(2):  # memory that a round leaves behind is not recovered
        with Waits(node) as waits:
            process = attacker(name, node)
            process.join()
            assert process.exitcode == 0
        peak, after = memory(node), memory_within(node, before * growth)
        print(
            f"{name}: waits {waits.clock:.3f} s, {waits.processor:.3f} s of the node (quiet: {quiet.clock:.3f}, "
            f"{quiet.processor:.3f}); memory {before >> 20}, {peak >> 20}, {after >> 20} MiB"
        )
        assert waits.longest < MOST_SECONDS * max(1, quiet.longest / QUIET_SECONDS)
        assert after <= before * growth
    stopped_within(node, name)
    errors = node.errors()
    assert "Traceback" not in errors
    assert errors == ""


def memory_within(node, most):
    """Waits for the memory to come back to a bound, for GRACE_SECONDS; returns it."""
    end = time.monotonic() + GRACE_SECONDS
    while (found := memory(node)) > most and time.monotonic() < end:
        time.sleep(0.5)
    return found


def stopped_within(node, name):
    """Ends the node while the same request comes again and again."""
    process = attacker(name, node, again=True)
    try:
        time.sleep(2)
        assert process.is_alive()
        took = node.end(signal.SIGTERM)
        print(f"{name}: ended {took:.2f} s after SIGTERM")
        assert node.process.returncode == 0
    finally:
        process.kill()
        process.join()
    assert took < STOP_SECONDS
