"""The benchmark runs, its workloads do what their names say, and gas does not depend on the number of contributors."""

import json
from pathlib import Path

import pytest
from eth.vm.message import Message

from attribution_precompile import ADDRESS_BYTES, RUNTIME_CODE
from attribution_precompile.layout import credit_slot
from benchmarks import attribution as benchmark
from benchmarks import inferences, native_prices
from benchmarks.native_prices import GAS, PROGRAM
from rollup.execution.transition import TransactionContext


def test_it_runs_and_writes_its_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark.main(["--quick", "--json", "--out", str(tmp_path)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "attribution.json").read_text())
    assert {row["entries"] for row in printed["hot_loop"]} == set(benchmark.ENTRIES)
    assert all(row["microseconds"] > 0 for row in printed["hot_loop"])
    assert "record_inference" in (tmp_path / "attribution_profile.txt").read_text()
    assert {row["entries"] for row in printed["in_a_block"]} == set(benchmark.ENTRIES)
    assert {row["machine"] for row in printed["ns_per_gas"]} == {
        native_prices.OURS,
        native_prices.SHIPPED,
        native_prices.FAST_PATH,
    }
    assert all(row["ratio"] > 0 for row in printed["ns_per_gas"] if row["against"])
    for part in ("hot_loop", "in_a_block"):
        gas: dict[tuple[str, int], set[int]] = {}
        for row in printed[part]:
            gas.setdefault((row["workload"], row["entries"]), set()).add(row["gas"])
        assert all(len(costs) == 1 for costs in gas.values())


@pytest.mark.parametrize("entries", benchmark.ENTRIES)
def test_the_opcodes_beside_a_native_call_do_the_same_work(entries: int) -> None:
    """Both end with the same words in the same slots and the same topics; the gas differs only by pushes."""
    for workload, storage in benchmark.priced(entries):
        caller = workload.caller.to_bytes(20, "big")
        ends = []
        for to, code in ((ADDRESS_BYTES, RUNTIME_CODE), (PROGRAM, native_prices.transcribe(workload, storage))):
            state = native_prices.our_state(native=True)
            native_prices.deploy(state, to, code, storage)
            state.set_balance(caller, 10**20)
            state.lock_changes()
            state.mark_address_warm(to)
            message = Message(GAS, to, caller, workload.value, workload.calldata, code)
            done = state.computation_class.apply_message(state, message, TransactionContext(caller, 1))
            assert done.is_success
            words = {slot: state.get_storage(to, slot) for slot in storage}
            topics = [log[1] for log in done.get_log_entries()]
            sizes = [len(log[2]) for log in done.get_log_entries()]
            ends.append((words, topics, sizes, done.get_gas_refund(), done.get_gas_used()))
        assert ends[0][:4] == ends[1][:4]
        assert ends[0][0] != storage
        assert ends[0][4] <= ends[1][4] <= ends[0][4] * 1.03


@pytest.mark.slow
def test_gas_takes_as_long_natively_as_in_opcodes() -> None:
    """Within half and twice in the EVM, whatever is remembered; the fast path only has to be no slower."""
    for workload, storage in benchmark.priced(4):
        for price in native_prices.call_prices(workload, storage, 200):
            if price.against and "native" in price.what:
                least = 0.0 if price.machine == native_prices.FAST_PATH else 0.4
                assert least <= price.ratio <= 2, price


@pytest.mark.parametrize("entries", benchmark.ENTRIES)
def test_workloads_pay_as_they_say(entries: int) -> None:
    for workload in inferences.workloads(entries, 40):
        host = benchmark.prepare(workload)
        before = dict(host.storage)
        benchmark.run_once(host, workload)
        changed = {slot for slot, word in host.storage.items() if before.get(slot) != word}
        assert credit_slot(inferences.TREASURY) in changed
        assert credit_slot(inferences.OWNER) in changed
        # Usage and history in addition to the payments; members paid directly here are one account.
        paid = 3 if "members" in workload.name else workload.credits
        assert len(changed) == paid + 2
