"""op-geth answers conditions as the L2 port does: the same codes and the same texts at the door."""

import pytest

from rollup.protocol.primitives import EMPTY_TRIE_ROOT
from tests.external.import_chain import ImportedChain
from tests.node.test_conditional_transactions import METHOD, NOBODY, Chain, word

pytestmark = [pytest.mark.external, pytest.mark.slow, pytest.mark.timeout(300)]

EMPTY = "0x" + EMPTY_TRIE_ROOT.hex()
WETH = "0x4200000000000000000000000000000000000006"
L1_BLOCK = "0x4200000000000000000000000000000000000015"  # its storage changes in every block


def conditions(chain):
    """Every field, met and not met by the head, and what cannot be met by any block."""
    head = chain.head
    now, number = head.timestamp, head.number
    yield from ({}, {"knownAccounts": {}}, {"knownAccounts": None})
    for low, high, value in (("blockNumberMin", "blockNumberMax", number), ("timestampMin", "timestampMax", now)):
        for name in (low, high):
            yield from ({name: hex(value + change)} for change in (-1, 0, 1))
        yield {low: hex(value), high: hex(value)}
        yield {low: hex(value + 1), high: hex(value)}
    for root in (chain.root(WETH), chain.root(L1_BLOCK), EMPTY, word(5)):
        yield from ({"knownAccounts": {account: root}} for account in (WETH, L1_BLOCK, NOBODY))
    stored = chain.ask("l2", "eth_getStorageAt", L1_BLOCK, "0x0")["result"]
    yield {"knownAccounts": {L1_BLOCK: {word(0): stored}}}
    for slot, value in ((0, 0), (0, 1), (7, 0), (7, 9)):
        yield from ({"knownAccounts": {account: {word(slot): word(value)}}} for account in (WETH, L1_BLOCK, NOBODY))
    for count in (999, 1_000, 1_001):
        yield {"knownAccounts": {NOBODY: {word(slot): word(0) for slot in range(count)}}}
    yield {"knownAccounts": {NOBODY: EMPTY}, "blockNumberMin": "0x1", "timestampMin": hex(now + 5)}


def test_op_geth_refuses_and_takes_the_same_conditions(tmp_path):
    chain = Chain(has_contract=False, attribution="contract")
    weth = chain.signed(2, to=bytes.fromhex(WETH[2:]), value=5)
    chain.node.l2.pool.add(weth.encode())
    assert chain.build() == [weth.hash]
    chain.build()
    with ImportedChain(chain.node, tmp_path, "--rollup.sequencertxconditionalenabled") as geth:
        taken = 0
        for condition in conditions(chain):
            parameters = "0x" + chain.signed(1).encode().hex(), condition
            ours, theirs = chain.ask("l2", METHOD, *parameters), geth.answer(METHOD, *parameters)
            assert {name: ours[name] for name in theirs} == theirs, condition
            taken += "result" in theirs
        assert 10 < taken < len(list(conditions(chain))) - 20
    chain.node.close()
