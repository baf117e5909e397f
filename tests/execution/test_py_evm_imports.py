"""A node's start loads neither py-evm's curves, eth-account nor PyJWT; the first use loads them."""

import subprocess
import sys

PROGRAM = """
import sys
from types import SimpleNamespace
import rollup.cli.run
from eth.exceptions import VMError
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES

def is_loaded(curve="bls12_381"):
    return f"py_ecc.optimized_{curve}" in sys.modules

assert not is_loaded()
assert not is_loaded("bn128")
assert "eth_account" not in sys.modules
assert "jwt" not in sys.modules
for number in range(0x0B, 0x12):
    try:
        PRAGUE_PRECOMPILES[number.to_bytes(20, "big")](SimpleNamespace(msg=SimpleNamespace(data=b"1")))
    except VMError as error:
        print(number, error)
    assert is_loaded()
assert not is_loaded("bn128")
for number in (6, 7):
    used = SimpleNamespace(msg=SimpleNamespace(data_as_bytes=b""), consume_gas=lambda gas, reason: None)
    PRAGUE_PRECOMPILES[number.to_bytes(20, "big")](used)
    print(number, used.output == bytes(64))
    assert is_loaded("bn128")
from eth.precompiles.bls12_381 import bls12_381_g1
print(bls12_381_g1.__file__ is not None, bls12_381_g1.MSM_LEN_PER_PAIR)
"""


def test_py_evms_curves_are_loaded_by_their_first_call_and_not_before():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *refusals, sixth, seventh, last = done.stdout.splitlines()
    assert [line.split()[0] for line in refusals] == ["11", "12", "13", "14", "15", "16", "17"]
    assert all("ength of data must be" in line for line in refusals)
    assert (sixth, seventh) == ("6 True", "7 True")
    assert last == "True 160"
