"""The driver's answers to an engine that refuses.

Specs protocol/derivation.md, "L1-sync: payload attributes processing" and "Forkchoice synchronization".
"""

import pytest

from derivation.driver import Progress
from derivation.errors import Critical, Temporary
from rollup.execution.engine import InvalidForkchoiceState, PayloadStatus
from tests.scenarios.actors import World


def posted(blocks):
    """A world whose batcher has posted this many blocks."""
    world = World()
    world.sequencer.build(blocks)
    world.batcher.post()
    world.l1.mine(2)
    return world


def test_heads_that_the_engine_refuses_start_derivation_over(monkeypatch):
    # spec: driver.forkchoice-error-resets
    world = posted(2)
    verifier = world.new_verifier()
    engine = verifier.engine
    forkchoice_updated, refusals = engine.forkchoice_updated, [InvalidForkchoiceState("not of this chain")]

    def refusing_once(head, safe, finalized, attributes=None):
        if attributes is None and refusals:
            raise refusals.pop()
        return forkchoice_updated(head, safe, finalized, attributes)

    monkeypatch.setattr(engine, "forkchoice_updated", refusing_once)
    steps = [verifier.derivation.step() for _ in range(2)]
    while steps[-1] is not Progress.RESET and len(steps) < 100:
        steps.append(verifier.derivation.step())
    assert not refusals
    assert verifier.safe.number == 0
    verifier.derive()
    verifier.must_equal(world.sequencer, safe=2)


@pytest.mark.parametrize("calls", [1, 2])
def test_deposits_that_make_an_invalid_block_stop_derivation(monkeypatch, calls):
    """calls: whether the block had transactions of its batch, and was built again from its deposits."""
    # spec: driver.invalid-deposits-critical
    world = World()
    if calls == 2:
        world.users[0].sends(world.users[1].address, value=1)
    world.sequencer.build(1)
    world.batcher.post()
    world.l1.mine(2)
    verifier = world.new_verifier()
    refused = []

    def refuse(block):
        refused.append(len(block.transactions))
        return PayloadStatus("INVALID", None, "no block is good enough")

    monkeypatch.setattr(verifier.engine, "new_payload", refuse)
    with pytest.raises(Critical, match="deposits alone make an invalid block on L2 block 0"):
        verifier.derive()
    assert len(refused) == calls
    assert refused[-1] == 1
    assert verifier.safe.number == verifier.unsafe.number == 0


def test_a_step_that_a_source_did_not_answer_is_made_again(monkeypatch):
    # spec: driver.retry
    world = posted(2)
    verifier = world.new_verifier()
    source, answers = world.l1.source, []
    transactions = source.transactions

    def answering_every_other_time(block_hash):
        answers.append(len(answers) % 2 == 1)
        if not answers[-1]:
            raise Temporary("no answer")
        return transactions(block_hash)

    monkeypatch.setattr(source, "transactions", answering_every_other_time)
    retries = 0
    while (progress := verifier.derivation.sync()) is Progress.RETRY:
        assert verifier.derivation.waiting_for == "no answer"
        retries += 1
    assert progress is Progress.IDLE
    assert retries == len(answers) // 2 >= 3
    verifier.must_equal(world.sequencer, safe=2)
