"""anvil_impersonateSignature: ecrecover answers with the chosen account in both nodes, and a revert takes it back."""

from types import SimpleNamespace

import pytest
from coincurve import PrivateKey

from rollup.execution.attribution_flat_host import FlatHost
from rollup.execution.attribution_host import ComputationHost
from rollup.execution.impersonated_signatures import ACCOUNT, slot_of
from rollup.execution.irregular import StatePatches
from rollup.execution.overrides import StateOverride, override_account
from rollup.execution.state.accounts import AccountDatabase
from rollup.patches import parse_patches
from rollup.protocol.accounts import USERS
from tests.node.asking import asking, node_with_safe
from tests.node.test_patches import derived
from tests.node.test_snapshots import settle

DIGEST = b"\x55" * 32
SIGNED = PrivateKey(USERS[3].private_key).sign_recoverable(DIGEST, hasher=None)
R, S, V = SIGNED[:32], SIGNED[32:64], SIGNED[64] + 27
SIGNATURE = "0x" + (R + S + bytes((V,))).hex()
SIGNER = "0x" + "ab" * 20
ECRECOVER = "0x" + "01".rjust(40, "0")
ASKED = "0x" + (DIGEST + V.to_bytes(32, "big") + R + S).hex()
# Creation code: it calls ecrecover with the 128 bytes after it, and keeps the answer in slot 0.
STORING = "6080602a6000396020608060806000600060015af1506080516000550000".ljust(84, "0")


@pytest.fixture
def node():
    with node_with_safe(2) as found:
        yield found


@pytest.fixture
def ask(node):
    answering = asking(node)

    def ask(port, method, *params):
        answer = answering(port, method, *params)
        assert "error" not in answer, answer
        return answer["result"]

    return ask


def recovered(ask, port, data=ASKED):
    answer = ask(port, "eth_call", {"to": ECRECOVER, "data": data}, "latest")
    return "0x" + answer[-40:] if answer != "0x" else None


def stored(ask, port):
    """The answer that a mined transaction got."""
    transaction = {"from": "0x" + USERS[4].address.hex(), "data": f"0x{STORING}{ASKED[2:]}", "gas": "0x30d40"}
    tx_hash = ask(port, "eth_sendTransaction", transaction)
    ask(port, "evm_mine")
    receipt = ask(port, "eth_getTransactionReceipt", tx_hash)
    assert receipt["status"] == "0x1"
    return "0x" + ask(port, "eth_getStorageAt", receipt["contractAddress"], "0x0", "latest")[-40:]


@pytest.mark.parametrize("port", ["l1", "l2"])
def test_a_chosen_signer_is_what_calls_and_transactions_see(node, ask, port):
    real = recovered(ask, port)
    assert real == "0x" + USERS[3].address.hex()
    ask(port, "anvil_impersonateSignature", [SIGNATURE, SIGNER])
    assert recovered(ask, port) == SIGNER
    assert stored(ask, port) == SIGNER
    other = ASKED.replace(DIGEST.hex(), "66" * 32)
    assert recovered(ask, port, other) == SIGNER  # whatever was signed
    assert recovered(ask, port, ASKED[:-2] + f"{S[-1] ^ 1:02x}") != SIGNER
    ask(port, "anvil_impersonateSignature", SIGNATURE, "0x" + "00" * 20)
    assert recovered(ask, port) == real == stored(ask, port)
    settle(node)


def test_the_gas_is_that_of_ecrecover(node, ask):
    trace = {"tracer": "callTracer"}
    before = ask("l2", "debug_traceCall", {"to": ECRECOVER, "data": ASKED}, "latest", trace)
    ask("l2", "anvil_impersonateSignature", [SIGNATURE, SIGNER])
    after = ask("l2", "debug_traceCall", {"to": ECRECOVER, "data": ASKED}, "latest", trace)
    assert after["gasUsed"] == before["gasUsed"]
    assert after["output"] != before["output"]


def test_a_revert_takes_it_back(node, ask):
    real = recovered(ask, "l2")
    number = ask("l1", "evm_snapshot")
    ask("l2", "anvil_impersonateSignature", [SIGNATURE, SIGNER])
    assert recovered(ask, "l2") == SIGNER
    assert recovered(ask, "l1") == real  # each layer has its own
    assert ask("l1", "evm_revert", number)
    assert recovered(ask, "l2") == real
    settle(node)


def test_a_verifier_needs_the_patches(node, ask):
    ask("l2", "anvil_impersonateSignature", [SIGNATURE, SIGNER])
    patched = node.l2.chain.head.number
    assert stored(ask, "l2") == SIGNER
    node.run_until_safe(node.l2.chain.head.number)
    layer = parse_patches(node.patches.document())["l2"]
    assert layer.impersonates_signatures
    chain, _ = derived(node, (layer,))
    assert chain.head.hash == node.l2.chain.canonical_hash(chain.head.number)
    assert chain.head.number > patched
    chain, _ = derived(node, (StatePatches(),))
    assert chain.block_by_number(patched).hash != node.l2.chain.canonical_hash(patched)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ([], "missing value for required argument 0"),
        ([[SIGNATURE]], "invalid argument 0: a signature and an address are expected"),
        (["0x11", SIGNER], "invalid argument 0: hex string has length 2, want 130"),
        ([SIGNATURE], "one address is expected: [[signature, address]] or [signature, address]"),
        ([[SIGNATURE, SIGNER], SIGNER], "one address is expected: [[signature, address]] or [signature, address]"),
    ],
)
def test_malformed_parameters_are_refused(node, params, message):
    head = node.l2.chain.head.hash
    error = asking(node)("l2", "anvil_impersonateSignature", *params)["error"]
    assert (error["code"], error["message"]) == (-32602, message)
    assert node.l2.chain.head.hash == head


def test_the_native_precompile_sees_the_chosen_signer_as_its_twin_does(node):
    """The twin calls ecrecover; both hosts of the native precompile ask the state in the same way."""
    accounts = AccountDatabase(node.l2.chain.state_at(node.l2.chain.head.hash))
    chosen = int(SIGNER, 16)
    patch = StateOverride(nonce=1, storage_diff={slot_of(bytes.fromhex(SIGNATURE[2:])): chosen})
    override_account(accounts, ACCOUNT, patch)
    asked = DIGEST, V, int.from_bytes(R, "big"), int.from_bytes(S, "big")
    answers = []
    for impersonates in (True, False):
        context = SimpleNamespace(impersonates_signatures=impersonates, chain_id=901)
        state = SimpleNamespace(execution_context=context, _account_db=accounts, timestamp=1)
        message = SimpleNamespace(sender=bytes(20), value=0, is_static=False, storage_address=ACCOUNT)
        computation = SimpleNamespace(msg=message, state=state, get_gas_meter=lambda: None)
        flat = FlatHost(accounts, 1, 901, impersonates).ecrecover(*asked)
        assert flat == ComputationHost(computation).ecrecover(*asked)
        answers.append(flat)
    assert answers == [chosen, int.from_bytes(USERS[3].address, "big")]
