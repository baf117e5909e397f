"""A whole rollup in this process, and its data as rows."""

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final

import structlog

from openrollup.layers import L1, L2, Head
from openrollup.load import Load
from openrollup.local_rpc import LocalRpc
from openrollup.rows import Rows
from rollup.export import attribution, batches
from rollup.export.blocks import read_blocks, rows_of
from rollup.export.schema import TABLES
from rollup.node import Node, NodeParams
from rollup.printable_text import printable_values, write_traceback
from rollup.protocol.accounts import USERS
from rollup.rpc.backend import ExecutionBackend
from rollup.rpc.eth import eth_reads
from rollup.rpc.eth_calls import EthCalls
from rollup.rpc.eth_logs import EthLogs
from rollup.rpc.open import Open
from rollup.serve import l2_backend, open_index

GENESIS_TIME: Final = 1_700_000_000  # unix seconds, of a virtual clock
_BLOCK_TABLES: Final = ("blocks", "transactions", "receipts", "logs", "fees")


class Chain:
    """An L1, an L2 with sequencer and batcher, and a verifier. Open it with `with`, or call `close` at the end.

    >>> with Chain(seed=7) as chain:
    ...     head = chain.l2.build(3)
    ...     replaced = chain.l1.mine(4) and chain.l1.reorg(2)
    ...     safe = chain.run_until_safe()
    ...     (head.number, chain.l2.verified == chain.l2.safe)
    (3, True)

    The id of a model, its inferences, and the rows and books that follow from them:

    >>> chain.model(contributors=3)
    1
    >>> made = chain.inferences(2, contributors=3)
    >>> chain.call("eth_blockNumber") == hex(chain.l2.head.number)
    True
    >>> len(chain.table("inferences")) >= 2, len(chain.blocks()) > 0, len(chain.fees()) > 0, len(chain.batches()) >= 0
    (True, True, True, True)
    >>> chain.credits().sum("amount") == chain.table("inferences").sum("fee") == chain.audit()["received"]
    True

    Without `with`, close it at the end:

    >>> chain = Chain()
    >>> chain.close()
    """

    def __init__(self, *, virtual_clock: bool = True, genesis_time: int | None = None, **options: Any) -> None:
        """`options` are the fields of rollup.node.NodeParams, such as forks, data_dir, da, seed or block times.

        With a virtual clock nothing waits, and the same calls give the same hashes; its genesis time is 1,700,000,000
        by default. Raises NodeError when the chain cannot be opened, TypeError for an unknown option.
        """
        _log_to_standard_error()
        if genesis_time is None and virtual_clock and options.get("data_dir") is None:
            genesis_time = GENESIS_TIME
        self.node = Node.open(NodeParams(virtual_clock=virtual_clock, genesis_time=genesis_time, **options))
        self.l1, self.l2 = L1(self.node), L2(self.node)
        self.accounts = tuple("0x" + account.address.hex() for account in USERS)
        self.rpc, self._l1_rpc = self._rpc(), self._rpc_of_l1()
        self._load = Load(self.node, self.l2, self.rpc)

    def __enter__(self) -> "Chain":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the node. With `data_dir` the chain can be opened again; without it, it is lost."""
        self.node.close()

    # ------------------------------------------------------------ verbs
    def run_until_safe(self, number: int | None = None) -> Head:
        """Runs until both nodes have an L2 block safe, by default the head as it is now; returns the safe head.

        Raises NodeError without a virtual clock.
        """
        self.node.run_until_safe(self.l2.head.number if number is None else number)
        return self.l2.safe

    def inferences(self, count: int, contributors: int = 10) -> Rows:
        """Makes `count` paid inferences of a model whose DataNet has this number of contributors; returns their rows.

        Each is a transaction of its own (`inferCompact`) that goes through the pool, from one of eight payers in turn.
        The first call makes the DataNet and the model.
        """
        before = self.l2.head.number
        made = {"0x" + item.hex() for item in self._load.infer(count, contributors)}
        return Rows(TABLES["inferences"], (r for r in self._inferences(before + 1) if r["transaction_hash"] in made))

    def model(self, contributors: int = 10) -> int:
        """The id of the model that `inferences` asks; made when there is none yet."""
        return self._load.model(contributors)

    def call(self, method: str, *params: Any) -> Any:
        """A JSON-RPC method of the L2 (`eth_` reads and calls, `open_`), answered as on its port. Raises RpcError."""
        return self.rpc.call(method, *params)

    def audit(self) -> dict[str, Any]:
        """The books of `open_audit`, with numbers for quantities (docs/open.md)."""
        answer = self.call("open_audit")
        return {name: _number(value) for name, value in answer.items()}

    # ------------------------------------------------------------ rows
    def table(self, name: str, first: int = 0, last: int | None = None) -> Rows:
        """A table of docs/export.md over the L2 blocks `first` to `last`, by default to the head.

        `batches` is over the whole L1, `contributors` as of the head. KeyError for an unknown name.
        """
        if name not in TABLES:
            raise KeyError(f"no table is called {name!r}: there are {', '.join(TABLES)}")
        return Rows(TABLES[name], self._rows(name, first, self.l2.head.number if last is None else last))

    def blocks(self, first: int = 0, last: int | None = None) -> Rows:
        """The L2 blocks."""
        return self.table("blocks", first, last)

    def fees(self, first: int = 0, last: int | None = None) -> Rows:
        """The fees that each sender paid: execution, L1 data, operator fee."""
        return self.table("fees", first, last)

    def credits(self, first: int = 0, last: int | None = None) -> Rows:
        """Every credit that an inference made: role, account or pool, amount."""
        return self.table("credits", first, last)

    def batches(self) -> Rows:
        """The batcher's transactions on L1, with their cost."""
        return self.table("batches")

    # ------------------------------------------------------------ inside
    def _rows(self, name: str, first: int, last: int) -> Iterable[dict[str, Any]]:
        if name == "batches":
            inbox = "0x" + self.node.devnet.rollup_config.batch_inbox_address.hex()
            return batches.batch_rows(self._l1_rpc, inbox, 0, self.l1.head.number)
        if name == "contributors":
            return attribution.contributor_rows(self.rpc, last)
        reads = read_blocks(self.rpc, first, last)
        if name in _BLOCK_TABLES:
            return rows_of(name, reads)
        records = attribution.read_inferences(self.rpc, reads)
        makers = {
            "inferences": attribution.inference_rows,
            "credits": attribution.credit_rows,
            "usage": attribution.usage_rows,
        }
        return makers[name](records)

    def _inferences(self, first: int) -> Iterable[dict[str, Any]]:
        return self._rows("inferences", first, self.l2.head.number)

    def _rpc(self) -> LocalRpc:
        node = self.node
        backend = l2_backend(node.l2.engine, node.l2.pool, {}, node.devnet.l2.file.config)
        index = open_index(node, node.l2, "l2")
        return LocalRpc(*eth_reads(backend), EthCalls(backend), EthLogs(backend, node.turns), Open(index), index=index)

    def _rpc_of_l1(self) -> LocalRpc:
        node = self.node
        chain_config = node.devnet.l1_chain_config_json
        backend = ExecutionBackend("l1", node.l1.chain, node.devnet.l1_config, node.l1.pool, None, {}, chain_config)
        return LocalRpc(*eth_reads(backend))


def _log_to_standard_error() -> None:
    """Sends log lines to standard error, unless the program has set up structlog itself."""
    if not structlog.is_configured():
        *others, _ = structlog.get_config()["processors"]  # the last one is the renderer
        structlog.configure(
            processors=[*others, printable_values, structlog.dev.ConsoleRenderer(exception_formatter=write_traceback)],
            logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        )


def _number(value: Any) -> Any:
    """A quantity as a number, inside of objects too; hashes and other values as they are."""
    if isinstance(value, dict):
        return {name: _number(item) for name, item in value.items()}
    if isinstance(value, str) and value.startswith("0x") and len(value) < 66:
        return int(value, 16)
    return value
