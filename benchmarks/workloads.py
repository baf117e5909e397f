"""Kinds of transaction to measure execution by: accounts they need, and signed blocks of them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from attribution_precompile import ADDRESS_BYTES, RUNTIME_CODE
from benchmarks.inferences import build_storage
from benchmarks.inferences import workloads as attribution_workloads
from rollup.execution.contract_artifact import load_artifact
from rollup.execution.genesis_account import GenesisAccount
from rollup.load.workloads import RECIPIENTS, recipient, token_transfer, transfer
from rollup.protocol.call import Call
from rollup.protocol.keys import address_of_key
from rollup.protocol.primitives import Address, keccak256

CHAIN_ID: Final = 901
GWEI: Final = 10**9
ETHER: Final = 10**18
SENDERS: Final = 100
GAS_LIMIT: Final = 10**10  # of a block, so that a thousand of any kind fit

_SPLITTERS = json.loads((Path(__file__).parent / "contracts" / "splitters.json").read_text())
_TOKEN: Final = b"\x70" * 20
_SPLITTER: Final = b"\x59" * 20
_CONTRIBUTORS: Final = 100


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of transaction: accounts in addition to the senders, and the call by its index in the block."""

    name: str
    call: Callable[[int], Call]
    accounts: Mapping[Address, GenesisAccount] = field(default_factory=dict)
    needs_native: bool = False
    rounds: int = 3  # fewer where py-evm takes seconds a block

    def alloc(self) -> dict[Address, GenesisAccount]:
        """Every account the workload needs."""
        senders = {address_of_key(key): GenesisAccount(10**9 * ETHER, 0, b"", {}) for key in _keys()}
        return senders | dict(self.accounts)

    def blocks(self, count: int, size: int) -> list[list[bytes]]:
        """Signed and encoded transactions of consecutive blocks."""
        keys = _keys()
        nonces = [0] * len(keys)
        blocks = []
        for _ in range(count):
            block = []
            for index in range(size):
                sender = index % len(keys)
                call = self.call(index)
                block.append(call.signed(keys[sender], nonces[sender], CHAIN_ID, 100 * GWEI, GWEI).encode())
                nonces[sender] += 1
            blocks.append(block)
        return blocks


def transfers() -> Workload:
    """Value to a thousand accounts that exist."""
    accounts = {recipient(index): GenesisAccount(1, 0, b"", {}) for index in range(RECIPIENTS)}
    return Workload("transfer", transfer, accounts)


def erc20() -> Workload:
    """WETH9.transfer to a thousand accounts that hold some."""
    artifact = load_artifact("rollup.execution", "WETH9")
    holders = [address_of_key(key) for key in _keys()] + [recipient(index) for index in range(RECIPIENTS)]
    balances = artifact.layout["balanceOf"].slot
    storage = {
        int.from_bytes(keccak256(bytes(12) + holder + balances.to_bytes(32, "big")), "big"): ETHER for holder in holders
    }
    token = GenesisAccount(10**6 * ETHER, 1, artifact.runtime, storage)
    return Workload("ERC-20 transfer", partial(token_transfer, _TOKEN), {_TOKEN: token})


def splitter(payees: int) -> Workload:
    """A Solidity contract that credits each payee of a list."""
    first = int.from_bytes(keccak256(bytes(32)), "big")
    storage = {0: payees, 1: payees}
    storage |= {first + index: 1 << 160 | int.from_bytes(recipient(index), "big") for index in range(payees)}
    code = bytes.fromhex(_SPLITTERS["CreditSplitter"][2:])
    data = keccak256(b"pay()")[:4]
    gas = 60_000 + 35_000 * payees
    return Workload(
        f"Solidity splitter, {payees}",
        lambda _: Call(_SPLITTER, 10**15, data, gas),
        {_SPLITTER: GenesisAccount(0, 1, code, storage)},
        rounds=3 if payees < 100 else 1,
    )


def inference() -> Workload:
    """infer of the native precompile, at the default weight of one DataNet of a hundred contributors."""
    made = next(attribution_workloads(1, _CONTRIBUTORS))
    account = GenesisAccount(0, 1, RUNTIME_CODE, build_storage(1, _CONTRIBUTORS))
    return Workload(
        "native inference",
        lambda _: Call(ADDRESS_BYTES, made.value, made.calldata, 200_000),
        {ADDRESS_BYTES: account},
        needs_native=True,
    )


def all_workloads() -> list[Workload]:
    """All kinds of transactions, in the order of the report."""
    return [transfers(), erc20(), splitter(1), splitter(10), splitter(100), inference()]


def _keys() -> list[bytes]:
    return [keccak256(b"sender" + index.to_bytes(4, "big")) for index in range(SENDERS)]
