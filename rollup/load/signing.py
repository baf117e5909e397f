"""Signs a load before its clock starts, and makes the bodies of its requests."""

from collections.abc import Iterator
from dataclasses import dataclass

from rollup.load.job import Job
from rollup.protocol.transaction import Transaction


@dataclass(slots=True)
class Request:
    """One HTTP body: its first transaction's index in the load, the hashes in it, and whether it was sent."""

    index: int
    hashes: list[str]
    body: bytes
    sent: bool = False


def lanes(job: Job) -> list[list[Request]]:
    """The requests of each connection, in order. A sender's transactions are all on one connection, by nonce."""
    senders = len(job.keys)
    connections = min(job.connections, senders)
    indices: list[list[int]] = [[] for _ in range(connections)]
    for index in range(job.count):
        indices[index % senders % connections].append(index)
    nonces = list(job.nonces)
    return [list(_requests(job, lane, nonces)) for lane in indices]


def _requests(job: Job, indices: list[int], nonces: list[int]) -> Iterator[Request]:
    for start in range(0, len(indices), job.batch):
        part = indices[start : start + job.batch]
        signed = [_signed(job, index, nonces) for index in part]
        items = [_item(number, transaction) for number, transaction in enumerate(signed)]
        body = items[0] if job.batch == 1 else b"[" + b",".join(items) + b"]"
        yield Request(part[0], ["0x" + transaction.hash.hex() for transaction in signed], body)


def _signed(job: Job, index: int, nonces: list[int]) -> Transaction:
    sender = index % len(job.keys)
    nonces[sender] += 1
    call = job.calls[index % len(job.calls)]
    return call.signed(job.keys[sender], nonces[sender] - 1, job.chain_id, job.max_fee, job.tip)


def _item(number: int, transaction: Transaction) -> bytes:
    raw = transaction.encode().hex().encode()
    return b'{"jsonrpc":"2.0","id":%d,"method":"eth_sendRawTransaction","params":["0x%b"]}' % (number, raw)
