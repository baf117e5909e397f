"""Inferences, credits, usage and contributors, from the namespace open_ of a node with an index (docs/open.md)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from attribution_precompile import ADDRESS_BYTES
from attribution_precompile.events import DATANET_CREATED, INFERRED
from rollup.export.blocks import Read
from rollup.export.rpc import NodeRpc
from rollup.export.schema import TABLES, Row, number

_BATCH: Final = 50
_PAGE: Final = 1_000
_DAY: Final = 86_400
_BLOCKS_PER_QUERY: Final = 50_000  # nodes bound the range of one query; ours at 100,000 blocks
_TOPIC: Final = f"0x{INFERRED:064x}"
_CREATED: Final = f"0x{DATANET_CREATED:064x}"
_ADDRESS: Final = "0x" + ADDRESS_BYTES.hex()


def read_inferences(rpc: NodeRpc, reads: Sequence[Read]) -> list[dict[str, Any]]:
    """Every inference record of the blocks, with its credits, in order."""
    wanted = [
        [receipt["transactionHash"], hex(which)]
        for read in reads
        for receipt in read.receipts
        for which in range(sum(_is_inferred(log) for log in receipt["logs"]))
    ]
    found: list[dict[str, Any]] = []
    for start in range(0, len(wanted), _BATCH):
        found += rpc.batch("open_getInference", wanted[start : start + _BATCH])
    return found


def _is_inferred(log: dict[str, Any]) -> bool:
    return bool(log["address"].lower() == _ADDRESS and log["topics"] and log["topics"][0] == _TOPIC)


def inference_rows(records: Sequence[dict[str, Any]]) -> Iterator[Row]:
    """The table `inferences`."""
    for record in records:
        yield TABLES["inferences"].row(record, gas_total=number(record["gas"]["total"]))


def credit_rows(records: Sequence[dict[str, Any]]) -> Iterator[Row]:
    """The table `credits`: those of an inference sum to its fee. A pool's has no account."""
    for record in records:
        for position, credit in enumerate(record["credits"]):
            yield TABLES["credits"].row(record, credit, position=position)


def usage_rows(records: Sequence[dict[str, Any]]) -> Iterator[Row]:
    """The table `usage`: by day (unix seconds of its start) and model; parts of one day in two files add up."""
    sums: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    seen: set[str] = set()
    for record in records:
        day = int(record["timestamp"], 16) // _DAY * _DAY
        entry = sums[day, int(record["modelId"], 16)]
        entry[0] += int(record["count"], 16)
        entry[1] += int(record["fee"], 16)
        if record["transactionHash"] not in seen:  # a transaction's gas once, whatever it made
            entry[2] += int(record["gas"]["total"], 16)
            seen.add(record["transactionHash"])
    for (day, model), (inferences, fees, gas) in sorted(sums.items()):
        yield {"day": day, "model_id": model, "inferences": inferences, "fees": fees, "gas": gas}


def contributor_rows(rpc: NodeRpc, head: int) -> Iterator[Row]:
    """The table `contributors`, as of the head: every account of every DataNet made up to the block `head`."""
    for datanet in datanet_ids(rpc, head):
        cursor: str | None = "0x" + "00" * 20
        while cursor is not None:
            answer = rpc.call("open_listContributors", hex(datanet), cursor, hex(_PAGE))
            for item in answer["contributors"]:
                yield TABLES["contributors"].row(item, datanet_id=datanet)
            cursor = answer["cursor"]


def datanet_ids(rpc: NodeRpc, head: int) -> Iterator[int]:
    """The DataNets made up to the block `head`, from the events of their creation."""
    for first in range(0, head + 1, _BLOCKS_PER_QUERY):
        last = min(first + _BLOCKS_PER_QUERY - 1, head)
        query = {"fromBlock": hex(first), "toBlock": hex(last), "address": _ADDRESS, "topics": [_CREATED]}
        for log in rpc.call("eth_getLogs", query):
            yield int(log["topics"][1], 16)
