"""Seconds per gas of opcodes, call patterns and precompiles on the node's own EVM, the slowest first.

Gas prices work by other machines' seconds. Where this EVM takes far longer for a unit of gas than for a unit spent on
additions, a cheap transaction holds a block up. Each row is a program that does one thing in a loop until its gas is
gone. The ratio is to the ADD row of the same run, so that it is comparable between machines.

    python -m benchmarks.gas_prices [--quick] [--json]
"""

import hashlib
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final

from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS
from eth.exceptions import OutOfGas
from eth.vm.message import Message
from eth_keys import keys
from py_arkworks_bls12381 import G1Point, G2Point

from attribution_precompile import ADDRESS_BYTES
from benchmarks.command_line import Parser
from benchmarks.native_prices import PROGRAM, deploy, our_state
from rollup.execution.transition import TransactionContext

_CALLER: Final = b"\xca" * 20
_OTHER: Final = b"\xdd" * 20  # a contract that fails at once
_BASE: Final = "ADD"
_GAS, _QUICK_GAS, _RUNS = 5_000_000, 500_000, 5
_WARM_UP_GAS = 200_000  # the dearest precompile once, at least
_ADD, _CALL, _CREATE, _DELEGATECALL, _STATICCALL, _INVALID = 0x01, 0xF1, 0xF0, 0xF4, 0xFA, 0xFE
_GAS_OP, _ADDRESS, _JUMPDEST, _JUMP, _JUMPI, _POP, _STOP = 0x5A, 0x30, 0x5B, 0x56, 0x57, 0x50, 0x00
_CALLDATASIZE, _MSTORE = 0x36, 0x52
_OUTPUT = 0x10000  # in memory: where precompiles write to
_RESULTS_IN_ONE_WORD = 32


