"""Both stores hold the same contract: atomic batches, ordered scans; LMDB refuses what is not its own."""

import os
import random
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.store.kv import LmdbStore, MemoryStore, Store, StoreError


@pytest.fixture(params=["memory", "lmdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: Store = MemoryStore() if request.param == "memory" else LmdbStore.open(tmp_path / "db")
    yield opened
    opened.close()


def test_a_batch_is_seen_whole_or_not_at_all(store: Store) -> None:
    with store.write() as batch:
        batch.put("a", b"1", b"one")
        assert batch.get("a", b"1") == b"one"
        assert store.get("a", b"1") is None
    assert store.get("a", b"1") == b"one"
    with pytest.raises(ZeroDivisionError):
        write_and_fail(store)
    assert store.get("a", b"1") == b"one"
    assert store.get("new table", b"2") is None
    with store.write() as batch:
        batch.put("new table", b"3", b"three")
    assert store.get("new table", b"3") == b"three"


def write_and_fail(store: Store) -> None:
    with store.write() as batch:
        batch.delete("a", b"1")
        batch.put("new table", b"2", b"two")
        raise ZeroDivisionError


def test_put_new_does_not_replace_an_existing_value(store: Store) -> None:
    with store.write() as batch:
        assert batch.put_new("a", b"k", b"first")
        assert not batch.put_new("a", b"k", b"second")
    with store.write() as batch:
        assert not batch.put_new("a", b"k", b"third")
        batch.delete("a", b"k")
        batch.delete("a", b"never there")
        assert batch.put_new("a", b"k", b"fourth")
    assert store.get("a", b"k") == b"fourth"


KEYS = st.binary(min_size=1, max_size=3)


@given(
    st.dictionaries(KEYS, st.binary(max_size=4), max_size=20),
    st.just(b"") | KEYS,
    st.none() | KEYS,
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_scans_are_equal_in_both_stores(
    tmp_path_factory: pytest.TempPathFactory,
    entries: dict[bytes, bytes],
    start: bytes,
    stop: bytes | None,
    reverse: bool,
) -> None:
    expected = sorted((k, v) for k, v in entries.items() if start <= k and (stop is None or k < stop))
    for store in (MemoryStore(), LmdbStore.open(tmp_path_factory.mktemp("db"))):
        with store.write() as batch:
            for key, value in entries.items():
                batch.put("t", key, value)
        assert list(store.scan("t", start, stop, reverse)) == (expected[::-1] if reverse else expected)
        assert list(store.scan("unknown")) == []
        store.close()


def test_a_directory_has_one_user(tmp_path: Path) -> None:
    store = LmdbStore.open(tmp_path)
    with pytest.raises(StoreError, match="in use"):
        LmdbStore.open(tmp_path)
    store.close()
    LmdbStore.open(tmp_path).close()


def snapshot(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def test_another_programs_lmdb_is_refused_and_left_untouched(tmp_path: Path) -> None:
    with lmdb.open(str(tmp_path), max_dbs=2) as other, other.begin(write=True) as transaction:
        transaction.put(b"theirs", b"value")
    before = snapshot(tmp_path)
    with pytest.raises(StoreError, match="another program"):
        LmdbStore.open(tmp_path)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("left", [20, 4096, 8192, 100_000])
def test_a_cut_off_file_is_refused_and_left_untouched(tmp_path: Path, left: int) -> None:
    store = LmdbStore.open(tmp_path)
    with store.write() as batch:
        for number in range(200):
            batch.put("t", number.to_bytes(4, "big"), bytes(1000))
    store.close()
    os.truncate(tmp_path / "data.mdb", left)
    before = snapshot(tmp_path)
    with pytest.raises(StoreError, match=r"corrupt|cut off"):
        LmdbStore.open(tmp_path)
    assert snapshot(tmp_path) == before


def test_another_version_is_refused(tmp_path: Path) -> None:
    store = LmdbStore.open(tmp_path)
    with store.write() as batch:
        batch.put("meta", b"openrollup", b"0")
    store.close()
    with pytest.raises(StoreError, match="another version"):
        LmdbStore.open(tmp_path)


def test_a_creation_cut_short_is_taken_up(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"")
    (tmp_path / "lock.mdb").write_bytes(b"")
    LmdbStore.open(tmp_path).close()


def test_values_survive_reopening(tmp_path: Path) -> None:
    for durable in (False, True):
        store = LmdbStore.open(tmp_path / str(durable), durable)
        with store.write() as batch:
            batch.put("t", b"k", struct.pack(">I", 7))
        store.close()
        again = LmdbStore.open(tmp_path / str(durable))
        assert again.get("t", b"k") == struct.pack(">I", 7)
        assert again.stat()["t"]["entries"] == 1
        again.close()


@pytest.mark.parametrize("damage", ["zeros", "ones", "noise"])
def test_damaged_pages_are_one_plain_error(tmp_path: Path, damage: str) -> None:
    """Reads the damaged file in another process, because LMDB may crash on it."""
    program = f"""
import pathlib, random, sys
from rollup.store.kv import LmdbStore, StoreDamaged, StoreError
path = pathlib.Path({str(tmp_path / "db")!r})
store = LmdbStore.open(path)
with store.write() as batch:
    for number in range(20_000):
        batch.put("table", number.to_bytes(8, "big"), bytes(100))
store.close()
data = bytearray((path / "data.mdb").read_bytes())
content = {{"zeros": bytes, "ones": lambda n: b"\\xff" * n, "noise": random.Random(1).randbytes}}[{damage!r}]
for page in range(10, len(data) // 4096 - 10):
    data[page * 4096 : page * 4096 + 4096] = content(4096)
(path / "data.mdb").write_bytes(data)
try:
    store = LmdbStore.open(path)
    for number in range(20_000):
        store.get("table", number.to_bytes(8, "big"))
    list(store.scan("table"))
    with store.write() as batch:
        for number in range(20_000):
            batch.put("table", number.to_bytes(8, "big"), b"new")
except StoreDamaged as error:
    print("damaged:", error)
except StoreError as error:
    print("other:", error)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in ran.stderr
    assert ran.stdout.startswith("damaged: ") or ran.returncode < 0
    if ran.returncode == 0:
        assert "derived again from L1" in " ".join(ran.stdout.split())


@pytest.mark.parametrize("seed", range(8))
def test_a_file_opens_again_after_a_batch_that_deletes_most_entries(tmp_path: Path, seed: int) -> None:
    """LMDB counts pages at the end of the file that it took and freed in one batch, and does not write them."""
    chosen = random.Random(seed)
    count = chosen.randrange(500, 2_000)
    store = LmdbStore.open(tmp_path)
    for table in ("small", "large"):
        with store.write() as batch:
            batch.put(table, b"first", b"")
    with store.write() as batch:
        for _ in range(count):
            batch.put("small", chosen.randbytes(32), chosen.randbytes(chosen.randrange(30, 600)))
        for _ in range(count // 20):
            batch.put("large", chosen.randbytes(32), chosen.randbytes(chosen.randrange(3_000, 12_000)))
    small, large = ([key for key, _ in store.scan(table)] for table in ("small", "large"))
    with store.write() as batch:
        for key in chosen.sample(small, count * 9 // 10):
            batch.delete("small", key)
        for key in large:
            batch.delete("large", key)
    store.close()
    again = LmdbStore.open(tmp_path)
    assert len(list(again.scan("small"))) == count + 1 - count * 9 // 10
    assert list(again.scan("large")) == []
    again.close()
