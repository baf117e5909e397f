"""eth_: accounts and storage as they are after a block, and their proofs."""

from typing import Any

from rollup.execution.state.account import ABSENT
from rollup.protocol.primitives import Address
from rollup.rpc.formats import hex_data, hex_quantity
from rollup.rpc.methods import rpc, takes_long
from rollup.rpc.params import BlockId, Optional, StorageKey, address, block_id, storage_key, storage_keys
from rollup.rpc.queries import Queries


class EthState:
    """Accounts and storage."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    @rpc("eth_getBalance", address, Optional(block_id, "latest"))
    def get_balance(self, address: Address, block_id: BlockId) -> str:
        """The balance in wei."""
        return hex_quantity(self._queries.account(address, block_id).balance)

    @rpc("eth_getTransactionCount", address, Optional(block_id, "latest"))
    def get_transaction_count(self, address: Address, block_id: BlockId) -> str:
        """The nonce; with `pending` it counts the pool's transactions."""
        return hex_quantity(self._queries.nonce(address, block_id))

    @rpc("eth_getCode", address, Optional(block_id, "latest"))
    def get_code(self, address: Address, block_id: BlockId) -> str:
        """The code."""
        state = self._queries.state(block_id)
        account = state.account(address)
        return hex_data(state.code(account.code_hash) if account is not None else b"")

    @rpc("eth_getStorageAt", address, storage_key, Optional(block_id, "latest"))
    def get_storage_at(self, address: Address, slot: StorageKey, block_id: BlockId) -> str:
        """A slot, as 32 bytes."""
        return hex_data(self._queries.state(block_id).storage(address, slot.slot).to_bytes(32, "big"))

    @rpc("eth_getAccount", address, Optional(block_id, "latest"))
    def get_account(self, address: Address, block_id: BlockId) -> dict[str, Any]:
        """`{balance, nonce, codeHash, storageRoot}`: an account's entry in the state trie. An account that does not
        exist is answered as an empty one.
        """
        account = self._queries.account(address, block_id)
        return {
            "balance": hex_quantity(account.balance),
            "nonce": hex_quantity(account.nonce),
            "codeHash": hex_data(account.code_hash),
            "storageRoot": hex_data(account.storage_root),
        }

    @rpc("eth_getAccountInfo", address, Optional(block_id, "latest"))
    def get_account_info(self, address: Address, block_id: BlockId) -> dict[str, Any]:
        """`{balance, nonce, code}`: foundry asks for it before it makes three requests."""
        state = self._queries.state(block_id)
        account = state.account(address) or ABSENT
        return {
            "balance": hex_quantity(account.balance),
            "nonce": hex_quantity(account.nonce),
            "code": hex_data(state.code(account.code_hash)),
        }

    @takes_long
    @rpc("eth_getProof", address, storage_keys, Optional(block_id, "latest"))
    def get_proof(self, address: Address, slots: list[StorageKey], block_id: BlockId) -> dict[str, Any]:
        """An account and slots with their Merkle proofs (EIP-1186)."""
        backend = self._queries.backend
        block = backend.require_block(block_id)
        backend.state(block)
        proof = backend.chain.states.prove(block.header.state_root, address, [key.slot for key in slots])
        account = proof.account or ABSENT
        return {
            "address": hex_data(address),
            "accountProof": [hex_data(node) for node in proof.account_nodes],
            "balance": hex_quantity(account.balance),
            "nonce": hex_quantity(account.nonce),
            "codeHash": hex_data(account.code_hash),
            "storageHash": hex_data(account.storage_root),
            "storageProof": [
                {
                    # A key of 32 bytes is answered as such, a quantity as a quantity (geth).
                    "key": hex_data(key.slot.to_bytes(32, "big")) if key.size == 32 else hex_quantity(key.slot),
                    "value": hex_quantity(value),
                    "proof": [hex_data(node) for node in nodes],
                }
                for key, (_, value, nodes) in zip(slots, proof.slots, strict=True)
            ],
        }
