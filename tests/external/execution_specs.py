"""Executes L1 blocks by execution-specs (PyPI: ethereum-execution) and prints what each comes to, as JSON.

It runs in a Python of its own, for the package needs other versions of libraries than we do. Reads from standard input:
{"chain_id", "genesis": block RLP, "alloc": {address: {balance, nonce, code, storage}}, "blocks": [[fork, block RLP]]}.
"""

import dataclasses
import importlib
import json
import sys

from ethereum.crypto.hash import keccak256
from ethereum.exceptions import EthereumException
from ethereum_rlp import rlp
from ethereum_types.bytes import Bytes, Bytes32
from ethereum_types.numeric import U64, U256, Uint


class Fork:
    """The modules of one fork."""

    def __init__(self, name):
        self.name = name
        for part in ("fork", "blocks", "state", "trie", "vm", "fork_types", "bloom"):
            setattr(self, part, importlib.import_module(f"ethereum.forks.{name}.{part}"))

    def block(self, text):
        return rlp.decode_to(self.blocks.Block, bytes.fromhex(text))

    def genesis_state(self, alloc):
        state = self.state.State()
        for text, account in alloc.items():
            address = self.fork_types.Address(bytes.fromhex(text))
            code = Bytes(bytes.fromhex(account["code"]))
            record = self.fork_types.Account(Uint(account["nonce"]), U256(account["balance"]), code)
            self.state.set_account(state, address, record)
            for slot, value in account["storage"].items():
                key = Bytes32(int(slot).to_bytes(32, "big"))
                self.state.set_storage(state, address, key, U256(value))
        return state

    def taken_over(self, old):
        """The state of an older fork's State, in this fork's types."""
        state = self.state.State()
        for address, account in old._main_trie._data.items():
            record = self.fork_types.Account(account.nonce, account.balance, account.code)
            self.state.set_account(state, address, record)
        for address, trie in old._storage_tries.items():
            for key, value in trie._data.items():
                self.state.set_storage(state, address, key, value)
        return state

    def execute(self, chain, block):
        """The header fields that execution gives; raises what the specs raise."""
        self.fork.validate_header(chain, block.header)
        header = block.header
        values = {
            "chain_id": chain.chain_id,
            "state": chain.state,
            "block_gas_limit": header.gas_limit,
            "block_hashes": self.fork.get_last_256_block_hashes(chain),
            "time": header.timestamp,
            **{name: getattr(header, name) for name in header.__dataclass_fields__},
        }
        kind = self.vm.BlockEnvironment
        environment = kind(**{field.name: values[field.name] for field in dataclasses.fields(kind)})
        arguments = {name: getattr(block, name) for name in ("transactions", "withdrawals") if hasattr(block, name)}
        output = self.fork.apply_body(environment, **arguments)
        result = {
            "gas_used": int(output.block_gas_used),
            "state_root": self.state.state_root(chain.state).hex(),
            "transactions_root": self.trie.root(output.transactions_trie).hex(),
            "receipts_root": self.trie.root(output.receipts_trie).hex(),
            "logs_bloom": self.bloom.logs_bloom(output.block_logs).hex(),
        }
        if hasattr(output, "blob_gas_used"):
            result["blob_gas_used"] = int(output.blob_gas_used)
        if hasattr(output, "requests"):
            requests = importlib.import_module(f"ethereum.forks.{self.name}.requests")
            result["requests_hash"] = requests.compute_requests_hash(output.requests).hex()
        chain.blocks.append(block)
        return result


def main():
    question = json.load(sys.stdin)
    fork = Fork(question["blocks"][0][0])
    genesis = fork.block(question["genesis"])
    state = fork.genesis_state(question["alloc"])
    assert fork.state.state_root(state) == genesis.header.state_root
    chain = fork.fork.BlockChain([genesis], state, U64(question["chain_id"]))
    results = []
    for name, text in question["blocks"]:
        if name != fork.name:
            fork = Fork(name)
            blocks = [fork.block(rlp.encode(block).hex()) for block in chain.blocks]
            chain = fork.fork.BlockChain(blocks, fork.taken_over(chain.state), chain.chain_id)
        block = fork.block(text)
        try:
            results.append({"hash": keccak256(rlp.encode(block.header)).hex(), **fork.execute(chain, block)})
        except EthereumException as error:
            results.append({"error": f"{type(error).__name__}: {error}"})
            break
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
