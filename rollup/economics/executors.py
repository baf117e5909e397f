"""Where tasks run: this process, processes of this machine, or a Dask cluster; all through concurrent.futures."""

import multiprocessing
import os
import socket
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Final

from rollup.economics.errors import EconomicsError

_DASK: Final = "dask://"
_MAX_WORKERS: Final = 256


@contextmanager
def executor_of(name: str | None) -> Iterator[Executor | None]:
    """`processes`, `processes:N` or `dask://HOST:PORT`; None for no name. EconomicsError for anything else."""
    if name is None:
        yield None
    elif name.startswith(_DASK):
        with _dask(name.removeprefix(_DASK)) as executor:
            yield executor
    else:
        workers = _workers(name)
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as processes:
            yield processes


def _workers(name: str) -> int:
    kind, _, count = name.partition(":")
    if kind != "processes" or (count and not (count.isascii() and count.isdigit() and 0 < int(count) <= _MAX_WORKERS)):
        raise EconomicsError(f"{name!r} is no executor: processes, processes:N and dask://HOST:PORT are")
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
        # The executor, not the client: the client's own futures are no concurrent.futures.
        with client.get_executor(retries=2, pure=True) as executor:
            yield executor
    finally:
        client.close()


def _require_listener(address: str) -> None:
    """Raises OSError where nothing listens, and ValueError where the address has no port."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
