"""A host on plain dictionaries: the EVM's gas and journal for one account, for tests and benchmarks."""

from collections.abc import Callable
from dataclasses import dataclass, field

from .dispatch import execute
from .errors import OutOfGas, Revert
from .gas import (
    ACCOUNT_COLD,
    ACCOUNT_WARM,
    CALL_NEW_ACCOUNT,
    CALL_STIPEND,
    CALL_VALUE,
    LOG,
    LOG_BYTE,
    LOG_TOPIC,
    MAPPING,
    SLOAD_COLD,
    SLOAD_WARM,
    SSTORE_CLEARS_REFUND,
    SSTORE_RESET,
    SSTORE_SENTRY,
    SSTORE_SET,
)
from .layout import ADDRESS, mapping_slot
from .signatures import recover_address


@dataclass(slots=True)
class CallResult:
    """The result of a call on a DictHost. `output` is return or revert data; `gas_used` is before refunds."""

    success: bool
    output: bytes
    gas_used: int
    refund: int


Receiver = Callable[["DictHost", int], bool]


@dataclass(slots=True)
class DictHost:
    """The precompile's account in dictionaries, with the EVM's gas, for tests and benchmarks.

    Begin a transaction with `begin`. Make a call with `call`, or, without its bookkeeping, with `enter` and
    `attribution_precompile.execute`. An account in `receivers` is a contract. Its callable replaces the receive
    function: it gets this host and the amount and returns whether it succeeded.
    """

    timestamp: int = 1
    chain_id: int = 901
    storage: dict[int, int] = field(default_factory=dict)
    balances: dict[int, int] = field(default_factory=dict)
    logs: list[tuple[tuple[int, ...], bytes]] = field(default_factory=list)
    receivers: dict[int, Receiver] = field(default_factory=dict)
    caller: int = 0
    value: int = 0
    is_static: bool = False
    is_delegate: bool = False
    gas: int = 0
    refund: int = 0
    _original: dict[int, int] = field(default_factory=dict)
    _warm: set[int] = field(default_factory=set)
    _warm_accounts: set[int] = field(default_factory=set)
    _journal: list[tuple[dict[int, int], int, int | None]] = field(default_factory=list)
    _warmed: list[tuple[set[int], int]] = field(default_factory=list)

    @property
    def balance(self) -> int:
        """The precompile's own balance, wei."""
        return self.balances.get(ADDRESS, 0)

    def begin(self, *accessed: int) -> None:
        """Begins a transaction. Everything is cold except the precompile and the accounts `accessed` (for example the
        sender, EIP-2929). There are no refunds and no logs. The stored values are the original ones."""
        self._original.clear()
        self._warm.clear()
        self._warm_accounts.clear()
        self._warm_accounts.update((ADDRESS, *accessed))
        self._journal.clear()
        self._warmed.clear()
        self.logs.clear()
        self.refund = 0

    def enter(self, caller: int, value: int, gas: int) -> None:
        """Opens a frame with its caller, its value in wei (not moved here) and its gas."""
        self.caller = caller
        self.value = value
        self.gas = gas

    def snapshot(self) -> tuple[int, int, int, int]:
        """Returns a point to which `revert` can go back."""
        return len(self._journal), len(self._warmed), len(self.logs), self.refund

    def revert(self, snapshot: tuple[int, int, int, int]) -> None:
        """Restores storage, balances, warmth, logs and refund as they were at the snapshot."""
        changes, warmed, logs, self.refund = snapshot
        while len(self._journal) > changes:
            target, key, old = self._journal.pop()
            if old is None:
                del target[key]
            else:
                target[key] = old
        while len(self._warmed) > warmed:
            known, item = self._warmed.pop()
            known.discard(item)
        del self.logs[logs:]

    def call(
        self,
        data: bytes,
        *,
        caller: int,
        value: int = 0,
        gas: int = 30_000_000,
        static: bool = False,
        delegate: bool = False,
    ) -> CallResult:
        """A whole message call: moves `value`, runs, and undoes everything if it fails.

        >>> from eth_utils import function_signature_to_4byte_selector as selector
        >>> from attribution_precompile import DictHost, explain, genesis_storage
        >>> host = DictHost(storage=genesis_storage(admin=1, treasury=2, bps=500))
        >>> result = host.call(selector("model(uint64)") + (77).to_bytes(32, "big"), caller=3)
        >>> result.success, explain(result.output)
        (False, 'UnknownModel(77)')
        """
        outer = (self.caller, self.value, self.gas, self.is_static, self.is_delegate)
        snapshot = self.snapshot()
        self.enter(caller, value, gas)
        self.is_static, self.is_delegate = static or outer[3], delegate
        refund = self.refund
        try:
            if not self._move(caller, ADDRESS, value):
                return CallResult(False, b"", 0, 0)
            output = execute(self, data)
            return CallResult(True, output, gas - self.gas, self.refund - refund)
        except Revert as error:
            self.revert(snapshot)
            return CallResult(False, error.data, gas - self.gas, 0)
        except OutOfGas:
            self.revert(snapshot)
            return CallResult(False, b"", gas, 0)
        finally:
            self.caller, self.value, self.gas, self.is_static, self.is_delegate = outer

    def charge(self, amount: int) -> None:
        """Takes gas, or raises OutOfGas."""
        if amount > self.gas:
            raise OutOfGas
        self.gas -= amount

    def mapping(self, key: int, slot: int) -> int:
        """The slot of `key`'s entry in the mapping at `slot`, after charging gas.MAPPING for the hash."""
        if self.gas < MAPPING:
            raise OutOfGas
        self.gas -= MAPPING
        return mapping_slot(key, slot)

    def sload(self, slot: int) -> int:
        """EIP-2929: 2,100 for the first touch of a slot in a transaction, then 100."""
        warm = self._warm
        if slot in warm:
            if self.gas < SLOAD_WARM:
                raise OutOfGas
            self.gas -= SLOAD_WARM
        else:
            if self.gas < SLOAD_COLD:
                raise OutOfGas
            self.gas -= SLOAD_COLD
            warm.add(slot)
            self._warmed.append((warm, slot))
        return self.storage.get(slot, 0)

    def sstore(self, slot: int, value: int) -> None:
        """EIP-2200 with the prices of EIP-2929 and the refunds of EIP-3529."""
        if self.gas <= SSTORE_SENTRY:
            raise OutOfGas
        storage, warm = self.storage, self._warm
        stored = storage.get(slot)
        current = stored or 0
        original = self._original.setdefault(slot, current)
        cost = SLOAD_WARM
        refund = 0
        if current != value:
            if original == current:
                if original == 0:
                    cost = SSTORE_SET
                else:
                    cost = SSTORE_RESET
                    if value == 0:
                        refund = SSTORE_CLEARS_REFUND
            else:
                refund = _dirty_refund(original, current, value)
        is_cold = slot not in warm
        if is_cold:
            cost += SLOAD_COLD
        if cost > self.gas:
            raise OutOfGas
        self.gas -= cost
        self.refund += refund
        if is_cold:
            warm.add(slot)
            self._warmed.append((warm, slot))
        if current != value:
            self._journal.append((storage, slot, stored))
            storage[slot] = value

    def log(self, topics: tuple[int, ...], data: bytes) -> None:
        """Charges 375 gas, 375 per topic and 8 per byte, and appends a log."""
        self.charge(LOG + LOG_TOPIC * len(topics) + LOG_BYTE * len(data))
        self.logs.append((topics, data))

    def pay(self, recipient: int, amount: int) -> bool:
        """The CALL opcode with value and no gas. An account without a receiver keeps the stipend unspent."""
        cost = CALL_VALUE
        if recipient in self._warm_accounts:
            cost += ACCOUNT_WARM
        else:
            cost += ACCOUNT_COLD
        if not self.balances.get(recipient) and recipient not in self.receivers and recipient != ADDRESS:
            cost += CALL_NEW_ACCOUNT
        self.charge(cost)
        if recipient not in self._warm_accounts:
            self._warm_accounts.add(recipient)
            self._warmed.append((self._warm_accounts, recipient))
        snapshot = self.snapshot()
        if recipient == ADDRESS or not self._move(ADDRESS, recipient, amount):
            # The precompile refuses a plain transfer and uses no more gas than the stipend.
            self.gas += CALL_STIPEND
            return False
        receiver = self.receivers.get(recipient)
        if receiver is not None and not receiver(self, amount):
            self.revert(snapshot)
            return False
        self.gas += 0 if receiver is not None else CALL_STIPEND
        return True

    def ecrecover(self, digest: bytes, v: int, r: int, s: int) -> int:
        """The signer's address, or 0."""
        return recover_address(digest, v, r, s)

    def _move(self, sender: int, recipient: int, amount: int) -> bool:
        if not amount:
            return True
        available = self.balances.get(sender, 0)
        if available < amount:
            return False
        self._set(self.balances, sender, available - amount)
        self._set(self.balances, recipient, self.balances.get(recipient, 0) + amount)
        return True

    def _set(self, target: dict[int, int], key: int, value: int) -> None:
        self._journal.append((target, key, target.get(key)))
        target[key] = value


def _dirty_refund(original: int, current: int, value: int) -> int:
    """EIP-3529's refund for changing a slot that this transaction has changed already."""
    refund = 0
    if original:
        if current == 0:
            refund -= SSTORE_CLEARS_REFUND
        elif value == 0:
            refund += SSTORE_CLEARS_REFUND
    if original == value:
        refund += (SSTORE_RESET if original else SSTORE_SET) - SLOAD_WARM
    return refund
