"""Native against the twin: the same random sequences of calls on both, and everything observable equal.

attribution.md section 2. Ten thousand steps here; a million by `-m slow` (OPENROLLUP_SOAK_STEPS changes the number),
which shows how far it is and goes on where it was stopped.
"""

import os
import time
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import attribution_precompile
from attribution_precompile import ADDRESS, METHODS, SELECTORS, explain

from . import bytecode, calls
from .harness import CONTRACT, NATIVE, Evm
from .world import ACCOUNTS, FORTUNE, PEOPLE, RECEIVER, REENTRANT, REFUSER, Actor, Step

STEPS_A_SEQUENCE = 250
SOAK_SEQUENCE = 1_000
UNTESTED = ("test_", "client", "influence")  # a change there leaves the soak as it is


class Pair:
    """Both machines, in step."""

    def __init__(self, seed: int) -> None:
        self.native = Evm(NATIVE)
        self.contract = Evm(CONTRACT)
        for evm in (self.native, self.contract):
            for person in (*PEOPLE, 0xAD):
                evm.fund(person, FORTUNE)
            evm.deploy(REFUSER, bytecode.refuser())
            evm.deploy(RECEIVER, bytecode.receiver())
            evm.deploy(REENTRANT, bytecode.reentrant(ADDRESS, calls.METHOD["createDatanet"].selector))
        self.actor = Actor(Random(seed), self.native)
        self.succeeded: dict[str, int] = {}

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.check(self.actor.step())
        assert self.native.storage_root() == self.contract.storage_root()

    def check(self, step: Step) -> None:
        for evm in (self.native, self.contract):
            evm.advance(step.seconds)
        one, two = (
            evm.call(step.data, caller=step.caller, value=step.value, static=step.static)
            for evm in (self.native, self.contract)
        )
        what = f"{step} native {explain(one.output)} contract {explain(two.output)} {two.error!r}"
        assert one.success == two.success, what
        method = SELECTORS.get(step.data[:4])
        if one.success or not step.static or method is None or not method.mutates:
            assert one.output == two.output, what
        assert one.logs == two.logs, what
        assert one.refund == two.refund, what
        for account in ACCOUNTS:
            assert self.native.balance(account) == self.contract.balance(account), what
        if one.success:
            assert one.gas <= two.gas, what
            assert method is not None
            self.succeeded[method.name] = self.succeeded.get(method.name, 0) + 1


@settings(max_examples=30, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@example(seed=1, steps=2500)
@given(seed=st.integers(0, 2**64 - 1), steps=st.integers(STEPS_A_SEQUENCE - 10, STEPS_A_SEQUENCE + 10))
def test_native_equals_contract(seed: int, steps: int) -> None:
    Pair(seed).run(steps)


def test_the_random_calls_reach_every_method() -> None:
    """The generator is worth something only if its calls succeed, each method's among them."""
    pair = Pair(7)
    pair.run(1500)
    assert set(pair.succeeded) == {method.name for method in METHODS}


def _tested_code() -> str:
    """A name for what is tested and how: another one begins a soak anew."""
    digest = sha256()
    for folder in (Path(attribution_precompile.__file__).parent, Path(__file__).parent):
        for path in sorted(folder.iterdir()):
            if path.name == "twin.json" or (path.suffix == ".py" and not path.name.startswith(UNTESTED)):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@pytest.mark.slow
@pytest.mark.timeout(24 * 3600)
def test_soak(pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]) -> None:
    """Resumable: what has been run without a difference is kept in pytest's cache; `--cache-clear` forgets it."""
    cache = pytestconfig.cache
    assert cache is not None
    steps = int(os.environ.get("OPENROLLUP_SOAK_STEPS", "1000000"))
    key = f"attribution/soak-{_tested_code()}"
    done, started = cache.get(key, 0), time.monotonic()
    first = done
    while done < steps:
        count = min(SOAK_SEQUENCE, steps - done)
        Pair(1_000_000 + done).run(count)
        done += count
        cache.set(key, done)
        rate = (done - first) / (time.monotonic() - started)
        with capsys.disabled():
            print(f"\rsoak: {done:,} of {steps:,} steps, no difference, {rate:.0f} a second ", end="", flush=True)
    with capsys.disabled():
        print()
