"""`openrollup run --processes N`: which processes there are, and that they end with the node, however it ends."""

import asyncio
import contextlib
import json
import os
import signal
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from rollup.cli.run import _processes_of
from rollup.node import Node, NodeParams, schedule
from rollup.rpc.front.fronts import front_count
from tests.node.node_process import L2, NodeProcess, call, transfer

ROLLUP = "op-node RPC"


def children(pid):
    """The process ids of a process's children."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def counts(node):
    try:
        with urlopen(node.url(ROLLUP) + "/health", timeout=20) as response:
            return json.load(response)["processes"]
    except HTTPError as stalled:
        return json.load(stalled)["processes"]


def wait_for_fronts(node, count):
    wait_until(lambda: counts(node)["front"] == count)
    return children(node.process.pid)


def metric(node, name):
    with urlopen(node.url(ROLLUP) + "/metrics", timeout=20) as response:
        lines = response.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith(name)).split()[-1])


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_a_signal_ends_all_processes_in_under_two_seconds(number):
    with NodeProcess("--processes=3", "--virtual-clock", "--da=calldata") as node:
        pids = wait_for_fronts(node, 2)
        assert len(pids) == 2
        assert node.end(number) < 2
        assert node.process.returncode == 0
        assert node.errors() == ""
    assert not any(map(is_running, pids))


def test_front_processes_end_with_a_killed_node_and_acknowledged_transactions_are_kept(tmp_path):
    options = (f"--data-dir={tmp_path / 'chain'}", "--block-time=60", "--processes=2", "--da=calldata")
    with NodeProcess(*options) as node:
        pids = wait_for_fronts(node, 1)
        raws = [transfer(901, 0, nonce).encode() for nonce in range(10)]
        hashes = [call(node.url(L2), "eth_sendRawTransaction", f"0x{raw.hex()}") for raw in raws]
        node.kill()
    wait_until(lambda: not any(map(is_running, pids)))
    again = Node.open(NodeParams(data_dir=tmp_path / "chain", virtual_clock=True, l2_block_time=60))
    for tx_hash in (bytes.fromhex(text[2:]) for text in hashes):
        assert again.l2.pool.get(tx_hash) is not None or again.l2.chain.find_transaction(tx_hash) is not None
    again.close()


def test_a_killed_front_process_is_replaced_while_blocks_go_on():
    with NodeProcess("--processes=2", "--block-time=1", "--da=calldata") as node:
        [pid] = wait_for_fronts(node, 1)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: metric(node, "openrollup_front_restarts_total") == 1)
        assert call(node.url(L2), "eth_sendRawTransaction", f"0x{transfer(901, 0, 0).encode().hex()}")
        node.wait_for("L2BlockBuilt", lambda event: event["number"] > 1)
        wait_until(lambda: counts(node)["front"] == 1)
        assert call(node.url(L2), "eth_sendRawTransaction", f"0x{transfer(901, 0, 1).encode().hex()}")
        assert metric(node, 'openrollup_processes{kind="front"}') == 1
        node.process.send_signal(signal.SIGTERM)
        node.rest()
        assert f'"pid": {pid}' in node.errors()


def test_auto_has_a_front_process_per_two_cores():
    with NodeProcess("--processes=auto", "--da=calldata") as node:
        wait_for_fronts(node, front_count(None))


@pytest.mark.parametrize(("processes", "is_virtual", "chosen"), [(None, True, 1), (None, False, None), (3, True, 3)])
def test_auto_is_one_process_with_a_virtual_clock(processes, is_virtual, chosen):
    assert _processes_of({"processes": processes, "virtual_clock": is_virtual}) == chosen


@pytest.mark.parametrize("da", ["auto", "blobs", "calldata", "none"])
async def test_the_process_for_kzg_is_started_early_where_batches_may_be_blobs(monkeypatch, da):
    loops = []

    @contextlib.contextmanager
    def starting_early(loop):
        loops.append(loop)
        yield

    monkeypatch.setattr(schedule, "starting_early", starting_early)
    node = Node.open(NodeParams(da=da))
    running = asyncio.create_task(node.run())
    while node.l2.chain.head.number == 0:
        await asyncio.sleep(0)
    node.stop()
    await running
    node.close()
    assert loops == ([asyncio.get_running_loop()] if da in ("auto", "blobs") else [])
