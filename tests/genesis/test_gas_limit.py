"""The gas limits that a user chooses: genesis, SystemConfig, rollup.json and derived blocks agree on them."""

from pathlib import Path

import pytest

from rollup.l1 import contracts
from rollup.l1.devnet import MAX_L2_GAS_LIMIT, MIN_L2_GAS_LIMIT
from rollup.node import Node, NodeError, NodeParams

GENESIS_TIME = 1_700_000_000


def params(**changes: int | Path) -> NodeParams:
    return NodeParams(genesis_time=GENESIS_TIME, virtual_clock=True, da="calldata", **changes)  # type: ignore[arg-type]


def test_every_block_of_both_nodes_has_the_chosen_limit() -> None:
    node = Node.open(params(l1_gas_limit=100_000_000, l2_gas_limit=MAX_L2_GAS_LIMIT))
    try:
        node.run_until_safe(5)
        for chain in (node.l2.chain, node.verifier.chain):
            assert {chain.block_by_number(number).header.gas_limit for number in range(6)} == {MAX_L2_GAS_LIMIT}
        assert node.verifier.chain.block_by_number(5).hash == node.l2.chain.block_by_number(5).hash
        assert {node.l1.chain.block_by_number(number).header.gas_limit for number in range(2)} == {100_000_000}
        devnet = node.devnet
        assert devnet.rollup_config.genesis.system_config.gas_limit == MAX_L2_GAS_LIMIT
        assert devnet.l2_genesis_json["gasLimit"] == hex(MAX_L2_GAS_LIMIT)
        storage = devnet.l1.alloc[contracts.SYSTEM_CONFIG].storage
        assert any(value & (2**64 - 1) == MAX_L2_GAS_LIMIT for value in storage.values())
    finally:
        node.close()


@pytest.mark.parametrize("limit", [MIN_L2_GAS_LIMIT - 1, MAX_L2_GAS_LIMIT + 1])
def test_a_limit_that_system_config_refuses_is_refused(limit: int) -> None:
    with pytest.raises(NodeError, match="L2 gas limit is 21,000,000 to 500,000,000"):
        Node.open(params(l2_gas_limit=limit))


def test_the_limits_of_a_kept_chain_cannot_be_changed(tmp_path: Path) -> None:
    Node.open(params(data_dir=tmp_path)).close()
    with pytest.raises(NodeError, match="l2_gas_limit 60000000, not 30000000"):
        Node.open(params(data_dir=tmp_path, l2_gas_limit=30_000_000))
