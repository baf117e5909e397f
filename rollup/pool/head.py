"""The chain's head as a pool sees it: the state of accounts, the rules in force, and the cost of L1 data."""

from collections.abc import Callable

from rollup.execution.block_context import rules_at
from rollup.execution.config import L1Config, L2Config
from rollup.execution.state.account import Account
from rollup.execution.state.reader import StateReader
from rollup.pool.rules import PoolRules, max_cost
from rollup.protocol.block import Block
from rollup.protocol.header import Header
from rollup.protocol.primitives import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, Address
from rollup.protocol.transaction import Transaction

# What a transaction costs beyond gas and value, in wei. A rule is called per head, its function per transaction.
CostFunction = Callable[[Transaction], int]
CostRule = Callable[[Header, StateReader], CostFunction]

_NO_ACCOUNT = Account(0, 0, EMPTY_TRIE_ROOT, EMPTY_CODE_HASH)


def no_extra_cost(header: Header, state: StateReader) -> CostFunction:
    """L1's rule: gas and value are all there is."""
    del header, state
    return lambda transaction: 0


class PoolHead:
    """The head as the pool's checks see it. One object per head."""

    def __init__(self, config: L1Config | L2Config, head: Block, state: StateReader, extra_cost: CostRule) -> None:
        """state: the state after the head."""
        self.state = state
        self.rules = PoolRules(
            chain_id=config.chain_id,
            gas_limit=head.header.gas_limit,
            evm=rules_at(config, head.timestamp),
        )
        self._extra_cost = extra_cost(head.header, state)

    def account(self, address: Address) -> Account:
        """The account at the head, an empty one if there is none."""
        return self.state.account(address) or _NO_ACCOUNT

    def cost_of(self, transaction: Transaction) -> int:
        """Wei the sender must hold for a transaction: gas at the cap, value, and the extra cost."""
        return max_cost(transaction) + self._extra_cost(transaction)
