"""The load generator: a process of its own, keep-alive connections, and a count of what really became of a load."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import peers
from benchmarks.comparison import Case, Runner, Side
from benchmarks.node_load import Target, node_process
from benchmarks.peers import Server
from rollup.cli import main
from rollup.load.connection import Connection, errors_of
from rollup.load.job import Job, LoadError, Outcome, percentile
from rollup.load.lines import read_line
from rollup.load.mix import interleaved
from rollup.load.process import GeneratorProcess
from rollup.load.scene import Scene, sender_keys
from rollup.load.signing import lanes
from rollup.load.usage import usage_of
from rollup.load.workloads import WORKLOADS, Shape
from rollup.protocol.call import Call
from rollup.protocol.keys import address_of_key
from rollup.protocol.transaction import decode_transaction

KEYS = sender_keys(4)
CALLS = (Call(b"\x11" * 20, 1), Call(b"\x22" * 20, 2, b"\x33", 50_000))


def job(url: str = "http://127.0.0.1:1", **changes: object) -> Job:
    given = {"count": 40, "connections": 3, "batch": 5} | changes
    return Job(url, 901, KEYS, (7, 0, 0, 0), CALLS, **given)  # type: ignore[arg-type]


def test_a_senders_transactions_are_on_one_connection_in_nonce_order() -> None:
    seen: dict[bytes, list[int]] = {}
    where: dict[bytes, set[int]] = {}
    for number, lane in enumerate(lanes(job())):
        for request in lane:
            for item in json.loads(request.body):
                transaction = decode_transaction(bytes.fromhex(item["params"][0][2:]))
                assert "0x" + transaction.hash.hex() in request.hashes
                seen.setdefault(transaction.sender, []).append(transaction.nonce)
                where.setdefault(transaction.sender, set()).add(number)
    starts = {address_of_key(key): start for key, start in zip(KEYS, (7, 0, 0, 0), strict=True)}
    assert seen == {address: list(range(start, start + 10)) for address, start in starts.items()}
    assert all(len(numbers) == 1 for numbers in where.values())


def test_a_job_and_an_outcome_survive_the_way_to_another_process() -> None:
    given = job(rate=10.0)
    assert Job.from_json(json.loads(json.dumps(given.to_json()))) == given
    outcome = Outcome(sent=1, refused={"no": 1}, blocks=[(1, 1, 21_000, 0.5)])
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (50, 5), (90, 9), (99, 10), (100, 10)])
def test_a_percentile_is_the_nearest_rank(percent: int, value: int) -> None:
    assert percentile([float(number) for number in range(1, 11)], percent) == value
    assert percentile([], percent) == 0


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        (b'[{"id":0,"result":"0x"},{"id":1,"result":"0x"}]', []),
        (b'[{"id":0,"result":"0x"},{"id":1,"error":{"code":-32000,"message":"nonce too low"}}]', ["nonce too low"]),
        (b'{"id":null,"error":{"code":-32600,"message":"batch too large"}}', ["batch too large"] * 2),
        (b'<html>"error"</html>', ["not JSON: b'<html>\"error\"</html>'"] * 2),
        (b"", ["not JSON: b''"] * 2),
    ],
)
def test_each_refused_transaction_is_counted_with_its_reason(answer: bytes, texts: list[str]) -> None:
    assert errors_of(answer, 2) == texts


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"],
        [b"HTTP/1.1 200 OK\r\ncontent-le", b"ngth: 4\r\n\r", b"\nbo", b"dy"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2;x=1\r", b"\ndy\r\n0\r\n\r\n"],
    ],
)
async def test_an_answer_is_read_whole_however_it_is_cut(pieces: list[bytes]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            await reader.readuntil(b"ask")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        connection = await Connection.open(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        assert [await connection.post(b"ask") for _ in range(2)] == [b"body", b"body"]
        with pytest.raises(LoadError, match="closed a connection"):
            await connection.post(b"more")


@pytest.mark.parametrize("is_waiting", [True, False])
@pytest.mark.parametrize("size", [0, 10, 65_536, 300_000])
def test_a_line_of_a_process_is_read_whole_whether_or_not_its_pipe_waits(size: int, is_waiting: bool) -> None:
    program = f"import sys; sys.stdin.read(1); print('x' * {size} + chr(10) + 'cut', end='')"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        os.set_blocking(process.stdout.fileno(), is_waiting)
        process.stdin.write(b"1")
        process.stdin.close()
        assert read_line(process) == b"x" * size + b"\n"
        assert read_line(process) == b"cut"
        assert read_line(process) == b""


@pytest.mark.parametrize("unbuffered", [[], ["-u"]])
def test_a_line_is_written_whole_to_a_pipe_that_is_full_and_does_not_wait(unbuffered: list[str]) -> None:
    program = (
        "import os; from rollup.load.lines import write_line; os.set_blocking(1, False); write_line(b'x' * 300000)"
    )
    with subprocess.Popen([sys.executable, *unbuffered, "-c", program], stdout=subprocess.PIPE) as process:
        assert read_line(process) == b"x" * 300_000 + b"\n"


def test_a_node_that_does_not_answer_is_named() -> None:
    with GeneratorProcess(job()) as generator, pytest.raises(LoadError, match=r"127\.0\.0\.1:1"):
        generator.run()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with node_process(tmp_path_factory.mktemp("load"), "--instant", "--block-time=1", "--l1-block-time=2") as target:
        yield target


@pytest.mark.parametrize("workload", list(WORKLOADS))
def test_a_load_is_done_when_each_transaction_has_succeeded(node: Target, workload: str) -> None:
    scene = Scene(node.l2)
    scene.fund(KEYS, 10**18)
    calls = tuple(WORKLOADS[workload].prepare(scene, KEYS, Shape(3)))
    with GeneratorProcess(Job(node.l2, scene.chain_id, KEYS, scene.nonces(KEYS), calls, 20, batch=3)) as generator:
        outcome = generator.run()
    assert outcome.is_whole
    assert (outcome.sent, outcome.accepted, outcome.included, outcome.refused) == (20, 20, 20, {})
    assert len(outcome.latencies) == 20 == sum(count for _, count, _, _ in outcome.blocks)
    assert 0 < outcome.latencies[0] <= outcome.latencies[-1] <= outcome.seconds
    assert outcome.seconds == pytest.approx(outcome.blocks[-1][3], abs=0.001)


def test_a_case_is_warmed_up_and_then_measured(node: Target) -> None:
    assert node.process_id is not None
    steps: list[str] = []
    server = Server("ours", node.l2, node.process_id, verifier=node.verifier)
    runner = Runner(30, steps.append)
    runner.use(server)
    result = runner.run(Case("one", Side("ours", "infer"), None, batch=10), 1)
    assert steps == ["one: ours, warm-up", "one: ours, run 1 of 1"]
    (sample,) = result.ours
    assert (sample.sent, sample.is_whole) == (30, True)
    assert 0 < sample.cpu_until_included <= sample.cpu
    assert result.ratio is None


def test_a_load_whose_transactions_fail_or_are_refused_is_not_whole(node: Target) -> None:
    scene = Scene(node.l2)
    scene.fund(KEYS, 10**18)
    reverting = Call(
        bytes.fromhex("4200000000000000000000000000000000000006"), 0, b"\x2e\x1a\x7d\x4d" + b"\xff" * 32, 90_000
    )
    first, *others = scene.nonces(KEYS)
    given = Job(node.l2, scene.chain_id, KEYS, (max(first - 1, 0), *others), (reverting,), 4, batch=1, patience=5)
    with GeneratorProcess(given) as generator:
        outcome = generator.run()
    assert not outcome.is_whole
    assert sum(outcome.refused.values()) == 4 - outcome.accepted
    assert outcome.included == outcome.accepted > outcome.succeeded == 0


def test_the_cpu_time_of_a_node_is_that_of_all_its_processes(node: Target) -> None:
    assert node.process_id is not None
    usage = usage_of(node.process_id)
    assert usage.processes >= 2, "the node and its KZG process"
    assert usage.cpu > 0
    assert usage.resident > 50_000_000


def test_a_mix_of_loads_is_measured_by_the_command(node: Target) -> None:
    given = ["--workload", "infer=2,transfer=1", "--models", "2", "--k", "2", "--contributors", "3"]
    sizes = ["--payers", "4", "--count", "64", "--batch", "5", "--pid", str(node.process_id)]
    done = CliRunner().invoke(main, ["bench", "--l2", node.l2, *given, *sizes, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert [found[name] for name in ("sent", "accepted", "included", "succeeded")] == [64] * 4
    assert 0 < found["latencySeconds"]["p50"] <= found["latencySeconds"]["p99"] <= found["seconds"] + 0.001
    assert found["cpuMicrosPerTransaction"] > 0
    assert found["generatorShare"] > 0


def test_a_rate_decides_how_many_are_sent_and_a_table_shows_it(node: Target) -> None:
    done = CliRunner().invoke(
        main, ["bench", "--l2", node.l2, "--workload", "transfer", "--rate", "40", "--duration", "1", "--payers", "4"]
    )
    assert done.exit_code == 0, done.output
    assert re.search(r"sent, accepted, in blocks, succeeded +40, 40, 40, 40", done.output)


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--workload", "nothing"], 2, "'nothing' is not one of transfer"),
        (["--workload", "infer=0"], 2, "how often is 1 to 1,000"),
        (["--private-key", "0x12"], 2, "a private key is 64 hexadecimal digits"),
        (["--l2", "http://127.0.0.1:1"], 1, "http://127.0.0.1:1"),
        (["--l2", "127.0.0.1:1"], 1, "an http:// or https:// URL is expected"),
    ],
)
def test_a_load_that_cannot_be_sent_is_refused_with_the_reason(arguments: list[str], status: int, text: str) -> None:
    done = CliRunner().invoke(main, ["bench", *arguments])
    assert done.exit_code == status
    assert text in done.output


def test_calls_of_one_sender_keep_their_place_in_a_mix() -> None:
    own = [Call(bytes([place]) * 20) for place in range(4)]
    shared = [Call(b"\xff" * 20)]
    calls = interleaved({"own": own, "shared": shared}, {"own": 2, "shared": 1}, 4)
    assert len(calls) % 4 == 0
    for index, call in enumerate(calls):
        assert call in (own[index % 4], shared[0])
    assert calls.count(shared[0]) * 3 == len(calls)


@pytest.mark.parametrize(
    ("options", "posts"), [((), True), (("--da=none",), False), (("--da", "none"), False), (("--da", "blobs"), True)]
)
def test_a_node_that_posts_nothing_is_known_by_its_options(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], posts: bool
) -> None:
    @contextmanager
    def process(folder: Path, *given: str, is_kept: bool) -> Iterator[Target]:
        yield Target("l2", "verifier", "rollup", 1)

    monkeypatch.setattr(peers, "node_process", process)
    with peers.ours(options=options) as server:
        assert server.posts is posts
