"""Osaka's virtual machine, which py-evm does not have: Prague's with CLZ, and MODEXP and P256VERIFY at new prices.

EIP-7823 and EIP-7883 (MODEXP), EIP-7939 (CLZ), EIP-7951 (P256VERIFY). Osaka's changes outside the machine are in
transition.py (EIP-7825) or concern L1 alone (blobs, the size of a block).
"""

from typing import Any

from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.forks.prague.state import PragueState
from eth.vm.opcode import as_opcode

from rollup.execution.vms.modexp import MODEXP_ADDRESS, modexp_osaka
from rollup.execution.vms.precompiles import P256VERIFY_ADDRESS, p256verify_osaka

CLZ = 0x1E
_CLZ_GAS = 5


def _clz(computation: Any) -> None:
    """The zero bits above the highest one of a word; 256 for 0."""
    computation.stack_push_int(256 - computation.stack_pop1_int().bit_length())


class OsakaComputation(PragueComputation):
    """Prague's computation with Osaka's opcode and precompiles."""

    opcodes = PragueComputation.opcodes | {CLZ: as_opcode(logic_fn=_clz, mnemonic="CLZ", gas_cost=_CLZ_GAS)}
    _precompiles = PragueComputation._precompiles | {
        MODEXP_ADDRESS: modexp_osaka,
        P256VERIFY_ADDRESS: p256verify_osaka,
    }


class OsakaState(PragueState):
    """Prague's state, run by OsakaComputation."""

    computation_class = OsakaComputation
