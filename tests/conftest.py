"""Settings for all tests: their logs, hypothesis, the folders that begin first, the work of the garbage collector."""

import gc
import logging
import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
import structlog

HERE = Path(__file__).parent
# Folders whose files take the longest. They begin first, so that no worker has one left when the others have ended.
FIRST = ("web", "conformance", "attribution", "node", "cli", "rpc", "execution", "scenarios")

# As the commands write them, not as structlog does by default (a traceback with all locals).
LOGS = {
    "processors": [
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
}
structlog.configure(**LOGS)
_configure = structlog.configure
# No test asserts a time: on a machine that does other work too, an example of a moment may take half a second.
hypothesis.settings.register_profile("openrollup", deadline=None)
hypothesis.settings.load_profile("openrollup")


@pytest.fixture(autouse=True)
def logs_of_this_test_alone(monkeypatch):
    """A command that runs in the test's process sets up logging. Nothing of that is left for the next test: neither the
    settings nor a module's logger that has kept them.
    """
    monkeypatch.setattr(
        structlog, "configure", lambda **options: _configure(**options | {"cache_logger_on_first_use": False})
    )
    formatter = logging.lastResort.formatter
    yield
    logging.lastResort.setFormatter(formatter)
    structlog.reset_defaults()
    _configure(**LOGS)


@pytest.fixture(autouse=True)
def a_signal_ends_the_tests(monkeypatch):
    """A command that runs in the test's process ends with exit code 130 at SIGTERM and SIGHUP: a run of tests that was
    killed then had a failure and continued. The signal was for the tests, so they end after this one, and say so.
    """
    received = []

    @contextmanager
    def noting(*names):
        def note(number, frame):
            received.append(signal.Signals(number).name)
            raise KeyboardInterrupt

        kept = [(name, signal.signal(getattr(signal, name), note)) for name in names if hasattr(signal, name)]
        try:
            yield
        finally:
            for name, handler in kept:
                signal.signal(getattr(signal, name), handler)

    cli = sys.modules.get("rollup.cli")
    if cli is not None:
        own = cli._interrupted_by
        monkeypatch.setattr(cli, "_interrupted_by", lambda *names: noting(*names) if is_main() else own(*names))
    yield
    if received:
        pytest.exit(f"{received[0]} came while a command ran in a test: its failure means nothing", returncode=1)


def is_main():
    """Only the main thread may set handlers of signals."""
    return threading.current_thread() is threading.main_thread()


def pytest_collection_modifyitems(items):
    """Sorts the folders, and leaves the order within each as it is."""

    def place(item):
        folder = item.path.relative_to(HERE).parts[0] if item.path.is_relative_to(HERE) else ""
        return FIRST.index(folder) if folder in FIRST else len(FIRST)

    items.sort(key=place)


_collected = {}


@pytest.fixture
def collection():
    """Facts of how this process collected the tests."""
    return _collected


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Keeps the garbage collector from walking through modules and tests, which stay: 5 % of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        freeze()
        gc.enable()
        worker = sys.modules.get("rollup.execution.vms.kzg_worker")
        _collected["computes KZG"] = worker is not None and bool(worker.trusted_setup.cache_info().currsize)


def freeze():
    """Freezes what is there, without what nobody holds."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def frozen_by_tests():
    """For tests that freeze or unfreeze objects: afterwards those are frozen that stay, as after the collection."""
    yield
    freeze()
