"""Random scripts of cheats: whatever a script does, the verifier equals the sequencer at the safe head.

`make test` runs the same 200 scripts each time, `make soak` 2,000 others (SOAK changes the number).
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from rollup.cheats import Cheats
from rollup.cheats.garbage import KINDS
from rollup.cheats.posting import post_garbage
from tests.node.cheat_scripts import ACTIONS, run_script
from tests.node.test_snapshots import open_node

PART = 25  # scripts with one seed
PARTS = 8


def run_part(number):
    """Runs the scripts of one seed. A script that fails is not shortened: that would take minutes with whole nodes."""

    @seed(number)
    @settings(
        max_examples=PART,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
        phases=[Phase.generate],
    )
    @given(ACTIONS)
    def scripts(actions):
        run_script(actions)

    scripts()


@pytest.mark.parametrize("part", range(PARTS))
def test_after_any_cheats_the_verifier_equals_the_sequencer_at_the_safe_head(part):
    run_part(part)


def test_every_kind_of_garbage_is_posted_while_l1_is_dear():
    node = open_node()
    try:
        cheats = Cheats(node)
        for kind in KINDS.values():
            cheats.l1.set_next_base_fee(100 * 10**9)
            cheats.l1.mine()
            posted = post_garbage(cheats, kind)
            assert node.l1.chain.find_transaction(posted.transaction) is not None
    finally:
        node.close()


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("part", range(PARTS, PARTS + int(os.environ.get("SOAK", "200")) // PART))
def test_after_more_scripts_of_cheats_the_verifier_equals_the_sequencer(part):
    run_part(part)
