"""A steady load of inferences on a real node process: memory, heads and books while it lasts.

    python -m benchmarks.node_load --seconds 900 --rate 200

The node runs in a process of its own with a data directory and free ports. The load pauses the batcher in the middle.
`NodeLoad` does the same to a node that already runs, for tests and other tools. Progress is one JSON line every ten
seconds, the result is the last line.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

from attribution_precompile import ADDRESS_BYTES
from benchmarks.command_line import Parser, positive
from benchmarks.safe_heads import wait_until_safe
from rollup.economics import calls
from rollup.economics.shape import Level
from rollup.load.job import LoadError
from rollup.load.scene import Scene
from rollup.protocol.accounts import USERS, DevAccount
from rollup.protocol.call import Call

GWEI: Final = 10**9
FEE: Final = 10**15  # wei of one inference
CONTRIBUTORS: Final = 10
_SENDERS: Final = USERS[:8]
_CURATOR, _ATTRIBUTOR = USERS[9], USERS[8]
_INFERENCE_GAS: Final = 300_000
_PORTS: Final = ("l1", "l2", "verifier", "rollup", "beacon", "engine")
_TICK: Final = 0.25  # seconds between two batches of transactions
_SAMPLE: Final = 10.0  # seconds between two samples
_SAFE_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Target:
    """A running node: its ports' addresses, and its process where memory is to be read.

    verifier: the L2's address where no verifier runs.
    """

    l2: str
    verifier: str
    rollup: str
    process_id: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The load: inferences per second for a number of seconds, and the batcher's pause, which lies in the middle."""

    seconds: int = 900
    rate: int = 200
    pause: int = 60


@dataclass(frozen=True, slots=True)
class Sample:
    """The node at one moment: seconds since the start, resident and anonymous memory [MB], and its heads."""

    seconds: float
    resident: float
    anonymous: float
    head: int
    safe: int
    l1: int
    accepted: int
    is_batching: bool


@dataclass(slots=True)
class Result:
    """The result of a load, and the state of the node once everything sent was safe."""

    plan: Plan
    sent: int = 0
    accepted: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    caught_up_seconds: float | None = None
    is_conserved: bool = False
    is_index_equal: bool = False
    is_received_exact: bool = False
    are_audits_equal: bool = False

    @property
    def is_audit_exact(self) -> bool:
        """Both nodes' books balance, agree, and hold one fee for each inference that the pool took."""
        return self.is_conserved and self.is_index_equal and self.is_received_exact and self.are_audits_equal

    def growth(self, start: float, end: float) -> float:
        """Anonymous memory's growth between two times [MB per minute]."""
        inside = [sample for sample in self.samples if start <= sample.seconds <= end]
        if len(inside) < 2:
            return 0.0
        first, last = inside[0], inside[-1]
        return (last.anonymous - first.anonymous) / (last.seconds - first.seconds) * 60

    def to_json(self) -> dict[str, Any]:
        """The result without its samples, which were printed as they came."""
        found = asdict(self)
        del found["samples"]
        return found | {"is_audit_exact": self.is_audit_exact}


