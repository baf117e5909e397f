"""The BLAKE2 compression precompile (EIP-152).

blake2b-py, in Rust, takes some 30 ns per round and cannot be interrupted. So in turns with an event loop a call of many
rounds runs in another process, which then waits for the next call. Where blake2b-py has no wheel the rounds run here in
Python, four columns of the state at a time in one integer: a lane of 128 bits holds a word of 64, sums do not reach the
next lane, and what a rotation shifts out is masked off.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from eth.exceptions import VMError

from rollup.cooperative import is_in_turns, wait_for

try:
    from blake2b import decode_and_compress
except ImportError:
    decode_and_compress = None

BLAKE2F_ADDRESS = (0x09).to_bytes(20, "big")
_INPUT_SIZE = 213  # bytes: rounds 4, state 64, message 128, offset 16, whether it is the last block 1
_MASK = sum(0xFFFF_FFFF_FFFF_FFFF << shift for shift in (0, 128, 256, 384))
_LOW1, _LOW2, _LOW3 = ((1 << bits) - 1 for bits in (128, 256, 384))
_ROUNDS_AT_ONCE = 10_000
_NATIVE_ROUNDS_AT_ONCE = 100_000  # some 3 ms
_PROCESS = """
import blake2b, sys
while len(data := sys.stdin.buffer.read(213)) == 213:
    sys.stdout.buffer.write(blake2b.decode_and_compress(data))
    sys.stdout.buffer.flush()
"""
_OUTPUT_SIZE = 64  # bytes
_MOST_IDLE = 2  # processes that wait for the next call
_idle: list["subprocess.Popen[bytes]"] = []
_IV = (
    *(0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1),
    *(0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179),
)
# RFC 7693, 2.7: the message word of each step, by round modulo 10.
_SIGMA = tuple(
    tuple(int(digit, 16) for digit in row)
    for row in (
        "0123456789abcdef",
        "ea489fd61c02b753",
        "b8c052fdae367194",
        "7931dcbe265a40f8",
        "905724afe1bc683d",
        "2c6a0b834d75fe19",
        "c51fed4a0763928b",
        "db7ec13950f4862a",
        "6fe9b308c2d714a5",
        "a2847615fb9e3cd0",
    )
)


def blake2f(computation: Any) -> Any:
    """The precompile of BLAKE2b's compression, one gas per round; fails with VMError on malformed input."""
    data = computation.msg.data_as_bytes
    if len(data) != _INPUT_SIZE:
        raise VMError(f"BLAKE2F: {len(data)} bytes, {_INPUT_SIZE} expected")
    if data[212] > 1:
        raise VMError("BLAKE2F: the last byte is neither 0 nor 1")
    rounds = int.from_bytes(data[:4], "big")
    computation.consume_gas(rounds, reason="BLAKE2F precompile")
    check_interrupt = computation.state.execution_context.check_interrupt
    check_interrupt()
    if decode_and_compress is None:
        computation.output = _compress(rounds, data, check_interrupt)
    else:
        computation.output = _compress_natively(rounds, data)
    check_interrupt()
    return computation


def _compress_natively(rounds: int, data: bytes) -> bytes:
    if rounds > _NATIVE_ROUNDS_AT_ONCE and is_in_turns():
        output = wait_for(_compress_in_process(data))
        if output is not None:
            return output
    return bytes(decode_and_compress(data))


async def _compress_in_process(data: bytes) -> bytes | None:
    """The result of another Python process; None where that cannot be started or was ended."""
    try:
        process = _idle.pop() if _idle else _start()
    except OSError:
        return None
    output = b""
    try:
        output = await _ask(process, data)
    except (OSError, NotImplementedError):  # it was ended; an event loop that cannot wait for pipes (Windows)
        return None
    finally:
        if len(output) == _OUTPUT_SIZE and len(_idle) < _MOST_IDLE:
            _idle.append(process)
        else:
            _end(process)
    return output if len(output) == _OUTPUT_SIZE else None


def _start() -> "subprocess.Popen[bytes]":
    """A process that answers inputs until its own input ends, at the latest with this process. Ctrl-C is not its."""
    command = [sys.executable, "-I", "-c", _PROCESS]
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe, stderr=null, start_new_session=True)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


async def _ask(process: "subprocess.Popen[bytes]", data: bytes) -> bytes:
    """The worker's answer; empty if its process has ended. Request and answer are shorter than the pipe's buffer."""
    assert process.stdin is not None
    assert process.stdout is not None
    loop, answered = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process.stdout.fileno(), answered.set)
    try:
        process.stdin.write(data)
        await answered.wait()
    finally:
        loop.remove_reader(process.stdout.fileno())
    return process.stdout.read(_OUTPUT_SIZE)


def _compress(rounds: int, data: bytes, check_interrupt: Callable[[], None]) -> bytes:
    state, message = _words(data[4:68]), _words(data[68:196])
    offset = _words(data[196:212])
    iv = list(_IV)
    iv[4] ^= offset[0]
    iv[5] ^= offset[1]
    if data[212]:
        iv[6] ^= 0xFFFF_FFFF_FFFF_FFFF
    rows = _lanes(state[:4]), _lanes(state[4:]), _lanes(iv[:4]), _lanes(iv[4:])
    schedule = [
        tuple(_lanes([message[row[k]] for k in range(start, start + 8, 2)]) for start in (0, 1, 8, 9)) for row in _SIGMA
    ]
    for start in range(0, rounds, _ROUNDS_AT_ONCE):  # a multiple of ten
        check_interrupt()
        rows = _run(rows, schedule, min(_ROUNDS_AT_ONCE, rounds - start))
    mixed = [(row >> shift) & 0xFFFF_FFFF_FFFF_FFFF for row in rows for shift in (0, 128, 256, 384)]
    return b"".join((state[k] ^ mixed[k] ^ mixed[k + 8]).to_bytes(8, "little") for k in range(8))


def _run(rows: tuple[int, int, int, int], schedule: list[tuple[int, ...]], rounds: int) -> tuple[int, int, int, int]:
    a, b, c, d = rows
    mask, low1, low2, low3 = _MASK, _LOW1, _LOW2, _LOW3
    for number in range(rounds):
        m0, m1, m2, m3 = schedule[number % 10]
        # Columns.
        a = a + b + m0 & mask
        d ^= a
        d = (d >> 32 | d << 32) & mask
        c = c + d & mask
        b ^= c
        b = (b >> 24 | b << 40) & mask
        a = a + b + m1 & mask
        d ^= a
        d = (d >> 16 | d << 48) & mask
        c = c + d & mask
        b ^= c
        b = (b >> 63 | b << 1) & mask
        # Diagonals: the rows turned by one, two and three lanes, and back.
        b = b >> 128 | (b & low1) << 384
        c = c >> 256 | (c & low2) << 256
        d = d >> 384 | (d & low3) << 128
        a = a + b + m2 & mask
        d ^= a
        d = (d >> 32 | d << 32) & mask
        c = c + d & mask
        b ^= c
        b = (b >> 24 | b << 40) & mask
        a = a + b + m3 & mask
        d ^= a
        d = (d >> 16 | d << 48) & mask
        c = c + d & mask
        b ^= c
        b = (b >> 63 | b << 1) & mask
        b = b >> 384 | (b & low3) << 128
        c = c >> 256 | (c & low2) << 256
        d = d >> 128 | (d & low1) << 384
    return a, b, c, d


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[start : start + 8], "little") for start in range(0, len(data), 8)]


def _lanes(words: list[int] | tuple[int, ...]) -> int:
    return sum(word << 128 * lane for lane, word in enumerate(words))
