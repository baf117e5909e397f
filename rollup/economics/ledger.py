"""Where a measurement runs: on a chain over JSON-RPC, or on the precompile's own code over dictionaries.

Both charge a transaction the same gas; a test compares every row (tests/economics/test_profile.py).
"""

import time
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from attribution_precompile import ADDRESS_BYTES, DictHost, genesis_storage
from rollup.economics.errors import EconomicsError
from rollup.economics.units import GWEI
from rollup.l1.json_rpc import JsonRpcClient
from rollup.protocol.accounts import OWNER, USERS, DevAccount
from rollup.protocol.call import Call
from rollup.protocol.keys import address_of_key
from rollup.protocol.primitives import Address, keccak256

DRY_CHAIN_ID: Final = 901
DRY_TIME: Final = 1_700_000_000  # unix seconds
_GAS_LIMIT: Final = 4_000_000
_FUNDS: Final = 10**18  # wei
_TRANSFER_GAS: Final = 21_000
_CALLDATA_FLOOR: Final = 10  # gas per token, EIP-7623
_REFUND_QUOTIENT: Final = 5  # EIP-3529
_TRIES, _PAUSE = 600, 0.1  # of a receipt; seconds


@dataclass(slots=True, frozen=True)
class Sent:
    """A transaction that succeeded: its gas, its bytes, the first id that it made (0 if none), and where it is."""

    gas: int
    data: bytes
    raw: bytes
    created: int = 0
    transaction_hash: str = ""
    block: int = 0


class Ledger(Protocol):
    """The interface of a chain that a measurement uses."""

    chain_id: int

    def account(self, name: str) -> DevAccount:
        """A fresh account with money, the same for the same name."""
        ...

    def send(self, sender: DevAccount, data: bytes, value: int = 0) -> Sent:
        """Calls the precompile with `value` [wei]; raises EconomicsError when the call fails."""
        ...

    def now(self) -> int:
        """The head's time, in unix seconds."""
        ...


def intrinsic_gas(data: bytes) -> int:
    """The gas of a call's transaction before the callee runs (Yellow Paper, EIP-2028)."""
    return _TRANSFER_GAS + 16 * len(data) - 12 * data.count(0)


def floor_gas(data: bytes) -> int:
    """The least a transaction with this calldata pays in gas, from Isthmus (Prague) on (EIP-7623)."""
    return _TRANSFER_GAS + _CALLDATA_FLOOR * (4 * len(data) - 3 * data.count(0))


def account_of(seed: bytes) -> DevAccount:
    """The first account of a seed whose address has no zero byte, so that its calldata always costs the same."""
    while True:
        seed = keccak256(seed)
        address = address_of_key(seed)
        if 0 not in address:
            return DevAccount(-1, address, seed)


@dataclass(slots=True)
class DryLedger:
    """The precompile's own code over dictionaries: no node, no blocks, the gas of a real transaction."""

    platform_bps: int
    chain_id: int = DRY_CHAIN_ID
    _host: DictHost = field(init=False)
    _nonces: dict[bytes, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        owner, treasury = (int.from_bytes(item.address, "big") for item in (OWNER, USERS[9]))
        storage = genesis_storage(owner, treasury, self.platform_bps)
        self._host = DictHost(timestamp=DRY_TIME, chain_id=self.chain_id, storage=storage)

    def account(self, name: str) -> DevAccount:
        """A fresh account with money, the same for the same name."""
        made = account_of(name.encode())
        self._host.balances[int.from_bytes(made.address, "big")] = 10**30
        return made

    def send(self, sender: DevAccount, data: bytes, value: int = 0) -> Sent:
        """Calls the precompile with `value` [wei]; raises EconomicsError when the call fails."""
        caller = int.from_bytes(sender.address, "big")
        self._host.begin(caller)
        result = self._host.call(data, caller=caller, value=value)
        if not result.success:
            raise EconomicsError(f"the precompile refused a measuring call: 0x{result.output.hex()}")
        used = intrinsic_gas(data) + result.gas_used
        used = max(used - min(result.refund, used // _REFUND_QUOTIENT), floor_gas(data))
        nonce = self._nonces.get(sender.address, 0)
        self._nonces[sender.address] = nonce + 1
        call = Call(ADDRESS_BYTES, value, data, _GAS_LIMIT)
        raw = call.signed(sender.private_key, nonce, self.chain_id, 2 * GWEI, GWEI).encode()
        return Sent(used, data, raw, int.from_bytes(result.output[:32], "big"))

    def now(self) -> int:
        """The time of every call, in unix seconds."""
        return DRY_TIME


class ChainLedger:
    """A running chain; accounts are fresh ones, paid for by a development account."""

    def __init__(self, rpc: JsonRpcClient, funder: DevAccount = USERS[0]) -> None:
        self._rpc = rpc
        self._funder = funder
        self.chain_id = int(rpc.call("eth_chainId"), 16)
        self._seed = bytes.fromhex(rpc.call("eth_getBlockByNumber", "latest", False)["hash"][2:])
        self._nonces: dict[bytes, int] = {}
        self._fee_cap = 0

    def account(self, name: str) -> DevAccount:
        """A fresh account with 1 OPEN."""
        # An account sends a few transactions: the base fee cannot double until its last.
        base_fee = int(self._rpc.call("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
        self._fee_cap = 2 * base_fee + GWEI
        made = account_of(self._seed + name.encode())
        self._transact(self._funder, made.address, b"", _FUNDS)
        return made

    def send(self, sender: DevAccount, data: bytes, value: int = 0) -> Sent:
        """Calls the precompile with `value` [wei]; raises EconomicsError when the call fails."""
        raw, receipt = self._transact(sender, ADDRESS_BYTES, data, value)
        created = int(receipt["logs"][0]["topics"][1], 16) if receipt["logs"] else 0
        return Sent(
            int(receipt["gasUsed"], 16), data, raw, created, receipt["transactionHash"], int(receipt["blockNumber"], 16)
        )

    def now(self) -> int:
        """The head's time, in unix seconds."""
        return int(self._rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def _transact(self, sender: DevAccount, to: Address, data: bytes, value: int) -> tuple[bytes, dict[str, Any]]:
        if sender.address not in self._nonces:
            found = self._rpc.call("eth_getTransactionCount", "0x" + sender.address.hex(), "pending")
            self._nonces[sender.address] = int(found, 16)
        nonce = self._nonces[sender.address]
        call = Call(to, value, data, _GAS_LIMIT)
        signed = call.signed(sender.private_key, nonce, self.chain_id, self._fee_cap, GWEI)
        transaction_hash = self._rpc.call("eth_sendRawTransaction", "0x" + signed.encode().hex())
        self._nonces[sender.address] = nonce + 1
        return signed.encode(), self._receipt(transaction_hash)

    def _receipt(self, transaction_hash: str) -> dict[str, Any]:
        for _ in range(_TRIES):
            receipt = self._rpc.call("eth_getTransactionReceipt", transaction_hash)
            if receipt is not None:
                if int(receipt["status"], 16) != 1:
                    raise EconomicsError(f"a measuring transaction failed: {transaction_hash}")
                return dict(receipt)
            time.sleep(_PAUSE)
        raise EconomicsError(f"{self._rpc.url}: {transaction_hash} is in no block after {_TRIES * _PAUSE:.0f} s")
