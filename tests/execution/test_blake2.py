"""BLAKE2's compression against hashlib, where twelve rounds make the hash, and against another implementation."""

import asyncio
import hashlib
from types import SimpleNamespace

import pytest
from eth._utils.blake2.coders import extract_blake2b_parameters
from eth._utils.blake2.compression import blake2b_compress
from hypothesis import given
from hypothesis import strategies as st

from rollup.cooperative import Turns, pause
from rollup.execution.vms import blake2
from rollup.execution.vms.blake2 import _IV, _ROUNDS_AT_ONCE, _compress


@given(st.integers(0, 45), st.binary(min_size=208, max_size=208), st.booleans())
def test_against_py_evm(rounds, rest, is_last):
    data = rounds.to_bytes(4, "big") + rest + bytes([is_last])
    assert _compress(rounds, data, pause) == blake2b_compress(*extract_blake2b_parameters(data))


@given(st.binary(max_size=128))
def test_a_hash_of_one_block(message):
    state = [_IV[0] ^ 0x01010040, *_IV[1:]]
    words = b"".join(word.to_bytes(8, "little") for word in state)
    data = bytes(4) + words + message.ljust(128, b"\0") + len(message).to_bytes(16, "little") + b"\1"
    assert _compress(12, data, pause) == hashlib.blake2b(message).digest()


@given(st.integers(0, 300), st.binary(min_size=208, max_size=208), st.booleans())
def test_the_native_compression_equals_ours(rounds, rest, is_last):
    data = rounds.to_bytes(4, "big") + rest + bytes([is_last])
    assert blake2._compress_natively(rounds, data) == _compress(rounds, data, pause)


def test_in_turns_many_rounds_run_in_another_process_while_the_loop_goes_on(no_idle_processes):
    data = (2_000).to_bytes(4, "big") + bytes(208) + b"\1"
    others = []

    async def both():
        turns = Turns()
        task = asyncio.create_task(turns.call(lambda: blake2._compress_natively(2_000, data)))
        while not task.done():
            await turns.call(lambda: others.append(1))
            await asyncio.sleep(0)
        return task.result()

    assert asyncio.run(both()) == _compress(2_000, data, pause)
    assert len(others) > 1


@pytest.fixture
def no_idle_processes(monkeypatch):
    idle = []
    monkeypatch.setattr(blake2, "_idle", idle)
    monkeypatch.setattr(blake2, "_NATIVE_ROUNDS_AT_ONCE", 1_000)
    yield idle
    for process in idle:
        blake2._end(process)


def rounds_of(count):
    return count.to_bytes(4, "big") + bytes(208) + b"\1"


def test_one_process_serves_many_calls_one_after_another(no_idle_processes):
    async def several():
        return [await Turns().call(lambda: blake2._compress_natively(2_000, rounds_of(2_000))) for _ in range(5)]

    assert asyncio.run(several()) == [_compress(2_000, rounds_of(2_000), pause)] * 5
    assert len(no_idle_processes) == 1
    assert asyncio.run(several()) == [_compress(2_000, rounds_of(2_000), pause)] * 5
    assert len(no_idle_processes) == 1


def test_calls_at_the_same_time_have_a_process_each_and_few_stay(no_idle_processes):
    async def several():
        turns = Turns()
        compress = [lambda rounds=rounds: blake2._compress_natively(rounds, rounds_of(rounds)) for rounds in counts]
        return await asyncio.gather(*map(turns.call, compress))

    counts = range(2_000, 2_006)
    assert asyncio.run(several()) == [_compress(rounds, rounds_of(rounds), pause) for rounds in counts]
    assert 1 <= len(no_idle_processes) <= blake2._MOST_IDLE


def test_a_dead_process_is_replaced_and_its_rounds_run_here(no_idle_processes):
    dead = blake2._start()
    dead.kill()
    dead.wait()
    no_idle_processes.append(dead)
    result = asyncio.run(Turns().call(lambda: blake2._compress_natively(2_000, rounds_of(2_000))))
    assert result == _compress(2_000, rounds_of(2_000), pause)
    assert not no_idle_processes


def test_a_cancelled_call_ends_its_process(no_idle_processes):
    async def cancelled():
        task = asyncio.create_task(Turns().call(lambda: blake2._compress_natively(2**32 - 1, rounds_of(2**32 - 1))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert asyncio.run(cancelled())
    assert not no_idle_processes


def test_where_no_process_can_be_started_the_rounds_run_here(monkeypatch, no_idle_processes):
    monkeypatch.setattr(blake2.sys, "executable", "/nonexistent")
    data = (2_000).to_bytes(4, "big") + bytes(209)
    result = asyncio.run(Turns().call(lambda: blake2._compress_natively(2_000, data)))
    assert result == _compress(2_000, data, pause)


@pytest.mark.parametrize("is_native", [True, False])
def test_the_precompile_gives_eip_152s_answer_either_way(monkeypatch, is_native):
    """EIP-152, test vector 5: the hash of "abc"."""
    if not is_native:
        monkeypatch.setattr(blake2, "decode_and_compress", None)
    state = [_IV[0] ^ 0x01010040, *_IV[1:]]
    words = b"".join(word.to_bytes(8, "little") for word in state)
    data = (12).to_bytes(4, "big") + words + b"abc".ljust(128, b"\0") + (3).to_bytes(16, "little") + b"\1"
    context = SimpleNamespace(check_interrupt=pause)
    computation = SimpleNamespace(
        msg=SimpleNamespace(data_as_bytes=data),
        state=SimpleNamespace(execution_context=context),
        consume_gas=lambda gas, reason: None,
    )
    assert blake2.blake2f(computation).output == hashlib.blake2b(b"abc").digest()


def test_many_rounds_are_asked_whether_to_go_on():
    data = bytes(213)
    asked = []
    rounds = 2 * _ROUNDS_AT_ONCE + 3
    done = _compress(rounds, data, lambda: asked.append(1))
    assert done == blake2b_compress(*extract_blake2b_parameters(rounds.to_bytes(4, "big") + data[4:]))
    assert len(asked) == 3

    class Enough(Exception):
        pass

    def enough():
        raise Enough

    with pytest.raises(Enough):
        _compress(2**32 - 1, data, enough)
