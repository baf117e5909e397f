"""Whole-transaction gas of one payment to many: ours in both modes, and two Solidity splitters."""

import json
from pathlib import Path

from sha3 import keccak_256

from attribution_precompile import ADDRESS
from attribution_precompile.layout import MASK_64, datanet_slot, member_slot
from attribution_precompile.words import pack_membership

from . import calls
from .harness import CONTRACT, NATIVE, Evm, Result
from .scene import CURATOR, OWNER, PAYER

COUNTS = (1, 10, 100, 1_000)
FEE = 10**18
_ARTIFACT = json.loads((Path(__file__).parents[2] / "benchmarks" / "contracts" / "splitters.json").read_text())
SPLITTER = 0x59117
FIRST = 2**80


def transaction_gas(data: bytes, result: Result) -> int:
    """21,000, calldata by EIP-2028, execution, less refunds up to a fifth of it (EIP-3529)."""
    assert result.success
    zeros = data.count(0)
    used = 21_000 + 4 * zeros + 16 * (len(data) - zeros) + result.gas
    return used - min(result.refund, used // 5)


def ours(mode: str, contributors: int) -> tuple[int, int]:
    """First inference of a model ever, and a steady one."""
    evm = Evm(mode)
    evm.fund(PAYER)
    assert evm.call(calls.call("createDatanet", bytes(32)), caller=CURATOR).success
    slots = {member_slot(1, FIRST + i): 1 << 160 for i in range(contributors)}
    slots[datanet_slot(1) + 1] = pack_membership(contributors, contributors & MASK_64, 0)
    evm.set_storage(slots)
    assert evm.call(calls.call("registerModel", calls.model_params([(1, 1)])), caller=OWNER).success
    data = calls.call("infer", 1, 700, 300, b"\x01" * 32, b"\x02" * 32)
    first, steady = (transaction_gas(data, evm.call(data, caller=PAYER, value=FEE)) for _ in range(2))
    assert evm.balance(ADDRESS) == 2 * FEE
    return first, steady


def splitter(name: str, payees: int) -> tuple[int, int]:
    """First payment (payees new, credits zero), and a steady one."""
    evm = Evm(NATIVE)
    evm.fund(PAYER)
    evm.deploy(SPLITTER, bytes.fromhex(_ARTIFACT[name][2:]))
    base = int.from_bytes(keccak_256(bytes(32)).digest(), "big")
    address = SPLITTER.to_bytes(20, "big")
    evm.state.set_storage(address, 0, payees)
    evm.state.set_storage(address, 1, payees)
    for i in range(payees):
        evm.state.set_storage(address, base + i, 1 << 160 | FIRST + i)
    evm.state.lock_changes()
    data = keccak_256(b"pay()").digest()[:4]
    first, steady = (
        transaction_gas(data, evm.call(data, caller=PAYER, value=FEE, to=SPLITTER, gas=10**9)) for _ in range(2)
    )
    return first, steady


def rows() -> list[tuple[str, list[tuple[int, int]]]]:
    """The rows of the table: a name, and (first, steady) gas for each of COUNTS."""
    return [
        ("inference, native", [ours(NATIVE, count) for count in COUNTS]),
        ("inference, twin", [ours(CONTRACT, count) for count in COUNTS]),
        ("splitter that credits", [splitter("CreditSplitter", count) for count in COUNTS]),
        ("splitter that sends", [splitter("PushSplitter", count) for count in COUNTS]),
    ]
