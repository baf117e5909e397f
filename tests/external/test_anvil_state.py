"""States that anvil dumped, by its method and by its option, loaded into both layers: every account is as in anvil."""

import gzip
import json
import signal

import pytest
from click.testing import CliRunner

from rollup.cli import main
from rollup.protocol.accounts import USERS
from tests.external.conftest import need_package
from tests.external.op_stack import Program, free_port
from tests.node.asking import asking, node_with_safe
from tests.node.node_process import call
from tests.node.test_snapshots import settle

pytestmark = [pytest.mark.external, pytest.mark.slow, pytest.mark.timeout(120)]

VERSION = "1.7.1"
CONTRACT, SOMEONE = "0x" + "c0" * 20, "0x" + "50" * 20
STORES_ITS_INPUT = "0x5f355f5500"
WORD = "0x" + "00" * 31 + "2a"


@pytest.fixture(scope="module")
def anvil(tmp_path_factory):
    """Two dumps of anvil, by anvil_dumpState and by --dump-state, and the accounts that it had then."""
    folder = need_package("@foundry-rs/anvil", VERSION)
    made, port = tmp_path_factory.mktemp("anvil"), free_port()
    file = made / "state.json"
    # Not the wrapper from npm: that one ends at a signal before anvil has written its state.
    (program,) = (folder / "node_modules/@foundry-rs").glob("anvil-*/bin/anvil*")
    with Program(made / "anvil.log", program, "--port", port, "--silent", "--dump-state", file) as running:
        url = f"http://127.0.0.1:{port}"
        running.wait_for(url)
        call(url, "anvil_setBalance", SOMEONE, hex(7 * 10**18))
        call(url, "anvil_setCode", CONTRACT, STORES_ITS_INPUT)
        user = "0x" + USERS[1].address.hex()
        for data in (WORD, "0x" + "00" * 32, WORD):
            call(url, "eth_sendTransaction", {"from": user, "to": CONTRACT, "data": data, "gas": "0x186a0"})
        accounts = {
            who: [call(url, f"eth_get{what}", who, "latest") for what in ("Balance", "TransactionCount", "Code")]
            for who in (SOMEONE, CONTRACT, user)
        }
        slot = call(url, "eth_getStorageAt", CONTRACT, "0x0", "latest")
        by_method = call(url, "anvil_dumpState")
        running.process.send_signal(signal.SIGINT)
        running.process.wait(20)
    return {"by method": by_method, "by option": "0x" + file.read_bytes().hex()}, accounts, slot, file


@pytest.mark.parametrize("how", ["by method", "by option"])
@pytest.mark.parametrize("port", ["l1", "l2"])
def test_every_account_is_as_in_anvil(anvil, how, port):
    states, accounts, slot, _ = anvil
    with node_with_safe(2) as node:
        ask = asking(node)
        assert ask(port, "anvil_loadState", states[how])["result"] is True
        for who, expected in accounts.items():
            found = [ask(port, f"eth_get{what}", who)["result"] for what in ("Balance", "TransactionCount", "Code")]
            assert found == expected, who
        assert ask(port, "eth_getStorageAt", CONTRACT, "0x0")["result"] == slot == WORD
        settle(node)


def test_a_node_does_not_start_from_a_state_of_anvil(anvil, tmp_path):
    for content in (anvil[3].read_bytes(), gzip.compress(json.dumps({"accounts": {}}).encode(), mtime=0)):
        file = tmp_path / "state"
        file.write_bytes(content)
        done = CliRunner().invoke(main, ["run", "--load", str(file)])
        assert done.exit_code == 1
        assert done.output.splitlines() == [
            f"Error: {file}: a state of anvil is not a dump of openrollup: anvil_loadState adds it to a running node"
        ]
