"""Developer cheats over JSON-RPC, by the names of anvil, Hardhat and ganache (docs/cheats.md).

One handler per cheat, with the names that it answers to. They answer callers from this machine alone. The cheats
themselves are in rollup/cheats/; here are the parameters and the shapes of the answers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar

from rollup.execution.chain import ChainHeads
from rollup.execution.config import L2Config
from rollup.execution.overrides import StateOverride
from rollup.protocol.primitives import Address, Hash, keccak256
from rollup.protocol.transaction import Transaction
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.errors import RpcError
from rollup.rpc.formats import block_json, hex_data, hex_quantity
from rollup.rpc.methods import Method, changes_all, collect, for_local_callers, rpc
from rollup.rpc.net import client_version
from rollup.rpc.params import (
    Invalid,
    Optional,
    address,
    anything,
    boolean,
    count64,
    data,
    hash32,
    list_of,
    mapping,
    number,
    slot,
)

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")
_MILLISECONDS = 10**12  # from here on a time is in milliseconds, as ganache's evm_setTime


class Impersonation(Protocol):
    """The accounts that anyone may send as (rollup.cheats.impersonation.Impersonation)."""

    is_automatic: bool
    accounts: dict[Address, None]

    def begin(self, account: Address) -> None: ...
    def end(self, account: Address) -> None: ...
    def covers(self, account: Address) -> bool: ...


class Layer(Protocol):
    """The cheats of one layer (rollup.cheats.layer.LayerCheats)."""

    @property
    def impersonation(self) -> Impersonation: ...
    def send_as(self, sender: Address, transaction: Transaction) -> Hash: ...
    def set_coinbase(self, address: Address) -> None: ...
    def set_next_base_fee(self, wei: int) -> None: ...
    def set_next_prev_randao(self, value: Hash) -> None: ...
    def set_gas_limit(self, gas: int) -> None: ...
    def set_block_interval(self, seconds: int | None) -> bool: ...
    @property
    def is_automatic(self) -> bool: ...
    @property
    def interval(self) -> int | None: ...
    def mine(self, count: int = 1, interval: int = 0, timestamp: int | None = None) -> object: ...
    def set_next_time(self, timestamp: int) -> None: ...
    def reorg(self, depth: int, blocks: Sequence[Sequence[bytes]] | None = None) -> object: ...
    @property
    def own_accounts(self) -> frozenset[Address]: ...
    def patch(self, address: Address, override: StateOverride) -> object: ...
    def patch_all(self, overrides: Mapping[Address, StateOverride]) -> object: ...
    def set_automatic(self, is_automatic: bool) -> None: ...
    def set_interval(self, seconds: int) -> None: ...
    def drop(self, tx_hash: Hash) -> bool: ...
    def drop_all(self) -> None: ...
    def drop_of(self, sender: Address) -> None: ...


class Shared(Protocol):
    """The cheats of the whole node (rollup.cheats.Cheats)."""

    moved: float

    def increase_time(self, seconds: float) -> object: ...
    def move_to(self, time: float) -> object: ...
    def snapshot(self) -> int: ...
    def revert(self, number: int) -> bool: ...
    def reset(self) -> None: ...
    def dump(self) -> bytes: ...
    def load(self, content: bytes) -> bool: ...
    def snapshot_heads(self, layer: str) -> Mapping[int, ChainHeads]: ...


@dataclass(slots=True, frozen=True)
class MineOptions:
    """The parameters of evm_mine: a time in Unix seconds, and the number of blocks."""

    timestamp: int | None = None
    blocks: int = 1


def mine_options(value: Any) -> MineOptions:
    """A time as a count64, or `{timestamp, blocks}`, each of them optional (ganache)."""
    if not isinstance(value, Mapping):
        return MineOptions(count64(value))
    source = mapping(value)
    time, blocks = source.get("timestamp"), source.get("blocks")
    return MineOptions(None if time is None else count64(time), 1 if blocks is None else count64(blocks))


def placed_transactions(value: Any) -> list[tuple[bytes, int]]:
    """`[[raw transaction, block], …]`: blocks are counted from 0."""
    found = []
    for pair in list_of(anything)(value):
        if not isinstance(pair, list) or len(pair) != 2:
            raise Invalid("a list of [raw transaction, block] is expected")
        found.append((data(pair[0]), count64(pair[1])))
    return found


def cheat(method: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
    """Marks a method that changes the node, for callers from this machine.

    A refusal of a cheat is an answer: refusals are ValueErrors, and have changed nothing.
    """

    @changes_all
    @for_local_callers
    @wraps(method)
    def answer(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
        try:
            return method(*args, **kwargs)
        except ValueError as error:
            raise RpcError(str(error)) from error

    return answer


class CheatApi:
    """The cheats of one layer's port."""

    def __init__(self, layer: Layer, shared: Shared, backend: ExecutionBackend) -> None:
        self._layer = layer
        self._shared = shared
        self._backend = backend

    def methods(self, is_strict: bool) -> dict[str, Method]:
        """The handlers by method name; when strict, all of them refuse."""
        return cheats_of(self, is_strict)

    # ------------------------------------------------------------ blocks
    @rpc("evm_mine", Optional(mine_options, MineOptions()))
    @cheat
    def mine_now(self, options: MineOptions) -> str:
        """Makes blocks; `"0x0"`, as ganache does. The time in Unix seconds must be a slot's (L1) or on the grid of
        block times (L2).
        """
        self._layer.mine(options.blocks, 0, options.timestamp)
        return "0x0"

    @rpc(("anvil_mine_detailed", "evm_mine_detailed"), Optional(mine_options, MineOptions()))
    @cheat
    def mine_detailed(self, options: MineOptions) -> list[dict[str, Any]]:
        """Makes blocks; returns them with their transactions."""
        chain = self._backend.chain
        before = chain.head.number
        self._layer.mine(options.blocks, 0, options.timestamp)
        blocks = [chain.block_by_number(number) for number in range(before + 1, chain.head.number + 1)]
        return [block_json(block, chain.receipts(block.hash) or [], full=True) for block in blocks if block is not None]

    @rpc(("anvil_mine", "hardhat_mine"), Optional(count64, 1), Optional(count64, 0))
    @cheat
    def mine(self, count: int, seconds: int) -> None:
        """Makes blocks, this many seconds apart. L1 rounds the seconds up to slots; L2 has a block every block time."""
        self._layer.mine(count, seconds)

    @rpc("anvil_reorg", count64, Optional(placed_transactions))
    @cheat
    def reorg(self, depth: int, transactions: list[tuple[bytes, int]] | None) -> None:
        """Replaces the newest blocks by the same number of blocks, empty except for these transactions. L1 only, not
        below its finalized block.
        """
        for _, place in transactions or ():
            if place >= depth:
                raise RpcError(f"block {place} of the reorg: it has {depth}, counted from 0")
        blocks = None
        if transactions:
            last = max(place for _, place in transactions)
            blocks = [[raw for raw, place in transactions if place == index] for index in range(last + 1)]
        self._layer.reorg(depth, blocks)

    @rpc("anvil_rollback", Optional(count64, 1))
    @cheat
    def rollback(self, depth: int) -> None:
        """Removes the newest blocks; their transactions return to the pool. L1 only."""
        self._layer.reorg(depth, [])

    # ------------------------------------------------------------ time
    @rpc(("evm_increaseTime", "anvil_increaseTime"), count64)
    @cheat
    def increase_time(self, seconds: int) -> int:
        """Moves the time forward; the seconds that cheats have moved it by in all."""
        self._shared.increase_time(seconds)
        return round(self._shared.moved)

    @rpc(("evm_setTime", "anvil_setTime"), count64)
    @cheat
    def set_time(self, time: int) -> int:
        """Moves the time forward to Unix seconds, or to milliseconds from 10¹² on; the seconds that it moved by."""
        before = self._shared.moved
        self._shared.move_to(time if time < _MILLISECONDS else time // 1_000)
        return round(self._shared.moved - before)

    @rpc(("evm_setNextBlockTimestamp", "anvil_setNextBlockTimestamp"), count64)
    @cheat
    def set_next_time(self, time: int) -> None:
        """Sets the next block's time in Unix seconds. L1 skips slots; L2 builds the blocks before that time."""
        self._layer.set_next_time(time)

    # ------------------------------------------------------------ snapshots
    @rpc(("evm_snapshot", "anvil_snapshot"))
    @cheat
    def snapshot(self) -> str:
        """Takes a snapshot; its number. It holds L1, L2, pools, batcher, proposer, verifier and clock."""
        return hex_quantity(self._shared.snapshot())

    @rpc(("evm_revert", "anvil_revert"), count64)
    @cheat
    def revert(self, number: int) -> bool:
        """Reverts to a snapshot; `false` if it does not exist. Later snapshots are deleted."""
        return self._shared.revert(number)

    # ------------------------------------------------------------ state
    @rpc(("anvil_setBalance", "hardhat_setBalance"), address, number)
    @cheat
    def set_balance(self, account: Address, balance: int) -> None:
        """Sets a balance in wei, in a new block."""
        self._layer.patch(account, StateOverride(balance=balance))

    @rpc(("anvil_addBalance", "hardhat_addBalance"), address, number)
    @cheat
    def add_balance(self, account: Address, wei: int) -> None:
        """Adds wei to a balance, in a new block."""
        chain = self._backend.chain
        found = chain.state_at(chain.head.hash).account(account)
        balance = (found.balance if found is not None else 0) + wei
        if balance >= 2**256:
            raise RpcError("balance overflow")
        self._layer.patch(account, StateOverride(balance=balance))

    @rpc(("anvil_setCode", "hardhat_setCode"), address, data)
    @cheat
    def set_code(self, account: Address, code: bytes) -> None:
        """Sets the code of an account, in a new block."""
        self._layer.patch(account, StateOverride(code=code))

    @rpc(("anvil_setNonce", "hardhat_setNonce", "evm_setAccountNonce"), address, count64)
    @cheat
    def set_nonce(self, account: Address, nonce: int) -> None:
        """Sets a nonce, in a new block."""
        self._layer.patch(account, StateOverride(nonce=nonce))

    @rpc(("anvil_setStorageAt", "hardhat_setStorageAt"), address, slot, slot)
    @cheat
    def set_storage(self, account: Address, slot: int, value: int) -> bool:
        """Sets a storage slot, in a new block; `true`."""
        self._layer.patch(account, StateOverride(storage_diff={slot: value}))
        return True

    # ------------------------------------------------------------ when blocks are made
    @rpc(("evm_setAutomine", "anvil_setAutomine"), boolean)
    @cheat
    def set_automine(self, automine: bool) -> bool:
        """Sets when blocks are made; `true`. L2: `true` makes a block per transaction, as `--instant`, and senders are
        answered with the block; `false`: only on demand. L1: `false` pauses it, `true` is refused.
        """
        self._layer.set_automatic(automine)
        return True

    @for_local_callers
    @rpc(("anvil_getAutomine", "hardhat_getAutomine"))
    def get_automine(self) -> bool:
        """Whether each transaction gets a block at once."""
        return self._layer.is_automatic

    @rpc(("evm_setIntervalMining", "anvil_setIntervalMining"), count64)
    @cheat
    def set_interval(self, seconds: int) -> bool:
        """Sets when blocks are made; `true`. 0: only on demand. The layer's block time: by the clock. Other intervals
        are refused.
        """
        self._layer.set_interval(seconds)
        return True

    @for_local_callers
    @rpc("anvil_getIntervalMining")
    def get_interval(self) -> int | None:
        """The seconds between blocks; `null` while blocks are made only on demand."""
        return self._layer.interval

    # ------------------------------------------------------------ impersonation (sending: impersonation_api.py)
    @rpc(("anvil_impersonateAccount", "hardhat_impersonateAccount"), address)
    @cheat
    def impersonate(self, address: Address) -> None:
        """Lets `eth_sendTransaction` send as this account without its key ("Impersonation", below)."""
        self._layer.impersonation.begin(address)

    @rpc(("anvil_stopImpersonatingAccount", "hardhat_stopImpersonatingAccount"), address)
    @cheat
    def stop_impersonating(self, address: Address) -> None:
        """Ends the impersonation of an account."""
        self._layer.impersonation.end(address)

    @rpc(("anvil_autoImpersonateAccount", "hardhat_autoImpersonateAccount"), boolean)
    @cheat
    def auto_impersonate(self, enabled: bool) -> None:
        """Impersonates every account of this layer, or only those that were named."""
        self._layer.impersonation.is_automatic = enabled

    # ------------------------------------------------------------ the pool
    @rpc(("anvil_dropTransaction", "hardhat_dropTransaction"), hash32)
    @cheat
    def drop(self, tx_hash: Hash) -> str | None:
        """Removes a waiting transaction; its hash, or `null` when it is not in the pool."""
        return hex_data(tx_hash) if self._layer.drop(tx_hash) else None

    @rpc(("anvil_dropAllTransactions", "hardhat_dropAllTransactions"))
    @cheat
    def drop_all(self) -> None:
        """Removes every waiting transaction."""
        self._layer.drop_all()

    @rpc("anvil_removePoolTransactions", address)
    @cheat
    def drop_of(self, sender: Address) -> None:
        """Removes every waiting transaction of a sender."""
        self._layer.drop_of(sender)

    # ------------------------------------------------------------ the node
    @for_local_callers
    @rpc("anvil_nodeInfo")
    def node_info(self) -> dict[str, Any]:
        """The head and the parameters of the next block, in anvil's shape."""
        head, config = self._backend.chain.head, self._backend.config
        base_fee = head.header.base_fee_per_gas or 0
        return {
            "currentBlockNumber": hex_quantity(head.number),
            "currentBlockTimestamp": head.timestamp,
            "currentBlockHash": hex_data(head.hash),
            "hardFork": self._fork(head.timestamp),
            "transactionOrder": "fees",
            "environment": {
                "baseFee": hex_quantity(base_fee),
                "chainId": config.chain_id,
                "gasLimit": hex_quantity(head.header.gas_limit),
                "gasPrice": hex_quantity(base_fee),
            },
            "forkConfig": {"forkUrl": None, "forkBlockNumber": None, "forkRetryBackoff": None},
        }

    def _fork(self, timestamp: int) -> str:
        config = self._backend.config
        fork = config.forks.at(timestamp) if isinstance(config, L2Config) else config.fork_at(timestamp)
        return fork.name.lower()

    @for_local_callers
    @rpc(("anvil_metadata", "hardhat_metadata"))
    def metadata(self) -> dict[str, Any]:
        """The client, the head and the snapshots, in anvil's shape."""
        chain = self._backend.chain
        heads = self._shared.snapshot_heads(self._backend.name)
        kept = {number: chain.header(item.head) for number, item in heads.items()}
        return {
            "clientVersion": client_version(),
            "chainId": self._backend.config.chain_id,
            "instanceId": hex_data(keccak256(b"openrollup instance" + chain.genesis.hash)),
            "latestBlockNumber": chain.head.number,
            "latestBlockHash": hex_data(chain.head.hash),
            "forkedNetwork": None,
            "snapshots": {
                hex_quantity(number): [header.number, hex_data(heads[number].head)]
                for number, header in kept.items()
                if header is not None
            },
        }


def cheats_of(api: object, is_strict: bool) -> dict[str, Method]:
    """The handlers of an object by method name; when strict, all of them refuse."""
    return {name: refusal(name) if is_strict else handler for name, handler in collect(api).items()}


def refusal(name: str) -> Method:
    """The handler of a cheat under `openrollup run --strict`."""

    def refuse(given: Sequence[Any]) -> Any:
        del given
        raise RpcError(f"{name} is refused: developer cheats are off here (openrollup run --strict)")

    return refuse
