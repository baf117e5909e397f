"""eth_: reading the chain, both layers."""

from dataclasses import replace
from typing import Any

from rollup.cooperative import in_turns
from rollup.execution.block_context import l1_base_fee, l1_blob_base_fee_after, l1_excess_blob_gas, l2_base_fee
from rollup.execution.config import L1Config
from rollup.execution.state.account import Account
from rollup.protocol.blob_schedule import blob_base_fee_under
from rollup.protocol.block import Block
from rollup.protocol.fees import GAS_PER_BLOB, MIN_BLOB_BASE_FEE
from rollup.protocol.forks import L1_FORKS
from rollup.protocol.primitives import EMPTY_REQUESTS_HASH, EMPTY_TRIE_ROOT, Address, Hash
from rollup.protocol.receipt import Receipt
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.errors import RpcError
from rollup.rpc.formats import (
    block_json,
    header_json,
    hex_data,
    hex_quantity,
    receipt_json,
    receipts_json,
    transaction_json,
)
from rollup.rpc.limits import MAX_FEE_HISTORY
from rollup.rpc.methods import takes_long
from rollup.rpc.params import (
    BlockId,
    Optional,
    StorageKey,
    address,
    block_id,
    boolean,
    count64,
    hash32,
    params,
    percentiles,
    quantity64,
    storage_key,
    storage_keys,
)

_HIGHEST_TIP = 500 * 10**9  # wei: op-geth's --gpo.maxprice
_DEFAULT_TIP = 1_000_000  # wei: what a quiet chain suggests, as op-geth's --gpo.minsuggestedpriorityfee


