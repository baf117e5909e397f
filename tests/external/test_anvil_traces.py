"""Traces of L1 transactions against anvil's of the same transactions: geth's tracers and Parity's traces."""

import orjson
import pytest

from rollup.node import Node, NodeParams
from rollup.protocol.accounts import USERS
from rollup.protocol.transaction import LEGACY, Transaction
from rollup.serve import PORTS, NodeServers
from tests.external.conftest import need_package
from tests.external.op_stack import Program, free_port
from tests.external.test_op_stack import differences
from tests.node.node_process import call
from tests.rpc.story import contract_code, init_code

pytestmark = [pytest.mark.external, pytest.mark.slow, pytest.mark.timeout(300)]

VERSION = "1.7.1"
SENDER = USERS[3]
STORY, CALLER = "story", "caller"
CALL, DELEGATECALL, STATICCALL = 0xF1, 0xF4, 0xFA


def calling(opcode, target, byte):
    """Code that calls a contract with one byte of data, and drops the result."""
    value = b"\x60\0" if opcode == CALL else b""
    return (
        b"\x60" + bytes((byte,)) + b"\x60\0\x53"  # MSTORE8(0, byte)
        b"\x60\x20\x60\x20\x60\x01\x60\0" + value + b"\x73" + target + b"\x5a" + bytes((opcode,)) + b"\x50"
    )


def caller_code(story):
    """Calls of every kind: into a log, a revert, an invalid opcode, a write, a precompile, and a creation."""
    return (
        calling(CALL, story, 0)
        + calling(CALL, story, 1)
        + calling(CALL, story, 2)
        + calling(DELEGATECALL, story, 5)
        + calling(STATICCALL, story, 7)
        + calling(STATICCALL, story, 5)
        + calling(STATICCALL, bytes(19) + b"\x02", 9)
        + b"\x60\0\x60\0\x60\0\xf0\x50"  # CREATE of nothing
        b"\x60\x01\x54\x60\x02\x55\x60\x20\x60\0\xf3"  # slot 2 becomes slot 1; 32 bytes are returned
    )


class Chains:
    """Our L1 and anvil with the same transactions of one account."""

    def __init__(self, node, url):
        self.node, self.url = node, url
        self._methods = NodeServers(node, PORTS, "127.0.0.1", bytes(32)).rpc_servers["l1"].methods
        self._nonce = 0
        self.hashes = {}

    def ours(self, method, *params):
        return orjson.loads(orjson.dumps(self._methods[method](list(params))))

    def theirs(self, method, *params):
        return call(self.url, method, *params)

    def send(self, name, to, data, gas=500_000):
        """Puts a transaction into a block of each; the address that it creates."""
        transaction = Transaction(
            LEGACY,
            nonce=self._nonce,
            chain_id=900,
            gas_limit=gas,
            max_fee_per_gas=10**11,
            max_priority_fee_per_gas=10**11,
            to=to,
            data=data,
        ).signed(SENDER.private_key)
        self._nonce += 1
        raw = "0x" + transaction.encode().hex()
        self.hashes[name] = "0x" + self.node.l1.pool.add(transaction.encode()).hex()
        self.node.mine_l1()
        assert self.theirs("eth_sendRawTransaction", raw) == self.hashes[name]
        while self.theirs("eth_getTransactionReceipt", self.hashes[name]) is None:
            pass  # it is mined at once, and the answer does not wait for it
        one, other = (ask("eth_getTransactionReceipt", self.hashes[name]) for ask in (self.ours, self.theirs))
        assert (one["status"], one["gasUsed"]) == (other["status"], other["gasUsed"]), name
        return one["contractAddress"] and bytes.fromhex(one["contractAddress"][2:])


@pytest.fixture(scope="module")
def chains(tmp_path_factory):
    path = (need_package("@foundry-rs/anvil", VERSION) / "node_modules/.bin/anvil").resolve()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = ("--chain-id", 900, "--hardfork", "prague", "--port", port, "--silent", "--steps-tracing")
    node = Node.open(NodeParams(virtual_clock=True, genesis_time=1_700_000_000, archive=True, proposer=False))
    try:
        with Program(tmp_path_factory.mktemp("anvil") / "anvil.log", path, *options) as anvil:
            anvil.wait_for(url)
            made = Chains(node, url)
            story = made.send("a creation", None, init_code(contract_code()), 2_000_000)
            caller = made.send("another creation", None, init_code(caller_code(story)), 2_000_000)
            for name, byte in {"logs": 0, "a revert": 1, "an invalid opcode": 2, "a write": 5, "a read": 7}.items():
                made.send(name, story, bytes((byte,)))
            made.send("an endless loop", story, b"\x06", 100_000)
            made.send("calls of every kind", caller, b"", 2_000_000)
            made.send("a transfer", USERS[5].address, b"", 21_000)
            made.send("a creation of nothing", None, b"\x60\x05\x60\0\x55\x33\xff", 100_000)  # SELFDESTRUCT
            made.send("a creation that reverts", None, b"\x60\0\x60\0\xfd", 100_000)
            yield made
    finally:
        node.close()


NAMES = (
    *("a creation", "another creation", "logs", "a revert", "an invalid opcode", "a write", "a read"),
    *("an endless loop", "calls of every kind", "a transfer", "a creation of nothing", "a creation that reverts"),
)


def traces(chains, name, options):
    return (ask("debug_traceTransaction", chains.hashes[name], options) for ask in (chains.ours, chains.theirs))


