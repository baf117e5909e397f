"""`--l1-forks`: a node whose L1 begins at any fork, and goes through the later ones while it runs."""

import json
from dataclasses import replace

import pytest

from rollup.node import Node, NodeError, NodeParams
from rollup.protocol.blob_schedule import blob_base_fee_under
from rollup.protocol.config import RollupConfig
from rollup.protocol.forks import L1_FORKS, L1Fork
from rollup.protocol.l1_attributes import L1Attributes
from rollup.protocol.l1_chain_config import load_l1_blob_schedule
from rollup.protocol.transaction import BLOB
from rollup.serve import write_config_files
from tests.node.node_process import GENESIS_TIME, transfer

PARAMS = NodeParams(genesis_time=GENESIS_TIME, virtual_clock=True, da="calldata", l1_block_time=4)
WITH_BLOBS = [fork for fork in L1Fork if L1_FORKS[fork].blobs is not None]
STEP = 16  # seconds between two forks: four L1 blocks


def run(params, l1_blocks):
    """A chain up to an L1 block, with a transfer in it; both nodes must agree. The caller closes it."""
    node = Node.open(params)
    node.l2.pool.add(transfer(901, 0, 0).encode())
    node.run_until_safe(l1_blocks * params.l1_block_time // params.l2_block_time)
    safe, verified = node.safe_head, node.verifier.derivation.safe_head
    assert safe.hash == verified.hash
    assert node.l2.chain.state_at(safe.hash).account(transfer(901, 0, 0).sender).nonce == 1
    return node


def l1_blocks(node):
    """The L1 blocks after genesis by their fork."""
    blocks = [node.l1.chain.block_by_number(number) for number in range(1, node.l1.chain.head.number + 1)]
    return {
        fork: [block for block in blocks if node.devnet.l1_config.fork_at(block.timestamp) == fork] for fork in L1Fork
    }


@pytest.mark.parametrize("fork", L1Fork, ids=lambda fork: fork.name.lower())
def test_every_fork_of_l1_may_be_the_first(fork, tmp_path):
    has_blobs = L1_FORKS[fork].blobs is not None
    node = run(replace(PARAMS, l1_forks=fork.name.lower(), da="calldata" if has_blobs else "auto"), 4)
    assert {name for name, blocks in l1_blocks(node).items() if blocks} == {fork}
    files_know_the_forks(node, tmp_path)
    node.close()


def test_every_fork_of_l1_one_after_the_other_with_blobs(tmp_path):
    forks = ",".join(f"{fork.name.lower()}+{STEP * fork}" if fork else "paris" for fork in L1Fork)
    params = replace(PARAMS, l1_forks=forks, da="blobs", data_dir=tmp_path)
    node = run(params, STEP * len(L1Fork) // params.l1_block_time)
    for fork, blocks in l1_blocks(node).items():
        assert blocks, fork
        has_blobs = any(transaction.tx_type == BLOB for block in blocks for transaction in block.transactions)
        assert has_blobs == (fork in WITH_BLOBS), fork
    files_know_the_forks(node, tmp_path)
    node.close()


def files_know_the_forks(node, directory):
    """L1's config files give the blob base fee that every L2 block has in its L1 attributes."""
    write_config_files(node, directory)
    times = json.loads((directory / "l1-chain-config.json").read_text())
    for fork, time in node.devnet.params.l1_forks[1:]:
        assert times[f"{fork.name.lower()}Time"] == time
    assert json.loads((directory / "l1-genesis.json").read_text())["config"] == times
    config = RollupConfig.load(directory / "rollup.json")
    schedule = load_l1_blob_schedule(directory / "l1-chain-config.json", config.l1_chain_id)
    # Forks of one time stand in the file each for itself; the newest decides.
    assert dict(schedule) == dict(node.devnet.rollup_config.l1_blob_schedule or ())
    for number in range(1, node.safe_head.number + 1):
        attributes = L1Attributes.decode(node.l2.chain.block_by_number(number).transactions[0].data)
        origin = node.l1.chain.block(attributes.block_hash)
        fork = node.devnet.l1_config.fork_at(origin.timestamp)
        assert attributes.blob_base_fee == blob_base_fee_under(fork, origin.header.excess_blob_gas or 0)


def test_a_kept_chain_stays_with_its_l1_forks(tmp_path):
    kept = replace(PARAMS, data_dir=tmp_path, l1_forks="prague,osaka+20")
    run(kept, 2).close()
    with pytest.raises(NodeError, match=r"holds a chain with l1_forks prague,osaka\+20, not prague"):
        Node.open(replace(kept, l1_forks="prague"))
    Node.open(kept).close()


def test_a_directory_older_than_the_option_has_an_l1_at_prague(tmp_path):
    kept = replace(PARAMS, data_dir=tmp_path)
    run(kept, 1).close()
    file = tmp_path / "openrollup.json"
    values = json.loads(file.read_text())
    del values["l1_forks"]
    file.write_text(json.dumps(values))
    Node.open(kept).close()


@pytest.mark.parametrize(
    ("forks", "message"),
    [
        ("london", "unknown fork 'london': one of paris, shanghai, cancun, prague, osaka, bpo1, bpo2"),
        ("prague,osaka", r"as in prague,osaka\+20"),
        ("osaka,prague+8", "a later fork at a later time is expected"),
    ],
)
def test_l1_forks_that_form_no_schedule_are_refused(forks, message):
    with pytest.raises(NodeError, match=message):
        Node.open(replace(PARAMS, l1_forks=forks))
