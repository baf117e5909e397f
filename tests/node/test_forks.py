"""`--forks`: a node that begins at any fork, and goes through the later ones while it runs."""

import json
from dataclasses import replace

import pytest

from rollup.node import Node, NodeError, NodeParams
from rollup.protocol.forks import Fork
from tests.node.node_process import GENESIS_TIME, transfer

PARAMS = NodeParams(genesis_time=GENESIS_TIME, virtual_clock=True, da="calldata")  # blobs cost seconds


def run(params, blocks):
    """A chain up to a safe block, with a transfer in it; both nodes must agree."""
    node = Node.open(params)
    try:
        node.l2.pool.add(transfer(901, 0, 0).encode())
        node.run_until_safe(blocks)
        safe, verified = node.safe_head, node.verifier.derivation.safe_head
        assert safe.hash == verified.hash
        assert node.l2.chain.state_at(safe.hash).account(transfer(901, 0, 0).sender).nonce == 1
        return [
            node.devnet.rollup_config.fork_at(node.l2.chain.block_by_number(n).timestamp) for n in range(blocks + 1)
        ]
    finally:
        node.close()


@pytest.mark.parametrize("fork", Fork, ids=lambda fork: fork.name.lower())
def test_every_fork_may_be_the_first(fork):
    da = "auto" if fork < Fork.ECOTONE else "calldata"
    assert set(run(replace(PARAMS, forks=fork.name.lower(), da=da), 8)) == {fork}


def test_every_fork_one_after_the_other():
    later = [f"{fork.name.lower()}+{6 * fork}" for fork in Fork if fork]
    forks = run(replace(PARAMS, forks=",".join(["bedrock", *later])), 3 * len(Fork))
    assert forks == [Fork(min(number // 3, Fork.KARST)) for number in range(3 * len(Fork) + 1)]


def test_several_forks_in_one_block():
    assert set(run(replace(PARAMS, forks="regolith,karst+10"), 10)) == {Fork.REGOLITH, Fork.KARST}


def test_a_kept_chain_stays_with_its_forks(tmp_path):
    kept = replace(PARAMS, data_dir=tmp_path, forks="holocene,isthmus+20")
    run(kept, 4)
    with pytest.raises(NodeError, match=r"holds a chain with forks holocene,isthmus\+20, not jovian"):
        Node.open(replace(kept, forks="jovian"))
    Node.open(kept).close()


def test_a_directory_older_than_the_option_is_of_jovian(tmp_path):
    kept = replace(PARAMS, data_dir=tmp_path)
    run(kept, 2)
    file = tmp_path / "openrollup.json"
    file.write_text(
        json.dumps({name: value for name, value in json.loads(file.read_text()).items() if name != "forks"})
    )
    Node.open(kept).close()


def test_unknown_forks_are_named():
    with pytest.raises(NodeError, match="unknown fork 'london'"):
        Node.open(replace(PARAMS, forks="london"))
