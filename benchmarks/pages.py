"""The pages in Chromium: how soon the first one shows the heads, and what two open pages cost the node under load.

    python -m benchmarks.pages --loads 15 --count 6400 --runs 3

Needs Playwright and Chromium (CHROMIUM names the program where it is not on the path).

First load: Chromium runs already, and each load has a context of its own, so nothing is cached and a new renderer
process is started. The time runs from the beginning of the navigation to the first frame that has the heads. A
second time runs until the first frame that also has the blocks of both layers.

Throughput: one node takes the same load in turn without a page and with the explorer and the control room open. All
three programs share the machine's cores, so what Chromium draws counts too. One JSON line per run.
"""

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.command_line import Parser, positive
from benchmarks.node_load import Target, node_process
from benchmarks.safe_heads import wait_until_safe
from rollup.load.job import Job, LoadError
from rollup.load.process import GeneratorProcess
from rollup.load.scene import Scene, sender_keys
from rollup.load.usage import usage_of
from rollup.load.workloads import WORKLOADS, Shape
from rollup.protocol.call import Call

OPEN_PAGES: Final = ("", "control")
_SENDERS: Final = 64
_FUNDS: Final = 100 * 10**18  # wei per sender
_SETTLE: Final = 2.0  # seconds between opening the pages and the load
_SAFE_TIMEOUT: Final = 120.0  # seconds

# The times of the first frame that has a head in it and of the first one that has the blocks of both layers, in
# milliseconds since the navigation began. A message is sent for the second.
_WATCH: Final = """
function whenShown(isThere, then) {
  const watch = new MutationObserver(() => {
    if (!isThere()) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => then(performance.now())));
  });
  watch.observe(document, {childList: true, subtree: true});
}
whenShown(() => document.querySelector('.strip .figure'), (time) => (window.shownAfter = time));
whenShown(() => document.querySelectorAll('.lane .blocks').length === 2, (time) => {
  window.filledAfter = time;
  console.log('filled');
});
"""
_BYTES: Final = """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .filter((entry) => entry.initiatorType !== 'fetch').reduce((sum, entry) => sum + entry.decodedBodySize, 0)"""


@dataclass(frozen=True, slots=True)
class Run:
    """One load. Rates per second, the node's CPU in µs per transaction, Chromium's CPU as a part of one core."""

    has_pages: bool
    per_second: float
    node_cpu: float
    browser_share: float
    is_whole: bool


def main(arguments: list[str] | None = None) -> int:
    """Measures both and prints a summary as the last line."""
    parser = Parser(prog="benchmarks.pages", description=__doc__)
    parser.add_argument("--loads", type=positive, default=15, help="first loads that are timed")
    parser.add_argument("--count", type=positive, default=6_400, help="transactions per run")
    parser.add_argument("--runs", type=positive, default=3, help="measured runs without and with pages")
    parser.add_argument("--only", choices=("first-load", "throughput"), help="one of the two alone")
    parser.add_argument("--node", default="", help="more options of `openrollup run`, separated by spaces")
    options = parser.parse_args(arguments)
    node = ["--block-time=1", "--l1-block-time=2", "--gas-limit=500000000", *options.node.split()]
    found: dict[str, Any] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="openrollup-pages-") as name, _chromium() as browser:
            if options.only != "throughput":
                with node_process(Path(name), *options.node.split(), is_kept=False) as target:
                    found |= _first_loads(browser, target, options.loads)
            if options.only != "first-load":
                with node_process(Path(name), *node, is_kept=False) as target:
                    found |= _throughput(browser, target, options)
    except LoadError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(found))
    return 0


