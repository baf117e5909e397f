"""ethers 6: what an application does in its first hour."""

import pytest

from tests.external.conftest import need_package, run_script

pytestmark = pytest.mark.external


def test_an_application(node, tmp_path):
    said = run_script("ethers_wallet.mjs", need_package("ethers"), node, tmp_path, 60)
    assert said["deploy"] == {"code": "0x345f5260205ff3", "expected": True, "answer": "0x" + format(5, "064x")}
    events = said["events"]
    assert (events["status"], events["heard"], events["pushed"], events["fee"]) == (1, [True, "3"], 2, True)
    assert events["filtered"] == 1
    errors = said["errors"]
    assert errors["panic"] == {"code": "CALL_EXCEPTION", "reason": "Panic due to OVERFLOW(17)", "name": "Panic"}
    codes = {name: errors[name]["code"] for name in ("low", "poor", "replaced")}
    assert codes == {"low": "NONCE_EXPIRED", "poor": "INSUFFICIENT_FUNDS", "replaced": "REPLACEMENT_UNDERPRICED"}
    assert said["many"]["statuses"] == [1, 1, 1, 1]
    assert said["delegation"]["status"] == 1
    assert said["delegation"]["code"] == said["delegation"]["expected"]
    assert said["fees"]["ordered"]
