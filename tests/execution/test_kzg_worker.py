"""KZG by another process: the same results, the event loop keeps running, and a process that dies is replaced."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import ckzg
import pytest
import structlog

from rollup.cooperative import Turns
from rollup.execution.vms import kzg_worker
from rollup.execution.vms.kzg_worker import KzgProcess, call_ckzg, trusted_setup
from rollup.l1 import kzg

BLOB = (b"\0" + b"\x05" * 31) * 4096


@pytest.fixture
def worker(monkeypatch):
    """No process yet."""
    process = KzgProcess()
    monkeypatch.setattr(kzg_worker, "_PROCESS", process)
    yield process
    process.close()


@pytest.fixture(scope="module")
def ready_process():
    process = KzgProcess()
    process.start_early()
    yield process
    process.close()


@pytest.fixture
def ready(ready_process, monkeypatch):
    """A process that several tests ask: each loads the setup for two seconds."""
    monkeypatch.setattr(kzg_worker, "_PROCESS", ready_process)
    return ready_process


def in_turns(function):
    return asyncio.run(Turns().call(function))


def results():
    commitment = kzg.blob_to_commitment(BLOB)
    proof = kzg.blob_proof(BLOB, commitment)
    return commitment, proof, kzg.verify_blobs([BLOB], [commitment], [proof])


def test_a_process_that_dies_is_named_and_replaced(ready, monkeypatch):
    logged = structlog.testing.CapturingLogger()  # another test may have sent this module's log elsewhere
    monkeypatch.setattr(kzg_worker, "log", logged)
    dead = ready.pid
    os.kill(dead, signal.SIGKILL)  # before it has loaded the setup
    expected = kzg.blob_to_commitment(BLOB)
    assert in_turns(lambda: kzg.blob_to_commitment(BLOB)) == expected
    assert ready.pid != dead
    assert [call.kwargs["pid"] for call in logged.calls] == [dead]


def test_every_result_is_the_same_in_another_process_and_the_loop_goes_on(ready):
    rounds = 0

    async def both():
        nonlocal rounds
        task = asyncio.create_task(Turns().call(results))
        while not task.done():
            await asyncio.sleep(0)
            rounds += 1
        return task.result()

    assert asyncio.run(both()) == results()
    assert ready.pid is not None
    assert rounds > 20


def test_an_error_of_ckzg_is_raised_from_either_place(ready):
    not_a_blob = b"\xff" * kzg.BLOB_SIZE
    for run in (in_turns, lambda function: function()):
        with pytest.raises(kzg.KzgError, match="BLS modulus"):
            run(lambda: kzg.blob_to_commitment(not_a_blob))
    first = ready.pid
    assert in_turns(lambda: kzg.blob_to_commitment(BLOB)) == kzg.blob_to_commitment(BLOB)
    assert ready.pid == first


def test_a_call_runs_here_where_no_process_can_be_started(worker, monkeypatch):
    monkeypatch.setattr(kzg_worker.sys, "executable", "/nonexistent")
    worker.start_early()
    assert worker.pid is None
    assert in_turns(lambda: kzg.blob_to_commitment(BLOB)) == kzg.blob_to_commitment(BLOB)


def test_a_call_runs_here_where_every_process_ends_at_once(worker, monkeypatch):
    monkeypatch.setattr(kzg_worker.kzg_process, "__file__", os.devnull)
    assert asyncio.run(worker.ask("blob_to_kzg_commitment", (BLOB,))) is None
    assert in_turns(lambda: kzg.blob_to_commitment(BLOB)) == kzg.blob_to_commitment(BLOB)


def test_a_cancelled_call_leaves_a_process_that_answers_the_next(ready, monkeypatch):
    sending = asyncio.Event()
    exchange = ready._exchange

    async def noted(*arguments):
        sending.set()
        return await exchange(*arguments)

    async def cancelled():
        turns, first = Turns(), ready.pid
        task = asyncio.create_task(turns.call(lambda: kzg.blob_to_commitment(BLOB)))
        await sending.wait()
        task.cancel()
        assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)
        other = await turns.call(lambda: call_ckzg("compute_blob_kzg_proof", BLOB, commitment))
        return first == ready.pid, other

    monkeypatch.setattr(ready, "_exchange", noted)
    commitment = kzg.blob_to_commitment(BLOB)
    assert asyncio.run(cancelled()) == (True, ckzg.compute_blob_kzg_proof(BLOB, commitment, trusted_setup()))


@pytest.mark.parametrize("lives_on", [True, False])
def test_a_node_that_lives_on_starts_the_process_before_it_is_asked(worker, monkeypatch, lives_on):
    monkeypatch.setattr(kzg_worker, "_STARTS_AFTER", 0.0)

    async def node():
        with kzg_worker.starting_early(asyncio.get_running_loop()):
            for _ in range(3 if lives_on else 0):
                await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(node())
    assert (worker.pid is not None) == lives_on


def test_the_process_ends_with_the_one_that_started_it():
    program = "from rollup.execution.vms.kzg_worker import _PROCESS as it; it.start_early(); print(it.pid, flush=True)"
    program += "; input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.terminate()  # no handler: as hard as SIGKILL for what runs at exit
    until_dead(pid)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until_dead(pid):
    """Fails by the test's own time limit where the process stays."""
    while is_alive(pid):
        time.sleep(0.01)
