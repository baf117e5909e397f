"""Contracts on L1's rules of Prague: a genesis allocation, calls by signature, named log parts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from eth.vm.message import Message
from eth_abi.abi import decode, encode
from eth_abi.grammar import parse

from rollup.execution.genesis_account import Alloc
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.reader import TrieReader
from rollup.execution.transition import TransactionContext
from rollup.execution.vms.base import EvmContext
from rollup.execution.vms.rules import l1_rules
from rollup.protocol.forks import L1Fork
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, keccak256

ANYONE = bytes.fromhex("aa" * 20)
WEALTH = 10**24
DEFAULT_GAS = 16_000_000


class Reverted(Exception):
    """A call that failed: its revert data, or nothing when it ran out of gas."""

    def __init__(self, data: bytes, error: str) -> None:
        super().__init__(f"{error} 0x{data.hex()}")
        self.data = data

    @property
    def reason(self) -> str:
        """The text of Error(string), else the first four bytes in hexadecimal."""
        if self.data[:4] == selector("Error(string)"):
            text: str = decode(["string"], self.data[4:])[0]
            return text
        return self.data[:4].hex()


@dataclass(slots=True)
class Log:
    address: bytes
    topics: list[bytes]
    data: bytes


@dataclass(slots=True)
class Outcome:
    output: bytes
    logs: list[Log]
    gas: int


@dataclass(slots=True)
class Evm:
    """One state; every successful transaction is kept, a failed one leaves no trace."""

    chain_id: int = 901
    number: int = 1
    timestamp: int = 1_700_000_000
    base_fee: int = 7
    block_hashes: Sequence[bytes] = ()
    state: Any = field(init=False)

    def __post_init__(self) -> None:
        accounts = AccountDatabase(TrieReader({}, {}, EMPTY_TRIE_ROOT))
        self.state = l1_rules(L1Fork.PRAGUE).state_class(accounts, self._context())
        self.state.set_balance(ANYONE, WEALTH)

    def _context(self) -> EvmContext:
        return EvmContext(
            coinbase=bytes(20),
            timestamp=self.timestamp,
            block_number=self.number,
            mix_hash=bytes(32),
            gas_limit=60_000_000,
            chain_id=self.chain_id,
            base_fee_per_gas=self.base_fee,
            blob_base_fee=1,
            block_hash=lambda number: self.block_hashes[self.number - 1 - number],
        )

    def set_block(self, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(self, name, value)
        self.state.execution_context = self._context()

    def load(self, alloc: Alloc) -> "Evm":
        for address, account in alloc.items():
            if account.balance:
                self.state.set_balance(address, account.balance)
            if account.nonce:
                self.state.set_nonce(address, account.nonce)
            if account.code:
                self.state.set_code(address, account.code)
            for slot, value in account.storage.items():
                self.state.set_storage(address, slot, value)
        return self

    def deploy(self, code: bytes, address: bytes) -> bytes:
        """Runs creation code and puts what it returns at `address`, with the storage it wrote."""
        message = Message(DEFAULT_GAS, b"", ANYONE, 0, b"", code, create_address=address)
        computation = self._run(message, ANYONE, create=True)
        assert not computation.is_error, computation.error
        return address

    def send(
        self,
        to: bytes,
        data: bytes = b"",
        *,
        sender: bytes = ANYONE,
        origin: bytes | None = None,
        value: int = 0,
        gas: int = DEFAULT_GAS,
    ) -> Outcome:
        """A call as a transaction makes it, warm addresses included; raises Reverted."""
        code = self.state.get_code(to)
        message = Message(gas, to, sender, value, data, code)
        computation = self._run(message, sender if origin is None else origin, create=False)
        if computation.is_error:
            raise Reverted(computation.output, repr(computation.error))
        logs = [
            Log(address, [topic.to_bytes(32, "big") for topic in topics], bytes(payload))
            for address, topics, payload in computation.get_log_entries()
        ]
        return Outcome(computation.output, logs, computation.get_gas_used())

    def _run(self, message: Message, origin: bytes, create: bool) -> Any:
        context = TransactionContext(origin, self.base_fee)
        kind = self.state.computation_class
        run = kind.apply_create_message if create else kind.apply_message
        computation = run(self.state, message, context)
        self._end_transaction(computation)
        return computation

    def _end_transaction(self, computation: Any) -> None:
        if not computation.is_error:
            for address in computation.get_accounts_for_deletion():
                self.state.delete_account(address)
        self.state.lock_changes()

    def call(self, to: bytes, function: str, *arguments: Any, **options: Any) -> Any:
        """`name(inputs)` or `name(inputs)(outputs)`; returns the one output, a tuple of them, or the Outcome."""
        inputs, outputs = _split(function)
        outcome = self.send(to, call_data(inputs, *arguments), **options)
        if outputs is None:
            return outcome
        values = decode(_types(outputs), outcome.output)
        return values[0] if len(values) == 1 else values

    def storage(self, address: bytes, slot: int) -> int:
        value: int = self.state.get_storage(address, slot)
        return value

    def balance(self, address: bytes) -> int:
        value: int = self.state.get_balance(address)
        return value


def selector(signature: str) -> bytes:
    return keccak256(signature.encode())[:4]


def topic(signature: str) -> bytes:
    return keccak256(signature.encode())


def call_data(signature: str, *arguments: Any) -> bytes:
    return selector(signature) + encode(_types(signature[signature.index("(") :]), arguments)


def _types(text: str) -> list[str]:
    if text == "()":
        return []
    return [component.to_type_str() for component in parse(text).components]


def _split(function: str) -> tuple[str, str | None]:
    depth = 0
    for index, letter in enumerate(function):
        depth += (letter == "(") - (letter == ")")
        if letter == ")" and depth == 0:
            rest = function[index + 1 :]
            return function[: index + 1], rest or None
    raise ValueError(function)
