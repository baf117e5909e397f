"""The benchmark runs, its workloads do what their names say, and gas does not depend on the number of contributors."""

import json
from pathlib import Path

import pytest

from attribution_precompile.layout import credit_slot
from benchmarks import attribution as benchmark
from benchmarks import inferences


def test_it_runs_and_writes_its_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark.main(["--quick", "--json", "--out", str(tmp_path)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "attribution.json").read_text())
    assert {row["entries"] for row in printed["hot_loop"]} == set(benchmark.ENTRIES)
    assert all(row["microseconds"] > 0 for row in printed["hot_loop"])
    assert "record_inference" in (tmp_path / "attribution_profile.txt").read_text()
    assert {row["entries"] for row in printed["in_a_block"]} == set(benchmark.ENTRIES)
    for part in ("hot_loop", "in_a_block"):
        gas: dict[tuple[str, int], set[int]] = {}
        for row in printed[part]:
            gas.setdefault((row["workload"], row["entries"]), set()).add(row["gas"])
        assert all(len(costs) == 1 for costs in gas.values())


@pytest.mark.parametrize("entries", benchmark.ENTRIES)
def test_workloads_pay_as_they_say(entries: int) -> None:
    for workload in inferences.workloads(entries, 40):
        host = benchmark.prepare(workload)
        before = dict(host.storage)
        benchmark.run_once(host, workload)
        changed = {slot for slot, word in host.storage.items() if before.get(slot) != word}
        assert credit_slot(inferences.TREASURY) in changed
        assert credit_slot(inferences.OWNER) in changed
        # Usage and history beside what is paid; members paid directly here are one account.
        paid = 3 if "members" in workload.name else workload.credits
        assert len(changed) == paid + 2