@dataclass(frozen=True, slots=True)
class Pattern:
    """The program of one row. data lies in memory from 0 on; step leaves the stack as it was."""

    name: str
    step: bytes
    data: bytes = b""
    precompile: int | None = None

    def loop(self) -> bytes:
        """The step again and again; called with input it does nothing."""
        steps = self.step * max(1, min(200, 3_000 // len(self.step)))
        stop = bytes([_JUMPDEST, _STOP])
        head = bytes([_CALLDATASIZE, 0x61, 0, 0, _JUMPI]) + _stored(self.data)
        start = len(head)
        body = bytes([_JUMPDEST]) + steps + b"\x61" + start.to_bytes(2, "big") + bytes([_JUMP])
        end = len(head) + len(body)
        return head[:2] + end.to_bytes(2, "big") + head[4:] + body + stop


@dataclass(frozen=True, slots=True)
class Row:
    """A pattern's price."""

    name: str
    gas: int
    ns_per_gas: float
    ratio: float

    @property
    def mgas_per_second(self) -> float:
        """Million gas per second of CPU."""
        return 1e3 / self.ns_per_gas


def _push(number: int) -> bytes:
    size = max(1, (number.bit_length() + 7) // 8)
    return bytes([0x5F + size]) + number.to_bytes(size, "big")


def _stored(data: bytes) -> bytes:
    words = [data[start : start + 32].ljust(32, b"\0") for start in range(0, len(data), 32)]
    return b"".join(
        b"\x7f" + word + _push(32 * index) + bytes([_MSTORE]) for index, word in enumerate(words) if any(word)
    )


def _static(to: int, size: int, gas: bytes = bytes([_GAS_OP])) -> bytes:
    """A STATICCALL with the first bytes of memory, whose result is dropped."""
    arguments = _push(64) + _push(_OUTPUT) + _push(size) + _push(0) + _push(to)
    return arguments + gas + bytes([_STATICCALL, _POP])


def _called(opcode: int, to: bytes, gas: bytes, size: int = 1) -> bytes:
    value = _push(0) if opcode == _CALL else b""
    return _push(0) + _push(0) + _push(size) + _push(0) + value + to + gas + bytes([opcode, _POP])


def _words(*numbers: int, size: int = 32) -> bytes:
    return b"".join(number.to_bytes(size, "big") for number in numbers)


# ---------------------------------------------------------------- inputs that the precompiles accept
def _ecrecover() -> bytes:
    digest = hashlib.sha256(b"benchmark").digest()
    signature = keys.PrivateKey(b"\1" * 32).sign_msg_hash(digest)
    return digest + _words(27 + signature.v, signature.r, signature.s)


def _p256() -> bytes:
    key = ECC.construct(curve="P-256", d=7)
    digest = SHA256.new(b"benchmark")
    signature = DSS.new(key, "deterministic-rfc6979").sign(digest)
    return digest.digest() + signature + _words(int(key.pointQ.x), int(key.pointQ.y))


def _modexp(size: int) -> bytes:
    return _words(size, size, size) + b"\xff" * (3 * size)


def _blake2(rounds: int) -> bytes:
    return rounds.to_bytes(4, "big") + bytes(range(208)) + b"\1"


def _bn_pairing() -> bytes:
    generator = (
        0x198E9393920D483A7260BFB731FB5D25F1AA493335A9E71297E485B7AEF312C2,
        0x1800DEEF121F1E76426A00665E5C4479674322D4F75EDADD46DEBD5CD992F6ED,
        0x090689D0585FF075EC9E99AD690C3395BC4B313370B38EF355ACDADCD122975B,
        0x12C85EA5DB8C6DEB4AAB71808DCB408FE3D1E7690C43D37B4CE6CC0166FA7DAA,
    )
    return _words(1, 2, *generator)


def _padded(point: Any) -> bytes:
    coordinates = bytes(point.to_xy_bytes_be())
    return b"".join(bytes(16) + coordinates[start : start + 48] for start in range(0, len(coordinates), 48))


def _point_evaluation() -> bytes:
    """The polynomial that is 0 everywhere: its commitment and its proof are the point at infinity."""
    infinity = b"\xc0" + bytes(47)
    return b"\1" + hashlib.sha256(infinity).digest()[1:] + _words(5, 0) + infinity + infinity


@cache
def patterns() -> tuple[Pattern, ...]:
    """Every row's program."""
    return (*_opcodes(), *_calls(), *_precompiles())


def _opcodes() -> Iterator[Pattern]:
    hexed = {
        _BASE: "600160020150",
        "JUMPDEST": "5b",
        "POP, PC": "5850",
        "MUL": "600360050250",
        "MULMOD": "60ff60036005" + "0950",
        "EXP, 32 bytes": "7f" + "ff" * 32 + "60030a50",
        "KECCAK256 of 64 bytes": "604060002050",
        "MLOAD": "60005150",
        "MCOPY of 32 bytes": "6020600060405e",
        "MCOPY of 1,024 bytes": "61040060006110005e",
        "SLOAD, warm": "60005450",
        "SSTORE, warm, same": "6000600055",
        "TSTORE": "600160005d",
        "BALANCE, warm": "303150",
        "EXTCODEHASH, warm": "303f50",
        "LOG0 of nothing": "60006000a0",
        "CREATE of nothing": "600060006000f050",
    }
    for name, code in hexed.items():
        yield Pattern(name, bytes.fromhex(code))


def _calls() -> Iterator[Pattern]:
    itself, other = bytes([_ADDRESS]), b"\x73" + _OTHER
    gas = bytes([_GAS_OP])
    for name, opcode in (("CALL", _CALL), ("STATICCALL", _STATICCALL), ("DELEGATECALL", _DELEGATECALL)):
        yield Pattern(f"{name} of itself", _called(opcode, itself, gas))
        yield Pattern(f"{name} of a contract that fails", _called(opcode, other, _push(100)))
    yield Pattern("CALL of an account without code, warm", _called(_CALL, b"\x73" + _CALLER, gas))
    yield Pattern(
        "CALL of the attribution precompile with noise", _called(_CALL, b"\x73" + ADDRESS_BYTES, gas, 4), b"\xee" * 4
    )


def _precompiles() -> Iterator[Pattern]:
    g1, g2 = _padded(G1Point()), _padded(G2Point())
    scalar = b"\x55" * 32
    inputs: Sequence[tuple[str, int, bytes]] = (
        ("ECRECOVER", 1, _ecrecover()),
        ("SHA256 of nothing", 2, b""),
        ("RIPEMD160 of nothing", 3, b""),
        ("identity of nothing", 4, b""),
        ("MODEXP, 8 bytes", 5, _modexp(8)),
        ("MODEXP, 256 bytes", 5, _modexp(256)),
        ("bn254 ADD", 6, _words(1, 2, 1, 2)),
        ("bn254 MUL", 7, _words(1, 2) + scalar),
        ("bn254 pairing of one pair", 8, _bn_pairing()),
        ("BLAKE2F, 1 round", 9, _blake2(1)),
        ("BLAKE2F, 50,000 rounds", 9, _blake2(50_000)),
        ("point evaluation", 10, _point_evaluation()),
        ("BLS12 G1ADD", 11, g1 + g1),
        ("BLS12 G1MSM of one", 12, g1 + scalar),
        ("BLS12 G1MSM of sixteen", 12, (g1 + scalar) * 16),
        ("BLS12 G2ADD", 13, g2 + g2),
        ("BLS12 G2MSM of one", 14, g2 + scalar),
        ("BLS12 pairing of one pair", 15, g1 + g2),
        ("BLS12 map to G1", 16, _words(3, size=64)),
        ("BLS12 map to G2", 17, _words(3, 5, size=64)),
        ("P256VERIFY", 0x100, _p256()),
    )
    for name, address, data in inputs:
        yield Pattern(name, _static(address, len(data)), data, address)


# ---------------------------------------------------------------- measuring
def accepts(pattern: Pattern) -> bool:
    """The precompile takes the pattern's input: a call of it returns 1."""
    assert pattern.precompile is not None
    call = _static(pattern.precompile, len(pattern.data))[:-1]  # without the POP
    returned = _push(0) + bytes([_MSTORE]) + _push(_RESULTS_IN_ONE_WORD) + _push(0) + b"\xf3"
    computation = _run(_stored(pattern.data) + call + returned, _GAS)
    return bool(computation.is_success and int.from_bytes(computation.output, "big") == 1)


def run_out(pattern: Pattern, gas: int) -> Any:
    """The computation of a pattern's loop, which ends when all of its gas is gone."""
    computation = _run(pattern.loop(), gas)
    if not isinstance(computation.error, OutOfGas):
        raise RuntimeError(f"{pattern.name}: {computation.error!r} instead of running out of gas")
    return computation


def measure(gas: int, runs: int, chosen: Callable[[str], bool] = lambda name: True) -> list[Row]:
    """A row per pattern, the slowest first."""
    prices = {}
    for pattern in patterns():
        if not chosen(pattern.name) and pattern.name != _BASE:
            continue
        run_out(pattern, _WARM_UP_GAS)  # programs and tables are made at the first use
        seconds = []
        for _ in range(runs):
            started = time.process_time()
            run_out(pattern, gas)
            seconds.append(time.process_time() - started)
        prices[pattern.name] = statistics.median(seconds) * 1e9 / gas
    rows = [Row(name, gas, price, price / prices[_BASE]) for name, price in prices.items()]
    return sorted(rows, key=lambda row: -row.ns_per_gas)


def _run(code: bytes, gas: int) -> Any:
    state = our_state(native=True)
    deploy(state, PROGRAM, code, {})
    state.set_nonce(_OTHER, 1)
    state.set_code(_OTHER, bytes([_INVALID]))
    state.set_balance(_CALLER, 10**20)
    state.lock_changes()
    for address in (PROGRAM, _OTHER, _CALLER, ADDRESS_BYTES):
        state.mark_address_warm(address)
    message = Message(gas, PROGRAM, _CALLER, 0, b"", code)
    return state.computation_class.apply_message(state, message, TransactionContext(_CALLER, 1))


def main(arguments: list[str] | None = None) -> int:
    """Prints the table; returns 0."""
    parser = Parser(prog="python -m benchmarks.gas_prices", description="Seconds per gas, the slowest first.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the gas, once")
    parser.add_argument("--json", action="store_true", help="the rows as JSON")
    options = parser.parse_args(arguments)
    rows = measure(_QUICK_GAS if options.quick else _GAS, 1 if options.quick else _RUNS)
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return 0
    width = max(len(row.name) for row in rows)
    print(f"{'':{width}}  ns per gas  Mgas per s  ratio to {_BASE}")
    for row in rows:
        print(f"{row.name:{width}}  {row.ns_per_gas:10.1f}  {row.mgas_per_second:10.1f}  {row.ratio:12.1f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
