"""A rollup in this Python process: an L1, an L2 with sequencer and batcher, and a verifier, moved by verbs.

>>> from openrollup import Chain
>>> with Chain() as chain:
...     made = chain.inferences(4, contributors=3)
...     made.sum("fee") == chain.credits().sum("amount")
True

docs/python.md has the verbs.
"""

from openrollup.chain import Chain
from openrollup.layers import L1, L2, Head
from openrollup.rows import DataFramesMissing, Rows
from rollup.l1.json_rpc import RpcError
from rollup.l1.miner import ReorgError
from rollup.node import NodeError

__all__ = ["L1", "L2", "Chain", "DataFramesMissing", "Head", "NodeError", "ReorgError", "Rows", "RpcError"]
