"""The suite's tables: medians, ratios and verdicts follow from the samples, in all four files."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

import benchmarks.__main__ as suite
from benchmarks import peers
from benchmarks.__main__ import GROWTH, OTHER_PEERS, THROUGHPUT
from benchmarks.comparison import Case, Result, Sample, Side
from benchmarks.report import Report
from benchmarks.solidity import PEER_WORKLOADS
from rollup.load.workloads import WORKLOADS

SAMPLE = Sample(100.0, 300.0, 250.0, 0.1, 200.0, 500.0, 900.0, 1_000, 4, True)


def samples(*rates: float) -> list[Sample]:
    return [replace(SAMPLE, per_second=rate) for rate in rates]


def result(must: float) -> Result:
    case = Case("<transfers> & more", Side("ours", "transfer"), Side("anvil", "transfer"), must=must, aim=9)
    return Result(case, samples(30, 10, 20), samples(5, 10, 40))


@pytest.mark.parametrize(("must", "verdict"), [(2.0, "reached"), (2.1, "missed")])
def test_a_table_says_whether_a_ratio_was_reached(tmp_path: Path, must: float, verdict: str) -> None:
    report = Report(tmp_path, "t", "A table", {"runs": 3, "machine": {"cores": 2}})
    report.add(result(must), 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv", "t.json", "t.md", "t.svg"]
    text = (tmp_path / "t.md").read_text()
    assert f"| 20 (10 to 30) | 10 (5 to 40) | **2.00** {verdict} | {must} | 9 |" in text
    assert "runs: 3; machine: cores 2." in text


def test_every_sample_is_in_the_files(tmp_path: Path) -> None:
    Report(tmp_path, "t", "A table", {}).add(result(1), 1)
    (row,) = json.loads((tmp_path / "t.json").read_text())["results"]
    assert [sample["per_second"] for sample in row["ours"]] == [30, 10, 20]
    assert row["ratio"] == 2.0
    with (tmp_path / "t.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [(line["server"], line["run"], line["per_second"]) for line in rows] == [
        *(("ours", str(number), str(rate)) for number, rate in enumerate((30, 10, 20), 1)),
        *(("anvil", str(number), str(rate)) for number, rate in enumerate((5, 10, 40), 1)),
    ]
    picture = ElementTree.fromstring((tmp_path / "t.svg").read_text())
    texts = [item.text for item in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["A table: transactions per second", "<transfers> & more", "20", "10"]


def test_a_case_without_a_peer_has_no_ratio(tmp_path: Path) -> None:
    alone = Result(Case("alone", Side("ours", "infer"), None), samples(1, 2, 3))
    assert alone.ratio is None
    Report(tmp_path, "t", "A table", {}).add(alone, 1)
    assert "| alone (alone) | 2 (1 to 3) |  |  |" in (tmp_path / "t.md").read_text()


class Interrupted:
    """A runner that is stopped in its third case."""

    def __init__(self, *_: object) -> None:
        self.cases = 0

    def use(self, server: str) -> None:
        """Takes any server."""

    def run(self, case: Case, runs: int) -> Result:
        self.cases += 1
        if self.cases == 3:
            raise KeyboardInterrupt
        return Result(case, samples(*range(1, runs + 1)), samples(*range(1, runs + 1)))


def test_a_run_that_is_cut_off_leaves_the_cases_that_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "Runner", Interrupted)
    monkeypatch.setattr(suite._Suite, "_server", lambda self, name: nullcontext(name))
    monkeypatch.setattr(peers, "versions", dict)
    with pytest.raises(KeyboardInterrupt):
        suite.main(["--quick", "--out", str(tmp_path)])
    written = json.loads((tmp_path / "throughput.json").read_text())
    assert [row["case"]["name"] for row in written["results"]] == [case.name for case in THROUGHPUT[:2]]
    assert written["cases"] == f"2 of {len(THROUGHPUT)}, the run has not ended"
    assert f"cases: {written['cases']}." in (tmp_path / "throughput.md").read_text()


def test_only_the_servers_that_are_needed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a case is measured, only its own servers run, and those of later cases. A peer may be missing."""
    running: set[str] = set()
    seen: list[tuple[str, set[str]]] = []

    @contextmanager
    def server(self: object, name: str) -> Iterator[str]:
        if name == "absent":
            raise peers.Missing("absent")
        running.add(name)
        yield name
        running.discard(name)

    class Watching(Interrupted):
        def run(self, case: Case, runs: int) -> Result:
            seen.append((case.name, set(running)))
            return result(1)

    monkeypatch.setattr(suite, "Runner", Watching)
    monkeypatch.setattr(suite._Suite, "_server", server)
    sides = {name: Side(name, "infer") for name in "abc"} | {"absent": Side("absent", "infer")}
    cases = [
        Case("first", sides["a"], sides["b"]),
        Case("second", sides["a"], sides["absent"]),
        Case("third", sides["c"], sides["b"]),
        Case("fourth", sides["c"], None),
    ]
    made = suite._Suite(1, 1, ())
    made.table(Report(tmp_path, "t", "A table", {}), cases)
    assert seen == [("first", {"a", "b"}), ("third", {"b", "c"}), ("fourth", {"c"})]
    assert not running
    assert "cases" not in json.loads((tmp_path / "t.json").read_text())


def test_a_whole_table_does_not_speak_of_its_cases(tmp_path: Path) -> None:
    report = Report(tmp_path, "t", "A table", {})
    for _ in range(2):
        report.add(result(1), 2)
    written = json.loads((tmp_path / "t.json").read_text())
    assert "cases" not in written
    assert len(written["results"]) == 2


def test_every_case_of_the_suite_names_workloads_that_exist() -> None:
    for case in (*THROUGHPUT, *OTHER_PEERS, *GROWTH):
        assert case.ours.workload in WORKLOADS
        assert case.peer is None or case.peer.workload in PEER_WORKLOADS


def test_a_peer_that_is_not_installed_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_PACKAGES", str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/node")
    for start, package in ((peers.anvil("anvil", ()), "@foundry-rs/anvil"), (peers.hardhat("hardhat"), "hardhat@")):
        with pytest.raises(peers.Missing, match=package), start:
            pass
