"""A10: the same calls give the same roots, whatever the hash seed, whichever node."""

import os
import subprocess
import sys
from pathlib import Path

from .test_differential import Pair

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "from tests.attribution.test_determinism import roots; print(*roots())"


def roots() -> list[str]:
    """The roots after some calls: of the native storage, of the contract's, and of the native state."""
    pair = Pair(10)
    pair.run(60)
    pair.native.state.persist()
    return [item.hex() for item in (*pair.storage_roots(), pair.native.state.state_root)]


def run(seed: str) -> list[str]:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_a10_equal_roots_under_three_hash_seeds() -> None:
    """The third seed is that of this process."""
    first, second, third = run("1"), run("4242"), roots()
    assert first == second == third
    native, contract, _ = first
    assert native == contract
