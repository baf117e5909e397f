"""Starts the load generator's process and follows it."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import orjson

from rollup.load.generator import Progress
from rollup.load.job import Job, LoadError, Outcome
from rollup.load.lines import read_line


class GeneratorProcess:
    """A load that is signed when this returns and sent by `run`. Use as a context manager: the process then ends."""

    def __init__(self, job: Job) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rollup.load.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._write(orjson.dumps(job.to_json()))
        try:
            self._expect("signed")
        except LoadError:
            self.close()
            raise

    def __enter__(self) -> "GeneratorProcess":
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    @property
    def process_id(self) -> int:
        """The number of the process."""
        return self._process.pid

    def run(
        self,
        on_progress: Callable[[Progress], None] = lambda progress: None,
        on_included: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Sends the load. on_included is called when the clock has stopped; receipts are counted when it returns."""
        self._write(b"go")
        while True:
            event = self._read()
            name = event.pop("event")
            if name == "progress":
                on_progress(Progress(**event))
            elif name == "included":
                on_included()
                self._write(b"count")
            elif name == "outcome":
                return Outcome.from_json(event)

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.communicate()

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise LoadError("the load generator ended") from error

    def _read(self) -> dict[str, Any]:
        line = read_line(self._process)
        if not line.endswith(b"\n"):  # nothing, or the beginning of a line that was never finished
            raise LoadError(f"the load generator ended with exit code {self._process.wait()}")
        event: dict[str, Any] = orjson.loads(line)
        if event["event"] == "failed":
            raise LoadError(event["text"])
        return event

    def _expect(self, name: str) -> None:
        event = self._read()
        if event["event"] != name:
            raise LoadError(f"the load generator said {event['event']}, not {name}")
