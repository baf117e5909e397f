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
from rollup.execution.vms.precompiles import P256VERIFY_ADDRESS, Precompile, limited, p256verify, price_first
from rollup.protocol.forks import Fork

_BN256_PAIRING, _G1_MSM, _G2_MSM, _BLS_PAIRING = (number.to_bytes(20, "big") for number in (8, 12, 14, 15))
# Largest inputs in bytes: granite, isthmus, jovian and karst/exec-engine.md ("Precompile input size restrictions").
_GRANITE_LIMITS = {_BN256_PAIRING: 112_687}
_ISTHMUS_LIMITS = _GRANITE_LIMITS | {_G1_MSM: 513_760, _G2_MSM: 488_448, _BLS_PAIRING: 235_008}
_JOVIAN_LIMITS = {_BN256_PAIRING: 81_984, _G1_MSM: 288_960, _G2_MSM: 278_784, _BLS_PAIRING: 156_672}
_KARST_LIMITS = _JOVIAN_LIMITS | {_BN256_PAIRING: 57_600}


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
    precompiles = price_first(PragueState.computation_class.get_precompiles())
    return EvmRules(_state_class("L1Prague", PragueState, precompiles, False), None, True, True, True, True)


@lru_cache(maxsize=32)
def l2_rules(fork: Fork, native_attribution: bool) -> EvmRules:
    """An OP fork's rules; raises UnsupportedFork for one that is not built in."""
    if fork > Fork.JOVIAN:
        raise UnsupportedFork(f"execution rules of {fork.name.title()} are not supported yet")
    apply_patches()
    base = _l1_state(fork)
    precompiles = l2_precompiles(fork)
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


def l2_precompiles(fork: Fork) -> dict[bytes, Precompile]:
    """The L1 fork's precompiles with what an OP fork adds to them, or bounds."""
    precompiles = price_first(_l1_state(fork).computation_class.get_precompiles())
    if fork >= Fork.FJORD:
        precompiles[P256VERIFY_ADDRESS] = p256verify
    for address, size in precompile_limits(fork).items():
        precompiles[address] = limited(precompiles[address], size)
    return precompiles


def precompile_limits(fork: Fork) -> dict[bytes, int]:
    """The largest inputs in bytes that an OP fork lets precompiles have, by address."""
    if fork >= Fork.KARST:
        return _KARST_LIMITS
    if fork >= Fork.JOVIAN:
        return _JOVIAN_LIMITS
    if fork >= Fork.ISTHMUS:
        return _ISTHMUS_LIMITS
    return _GRANITE_LIMITS if fork >= Fork.GRANITE else {}


def _l1_state(fork: Fork) -> Any:
    """py-evm's state of the L1 fork that an OP fork brings."""
    if fork >= Fork.ISTHMUS:
        return PragueState
    if fork >= Fork.ECOTONE:
        return CancunState
    return ShanghaiState if fork >= Fork.CANYON else ParisState


def _state_class(name: str, base: Any, precompiles: dict[bytes, Precompile], native_attribution: bool) -> Any:
    computation_bases: tuple[Any, ...] = (RollupComputation, base.computation_class)
    state_bases: tuple[Any, ...] = (RollupState, base)
    if native_attribution:
        computation_bases = (AttributionComputation, *computation_bases)
        state_bases = (AttributionState, *state_bases)
    computation_class = type(
        f"{name}Computation",
        computation_bases,
        {"_precompiles": precompiles},
    )
    return type(f"{name}State", state_bases, {"computation_class": computation_class})
