"""viem's test client in its mode for anvil: each of its 30 actions works, or is refused as anvil refuses it."""

import pytest

from rollup.protocol.accounts import USERS
from tests.external.conftest import need_package, run_script
from tests.node.node_process import NodeProcess

pytestmark = [pytest.mark.external, pytest.mark.slow]
ACTIONS = 30
BOTH = {
    "setBalance": str(3 * 10**18),
    "setCode": "0x6001",
    "setNonce": 5,
    "setStorageAt": "0x" + "07" * 32,
    "mine": True,
    "snapshot": "string",
    "revert": str(3 * 10**18),
    "increaseTime": True,
    "setNextBlockTimestamp": "0",
    "setBlockTimestampInterval": None,
    "removeBlockTimestampInterval": None,
    "setBlockGasLimit": "40000000",
    "setLoggingEnabled": None,
    "impersonateAccount": "success",
    "stopImpersonatingAccount": "refused",
    "sendUnsignedTransaction": "success",
    "setIntervalMining": None,
    "setAutomine": None,
    "getAutomine": False,
    "dropTransaction": "gone",
    "getTxpoolContent": "pending,queued",
    "getTxpoolStatus": "pending,queued",
    "inspectTxpool": "pending,queued",
    "dumpState": True,
    "loadState": "0",
    "reset": True,
}
ONE = {
    "l1": {
        "setNextBlockBaseFeePerGas": "3000000000",
        "setCoinbase": "0x" + "cd" * 20,
    },
    "l2": {},
}
REFUSED = {
    "l1": {"setMinGasPrice": "EIP-1559 is active", "setRpcUrl": "not a fork"},
    "l2": {
        "setMinGasPrice": "EIP-1559 is active",
        "setRpcUrl": "not a fork",
        "setNextBlockBaseFeePerGas": "by rule",
        "setCoinbase": "SequencerFeeVault",
    },
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("layer", ["l1", "l2"])
def test_every_action_works_or_is_refused_as_it_should(tmp_path, layer):
    folder = need_package("viem")
    actions = {path.stem for path in (folder / "node_modules/viem/actions/test").glob("*.ts")}
    interval = 4 if layer == "l1" else 2
    with NodeProcess("--block-time", 2, "--l1-block-time", 2) as node:
        assert node.wait_for("L1BlockMined")
        sender = "0x" + USERS[1].address.hex()
        said = run_script(
            "viem_test_actions.mjs", folder, node, tmp_path, 250, layer=layer, interval=interval, sender=sender
        )
    assert len(said) == ACTIONS
    assert said.keys() == actions
    for name, expected in (BOTH | ONE[layer]).items():
        assert said[name] == {"result": expected}, (name, said[name])
    for name, reason in REFUSED[layer].items():
        assert reason in said[name]["refused"]
    assert BOTH.keys() | ONE[layer].keys() | REFUSED[layer].keys() == said.keys()
