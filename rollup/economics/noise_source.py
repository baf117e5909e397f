"""The input of the noise rules, read from a node with the namespace open_ (docs/open.md)."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from attribution_precompile import ADDRESS_BYTES
from attribution_precompile.events import CLAIMED
from rollup.economics.noise import Paid, Transfer, World
from rollup.l1.json_rpc import JsonRpcClient
from rollup.protocol.accounts import USERS

_PAGE: Final = 1_000
_BATCH: Final = 100
_CREDITED_ELSEWHERE: Final = ("pool",)


def read_world(rpc: JsonRpcClient) -> World:
    """Everything up to the head. Development accounts are hubs: they fund everybody. Raises the client's errors."""
    models = {int(item["modelId"], 16): item for item in _pages(rpc, "open_listModels", "models")}
    paid = list(_paid(rpc))
    roles: dict[int, set[str]] = defaultdict(set)
    for number, item in models.items():
        family = [number, *(int(ancestor, 16) for ancestor in item["lineage"])]
        datanets = {weight["datanetId"] for member in family for weight in models[member]["weights"]}
        roles[number] |= {rpc.call("open_getDatanet", datanet)["curator"] for datanet in sorted(datanets)}
        roles[number] |= {models[member]["owner"] for member in family} | {item["attributor"]}
    for record in paid:
        roles[record.model] |= set(record.credits)
    transfers, claims = _transfers(rpc)
    return World(
        paid,
        {number: frozenset(accounts) for number, accounts in roles.items()},
        {number: item["owner"] for number, item in models.items()},
        {number: item["attributor"] for number, item in models.items()},
        transfers,
        claims,
        frozenset("0x" + account.address.hex() for account in USERS),
    )


def _pages(rpc: JsonRpcClient, method: str, key: str, *arguments: Any) -> Iterator[dict[str, Any]]:
    cursor: Any = "0x0" if method == "open_listModels" else None
    while True:
        answer = rpc.call(method, *arguments, cursor, hex(_PAGE))
        yield from answer[key]
        cursor = answer["cursor"]
        if cursor is None:
            return


def _paid(rpc: JsonRpcClient) -> Iterator[Paid]:
    listed = list(_pages(rpc, "open_listInferences", "inferences", {}))
    for start in range(0, len(listed), _BATCH):
        part = listed[start : start + _BATCH]
        wanted = [[item["modelId"], item["inferenceId"]] for item in part]
        for item in rpc.batch("open_getInference", wanted):
            yield _record(item)


def _record(item: dict[str, Any]) -> Paid:
    credits: dict[str, int] = defaultdict(int)
    for credit in item["credits"]:
        shares = credit["shares"] if credit["role"] in _CREDITED_ELSEWHERE else [credit]
        for share in shares:
            credits[share["account"]] += int(share["amount"], 16)
    return Paid(
        int(item["modelId"], 16),
        item["payer"],
        int(item["fee"], 16),
        int(item["gas"]["total"], 16),
        int(item["timestamp"], 16),
        item["requestHash"],
        item["responseHash"],
        (int(item["inputTokens"], 16), int(item["outputTokens"], 16)),
        int(item["count"], 16),
        credits,
    )


def _transfers(rpc: JsonRpcClient) -> tuple[list[Transfer], dict[str, list[int]]]:
    """Plain transfers between accounts, and by account the times at which the precompile paid it out."""
    head = int(rpc.call("eth_blockNumber"), 16)
    transfers: list[Transfer] = []
    for start in range(0, head + 1, _BATCH):
        numbers = [[hex(number), True] for number in range(start, min(start + _BATCH, head + 1))]
        for block in rpc.batch("eth_getBlockByNumber", numbers):
            for item in block["transactions"]:
                if item["input"] == "0x" and int(item["value"], 16) and item["to"]:
                    transfers.append(
                        Transfer(item["from"], item["to"], int(item["value"], 16), int(block["timestamp"], 16))
                    )
    return transfers, _claims(rpc)


def _claims(rpc: JsonRpcClient) -> dict[str, list[int]]:

    found: dict[str, list[int]] = defaultdict(list)
    asked = {
        "fromBlock": "0x0",
        "toBlock": "latest",
        "address": "0x" + ADDRESS_BYTES.hex(),
        "topics": [f"0x{CLAIMED:064x}"],
    }
    for log in rpc.call("eth_getLogs", asked):
        found["0x" + log["topics"][2][-40:]].append(int(log["blockTimestamp"], 16))
    return found
