"""A10: the same calls give the same roots, whatever the hash seed, whichever node."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
from tests.attribution.test_differential import Pair
pair = Pair(10)
pair.run(150)
pair.native.state.persist()
print(pair.native.storage_root().hex(), pair.contract.storage_root().hex(), pair.native.state.state_root.hex())
"""


def run(seed: str) -> list[str]:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_a10_equal_roots_under_three_hash_seeds() -> None:
    first, second, third = run("0"), run("1"), run("4242")
    assert first == second == third
    native, contract, _ = first
    assert native == contract
