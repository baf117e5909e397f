"""An export across reorganisations, on a chain of plain dictionaries: parts that went are taken back."""

import csv
import json

import pytest

from rollup.export.errors import ExportError
from rollup.export.exporter import Exporter
from rollup.export.schema import TABLES
from rollup.export.writers import csv_file, jsonl_file, parquet_file

TABLE = ["blocks", "transactions"]


class FakeChain:
    """Blocks without transactions, named by a branch; answers what an exporter asks."""

    def __init__(self, length):
        self.blocks = []
        self.extend(length, "a")
        self.on_receipts = lambda: None

    def extend(self, count, branch):
        for _ in range(count):
            number = len(self.blocks)
            parent = self.blocks[-1]["hash"] if self.blocks else "0x" + "00" * 32
            self.blocks.append(
                {
                    "number": hex(number),
                    "hash": f"0x{branch}{number}",
                    "parentHash": parent,
                    "timestamp": hex(number),
                    "gasUsed": "0x0",
                    "gasLimit": "0x1",
                    "baseFeePerGas": "0x7",
                    "transactions": [],
                    "stateRoot": "0x",
                }
            )

    def reorg(self, keep, count, branch):
        del self.blocks[keep:]
        self.extend(count, branch)

    def call(self, method, *arguments):
        if method == "eth_chainId":
            return "0x385"
        if method == "eth_blockNumber":
            return hex(len(self.blocks) - 1)
        if method == "eth_getBlockReceipts":
            self.on_receipts()
            return []
        assert method == "eth_getBlockByNumber"
        number = int(arguments[0], 16)
        return self.blocks[number] if number < len(self.blocks) else None

    def batch(self, method, params):
        return [self.call(method, *item) for item in params]


def exporter(chain, folder):
    return Exporter.open(chain, folder, "csv", TABLE)


def hashes(folder):
    return [
        row["hash"]
        for path in sorted((folder / "blocks").iterdir())
        for row in csv.DictReader(path.read_text().splitlines())
    ]


@pytest.mark.parametrize("keep", [1, 5, 9, 10, 14, 20])
def test_after_a_reorganisation_the_files_are_those_of_the_new_chain(tmp_path, keep):
    chain = FakeChain(20)
    found = exporter(chain, tmp_path)
    list(found.export(19, 5))
    chain.reorg(keep, 25, "b")
    list(exporter(chain, tmp_path).export(found.head(), 5))
    assert hashes(tmp_path) == [block["hash"] for block in chain.blocks]
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    files = {entry["name"] for part in manifest["parts"] for entry in part["files"].values()}
    assert {f"{path.parent.name}/{path.name}" for path in tmp_path.rglob("*.csv")} == files


def test_a_reorganisation_while_a_part_is_read_is_seen(tmp_path):
    chain = FakeChain(20)
    left = [2]

    def change():
        if left[0]:
            left[0] -= 1
            chain.reorg(12, 8, f"c{left[0]}")

    chain.on_receipts = change
    list(exporter(chain, tmp_path).export(19, 50))
    assert hashes(tmp_path) == [block["hash"] for block in chain.blocks]


def test_a_chain_that_never_holds_still_is_one_sentence(tmp_path):
    chain, count = FakeChain(20), [0]

    def change():
        count[0] += 1
        chain.reorg(12, 8, f"d{count[0]}")

    chain.on_receipts = change
    with pytest.raises(ExportError, match="the chain changes"):
        list(exporter(chain, tmp_path).export(19, 50))


def test_a_file_left_by_an_interrupted_part_is_removed(tmp_path):
    chain = FakeChain(10)
    list(exporter(chain, tmp_path).export(4, 5))
    (tmp_path / "blocks" / "0000000005-0000000009.csv").write_text("half")
    (tmp_path / "blocks" / "0000000005-0000000009.csv.new").write_text("half")
    list(exporter(chain, tmp_path).export(9, 5))
    assert hashes(tmp_path) == [block["hash"] for block in chain.blocks]


def test_a_full_disk_leaves_a_whole_export_that_goes_on(tmp_path, monkeypatch):
    chain = FakeChain(20)
    found = exporter(chain, tmp_path)
    list(found.export(9, 5))
    before = (tmp_path / "manifest.json").read_text()
    written = []

    def full(path, data):
        written.append(path)
        if len(written) == 2:
            raise OSError(28, "No space left on device", str(path))
        path.write_bytes(data)

    monkeypatch.setattr("rollup.export.exporter.write_whole", full)
    with pytest.raises(OSError, match="No space left"):
        list(found.export(19, 5))
    assert (tmp_path / "manifest.json").read_text() == before
    monkeypatch.undo()
    list(exporter(chain, tmp_path).export(19, 5))
    assert hashes(tmp_path) == [block["hash"] for block in chain.blocks]


def test_another_chain_is_refused(tmp_path):
    list(exporter(FakeChain(5), tmp_path).export(4, 5))
    other = FakeChain(0)
    other.extend(5, "z")
    with pytest.raises(ExportError, match="genesis"):
        exporter(other, tmp_path)


HUGE = {"number": 1, "value": 2**256 - 1, "type": 2, "max_fee_per_gas": 10**38 - 1}


def test_an_amount_of_256_bits_is_lost_in_no_format():
    table = TABLES["transactions"]
    (row,) = csv.DictReader(csv_file(table, [HUGE])[0].decode().splitlines())
    assert (row["value"], row["max_fee_per_gas"]) == ("", str(10**38 - 1))
    assert json.loads(row["overflow"]) == {"value": str(2**256 - 1)}
    line = json.loads(jsonl_file(table, [HUGE])[0])
    assert json.loads(line["overflow"]) == {"value": str(2**256 - 1)}


def test_parquet_holds_38_digits_exactly():
    pq = pytest.importorskip("pyarrow.parquet", reason="NO PYARROW: pip install 'openrollup[export]'")
    import io

    data, count = parquet_file(TABLES["transactions"], [HUGE])
    (row,) = pq.read_table(io.BytesIO(data)).to_pylist()
    assert count == 1
    assert int(row["max_fee_per_gas"]) == 10**38 - 1
    assert row["value"] is None
