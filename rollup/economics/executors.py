"""Where tasks run: this process, processes of this machine, or a Dask cluster; all through concurrent.futures."""

import multiprocessing
import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from rollup.economics.errors import EconomicsError

_DASK: Final = "dask://"
_MAX_WORKERS: Final = 256
MAX_RESTARTS: Final = 20


class WorkerPool(Executor):
    """Processes of this machine. Python gives up a whole pool when one of its workers dies; this one is started again.

    `note` gets one sentence for each restart.
    """

    def __init__(self, workers: int, note: Callable[[str], None]) -> None:
        self._workers = workers
        self._note = note
        self._restarts = 0
        self._pool = self._new_pool()

    @property
    def suspects(self) -> int:
        """How many tasks the workers may have had when the pool broke: one each, and one in the queue to them."""
        return self._workers + 1

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Runs the call in a worker. Raises BrokenExecutor after a worker died."""
        return self._pool.submit(fn, *args, **kwargs)

    def restart(self) -> bool:
        """Starts new workers in place of a broken pool. False once it was restarted `MAX_RESTARTS` times."""
        if self._restarts == MAX_RESTARTS:
            return False
        self._restarts += 1
        self._note(f"a worker process died: new ones are started, {self._restarts} of {MAX_RESTARTS} times")
        self._pool.shutdown(cancel_futures=True)
        self._pool = self._new_pool()
        return True

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the workers."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._workers, multiprocessing.get_context("spawn"))


@contextmanager
def executor_of(name: str | None, note: Callable[[str], None] = lambda _: None) -> Iterator[Executor | None]:
    """`processes`, `processes:N` or `dask://HOST:PORT`; None for no name. EconomicsError for anything else.

    `note` gets a sentence when worker processes are started again."""
    if name is None:
        yield None
    elif name.startswith(_DASK):
        with _dask(name.removeprefix(_DASK)) as executor:
            yield executor
    else:
        processes = WorkerPool(_workers(name), note)
        try:
            yield processes
        finally:  # after Ctrl-C or a full disk, what waits would otherwise still be run
            processes.shutdown(cancel_futures=True)


def _workers(name: str) -> int:
    kind, _, count = name.partition(":")
    if kind != "processes" or (count and not (count.isascii() and count.isdigit() and 0 < int(count) <= _MAX_WORKERS)):
        raise EconomicsError(f"{name!r} is not an executor: use processes, processes:N or dask://HOST:PORT")
    return int(count) if count else os.cpu_count() or 1


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError as error:
        raise EconomicsError("dask:// needs Dask: pip install 'openrollup[dask]'") from error
    try:
        _require_listener(address)  # Dask itself tries a closed port again and again for 10 s
        client = Client(f"tcp://{address}", timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise EconomicsError(f"no Dask scheduler answers at {address}") from error
    try:
        # The executor, not the client: the client's own futures are not concurrent.futures.
        with client.get_executor(retries=2, pure=True) as executor:
            yield executor
    finally:
        client.close()


def _require_listener(address: str) -> None:
    """Raises OSError where nothing listens, and ValueError where the address has no port."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
