"""eth_: what reads the chain, on both layers."""

from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.eth_blocks import EthBlocks
from rollup.rpc.eth_fees import EthFees
from rollup.rpc.eth_state import EthState
from rollup.rpc.eth_transactions import EthTransactions
from rollup.rpc.queries import Queries


def eth_reads(backend: ExecutionBackend) -> list[object]:
    """The namespaces of eth_ that read blocks, transactions, receipts, accounts and fees."""
    queries = Queries(backend)
    return [EthBlocks(queries), EthTransactions(queries), EthState(queries), EthFees(queries)]
