"""Native against the twin: the same random sequences of calls on both, and everything observable equal.

A step is one call, made on both machines and compared. Fifteen hundred steps run here; `make soak` runs a million
(OPENROLLUP_SOAK_STEPS changes the number), shows its progress and continues where it was stopped.
"""

import os
import time
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import attribution_precompile
from attribution_precompile import ADDRESS, METHODS, SELECTORS, explain

from . import bytecode, calls
from .harness import CONTRACT, NATIVE, Evm
from .world import ACCOUNTS, FORTUNE, PEOPLE, RECEIVER, REENTRANT, REFUSER, Actor, Step

STEPS = 1_500
SEQUENCES = 6
STEPS_A_SEQUENCE = STEPS // SEQUENCES
SOAK_SEQUENCE = 1_000
# A change in any of these begins a soak anew; one in what is off the chain leaves it as it is.
HELPERS = ("bytecode", "calls", "harness", "world")
OFF_CHAIN = ("attestation", "client", "influence", "suffixes")


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
        native, contract = self.storage_roots()
        assert native == contract

    def storage_roots(self) -> tuple[bytes, bytes]:
        """The storage roots of the native machine and of the contract."""
        return self.native.storage_root(), self.contract.storage_root()

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


def test_native_equals_contract() -> None:
    """Every method must have succeeded within the steps: calls that all fail would prove little."""
    done = 0
    succeeded: set[str] = set()

    @settings(
        max_examples=SEQUENCES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(seed=st.integers(0, 2**64 - 1))
    def run(seed: int) -> None:
        nonlocal done
        pair = Pair(seed)
        pair.run(STEPS_A_SEQUENCE)
        done += STEPS_A_SEQUENCE
        succeeded.update(pair.succeeded)

    run()
    assert done >= STEPS
    assert succeeded == {method.name for method in METHODS}


def _tested_code() -> str:
    """A name for what is tested and how: another one begins a soak anew."""
    tested = sorted(
        path
        for path in Path(attribution_precompile.__file__).parent.iterdir()
        if path.name == "twin.json" or (path.suffix == ".py" and path.stem not in OFF_CHAIN)
    )
    digest = sha256()
    for path in [*tested, *(Path(__file__).with_name(f"{helper}.py") for helper in HELPERS)]:
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
