"""A process that extends a chain on disk without end, to be killed: says each head on a line once it is set.

Run as `python -m tests.store.chain_writer DIRECTORY SEED`. Every third block replaces a side block, and the history is
short, so that every kind of write is under way when the kill comes.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from rollup.execution.chain import Chain
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.changes import changes_of_alloc
from rollup.execution.state.database import StateDatabase
from rollup.protocol.block import Block, ExecutedBlock
from rollup.protocol.header import Header
from rollup.protocol.primitives import EMPTY_TRIE_ROOT, keccak256
from rollup.store.kv import LmdbStore, MemoryStore

CONTRACT = b"\xcc" * 20
HISTORY = 6
SLOTS = 40


@dataclass
class Entry:
    balance: int
    nonce: int = 0
    code: bytes = b""
    storage: dict[int, int] = field(default_factory=dict)


ALLOC = {CONTRACT: Entry(1, 1, b"\x00", {0: 1})}


def open_chain(path: Path) -> Chain:
    root = StateDatabase(MemoryStore()).stage(EMPTY_TRIE_ROOT, changes_of_alloc(ALLOC)).root
    return Chain.open(LmdbStore.open(path), Header(state_root=root, base_fee_per_gas=1), ALLOC, HISTORY)


def extend(chain: Chain, parent: Block, salt: int) -> Block:
    """A block in whose state every slot and twenty accounts depend on its number and salt."""
    accounts = AccountDatabase(chain.states.reader_at(parent.header.state_root))
    number = parent.number + 1
    for slot in range(SLOTS):
        accounts.set_storage(CONTRACT, slot, number * 1000 + salt if slot % 3 else 0)
    for index in range(20):
        address = keccak256(bytes([(number * 7 + index) % 256]))[:20]
        if (number + index) % 5:
            accounts.set_balance(address, number + salt)
        else:
            accounts.delete_account(address)
    staged = chain.states.stage(parent.header.state_root, accounts.changes())
    header = Header(parent_hash=parent.hash, number=number, state_root=staged.root, base_fee_per_gas=1)
    block = Block(header.with_fields(extra_data=salt.to_bytes(2, "big")))
    chain.insert(ExecutedBlock(block, []), staged)
    return block


def main(path: Path, seed: int) -> None:
    chain = open_chain(path)
    while True:
        parent = chain.head
        if parent.number % 3 == seed % 3 and parent.number > 1:
            side = extend(chain, parent, 500)
            chain.set_head(side.hash)
            print(side.number, side.hash.hex(), flush=True)
        block = extend(chain, parent, 1)
        chain.set_head(block.hash)
        chain.set_labels(safe=block.hash)
        print(block.number, block.hash.hex(), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
