"""Inferences, credits, usage and contributors, from the namespace open_ of a node with an index (docs/open.md)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from attribution_precompile import ADDRESS_BYTES
from attribution_precompile.events import INFERRED
from rollup.export.blocks import Read, Row, number
from rollup.l1.json_rpc import JsonRpcClient, RpcError

_BATCH: Final = 50
_PAGE: Final = 1_000
_DAY: Final = 86_400
_TOPIC: Final = f"0x{INFERRED:064x}"
_ADDRESS: Final = "0x" + ADDRESS_BYTES.hex()


def read_inferences(rpc: JsonRpcClient, reads: Sequence[Read]) -> list[dict[str, Any]]:
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
        yield {
            "block_number": number(record["blockNumber"]),
            "transaction_index": number(record["transactionIndex"]),
            "transaction_hash": record["transactionHash"],
            "timestamp": number(record["timestamp"]),
            "model_id": number(record["modelId"]),
            "inference_id": number(record["inferenceId"]),
            "count": number(record["count"]),
            "payer": record["payer"],
            "fee": number(record["fee"]),
            "is_self_paid": record["isSelfPaid"],
            "input_tokens": number(record["inputTokens"]),
            "output_tokens": number(record["outputTokens"]),
            "request_hash": record["requestHash"],
            "response_hash": record["responseHash"],
            "evidence": record["evidence"],
            "gas_total": number(record["gas"]["total"]),
        }


def credit_rows(records: Sequence[dict[str, Any]]) -> Iterator[Row]:
    """The table `credits`: those of an inference sum to its fee. A pool's has no account."""
    for record in records:
        for position, credit in enumerate(record["credits"]):
            yield {
                "block_number": number(record["blockNumber"]),
                "transaction_hash": record["transactionHash"],
                "model_id": number(record["modelId"]),
                "inference_id": number(record["inferenceId"]),
                "position": position,
                "role": credit["role"],
                "credited_model": number(credit["modelId"]),
                "depth": number(credit["depth"]),
                "account": credit["account"],
                "datanet_id": number(credit["datanetId"]),
                "amount": number(credit["amount"]),
            }


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


def contributor_rows(rpc: JsonRpcClient) -> Iterator[Row]:
    """The table `contributors`, as of the head: every account of every DataNet."""
    datanet = 1
    while True:
        cursor: str | None = None
        try:
            rpc.call("open_getDatanet", hex(datanet))
        except RpcError as error:
            if "unknown DataNet" in error.message:
                return
            raise
        while True:
            arguments = [hex(datanet)] + ([cursor] if cursor else ["0x" + "00" * 20])
            answer = rpc.call("open_listContributors", *arguments, hex(_PAGE))
            for item in answer["contributors"]:
                amounts = ("units", "direct", "settled", "credited", "pending")
                yield {
                    "datanet_id": datanet,
                    "account": item["account"],
                    "contributions": number(item["contributions"]),
                    **{name: number(item[name]) for name in amounts},
                }
            cursor = answer["cursor"]
            if cursor is None:
                break
        datanet += 1