# Where anvil differs from geth, and ours does as geth (test_tracers.py holds them to op-geth's field by field).
ANVILS_MINER = "0x" + "00" * 20  # each chain has its own fee recipient
ERRORS = {"StateChangeDuringStaticCall": "write protection"}


def struct_logs(trace):
    """Without a refund of 0, 0x before slots, and what the failing opcode of a frame cost and is named."""
    for row in trace["structLogs"]:
        if row.get("refund") == 0:
            del row["refund"]
        if "storage" in row:
            row["storage"] = {
                slot.removeprefix("0x"): value.removeprefix("0x") for slot, value in row["storage"].items()
            }
    return trace


def without_failures(one, other):
    """The two traces, without cost and error of each step at which one of them has an error."""
    for rows in zip(one["structLogs"], other["structLogs"], strict=True):
        if any("error" in row for row in rows):
            for row in rows:
                row.pop("error", None)
                row.pop("gasCost")
    return one, other


def calls(trace, depth=0):
    """A call trace without the gas of the top call, from which anvil takes the intrinsic gas; errors as geth's."""
    result = {name: value for name, value in trace.items() if depth or name != "gas"}
    if "error" in result:
        result["error"] = ERRORS.get(result["error"], result["error"])
    if "calls" in result:
        result["calls"] = [calls(item, depth + 1) for item in result["calls"]]
    return result


def accounts(chains, state):
    """A prestate without fee recipients, hashes of code, and accounts that are not there."""
    kept = {
        who: {name: value for name, value in account.items() if name != "codeHash"}
        for who, account in state.items()
        if who not in (ANVILS_MINER, "0x" + chains.node.l1.miner.coinbase.hex())
    }
    return {who: account for who, account in kept.items() if is_there(account)}


def is_there(account):
    """anvil lists accounts without anything, with the empty slots that were read or written."""
    slots = account.get("storage", {}).values()
    return any(name not in ("balance", "storage") for name in account) or any(
        int(value, 16) for value in (account.get("balance", "0x0"), *slots)
    )


@pytest.mark.parametrize("name", NAMES)
def test_struct_logs_are_anvils(chains, name):
    one, other = without_failures(*map(struct_logs, traces(chains, name, {})))
    assert len(one["structLogs"]) > 0 or name == "a transfer"
    assert differences(one, other) == []


@pytest.mark.parametrize("name", NAMES)
def test_calls_are_anvils(chains, name):
    one, other = map(calls, traces(chains, name, {"tracer": "callTracer", "tracerConfig": {"withLog": True}}))
    assert differences(one, other) == []


@pytest.mark.parametrize("diff", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_the_states_before_and_after_are_anvils(chains, name, diff):
    both = list(traces(chains, name, {"tracer": "prestateTracer", "tracerConfig": {"diffMode": diff}}))
    parts = ("pre", "post") if diff else (None,)
    for part in parts:
        one, other = (accounts(chains, trace[part] if part else trace) for trace in both)
        assert len(one) > 0
        assert differences(one, other) == []


# ---------------------------------------------------------------- Parity's traces
KINDS = ["trace", "stateDiff", "vmTrace"]


def replayed(chains, name):
    """The answers of both for the transaction, from trace_replayBlockTransactions."""
    for ask in (chains.ours, chains.theirs):
        number = ask("eth_getTransactionReceipt", chains.hashes[name])["blockNumber"]
        (answer,) = ask("trace_replayBlockTransactions", number, KINDS)
        yield answer


def frames(trace):
    """Without the names of errors, and the addresses that anvil gives to creations that reverted."""
    for frame in trace:
        if frame.pop("error", None) is not None and frame["type"] == "create" and frame["result"]:
            frame["result"].pop("address", None)
    return trace


def operations(one, other):
    """The opcodes of a frame and of those below it, of both: what anvil finds out. It names the gas before an opcode
    `used`, has no results of calls, memory or slots, and effects of opcodes that failed.
    """
    for mine, theirs in zip(one["ops"], other["ops"], strict=True):
        assert mine["ex"] is None or mine["ex"]["used"] >= 0
        is_call = mine["op"] in ("CALL", "CALLCODE", "DELEGATECALL", "STATICCALL", "CREATE", "CREATE2")
        names = ("pc", "op") if mine["ex"] is None else ("pc", "op", "cost")
        yield [mine[name] for name in names], [theirs[name] for name in names]
        if mine["ex"] is not None and not is_call:
            yield mine["ex"]["push"], theirs["ex"]["push"]
        yield bool(mine["sub"]), bool(theirs["sub"] and theirs["sub"]["ops"])
        if mine["sub"] is not None:
            yield from operations(mine["sub"], theirs["sub"])


@pytest.mark.parametrize("name", NAMES)
def test_the_frames_of_parity_are_anvils(chains, name):
    one, other = replayed(chains, name)
    assert one["transactionHash"] == other["transactionHash"]
    assert one["output"] == other["output"]
    assert differences(frames(one["trace"]), frames(other["trace"])) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_difference_of_states_is_anvils(chains, name):
    one, other = replayed(chains, name)
    recipients = (ANVILS_MINER, "0x" + chains.node.l1.miner.coinbase.hex())
    assert all(answer["stateDiff"].pop(name) for answer, name in zip((other, one), recipients, strict=True))
    assert differences(one["stateDiff"], other["stateDiff"]) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_opcodes_of_parity_are_anvils(chains, name):
    one, other = replayed(chains, name)
    for mine, theirs in operations(one["vmTrace"], other["vmTrace"]):
        assert mine == theirs