@contextmanager
def _chromium() -> Iterator[Any]:
    """A running Chromium. Raises LoadError where it or Playwright is missing."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise LoadError("no Chromium: apt-get install chromium, or CHROMIUM=/path")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise LoadError("no Playwright: pip install playwright") from error
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


def _first_loads(browser: Any, target: Target, count: int) -> dict[str, Any]:
    """Milliseconds until the heads and the blocks are shown, and the bytes of the first page.

    The first load warms Chromium up and is not counted.
    """
    times, filled, size = [], [], 0
    for number in range(count + 1):
        context = browser.new_context()
        page = context.new_page()
        page.add_init_script(_WATCH)
        with page.expect_console_message():  # one event: a driver that asks again and again takes Chromium's time
            page.goto(target.l2 + "/", wait_until="commit")
        shown, with_blocks = page.evaluate("[window.shownAfter, window.filledAfter]")
        size = page.evaluate(_BYTES)
        context.close()
        if number:
            times.append(round(shown, 1))
            filled.append(round(with_blocks, 1))
            _show({"first load": number, "milliseconds": times[-1], "with blocks": filled[-1]})
    return {
        "first load, median ms": statistics.median(times),
        "lowest": min(times),
        "highest": max(times),
        "with blocks, median ms": statistics.median(filled),
        "bytes": size,
    }


def _throughput(browser: Any, target: Target, options: Namespace) -> dict[str, Any]:
    """The rate without and with pages, in turn, after a warm-up; the ratio is that of the medians."""
    scene, keys = Scene(target.l2), sender_keys(_SENDERS)
    scene.fund(keys, _FUNDS)
    calls = WORKLOADS["infer"].prepare(scene, keys, Shape(100))
    runs = []
    for number in range(2 * options.runs + 1):
        with _opened(browser, target, OPEN_PAGES if number and number % 2 == 0 else ()) as has_pages:
            run = _run(target, scene, keys, calls, options.count, has_pages)
        if number:
            runs.append(run)
        _show({"run": number or "warm-up"} | asdict(run))
    without, with_pages = ([run for run in runs if run.has_pages is which] for which in (False, True))
    rates = [statistics.median(run.per_second for run in group) for group in (without, with_pages)]
    cpu = [statistics.median(run.node_cpu for run in group) for group in (without, with_pages)]
    return {
        "without pages, per second": rates[0],
        "with two pages": rates[1],
        "ratio": round(rates[1] / rates[0], 3),
        "node CPU µs, without": cpu[0],
        "node CPU µs, with": cpu[1],
        "node CPU ratio": round(cpu[1] / cpu[0], 3),
        "Chromium, part of one core": statistics.median(run.browser_share for run in with_pages),
    }


@contextmanager
def _opened(browser: Any, target: Target, routes: tuple[str, ...]) -> Iterator[bool]:
    """These pages open, each in a window of its own, so that none is hidden."""
    contexts = [browser.new_context() for _ in routes]
    for context, route in zip(contexts, routes, strict=True):
        page = context.new_page()
        page.goto(f"{target.l2}/#/{route}")
        page.get_by_role("heading", level=1).wait_for()
    time.sleep(_SETTLE)
    yield bool(routes)
    for context in contexts:
        context.close()


def _run(
    target: Target, scene: Scene, keys: tuple[bytes, ...], calls: list[Call], count: int, has_pages: bool
) -> Run:  # fmt: skip
    """One load, until every transaction is in a block; then it waits until all is safe."""
    assert target.process_id is not None
    server, seen = target.process_id, []

    def cpu() -> tuple[float, float, float]:
        whole = usage_of(os.getpid()).cpu
        return time.monotonic(), usage_of(server).cpu, whole - usage_of(server).cpu - usage_of(generator.process_id).cpu

    job = Job(target.l2, scene.chain_id, keys, scene.nonces(keys), tuple(calls), count)
    with GeneratorProcess(job) as generator:
        before = cpu()
        outcome = generator.run(on_included=lambda: seen.append(cpu()))
    after = seen[0]
    wait_until_safe(scene, Scene(target.verifier), _SAFE_TIMEOUT)
    return Run(
        has_pages,
        round(outcome.per_second, 1),
        round((after[1] - before[1]) / outcome.sent * 1e6, 1),
        round((after[2] - before[2]) / (after[0] - before[0]), 3),
        outcome.is_whole,
    )


def _show(row: dict[str, Any]) -> None:
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    sys.exit(main())
