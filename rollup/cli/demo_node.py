"""A node of the demo's own, as another process: what a user would start by hand."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click


@dataclass(slots=True, frozen=True)
class Endpoints:
    """Where the demo speaks to a chain, and to the verifier of it."""

    l2: str
    verifier: str | None


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
        yield Endpoints(urls["L2 JSON-RPC"], urls["verifier JSON-RPC"])
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
