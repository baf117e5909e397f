"""Real chain data and other clients' cases, kept outside the repository: VECTORS names the folder."""

import gzip
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_REMARKS = ("note", "source", "how_to_use")


def folder() -> Path:
    """The folder of all vectors; skips the test when it is not there."""
    name = os.environ.get("VECTORS")
    if not name or not Path(name).is_dir():
        pytest.skip("NO VECTORS: set VECTORS to the folder of test vectors", allow_module_level=True)
    return Path(name)


def load(name: str, file: str) -> Any:
    """A JSON document of one folder, plain or gzipped; file without or with its ending."""
    base = folder() / name
    for path in (base / file, base / f"{file}.json", base / f"{file}.json.gz"):
        if path.is_file():
            data = path.read_bytes()
            return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    pytest.skip(f"NO VECTORS: {name}/{file} is not there", allow_module_level=True)


def files(name: str) -> list[str]:
    """The documents of one folder, sorted, by names that load() takes; skips when the folder is not there."""
    base = folder() / name
    if not base.is_dir():
        pytest.skip(f"NO VECTORS: {name} is not there", allow_module_level=True)
    return sorted(path.name for path in base.iterdir() if path.name.endswith((".json", ".json.gz")))


@contextmanager
def named(case: str) -> Iterator[None]:
    """Whatever fails inside says which case it is: for a test that runs many."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"in the case {case}")
        raise


def unknown_keys(case: Mapping[str, Any], known: Collection[str]) -> list[str]:
    """Keys of a case that its runner does not know; remarks of the collection are not among them."""
    return sorted(key for key in case if key not in known and not _is_remark(key))


def _is_remark(key: str) -> bool:
    return key in _REMARKS or key.startswith("collector_") or key.endswith(("_note", "_origin"))
