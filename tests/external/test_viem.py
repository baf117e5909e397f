"""viem with its op-stack actions: a deposit to its L2 hash, what L1 data costs, a withdrawal to its last step."""

import pytest

from tests.external.conftest import need_package, run_script
from tests.node.node_process import NodeProcess

pytestmark = pytest.mark.external


def test_a_deposit_and_the_fees(node, tmp_path):
    said = run_script("viem_bridge.mjs", need_package("viem"), node, tmp_path, 60)
    deposit = said["deposit"]
    assert (deposit["l1"], deposit["l2"]) == ("success", "success")
    assert (deposit["type"], deposit["transactionType"]) == ("0x7e", "deposit")
    assert (deposit["mint"], deposit["balance"]) == ("7", "7")
    assert int(deposit["gas"]) > 21_000
    fees = {name: int(value) for name, value in said["fees"].items()}
    assert fees["l1Gas"] == 1_600  # 100 bytes, the least FastLZ is taken for (Fjord), at 16 gas
    assert fees["l1Fee"] > 0
    assert fees["operatorFee"] == 0
    assert fees["contract"] > fees["total"] > fees["l1Fee"]
    assert said["transfer"]["status"] == "success"
    assert int(said["transfer"]["l1Fee"]) > 0
    assert int(said["transfer"]["l1GasUsed"]) == fees["l1Gas"]


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("options", [(), ("--block-time", 1, "--l1-block-time", 1)], ids=["default times", "fast"])
def test_a_withdrawal_by_viems_guide(tmp_path, options):
    """The withdrawal is done on a chain of a few seconds, with a node's default times, and without a retry."""
    folder = need_package("viem")
    with NodeProcess(*options) as node:
        assert node.wait_for("L1BlockMined")
        said = run_script("viem_bridge.mjs", folder, node, tmp_path, 300, withdraw=True)
    steps = ("initiated", "provable", "proven", "finalized")
    assert [said[step]["withdrawal"] for step in steps] == [
        "waiting-to-prove",
        "ready-to-prove",
        "waiting-to-finalize",
        "finalized",
    ]
    assert {said[step]["status"] for step in ("initiated", "proven", "finalized")} == {"success"}
    assert said["finalized"]["received"] == "5"
