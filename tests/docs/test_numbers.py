"""The numbers printed on the pages about execution, derivation, running, sequencer and L1 are those of the code."""

import re

import pytest

from derivation import channels
from rollup.cooperative import CALLS
from rollup.execution import block_filling, engine, senders
from rollup.execution.vms import program
from rollup.l1.devnet import DevnetParams
from rollup.l1.miner import FinalityLag
from rollup.lanes import WEIGHTS, Lane
from rollup.node import NodeParams
from rollup.node.params import HISTORY
from rollup.pool.limits import PoolLimits
from rollup.protocol.config import RollupConfig
from rollup.protocol.forks import FORKS, L1_FORKS, Fork, L1Fork, l1_fork_of
from sequencer.batcher.config import BatcherConfig
from sequencer.batcher.da import MAX_BLOBS_PER_TRANSACTION
from sequencer.batcher.throttle import ThrottleConfig
from tests.docs.pages import page

MB = 10**6
WORDS = {3: "three", 6: "six", 10: "ten"}
NODE, DEVNET, BATCHER = NodeParams(), DevnetParams(genesis_time=0), BatcherConfig()
THROTTLE = ThrottleConfig.scaled(NODE.throttle_threshold)
PRAGUE = L1_FORKS[L1Fork.PRAGUE].blobs


def late(name):
    """A bound of the rollup config under the newest fork, without regard to rollup.json."""
    values = {"channel_timeout_at": "is_granite", "max_sequencer_drift_at": "is_fjord"}

    class Newest:
        channel_timeout = max_sequencer_drift = -1

    setattr(Newest, values[name], lambda self, time: True)
    return getattr(RollupConfig, name)(Newest(), 0)


LANES = {lane.name if lane in (Lane.L1, Lane.L2) else lane.name.lower(): lane for lane in Lane} | {"(calls)": CALLS}
UPGRADES = [fork for fork in Fork if FORKS[fork].has_upgrade_transactions]

SAID = {
    "architecture.md": [f"| {name} | {WEIGHTS[lane]} |" for name, lane in LANES.items()],
    "execution.md": [
        f"up to {program.PROGRAMS._heaviest // 2**20} MB of them",
        f"{senders._SLICE} per task on up to 8 threads",
        f"from the pool after {block_filling.FILL_SECONDS:.0f} s",
        f"runs for more than {block_filling.TRANSACTION_SECONDS} s",
        f"{WORDS[engine._KEPT_PAYLOADS]} are kept",
        f"{engine._KEPT_INVALID} invalid blocks",
        f"2^{L1_FORKS[l1_fork_of(Fork.KARST)].max_transaction_gas.bit_length() - 1} gas per transaction (EIP-7825)",
    ],
    "derivation.md": [
        f"beyond {channels._MAX_BANK_SIZE // 10**6} MB ({channels._MAX_BANK_SIZE_FJORD // 10**9} GB from Fjord)",
        f"beyond {channels._MAX_RLP_BYTES // MB} MB unpacked ({channels._MAX_RLP_BYTES_FJORD // MB} MB from Fjord)",
        f"and `channel_timeout`, {late('channel_timeout_at')} L1 blocks from Granite",
        f"({late('max_sequencer_drift_at'):,} s from Fjord)",
    ],
    "running.md": [
        f"`--block-time` (L2, {NODE.l2_block_time} s), `--l1-block-time` ({NODE.l1_block_time} s)",
        f"those of the last {HISTORY} blocks",
        f"({late('max_sequencer_drift_at'):,} s from Fjord)",
        f"every {DEVNET.submission_interval} blocks",
    ],
    "sequencer.md": [
        f"tip and fee cap by {PoolLimits().price_bump} %",
        f"{PoolLimits().max_transaction_size // 1024} KiB per transaction",
        f"up to {WORDS[MAX_BLOBS_PER_TRANSACTION]} blobs per transaction",
        f"| up to {THROTTLE.lower_threshold:,} | no limit | no limit |",
        f"falls from {THROTTLE.transaction_upper_limit:,} | falls from {THROTTLE.block_upper_limit:,} |",
        f"| {THROTTLE.upper_threshold:,} and more "
        f"| {THROTTLE.transaction_lower_limit:,} | {THROTTLE.block_lower_limit:,} |",
        f"{WORDS[BATCHER.resubmit_after]} L1 blocks in the pool",
        "The first block of "
        + ", ".join(fork.name.title() for fork in UPGRADES[:-1])
        + f" and {UPGRADES[-1].name.title()} takes nothing",
    ],
    "l1.md": [
        f"chain id {DEVNET.l1_chain_id}",
        f"({DEVNET.l1_block_time} s by default",
        f"target {PRAGUE.target}, at most {PRAGUE.max} blobs",
        f"update fraction {PRAGUE.update_fraction:,}",
        f"Safe is {FinalityLag().safe} blocks behind the head, finalized {FinalityLag().finalized}",
    ],
}


@pytest.mark.parametrize(("name", "words"), [(name, words) for name, found in SAID.items() for words in found])
def test_a_page_prints_the_number_of_the_code(name, words):
    assert words in " ".join(page(name).split())


def test_the_evm_of_each_fork():
    text = " ".join(page("execution.md").split())
    (said,) = re.findall(r"`l1_fork_of` gives the EVM: ([^.]*)\.", text)
    changes = [fork for fork in Fork if fork and l1_fork_of(fork) != l1_fork_of(Fork(fork - 1))]
    assert said == ", ".join(f"{fork.name.title()} {l1_fork_of(fork).name.title()}" for fork in changes)
    assert set(map(l1_fork_of, Fork)) == set(L1Fork) - {L1Fork.BPO1, L1Fork.BPO2}  # blob parameters only


def test_the_stages_are_the_files_there_are():
    text = page("derivation.md")
    for stage in ("L1 traversal", "L1 retrieval", "frame queue", "channel bank", "channel assembler", "channel reader"):
        assert f"| {stage} | `{stage.lower().replace(' ', '_')}.py` |" in text
    for stage in ("batch queue", "batch stage", "attributes queue"):
        assert f"| {stage} | `{stage.replace(' ', '_')}.py` |" in text
