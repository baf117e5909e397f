"""The load generator's process: a job comes in on standard input, events leave on standard output, all JSON lines.

{"event": "signed", "seconds": 2.1}      the load is signed; a line on standard input starts it
{"event": "progress", ...}               twice per second
{"event": "included"}                    every transaction is in a block: the clock has stopped
{"event": "outcome", ...}                receipts are counted; the process ends
{"event": "failed", "text": ...}         instead of any of them
"""

import asyncio
import gc
import sys
import time
from dataclasses import asdict
from typing import Any

import orjson

from rollup.load.generator import Generator, Progress, check_receipts
from rollup.load.job import Job, LoadError, Outcome
from rollup.load.lines import write_line
from rollup.load.signing import Request, lanes


def main() -> int:
    """Runs the job of the first line of standard input."""
    job = Job.from_json(orjson.loads(sys.stdin.buffer.readline()))
    begun = time.monotonic()
    requests = lanes(job)
    gc.freeze()  # the signed load is not looked at again by the collector
    signing = time.monotonic() - begun
    _say("signed", seconds=signing)
    if not sys.stdin.buffer.readline():
        return 1  # the other process is gone
    try:
        outcome = _run(job, requests)
    except LoadError as error:
        _say("failed", text=str(error))
        return 1
    outcome.sign_seconds = signing
    _say("outcome", **outcome.to_json())
    return 0


def _run(job: Job, requests: list[list[Request]]) -> Outcome:
    def on_progress(progress: Progress) -> None:
        _say("progress", **asdict(progress))

    async def run() -> Outcome:
        outcome = await Generator(job, requests, on_progress).run()
        _say("included")
        sys.stdin.buffer.readline()
        await check_receipts(job, requests, outcome)
        return outcome

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(run())


def _loop_factory() -> Any:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def _say(event: str, **fields: Any) -> None:
    write_line(orjson.dumps({"event": event} | fields))


if __name__ == "__main__":
    sys.exit(main())
