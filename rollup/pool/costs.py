"""The cost of an L2 transaction beyond gas and value. If the pool did not count it, a block could not take it.

op-geth does the same in its balance check (core/txpool/legacypool/list.go): L1 data fee and operator fee at the head.
"""

from functools import cache

from rollup.execution.config import L2Config
from rollup.execution.l1_block import read_l1_fee_parameters
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.reader import StateReader
from rollup.pool.head import CostFunction, CostRule
from rollup.protocol.fees import L1FeeParameters, l1_cost, operator_fee
from rollup.protocol.header import Header
from rollup.protocol.transaction import Transaction


def l2_extra_cost(config: L2Config) -> CostRule:
    """The pool's rule for an OP chain."""
    # spec: isthmus.pool-balance

    def at_head(header: Header, state: StateReader) -> CostFunction:
        fork = config.fork_at(header.timestamp)

        @cache
        def parameters() -> L1FeeParameters:
            return read_l1_fee_parameters(AccountDatabase(state), fork)

        def cost(transaction: Transaction) -> int:
            data_fee = l1_cost(transaction.encode(), fork, parameters())
            return data_fee + operator_fee(transaction.gas_limit, fork, parameters())

        return cost

    return at_head
