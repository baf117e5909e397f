"""A derived chain whose states are gone: how far it must go back, so that it can be derived again from L1.

The state of a block can be had again where its trie is kept, and the flat state can be taken back to it over the
diffs of all blocks above. Where no such block is at or below the limit, the chain begins at genesis again.
"""

from rollup.execution.chain import Chain
from rollup.execution.chain_view import BODIES, BY_NUMBER, CANONICAL, HEADERS, POINTERS, RECEIPTS, TRANSACTIONS
from rollup.execution.log_index import LOGS
from rollup.execution.state.database import DIFFS, FLAT_ACCOUNTS, FLAT_STORAGE, NODES, PLACES, REFERENCES
from rollup.protocol.block import Block
from rollup.protocol.primitives import Hash
from rollup.store.kv import Store

_CHAIN_TABLES = (HEADERS, BODIES, RECEIPTS, CANONICAL, TRANSACTIONS, POINTERS, BY_NUMBER, LOGS)
_STATE_TABLES = (NODES, REFERENCES, FLAT_ACCOUNTS, FLAT_STORAGE, DIFFS, PLACES)


def lacks_states(chain: Chain) -> bool:
    """A reorganisation down to the finalized block would fail: the states that it needs are not all kept."""
    return newest_with_state(chain, chain.finalized.number, chain.finalized.number) is None or not chain.has_state(
        chain.head.header
    )


def newest_with_state(chain: Chain, highest: int, lowest: int = 0) -> Block | None:
    """The newest canonical block from highest down to lowest that the chain can go back to."""
    for number in range(chain.head.number, lowest - 1, -1):
        header = chain.header_by_number(number)
        block_hash = chain.canonical_hash(number)
        if header is None or block_hash is None:
            return None
        if number <= highest and chain.has_state(header):
            return chain.block(block_hash)
        if chain.store.get(DIFFS, block_hash) is None:
            return None
    return None


def go_back(chain: Chain, block: Block) -> None:
    """Makes a block of newest_with_state the head and forgets every block above it, which has to be executed again."""
    dropped = [chain.canonical_hash(number) for number in range(block.number + 1, chain.head.number + 1)]
    chain.set_head(block.hash)
    _forget_blocks(chain, block.number, [name for name in dropped if name is not None])


def _forget_blocks(chain: Chain, above: int, dropped: list[Hash]) -> None:
    """Deletes blocks, receipts and states above a height: a known block would not be executed again."""
    others = list(chain.store.scan(BY_NUMBER, (above + 1).to_bytes(8, "big")))
    names = {key[8:] for key, _ in others}.union(dropped)
    with chain.store.write() as batch:
        for name in sorted(names):
            chain.states.prune_block(batch, name, False)
            for table in (HEADERS, BODIES, RECEIPTS):
                batch.delete(table, name)
        for key, _ in others:
            batch.delete(BY_NUMBER, key)


def empty(store: Store) -> None:
    """Deletes a chain's blocks and states, in one write; the next Chain.open begins at genesis."""
    with store.write() as batch:
        for table in (*_CHAIN_TABLES, *_STATE_TABLES):
            for key, _ in list(store.scan(table)):
                batch.delete(table, key)
