"""The setting of a load on a chain, made before it starts: senders with funds, and contracts or models."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from derivation.errors import Temporary
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient, RpcError
from rollup.load.job import GWEI, LoadError
from rollup.protocol.accounts import USERS
from rollup.protocol.call import Call
from rollup.protocol.keys import address_of_key
from rollup.protocol.primitives import keccak256

_TIMEOUT: Final = 120.0  # seconds of one request
_INCLUSION_TIMEOUT: Final = 120.0  # seconds for transactions of the setting up to be in a block
_BATCH: Final = 100
_MAX_BATCH_BYTES: Final = 2_000_000
TIP: Final = GWEI // 1_000  # wei per unit of gas
_LEAST_BASE_FEE: Final = GWEI // 100  # what a cap counts on, where the base fee has fallen below it


def sender_keys(count: int, seed: str = "load") -> tuple[bytes, ...]:
    """The private keys of so many senders. They are public, as the accounts of every development chain are."""
    return tuple(keccak256(f"openrollup {seed} sender {index}".encode()) for index in range(count))


@dataclass(slots=True)
class Scene:
    """A running chain and its senders.

    funder: the key that pays for everything; by default the first account of the development mnemonic. mine: makes a
    block, on a node that makes none by itself.
    """

    url: str
    funder: bytes = USERS[0].private_key
    mine: Callable[["Scene"], None] | None = None
    client: JsonRpcClient = field(init=False)
    chain_id: int = field(init=False)

    def __post_init__(self) -> None:
        try:
            self.client = JsonRpcClient(HttpEndpoint(self.url, timeout=_TIMEOUT))
        except ValueError as error:
            raise LoadError(str(error)) from error
        self.chain_id = self.number("eth_chainId")

    def call(self, method: str, *params: Any) -> Any:
        """The result of one call; raises LoadError."""
        try:
            return self.client.call(method, *params)
        except (RpcError, Temporary) as error:
            raise LoadError(str(error)) from error

    def number(self, method: str, *params: Any) -> int:
        """The result of a call whose answer is a quantity."""
        return int(self.call(method, *params), 16)

    def max_fee(self) -> int:
        """A fee cap in wei per unit of gas: four times the base fee, so that some full blocks do not outbid it."""
        block = self.call("eth_getBlockByNumber", "latest", False)
        if "baseFeePerGas" not in block:
            raise LoadError("the chain has no base fee: the load sends type-2 transactions (EIP-1559)")
        return 4 * max(int(block["baseFeePerGas"], 16), _LEAST_BASE_FEE) + TIP

    def nonces(self, keys: Iterable[bytes]) -> tuple[int, ...]:
        """The next nonce of each account."""
        params = [["0x" + address_of_key(key).hex(), "pending"] for key in keys]
        return tuple(int(value, 16) for value in self._batch("eth_getTransactionCount", params))

    def fund(self, keys: Sequence[bytes], wei: int) -> None:
        """Gives each account that has less the amount."""
        addresses = [address_of_key(key) for key in keys]
        balances = self._batch("eth_getBalance", [["0x" + address.hex(), "latest"] for address in addresses])
        poor = [
            Call(address, wei - int(balance, 16))
            for address, balance in zip(addresses, balances, strict=True)
            if int(balance, 16) < wei
        ]
        needed = sum(call.value for call in poor)
        if needed > (has := self.number("eth_getBalance", "0x" + address_of_key(self.funder).hex(), "latest")):
            raise LoadError(f"the payers need {needed / 10**18:,.1f} OPEN more, and the funder has {has / 10**18:,.1f}")
        self.send([(self.funder, call) for call in poor])

    def send(self, items: Sequence[tuple[bytes, Call]]) -> list[dict[str, Any]]:
        """Sends each call from its key, waits for all of them, and returns the receipts; raises LoadError for a
        transaction that fails."""
        nonces = dict(zip(keys := list(dict.fromkeys(key for key, _ in items)), self.nonces(keys), strict=True))
        raws, hashes, cap = [], [], self.max_fee()
        for key, call in items:
            transaction = call.signed(key, nonces[key], self.chain_id, cap, TIP)
            nonces[key] += 1
            raws.append("0x" + transaction.encode().hex())
            hashes.append("0x" + transaction.hash.hex())
        for part in _parts(raws):
            self._batch("eth_sendRawTransaction", [[raw] for raw in part])
        receipts = self._receipts(hashes)
        if any(receipt["status"] != "0x1" for receipt in receipts):
            raise LoadError("a transaction that prepares the load failed")
        return receipts

    def _receipts(self, hashes: list[str]) -> list[dict[str, Any]]:
        deadline = time.monotonic() + _INCLUSION_TIMEOUT
        found: list[dict[str, Any]] = []
        while len(found) < len(hashes):
            if self.mine is not None:
                self.mine(self)
            part = hashes[len(found) : len(found) + _BATCH]
            receipts = self._batch("eth_getTransactionReceipt", [[tx_hash] for tx_hash in part])
            found += receipts[: receipts.index(None) if None in receipts else None]
            if None in receipts:
                if time.monotonic() > deadline:
                    raise LoadError("transactions that prepare the load were in no block for two minutes")
                time.sleep(0.05)
        return found

    def _batch(self, method: str, params: Sequence[Sequence[Any]]) -> list[Any]:
        results: list[Any] = []
        try:
            for start in range(0, len(params), _BATCH):
                results += self.client.batch(method, params[start : start + _BATCH])
        except (RpcError, Temporary) as error:
            raise LoadError(str(error)) from error
        return results


def _parts(raws: list[str]) -> Iterable[list[str]]:
    """The transactions in requests that no node refuses for their size."""
    part: list[str] = []
    size = 0
    for raw in raws:
        if part and size + len(raw) > _MAX_BATCH_BYTES:
            yield part
            part, size = [], 0
        part.append(raw)
        size += len(raw)
    if part:
        yield part