class NodeLoad:
    """Sends inferences to a node, one batch of signed transactions every quarter of a second."""

    def __init__(self, target: Target, plan: Plan, on_sample: Callable[[Sample], None] = lambda sample: None) -> None:
        self.target = target
        self.result = Result(plan)
        self._plan = plan
        self._on_sample = on_sample
        self._chain_id = int(rpc(target.l2, "eth_chainId"), 16)
        self._nonces = {sender.address: self._pending_nonce(sender) for sender in USERS}
        self._call = calls.infer(1, (812, 640))
        self._received_before = 0
        self._next_sender = 0
        self._is_batching = True

    def run(self) -> Result:
        """Sets up a model, loads the node, and waits until everything sent is safe on both nodes."""
        self._set_up()
        started = time.monotonic()
        pause_from = (self._plan.seconds - self._plan.pause) / 2
        sent_by_now, next_sample = 0, 0.0
        while (elapsed := time.monotonic() - started) < self._plan.seconds:
            self._switch_batcher(not pause_from <= elapsed < pause_from + self._plan.pause)
            if elapsed >= next_sample:
                self._sample(elapsed)
                next_sample += _SAMPLE
            due = int(elapsed * self._plan.rate) - sent_by_now
            if due:
                self._send(min(due, 500))
                sent_by_now += min(due, 500)
            time.sleep(max(0.0, _TICK - (time.monotonic() - started - elapsed)))
        self._switch_batcher(True)
        self._sample(time.monotonic() - started)
        self._settle(started)
        self._audit()
        return self.result

    def _set_up(self) -> None:
        curator, level = _CURATOR, Level(weights=(1,))
        for data in (
            calls.create_datanet(),
            *(
                calls.contribute(1, [(_number(USERS[index % len(USERS)]), 1, index + 1)])
                for index in range(CONTRIBUTORS)
            ),
            calls.register_model(level, [1], 0, _ATTRIBUTOR, FEE),
        ):
            rpc(self.target.l2, "eth_sendRawTransaction", self._signed(curator, data, 0, 2_000_000))
        while (
            int(rpc(self.target.l2, "eth_getTransactionCount", _hex(curator.address), "latest"), 16)
            < (self._nonces[curator.address])
        ):
            time.sleep(0.2)
        self._received_before = int(rpc(self.target.l2, "open_audit")["received"], 16)

    def _send(self, count: int) -> None:
        batch: list[tuple[DevAccount, str]] = []
        for _ in range(count):
            sender = _SENDERS[self._next_sender % len(_SENDERS)]
            self._next_sender += 1
            batch.append((sender, self._signed(sender, self._call, FEE, _INFERENCE_GAS)))
        answers = rpc_batch(self.target.l2, [("eth_sendRawTransaction", raw) for _, raw in batch])
        self.result.sent += count
        failed = set()
        for (sender, _), answer in zip(batch, answers, strict=True):
            if "result" in answer:
                self.result.accepted += 1
            else:
                text = str(answer["error"].get("message"))[:60]
                self.result.refused[text] = self.result.refused.get(text, 0) + 1
                failed.add(sender)
        for sender in failed:
            self._nonces[sender.address] = self._pending_nonce(sender)

    def _signed(self, sender: DevAccount, data: bytes, value: int, gas: int) -> str:
        nonce = self._nonces[sender.address]
        self._nonces[sender.address] = nonce + 1
        call = Call(ADDRESS_BYTES, value, data, gas)
        return _hex(call.signed(sender.private_key, nonce, self._chain_id, 400 * GWEI, GWEI).encode())

    def _pending_nonce(self, sender: DevAccount) -> int:
        return int(rpc(self.target.l2, "eth_getTransactionCount", _hex(sender.address), "pending"), 16)

    def _switch_batcher(self, is_batching: bool) -> None:
        if is_batching != self._is_batching:
            rpc(self.target.rollup, "admin_startBatcher" if is_batching else "admin_stopBatcher")
            self._is_batching = is_batching

    def _sample(self, elapsed: float) -> None:
        status = rpc(self.target.rollup, "optimism_syncStatus")
        resident, anonymous = memory(self.target.process_id)
        sample = Sample(
            round(elapsed, 1),
            resident,
            anonymous,
            status["unsafe_l2"]["number"],
            status["safe_l2"]["number"],
            status["head_l1"]["number"],
            self.result.accepted,
            self._is_batching,
        )
        self.result.samples.append(sample)
        self._on_sample(sample)

    def _settle(self, started: float) -> None:
        """Waits until the pool is empty and its last block is safe on both nodes, and takes samples meanwhile."""
        while int(rpc(self.target.l2, "txpool_status")["pending"], 16):
            time.sleep(1)

        def sample() -> None:
            if time.monotonic() - started - self.result.samples[-1].seconds > _SAMPLE:
                self._sample(time.monotonic() - started)

        wait_until_safe(Scene(self.target.l2), Scene(self.target.verifier), _SAFE_SECONDS, sample)
        self.result.caught_up_seconds = round(time.monotonic() - started - self._plan.seconds, 1)

    def _audit(self) -> None:
        books = [rpc(url, "open_audit") for url in (self.target.l2, self.target.verifier)]
        result = self.result
        result.is_conserved = all(book["isConserved"] for book in books)
        result.is_index_equal = all(book["isIndexEqual"] for book in books)
        received = [int(book["received"], 16) - self._received_before for book in books]
        result.is_received_exact = received == [result.accepted * FEE] * 2
        figures = ("received", "claimed", "balance", "credits", "poolsPendingScaled")
        result.are_audits_equal = len({tuple(book[name] for name in figures) for book in books}) == 1


