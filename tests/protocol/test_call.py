"""A call that a key signs: its transaction is eth-account's, and no other module makes one of its own."""

import ast
from pathlib import Path

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.protocol.call import Call
from rollup.protocol.keys import address_of_key
from rollup.protocol.transaction import decode_transaction

KEYS = st.integers(1, 2**250).map(lambda number: number.to_bytes(32, "big"))
ADDRESSES = st.binary(min_size=20, max_size=20)
FEES = st.integers(0, 2**64)


@settings(deadline=None, max_examples=30)
@given(KEYS, ADDRESSES, st.integers(0, 2**128), st.binary(max_size=200), st.integers(0, 2**63), FEES, FEES)
def test_a_signed_call_is_the_transaction_of_eth_account(key, to, value, data, nonce, tip, above):
    signed = Call(to, value, data, 90_000).signed(key, nonce, 901, tip + above, tip)
    fields = {
        "type": 2,
        "chainId": 901,
        "nonce": nonce,
        "gas": 90_000,
        "to": to,
        "value": value,
        "data": data,
        "maxFeePerGas": tip + above,
        "maxPriorityFeePerGas": tip,
    }
    assert signed.encode() == bytes(Account.sign_transaction(fields, key).raw_transaction)
    assert decode_transaction(signed.encode()).sender == address_of_key(key)


@settings(deadline=None, max_examples=30)
@given(KEYS)
def test_the_address_of_a_key_is_eth_accounts(key):
    assert "0x" + address_of_key(key).hex() == Account.from_key(key).address.lower()


# The batcher's transactions may carry blobs; `eth_sendTransaction` makes every type.
OTHERS = {"rollup/protocol/call.py", "sequencer/batcher/tx_manager.py", "rollup/rpc/eth_accounts.py"}


@pytest.mark.parametrize("package", ["rollup", "openrollup", "sequencer", "benchmarks"])
def test_no_other_module_signs_a_transaction_that_it_has_made(package):
    found = set()
    for path in Path(package).rglob("*.py"):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if "signed" in text else ():
            if isinstance(node, ast.Attribute) and node.attr == "signed" and not _is_call(node.value):
                found.add(str(path))
    assert found <= OTHERS


def _is_call(node):
    """True for `call.signed` and `Call(…).signed`."""
    return ast.unparse(node).split("(")[0].rpartition(".")[2] in ("call", "Call")