class EthReads:
    """Blocks, transactions, receipts, accounts, fees."""

    def __init__(self, backend: ExecutionBackend) -> None:
        self._backend = backend
        self._chain = backend.chain

    # ------------------------------------------------------------ the node
    @params()
    def eth_chainId(self) -> str:  # noqa: N802
        """The chain id."""
        return hex_quantity(self._backend.config.chain_id)

    @params()
    def eth_blockNumber(self) -> str:  # noqa: N802
        """The head's number."""
        return hex_quantity(self._chain.head.number)

    @params()
    def eth_syncing(self) -> bool:
        """Always false: this node is always in sync."""
        return False

    @params()
    def eth_coinbase(self) -> str:
        """The fee recipient of the latest block."""
        return hex_data(self._chain.head.header.coinbase)

    @params()
    def eth_gasPrice(self) -> str:  # noqa: N802
        """Base fee and a tip: enough for the next block, and for a call in the head (which checks its own base fee)."""
        head = self._chain.head.header.base_fee_per_gas or 0
        return hex_quantity(max(head, self._next_base_fee()) + self._tip())

    @params()
    def eth_maxPriorityFeePerGas(self) -> str:  # noqa: N802
        """A tip that gets a transaction in."""
        return hex_quantity(self._tip())

    @params()
    def eth_baseFee(self) -> str:  # noqa: N802
        """The base fee per gas of the next block, in wei."""
        return hex_quantity(self._next_base_fee())

    @params()
    def eth_blobBaseFee(self) -> str | None:  # noqa: N802
        """Wei per unit of blob gas in the next block; null on an L1 before Cancun, as in geth."""
        head, config = self._chain.head, self._backend.config
        if isinstance(config, L1Config) and L1_FORKS[config.fork_at(head.timestamp + 1)].blobs is None:
            return None
        return self._blob_base_fee_after(head)

    @takes_long
    @params(count64, block_id, Optional(percentiles))
    def eth_feeHistory(self, count: int, newest: BlockId, shares: list[float] | None) -> dict[str, Any]:  # noqa: N802
        """Base fees, fill ratios and tips of a range of blocks."""
        head = self._chain.head.number
        if isinstance(newest, int) and newest > head:
            raise RpcError(f"request beyond head block: requested {newest}, head {head}")
        last = self._backend.require_block(newest)
        if count == 0:
            return {"oldestBlock": "0x0", "gasUsedRatio": None}
        count = min(count, MAX_FEE_HISTORY, last.number + 1)
        numbers = in_turns(range(last.number - count + 1, last.number + 1))
        blocks = [self._backend.require_block(number) for number in numbers]
        base_fees = [block.header.base_fee_per_gas or 0 for block in blocks]
        result: dict[str, Any] = {
            "oldestBlock": hex_quantity(last.number - count + 1),
            "baseFeePerGas": [hex_quantity(fee) for fee in [*base_fees, self._base_fee_after(last)]],
            "gasUsedRatio": [block.header.gas_used / block.header.gas_limit for block in blocks],
            "baseFeePerBlobGas": [
                *(hex_quantity(self._blob_base_fee(block)) for block in blocks),
                self._blob_base_fee_after(last),
            ],
            "blobGasUsedRatio": [self._blob_gas_ratio(block) for block in blocks],
        }
        if shares:
            result["reward"] = [self._rewards(block, shares) for block in in_turns(blocks)]
        return result

    # ------------------------------------------------------------ accounts
    @params(address, Optional(block_id, "latest"))
    def eth_getBalance(self, who: Address, which: BlockId) -> str:  # noqa: N802
        """Wei."""
        account = self._state(which).account(who)
        return hex_quantity(account.balance if account is not None else 0)

    @params(address, Optional(block_id, "latest"))
    def eth_getTransactionCount(self, who: Address, which: BlockId) -> str:  # noqa: N802
        """The nonce; with pending, the pool's transactions counted."""
        if which == "pending" and self._backend.pool is not None:
            return hex_quantity(self._backend.pool.nonce(who))
        account = self._state(which).account(who)
        return hex_quantity(account.nonce if account is not None else 0)

    @params(address, Optional(block_id, "latest"))
    def eth_getCode(self, who: Address, which: BlockId) -> str:  # noqa: N802
        """The code."""
        state = self._state(which)
        account = state.account(who)
        return hex_data(state.code(account.code_hash) if account is not None else b"")

    @params(address, storage_key, Optional(block_id, "latest"))
    def eth_getStorageAt(self, who: Address, where: StorageKey, which: BlockId) -> str:  # noqa: N802
        """A slot, as 32 bytes."""
        return hex_data(self._state(which).storage(who, where.slot).to_bytes(32, "big"))

    @params(address, Optional(block_id, "latest"))
    def eth_getAccount(self, who: Address, which: BlockId) -> dict[str, Any]:  # noqa: N802
        """What the state trie has of an account; of one that is not there, what an empty one has."""
        account = self._state(which).account(who) or Account(0, 0)
        return {
            "balance": hex_quantity(account.balance),
            "nonce": hex_quantity(account.nonce),
            "codeHash": hex_data(account.code_hash),
            "storageRoot": hex_data(account.storage_root),
        }

    @params(address, Optional(block_id, "latest"))
    def eth_getAccountInfo(self, who: Address, which: BlockId) -> dict[str, Any]:  # noqa: N802
        """Balance, nonce and code at once: foundry asks this before it asks three times."""
        state = self._state(which)
        account = state.account(who) or Account(0, 0)
        return {
            "balance": hex_quantity(account.balance),
            "nonce": hex_quantity(account.nonce),
            "code": hex_data(state.code(account.code_hash)),
        }

    @takes_long
    @params(address, storage_keys, Optional(block_id, "latest"))
    def eth_getProof(self, who: Address, keys: list[StorageKey], which: BlockId) -> dict[str, Any]:  # noqa: N802
        """EIP-1186: an account and slots with their proofs."""
        block = self._backend.require_block(which)
        self._backend.state(block)
        proof = self._chain.states.prove(block.header.state_root, who, [key.slot for key in keys])
        account = proof.account
        empty_root = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
        empty_code = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
        return {
            "address": hex_data(who),
            "accountProof": [hex_data(node) for node in proof.account_nodes],
            "balance": hex_quantity(account.balance if account else 0),
            "nonce": hex_quantity(account.nonce if account else 0),
            "codeHash": hex_data(account.code_hash) if account else empty_code,
            "storageHash": hex_data(account.storage_root) if account else empty_root,
            "storageProof": [
                {
                    # A key of 32 bytes is answered as such, a quantity as a quantity (geth).
                    "key": hex_data(key.slot.to_bytes(32, "big")) if key.size == 32 else hex_quantity(key.slot),
                    "value": hex_quantity(value),
                    "proof": [hex_data(node) for node in nodes],
                }
                for key, (_, value, nodes) in zip(keys, proof.slots, strict=True)
            ],
        }

    # ------------------------------------------------------------ blocks
    @takes_long
    @params(block_id, Optional(boolean, False))
    def eth_getBlockByNumber(self, which: BlockId, full: bool) -> dict[str, Any] | None:  # noqa: N802
        """A block. L1's pending block has no hash, nonce and miner, as on geth; L2's is the latest, as on op-geth."""
        answer = self._block_json(self._shown(which), full)
        return self._without_identity(answer) if which == "pending" else answer

    @takes_long
    @params(hash32, Optional(boolean, False))
    def eth_getBlockByHash(self, block_hash: Hash, full: bool) -> dict[str, Any] | None:  # noqa: N802
        """A block, orphaned ones too."""
        return self._block_json(self._chain.block(block_hash), full)

    @params(block_id)
    def eth_getHeaderByNumber(self, which: BlockId) -> dict[str, Any] | None:  # noqa: N802
        """A header."""
        block = self._shown(which)
        answer = None if block is None else header_json(block.header, block.hash)
        return self._without_identity(answer) if which == "pending" else answer

    @params(hash32)
    def eth_getHeaderByHash(self, block_hash: Hash) -> dict[str, Any] | None:  # noqa: N802
        """A header."""
        block = self._chain.block(block_hash)
        return None if block is None else header_json(block.header, block.hash)

    @takes_long
    @params(block_id)
    def eth_getBlockReceipts(self, which: BlockId) -> list[dict[str, Any]] | None:  # noqa: N802
        """All receipts of a block."""
        block = self._shown(which)
        return None if block is None else receipts_json(self._backend.config, block, self._receipts(block))

    @params(block_id)
    def eth_getBlockTransactionCountByNumber(self, which: BlockId) -> str | None:  # noqa: N802
        """How many transactions."""
        block = self._shown(which)
        return None if block is None else hex_quantity(len(block.transactions))

    @params(hash32)
    def eth_getBlockTransactionCountByHash(self, block_hash: Hash) -> str | None:  # noqa: N802
        """How many transactions."""
        block = self._chain.block(block_hash)
        return None if block is None else hex_quantity(len(block.transactions))

    @params(block_id)
    def eth_getUncleCountByBlockNumber(self, which: BlockId) -> str | None:  # noqa: N802
        """Zero for a known block: there are no uncles since the merge. Null for an unknown one."""
        return None if self._backend.block(which) is None else "0x0"

    @params(hash32)
    def eth_getUncleCountByBlockHash(self, block_hash: Hash) -> str | None:  # noqa: N802
        """Zero for a known block: there are no uncles since the merge. Null for an unknown one."""
        return None if self._chain.block(block_hash) is None else "0x0"

    @params(block_id, quantity64)
    def eth_getUncleByBlockNumberAndIndex(self, which: BlockId, index: int) -> None:  # noqa: N802
        """Always null: there are no uncles since the merge."""
        del which, index

    @params(hash32, quantity64)
    def eth_getUncleByBlockHashAndIndex(self, block_hash: Hash, index: int) -> None:  # noqa: N802
        """Always null: there are no uncles since the merge."""
        del block_hash, index

    # ------------------------------------------------------------ transactions
    @params(hash32)
    def eth_getTransactionByHash(self, tx_hash: Hash) -> dict[str, Any] | None:  # noqa: N802
        """A transaction of the chain, or one waiting in the pool."""
        found = self._find(tx_hash)
        if found is not None:
            return self._transaction_json(*found)
        pooled = self._backend.pool.get(tx_hash) if self._backend.pool is not None else None
        return None if pooled is None else transaction_json(pooled)

    @params(block_id, quantity64)
    def eth_getTransactionByBlockNumberAndIndex(self, which: BlockId, index: int) -> dict[str, Any] | None:  # noqa: N802
        """A transaction by its place."""
        return self._transaction_at(self._shown(which), index)

    @params(hash32, quantity64)
    def eth_getTransactionByBlockHashAndIndex(self, block_hash: Hash, index: int) -> dict[str, Any] | None:  # noqa: N802
        """A transaction by its place."""
        return self._transaction_at(self._chain.block(block_hash), index)

    @params(hash32)
    def eth_getRawTransactionByHash(self, tx_hash: Hash) -> str | None:  # noqa: N802
        """The encoded transaction."""
        found = self._find(tx_hash)
        if found is not None:
            return hex_data(found[0].transactions[found[1]].encode())
        pooled = self._backend.pool.get(tx_hash) if self._backend.pool is not None else None
        return None if pooled is None else hex_data(pooled.encode())

    @params(block_id, quantity64)
    def eth_getRawTransactionByBlockNumberAndIndex(self, which: BlockId, index: int) -> str | None:  # noqa: N802
        """The encoded transaction."""
        return _raw_at(self._shown(which), index)

    @params(hash32, quantity64)
    def eth_getRawTransactionByBlockHashAndIndex(self, block_hash: Hash, index: int) -> str | None:  # noqa: N802
        """The encoded transaction."""
        return _raw_at(self._chain.block(block_hash), index)

    @params(hash32)
    def eth_getTransactionReceipt(self, tx_hash: Hash) -> dict[str, Any] | None:  # noqa: N802
        """A receipt, with OP fields on L2."""
        found = self._find(tx_hash)
        if found is None:
            return None
        block, index = found
        return receipt_json(self._backend.config, block, self._receipts(block), index)

    # ------------------------------------------------------------ inside
    def _state(self, which: BlockId) -> Any:
        return self._backend.state(self._backend.require_block(which))

    def _shown(self, which: BlockId) -> Block | None:
        """A block as it is shown. L1's pending block is the one after the head, before it takes any transaction."""
        config, head = self._backend.config, self._chain.head
        if which != "pending" or not isinstance(config, L1Config):
            return self._backend.block(which)
        header = replace(
            head.header,
            parent_hash=head.hash,
            number=head.number + 1,
            timestamp=head.timestamp + 1,
            base_fee_per_gas=self._next_base_fee(),
            gas_used=0,
            transactions_root=EMPTY_TRIE_ROOT,
            receipts_root=EMPTY_TRIE_ROOT,
            logs_bloom=bytes(256),
            requests_hash=None if head.header.requests_hash is None else EMPTY_REQUESTS_HASH,
        )
        if header.excess_blob_gas is not None:
            excess = l1_excess_blob_gas(config, head.header, header.timestamp)
            header = replace(header, blob_gas_used=0, excess_blob_gas=excess)
        return Block(header)

    def _find(self, tx_hash: Hash) -> tuple[Block, int] | None:
        location = self._chain.find_transaction(tx_hash)
        block = None if location is None else self._chain.block(location.block_hash)
        return None if location is None or block is None else (block, location.index)

    def _receipts(self, block: Block) -> list[Receipt]:
        return self._chain.receipts(block.hash) or []

    def _block_json(self, block: Block | None, full: bool) -> dict[str, Any] | None:
        return None if block is None else block_json(block, self._receipts(block) if full else [], full=full)

    def _without_identity(self, answer: dict[str, Any] | None) -> dict[str, Any] | None:
        """A pending block as JSON, without what its layer does not say of it (op-geth internal/ethapi/api.go)."""
        if answer is None or not isinstance(self._backend.config, L1Config):
            return answer
        return answer | {"hash": None, "nonce": None, "miner": None}

    def _transaction_at(self, block: Block | None, index: int) -> dict[str, Any] | None:
        if block is None or index >= len(block.transactions):
            return None
        return self._transaction_json(block, index)

    def _transaction_json(self, block: Block, index: int) -> dict[str, Any]:
        receipts = self._receipts(block)
        receipt = receipts[index] if index < len(receipts) else None
        return transaction_json(block.transactions[index], block, index, receipt)

    def _tip(self) -> int:
        """What gets a transaction in: on L1 the head's median tip, on L2 op-geth's suggestion; at least the default.

        op-geth (eth/gasprice/optimism-gasprice.go) suggests more than the default only after a block that may have had
        no room for another transaction: then a tenth above that block's median.
        """
        head = self._chain.head
        tips = sorted(self._tips_with_deposits(head))
        median = tips[len(tips) // 2][0] if tips else 0
        if isinstance(self._backend.config, L1Config):
            return max(_DEFAULT_TIP, median)
        room = head.header.gas_limit - head.header.gas_used
        if room >= max((gas for _, gas in tips), default=0):
            return _DEFAULT_TIP
        return min(max(_DEFAULT_TIP, median + median // 10), _HIGHEST_TIP)

    def _tips_with_deposits(self, block: Block) -> list[tuple[int, int]]:
        """Tip and gas used of each transaction of a block. A deposit tips nothing (op-geth: EffectiveGasTip)."""
        base_fee = block.header.base_fee_per_gas or 0
        return [
            (0 if transaction.is_deposit else transaction.effective_gas_price(base_fee) - base_fee, receipt.gas_used)
            for transaction, receipt in zip(block.transactions, self._receipts(block), strict=False)
        ]

    def _rewards(self, block: Block, shares: list[float]) -> list[str]:
        """Tips at shares of the block's gas, in per cent (op-geth eth/gasprice/feehistory.go: processBlock)."""
        tips = sorted(self._tips_with_deposits(block), key=lambda item: item[0])
        if not tips:
            return ["0x0"] * len(shares)
        rewards, index, seen = [], 0, tips[0][1]
        for share in shares:
            threshold = int(block.header.gas_used * share / 100)
            while index < len(tips) - 1 and seen < threshold:
                index += 1
                seen += tips[index][1]
            rewards.append(hex_quantity(tips[index][0]))
        return rewards

    def _blob_base_fee_after(self, block: Block) -> str:
        """The blob base fee of the next block; L2 has no blobs, so it is always 1 wei there."""
        config = self._backend.config
        if not isinstance(config, L1Config):
            return hex_quantity(MIN_BLOB_BASE_FEE)
        return hex_quantity(l1_blob_base_fee_after(config, block.header, block.timestamp + 1))

    def _blob_base_fee(self, block: Block) -> int:
        config = self._backend.config
        if not isinstance(config, L1Config):
            return MIN_BLOB_BASE_FEE
        return blob_base_fee_under(config.fork_at(block.timestamp), block.header.excess_blob_gas or 0)

    def _blob_gas_ratio(self, block: Block) -> float:
        """Blob gas used, as a share of the block's limit; 0 on L2 and before blobs."""
        config = self._backend.config
        blobs = L1_FORKS[config.fork_at(block.timestamp)].blobs if isinstance(config, L1Config) else None
        return 0 if blobs is None else (block.header.blob_gas_used or 0) / (blobs.max * GAS_PER_BLOB)

    def _next_base_fee(self) -> int:
        return self._base_fee_after(self._chain.head)

    def _base_fee_after(self, block: Block) -> int:
        config = self._backend.config
        if isinstance(config, L1Config):
            return l1_base_fee(block.header)
        return l2_base_fee(config, block.header, block.timestamp + 1)


def _raw_at(block: Block | None, index: int) -> str | None:
    if block is None or index >= len(block.transactions):
        return None
    return hex_data(block.transactions[index].encode())
