"""Karst's first block: 31 upgrade transactions with gas of their own (op-node: derive/attributes.go)."""

from rollup.node import Node, NodeParams
from rollup.protocol.deposits import upgrade_source_hash
from rollup.protocol.l2_blocks import system_config_of_block
from tests.node.node_process import GENESIS_TIME, transfer

LIMIT, BUNDLE = 60_000_000, 55_370_657


def test_the_first_block_of_karst_brings_its_transactions_and_their_gas():
    # spec: upgrade.atomic, upgrade.gas-suffices
    node = Node.open(NodeParams(genesis_time=GENESIS_TIME, virtual_clock=True, forks="jovian,karst+10"))
    node.l2.pool.add(transfer(901, 0, 0).encode())
    node.run_until_safe(12)
    chain, config = node.l2.chain, node.devnet.rollup_config
    before, first, after = (chain.block_by_number(number) for number in (4, 5, 6))
    assert [block.header.gas_limit for block in (before, first, after)] == [LIMIT, LIMIT + BUNDLE, LIMIT]
    deposits = first.transactions[1:]
    assert len(deposits) == 31
    assert all(item.is_deposit for item in deposits)
    assert sum(item.gas_limit for item in deposits) == BUNDLE
    assert deposits[0].source_hash == upgrade_source_hash("Karst 0: ConditionalDeployer Deployment")
    assert all(receipt.status for receipt in chain.receipts(first.hash))
    assert {system_config_of_block(config, block).gas_limit for block in (before, first, after)} == {LIMIT}
    assert node.verifier.chain.block_by_number(12).hash == chain.block_by_number(12).hash
    node.close()
