"""Sends a signed load over many connections and watches the chain until every transaction is in a block."""

import asyncio
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

from rollup.load.connection import Connection, errors_of
from rollup.load.job import Job, LoadError, Outcome
from rollup.load.signing import Request

_PROGRESS = 0.5  # seconds between two reports


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a load stands: seconds since its start, and counts of transactions."""

    seconds: float
    sent: int
    refused: int
    included: int


class Generator:
    """One run of a load. on_progress is called twice per second."""

    def __init__(self, job: Job, requests: list[list[Request]], on_progress: Callable[[Progress], None]) -> None:
        self._job = job
        self._lanes = requests
        self._on_progress = on_progress
        self._outcome = Outcome()
        self._waiting: dict[str, float] = {}  # hash of what was sent: when
        self._started = 0.0
        self._is_sending = True
        self._last_news = 0.0

    async def run(self) -> Outcome:
        """Sends everything and returns when it is in blocks, or when nothing comes any more; raises LoadError."""
        connections = await asyncio.gather(*(Connection.open(self._job.url) for _ in self._lanes))
        watching = await Connection.open(self._job.url)
        head = int(await watching.call("eth_blockNumber"), 16)
        cpu = _cpu()
        self._started = self._last_news = time.monotonic()
        try:
            watch = asyncio.create_task(self._watch(watching, head))
            try:
                await asyncio.gather(
                    *(self._send(connection, lane) for connection, lane in zip(connections, self._lanes, strict=True))
                )
                self._is_sending = False
                self._outcome.send_seconds = self._now()
                await self._mine(connections[0])
                await watch
            finally:
                watch.cancel()
        finally:
            for connection in (*connections, watching):
                connection.close()
        self._outcome.generator_cpu = _cpu() - cpu
        self._outcome.requests.sort()
        self._outcome.latencies.sort()
        return self._outcome

    def _now(self) -> float:
        return time.monotonic() - self._started

    async def _send(self, connection: Connection, lane: list[Request]) -> None:
        job, outcome = self._job, self._outcome
        for request in lane:
            due = request.index / job.rate if job.rate else 0.0
            if due > self._now():
                await asyncio.sleep(due - self._now())
            if job.seconds and self._now() >= job.seconds:
                return
            begun = self._now()
            # With a rate the clock of a late request runs from when it was due: waiting is part of its latency.
            self._waiting.update(dict.fromkeys(request.hashes, due if job.rate else begun))
            outcome.sent += len(request.hashes)
            request.sent = True
            answer = await connection.post(request.body)
            outcome.requests.append(self._now() - begun)
            errors = errors_of(answer, len(request.hashes))
            outcome.accepted += len(request.hashes) - len(errors)
            for text in errors:
                outcome.refused[text] = outcome.refused.get(text, 0) + 1

    async def _mine(self, connection: Connection) -> None:
        while self._job.mine and self._is_missing():
            await connection.call("evm_mine")
            await asyncio.sleep(self._job.poll)

    def _is_missing(self) -> bool:
        outcome = self._outcome
        is_late = time.monotonic() - self._last_news > self._job.patience
        return not is_late and outcome.included < outcome.accepted

    async def _watch(self, connection: Connection, head: int) -> None:
        """Looks for new blocks until everything that was accepted is in one."""
        reported = 0.0
        while self._is_sending or self._is_missing():
            newest = int(await connection.call("eth_blockNumber"), 16)
            for number in range(head + 1, newest + 1):
                self._take(await connection.call("eth_getBlockByNumber", hex(number), False), number)
            head = max(head, newest)
            if self._now() - reported >= _PROGRESS:
                reported = self._now()
                refused = sum(self._outcome.refused.values())
                self._on_progress(Progress(reported, self._outcome.sent, refused, self._outcome.included))
            await asyncio.sleep(self._job.poll)

    def _take(self, block: dict[str, object], number: int) -> None:
        now = self._now()
        hashes = block["transactions"]
        if not isinstance(hashes, list):
            raise LoadError(f"block {number}: a list of transactions is expected")
        found = [self._waiting.pop(tx_hash) for tx_hash in hashes if tx_hash in self._waiting]
        if found:
            self._outcome.latencies += [now - sent for sent in found]
            self._outcome.included += len(found)
            self._outcome.seconds = now
            self._outcome.blocks.append((number, len(found), int(str(block["gasUsed"]), 16), round(now, 3)))
            self._last_news = time.monotonic()


async def check_receipts(job: Job, lanes: list[list[Request]], outcome: Outcome) -> None:
    """Reads receipts of what is in blocks and counts those with status 1. Runs after the clock has stopped."""
    connection = await Connection.open(job.url)
    try:
        statuses = await (_some(connection, job, lanes) if job.receipts else _all(connection, lanes, outcome))
    finally:
        connection.close()
    outcome.checked, outcome.succeeded = len(statuses), statuses.count("0x1")


async def _all(connection: Connection, lanes: list[list[Request]], outcome: Outcome) -> list[str]:
    hashes = {tx_hash for lane in lanes for request in lane for tx_hash in request.hashes}
    statuses: list[str] = []
    for number, *_ in outcome.blocks:
        receipts = await connection.call("eth_getBlockReceipts", hex(number))
        statuses += [item["status"] for item in receipts if item["transactionHash"] in hashes]
    return statuses


async def _some(connection: Connection, job: Job, lanes: list[list[Request]]) -> list[str]:
    """The statuses of some receipts, evenly spread over the transactions sent; "" for a missing receipt."""
    hashes = [tx_hash for lane in lanes for request in lane if request.sent for tx_hash in request.hashes]
    step = max(1, len(hashes) // job.receipts)
    receipts = [await connection.call("eth_getTransactionReceipt", tx_hash) for tx_hash in hashes[::step]]
    return [receipt["status"] if receipt else "" for receipt in receipts]


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
