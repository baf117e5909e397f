"""The rules of a block: which py-evm classes run it, and which EIPs a transaction meets before and after them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from eth.vm.forks.cancun.state import CancunState
from eth.vm.forks.paris.state import ParisState
from eth.vm.forks.prague.state import PragueState
from eth.vm.forks.shanghai.state import ShanghaiState

from attribution_precompile import ADDRESS_BYTES as ATTRIBUTION_ADDRESS
from rollup.execution.attribution_host import AttributionComputation, AttributionState, attribution_precompile
from rollup.execution.py_evm_patches import apply_patches
from rollup.execution.vms.base import RollupComputation, RollupState
from rollup.execution.vms.precompiles import P256VERIFY_ADDRESS, Precompile, limited, p256verify
from rollup.protocol.forks import Fork

_BN256_PAIRING, _G1_MSM, _G2_MSM, _BLS_PAIRING = (number.to_bytes(20, "big") for number in (8, 12, 14, 15))
# Largest inputs in bytes: granite, isthmus and jovian/exec-engine.md ("Precompile input size limits").
_GRANITE_LIMITS = {_BN256_PAIRING: 112_687}
_ISTHMUS_LIMITS = _GRANITE_LIMITS | {_G1_MSM: 513_760, _G2_MSM: 488_448, _BLS_PAIRING: 235_008}
_JOVIAN_LIMITS = {_BN256_PAIRING: 81_984, _G1_MSM: 288_960, _G2_MSM: 278_784, _BLS_PAIRING: 156_672}


class UnsupportedFork(ValueError):
    """A fork whose execution rules are not built in."""


@dataclass(slots=True, frozen=True)
class EvmRules:
    """One set of execution rules.

    fork is None on L1. is_*: the L1 fork whose EIPs hold. state_class(accounts, context) makes a py-evm state.
    """

    state_class: Any
    fork: Fork | None
    is_shanghai: bool
    is_cancun: bool
    is_prague: bool
    allows_blobs: bool
    is_native_attribution: bool = False

    @property
    def precompiles(self) -> dict[bytes, Precompile]:
        """Precompiles by address."""
        found: dict[bytes, Precompile] = self.state_class.computation_class.get_precompiles()
        return found


@lru_cache(maxsize=1)
def l1_rules() -> EvmRules:
    """Prague, as L1 runs it."""
    apply_patches()
    return EvmRules(_state_class("L1Prague", PragueState, {}, False), None, True, True, True, True)


@lru_cache(maxsize=32)
def l2_rules(fork: Fork, native_attribution: bool) -> EvmRules:
    """An OP fork's rules; raises UnsupportedFork for one that is not built in."""
    if fork > Fork.JOVIAN:
        raise UnsupportedFork(f"execution rules of {fork.name.title()} are not supported yet")
    apply_patches()
    if fork >= Fork.ISTHMUS:
        base: Any = PragueState
    elif fork >= Fork.ECOTONE:
        base = CancunState
    elif fork >= Fork.CANYON:
        base = ShanghaiState
    else:
        base = ParisState
    precompiles = _op_precompiles(fork, base)
    if native_attribution:
        precompiles[ATTRIBUTION_ADDRESS] = attribution_precompile
    state_class = _state_class(f"Op{fork.name.title()}", base, precompiles, native_attribution)
    return EvmRules(
        state_class,
        fork,
        is_shanghai=fork >= Fork.CANYON,
        is_cancun=fork >= Fork.ECOTONE,
        is_prague=fork >= Fork.ISTHMUS,
        allows_blobs=False,
        is_native_attribution=native_attribution,
    )


def _op_precompiles(fork: Fork, base: Any) -> dict[bytes, Precompile]:
    """What an OP fork adds to, or bounds in, the L1 fork's precompiles."""
    changed: dict[bytes, Precompile] = {}
    if fork >= Fork.FJORD:
        changed[P256VERIFY_ADDRESS] = p256verify
    limits: dict[bytes, int] = {}
    if fork >= Fork.JOVIAN:
        limits = _JOVIAN_LIMITS
    elif fork >= Fork.ISTHMUS:
        limits = _ISTHMUS_LIMITS
    elif fork >= Fork.GRANITE:
        limits = _GRANITE_LIMITS
    present = base.computation_class.get_precompiles()
    for address, size in limits.items():
        changed[address] = limited(present[address], size)
    return changed


def _state_class(name: str, base: Any, precompiles: dict[bytes, Precompile], native_attribution: bool) -> Any:
    computation_bases: tuple[Any, ...] = (RollupComputation, base.computation_class)
    state_bases: tuple[Any, ...] = (RollupState, base)
    if native_attribution:
        computation_bases = (AttributionComputation, *computation_bases)
        state_bases = (AttributionState, *state_bases)
    computation_class = type(
        f"{name}Computation",
        computation_bases,
        {"_precompiles": {**base.computation_class.get_precompiles(), **precompiles}},
    )
    return type(f"{name}State", state_bases, {"computation_class": computation_class})