# ------------------------------------------------------------ the node's side
def rpc(url: str, method: str, *params: Any) -> Any:
    """One JSON-RPC call; raises LoadError for an error."""
    answer = _post(url, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    if "error" in answer:
        raise LoadError(f"{method}: {answer['error']}")
    return answer["result"]


def rpc_batch(url: str, requests: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Calls of one argument each in one request; the answers in order."""
    body = [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": [argument]}
        for number, (method, argument) in enumerate(requests)
    ]
    if not body:
        return []
    answers = _post(url, body)
    if not isinstance(answers, list):
        raise LoadError(str(answers))
    return sorted(answers, key=lambda answer: int(answer["id"]))


def _post(url: str, body: Any) -> Any:
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=120) as response:
        return json.load(response)


def memory(process_id: int | None) -> tuple[float, float]:
    """A process's resident and anonymous memory [MB]. Mapped database pages are resident, but not anonymous."""
    if process_id is None:
        return 0.0, 0.0
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    resident, anonymous = (int(fields[name].split()[0]) / 1_024 for name in ("VmRSS", "RssAnon"))
    return round(resident, 1), round(anonymous, 1)


@contextmanager
def node_process(folder: Path, *options: str, is_kept: bool = True) -> Iterator[Target]:
    """A node on free ports, ended with SIGTERM; its data is in the folder, or in memory where it is not kept."""
    output = folder / "node.jsonl"
    with output.open("wb") as lines:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "rollup.cli", "run", "--json"),
                *([f"--data-dir={folder / 'chain'}"] if is_kept else []),
                *(f"--{name}-port=0" for name in _PORTS),
                *options,
            ],
            stdout=lines,
        )
        try:
            while b"\n" not in output.read_bytes():
                if process.poll() is not None:
                    raise LoadError("the node ended before its first line")
                time.sleep(0.2)
            urls = json.loads(output.read_bytes().partition(b"\n")[0])["urls"]
            l2 = urls["L2 JSON-RPC"]
            yield Target(l2, urls.get("verifier JSON-RPC", l2), urls["op-node RPC"], process.pid)
        finally:
            process.terminate()
            process.wait()


def _number(account: DevAccount) -> int:
    return int.from_bytes(account.address, "big")


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def main(arguments: list[str] | None = None) -> int:
    parser = Parser(prog="benchmarks.node_load", description=__doc__)
    parser.add_argument("--seconds", type=positive, default=900, help="how long inferences are sent")
    parser.add_argument("--rate", type=positive, default=200, help="inferences per second")
    parser.add_argument("--pause", type=positive, default=60, help="seconds without the batcher, in the middle")
    options = parser.parse_args(arguments)
    plan = Plan(options.seconds, options.rate, options.pause)
    with tempfile.TemporaryDirectory(prefix="openrollup-load-") as name, node_process(Path(name)) as target:
        result = NodeLoad(target, plan, lambda sample: print(json.dumps(asdict(sample)), flush=True)).run()
    print(json.dumps(result.to_json()))
    return 0 if result.is_audit_exact else 1


if __name__ == "__main__":
    sys.exit(main())
