"""The attribution precompile without an EVM around it: a `Host` on the node's own accounts, for one top-level call.

Writes are kept aside until the call has succeeded, so that one that fails, or that turns out to need the EVM, leaves
nothing to undo.
"""

from attribution_precompile import ADDRESS_BYTES, OutOfGas
from attribution_precompile.gas import LOG, LOG_BYTE, LOG_TOPIC, MAPPING, SLOAD_COLD, SLOAD_WARM, SSTORE_SENTRY
from attribution_precompile.layout import mapping_slot
from attribution_precompile.signatures import recover_address
from rollup.execution.impersonated_signatures import impersonated_signer
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.storage_gas import sstore_gas
from rollup.protocol.receipt import Log


class NeedsEvm(Exception):
    """The call pays someone: that is a CALL, which only the EVM can make."""


class FlatHost:
    """attribution_precompile.Host for transactions sent to the precompile, one after the other."""

    __slots__ = (
        "_accounts",
        "_impersonates_signatures",
        "_logs",
        "_read",
        "_writes",
        "caller",
        "chain_id",
        "gas",
        "is_delegate",
        "is_static",
        "refund",
        "timestamp",
        "value",
    )

    def __init__(
        self, accounts: AccountDatabase, timestamp: int, chain_id: int, impersonates_signatures: bool = False
    ) -> None:
        self._accounts = accounts
        self._impersonates_signatures = impersonates_signatures
        self.timestamp = timestamp
        self.chain_id = chain_id
        self.is_static = False
        self.is_delegate = False
        self.caller = self.value = self.gas = self.refund = 0
        self._read: dict[int, int] = {}  # slots that are warm, with their values at the start
        self._writes: dict[int, int] = {}
        self._logs: list[tuple[tuple[int, ...], bytes]] = []

    def begin(self, caller: int, value: int, gas: int) -> None:
        """A new transaction: everything cold, nothing written. value is in wei, and not in the balance yet."""
        self.caller = caller
        self.value = value
        self.gas = gas
        self.refund = 0
        self._read.clear()
        self._writes.clear()
        self._logs.clear()

    def finish(self) -> list[Log]:
        """Writes what the call wrote; returns its logs."""
        self._accounts.write_storage(ADDRESS_BYTES, self._writes)
        return [
            Log(ADDRESS_BYTES, tuple([topic.to_bytes(32, "big") for topic in topics]), data)
            for topics, data in self._logs
        ]

    @property
    def balance(self) -> int:
        """The precompile's own balance, wei."""
        return self._accounts.get_balance(ADDRESS_BYTES) + self.value

    def charge(self, amount: int) -> None:
        """Takes gas, or raises OutOfGas."""
        self.gas -= amount
        if self.gas < 0:
            raise OutOfGas

    def mapping(self, key: int, slot: int) -> int:
        """The slot of `key`'s entry in the mapping at `slot`, after charging gas.MAPPING for the hash."""
        self.gas -= MAPPING
        if self.gas < 0:
            raise OutOfGas
        return mapping_slot(key, slot)

    def sload(self, slot: int) -> int:
        """EIP-2929."""
        writes = self._writes
        if slot in writes:
            self.gas -= SLOAD_WARM
            if self.gas < 0:
                raise OutOfGas
            return writes[slot]
        read = self._read
        if slot in read:
            self.gas -= SLOAD_WARM
            if self.gas < 0:
                raise OutOfGas
            return read[slot]
        self.gas -= SLOAD_COLD
        if self.gas < 0:
            raise OutOfGas
        value = read[slot] = self._accounts.get_storage(ADDRESS_BYTES, slot)
        return value

    def sstore(self, slot: int, value: int) -> None:
        """EIP-2200 as changed by EIP-2929 and EIP-3529."""
        if self.gas <= SSTORE_SENTRY:
            raise OutOfGas
        read, writes = self._read, self._writes
        if slot in read:
            original, cost = read[slot], 0
        else:
            original, cost = self._accounts.get_storage(ADDRESS_BYTES, slot), SLOAD_COLD
        current = writes.get(slot, original)
        warm_cost, refund = sstore_gas(original, current, value)
        cost += warm_cost
        self.gas -= cost
        if self.gas < 0:
            raise OutOfGas
        read[slot] = original
        self.refund += refund
        if current != value:
            writes[slot] = value

    def log(self, topics: tuple[int, ...], data: bytes) -> None:
        """375, 375 a topic, 8 a byte."""
        self.gas -= LOG + LOG_TOPIC * len(topics) + LOG_BYTE * len(data)
        if self.gas < 0:
            raise OutOfGas
        self._logs.append((topics, data))

    def pay(self, recipient: int, amount: int) -> bool:
        """Raises NeedsEvm."""
        raise NeedsEvm

    def ecrecover(self, digest: bytes, v: int, r: int, s: int) -> int:
        """The signer's address, or 0; a developer may have chosen it."""
        signer = impersonated_signer(self._accounts, v, r, s) if self._impersonates_signatures else 0
        return signer or recover_address(digest, v, r, s)
