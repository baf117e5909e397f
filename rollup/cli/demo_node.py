"""The demo's own node, in another process: the same that a user would start by hand."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

import click


@dataclass(slots=True, frozen=True)
class Endpoints:
    """Where the demo speaks to a chain, and to the verifier of it."""

    l2: str
    verifier: str | None
    until_stopped: Callable[[], None] = lambda: None  # waits for Ctrl-C, or for the end of a node of the demo's own


@contextmanager
def own_node() -> Iterator[Endpoints]:
    """Starts `openrollup run` on free ports, and stops it in the end; raises ClickException when it does not start."""
    ports = [f"--{name}-port=0" for name in ("l1", "l2", "verifier", "rollup", "beacon", "engine")]
    pace = ["--l1-block-time=2", "--block-time=1", "--operator-fee-scalar=100000", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "rollup.cli", "run", *ports, *pace],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline() if process.stdout is not None else ""
        if not line:
            _, errors = process.communicate(timeout=10)
            raise click.ClickException(f"the demo's own node did not start: {errors.strip()}")
        urls = json.loads(line)["urls"]
        for pipe in (process.stdout, process.stderr):
            # Somebody reads what follows: a full pipe would stop the node.
            threading.Thread(target=_drain, args=(pipe,), daemon=True).start()
        yield Endpoints(urls["L2 JSON-RPC"], urls["verifier JSON-RPC"], lambda: _wait(process))
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


def _drain(pipe: IO[str] | None) -> None:
    if pipe is not None:
        for _ in pipe:
            pass


def _wait(process: "subprocess.Popen[str]") -> None:
    with suppress(KeyboardInterrupt):
        process.wait()
