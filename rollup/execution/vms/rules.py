"""The rules of a block: which py-evm classes run it, and which EIPs a transaction meets before and after them."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from eth.vm.forks.cancun.state import CancunState
from eth.vm.forks.paris.state import ParisState
from eth.vm.forks.prague.state import PragueState
from eth.vm.forks.shanghai.state import ShanghaiState

from attribution_precompile import ADDRESS_BYTES as ATTRIBUTION_ADDRESS
from rollup.execution.attribution_host import AttributionComputation, AttributionState, attribution_precompile
from rollup.execution.impersonated_signatures import ECRECOVER_ADDRESS, ecrecover
from rollup.execution.py_evm_patches import apply_patches
from rollup.execution.transaction_rules import RulesByType, message_rules, signed_rules
from rollup.execution.vms import bls12_precompiles
from rollup.execution.vms.base import RollupComputation, RollupState
from rollup.execution.vms.blake2 import BLAKE2F_ADDRESS, blake2f
from rollup.execution.vms.bn254_precompiles import (
    ECADD_ADDRESS,
    ECMUL_ADDRESS,
    ECPAIRING_ADDRESS,
    ecadd,
    ecmul,
    ecpairing,
)
from rollup.execution.vms.modexp import MODEXP_ADDRESS, modexp_eip2565
from rollup.execution.vms.osaka import OsakaState
from rollup.execution.vms.point_evaluation import POINT_EVALUATION_ADDRESS, point_evaluation
from rollup.execution.vms.precompiles import P256VERIFY_ADDRESS, Precompile, limited, p256verify
from rollup.protocol.forks import L1_FORKS, Fork, L1Fork, L1ForkRow, l1_fork_of
from rollup.protocol.primitives import Address

_BN256_PAIRING, _G1_MSM, _G2_MSM, _BLS_PAIRING = (number.to_bytes(20, "big") for number in (8, 12, 14, 15))
# Largest inputs in bytes: granite, isthmus, jovian and karst/exec-engine.md ("Precompile input size restrictions").
# spec: precompile.granite-pairing
_GRANITE_LIMITS = {_BN256_PAIRING: 112_687}
# spec: isthmus.precompiles
_ISTHMUS_LIMITS = _GRANITE_LIMITS | {_G1_MSM: 513_760, _G2_MSM: 488_448, _BLS_PAIRING: 235_008}
# spec: jovian.precompiles
_JOVIAN_LIMITS = {_BN256_PAIRING: 81_984, _G1_MSM: 288_960, _G2_MSM: 278_784, _BLS_PAIRING: 156_672}
# spec: precompile.karst-pairing
_KARST_LIMITS = _JOVIAN_LIMITS | {_BN256_PAIRING: 57_600}
_LIMITS = (
    (Fork.GRANITE, _GRANITE_LIMITS),
    (Fork.ISTHMUS, _ISTHMUS_LIMITS),
    (Fork.JOVIAN, _JOVIAN_LIMITS),
    (Fork.KARST, _KARST_LIMITS),
)


_L1_STATES: dict[L1Fork, Any] = {
    L1Fork.PARIS: ParisState,
    L1Fork.SHANGHAI: ShanghaiState,
    L1Fork.CANCUN: CancunState,
    L1Fork.PRAGUE: PragueState,
    L1Fork.OSAKA: OsakaState,
    L1Fork.BPO1: OsakaState,
    L1Fork.BPO2: OsakaState,
}


@dataclass(slots=True, frozen=True)
class EvmRules:
    """One set of execution rules.

    fork is None on L1. l1_fork: the newest L1 fork whose EIPs hold; is_*: that fork, or one after it, is in force.
    state_class(accounts, context) makes a py-evm state. message_rules hold for calls, signed_rules for signed
    transactions; deposits are under neither.
    """

    state_class: Any
    fork: Fork | None
    l1_fork: L1Fork
    is_shanghai: bool
    is_cancun: bool
    is_prague: bool
    message_rules: RulesByType
    signed_rules: RulesByType
    is_native_attribution: bool = False

    @property
    def precompiles(self) -> dict[bytes, Precompile]:
        """Precompiles by address."""
        found: dict[bytes, Precompile] = self.state_class.computation_class.get_precompiles()
        return found

    @property
    def protocol_precompiles(self) -> frozenset[Address]:
        """The addresses of the protocol's own precompiles; the attribution account has code, and is not one of them."""
        return frozenset(self.precompiles) - {ATTRIBUTION_ADDRESS}

    @property
    def l1_row(self) -> L1ForkRow:
        """The limits and the blob schedule of the newest L1 fork."""
        return L1_FORKS[self.l1_fork]

    @property
    def max_transaction_gas(self) -> int | None:
        """The most gas of a transaction that is not a deposit; None without such a limit (EIP-7825)."""
        return self.l1_row.max_transaction_gas


def with_precompiles(rules: EvmRules, precompiles: dict[bytes, Precompile]) -> EvmRules:
    """The rules with other precompiles, for one call."""
    computation_class = rules.state_class.computation_class
    warm = rules.protocol_precompiles  # as geth: where they were, they stay warm

    def is_address_warm(self: Any, address: Address) -> bool:
        return bool(self._account_db.is_address_warm(address)) or address in warm

    moved = type(f"{computation_class.__name__}Moved", (computation_class,), {"_precompiles": precompiles})
    members = {"computation_class": moved, "is_address_warm": is_address_warm}
    state_class = type(f"{rules.state_class.__name__}Moved", (rules.state_class,), members)
    return replace(rules, state_class=state_class)


@lru_cache(maxsize=8)
def l1_rules(l1_fork: L1Fork) -> EvmRules:
    """The rules of a fork on L1."""
    name = f"L1{l1_fork.name.title()}"
    return _rules(name, None, l1_fork, _l1_precompiles(l1_fork), False)


@lru_cache(maxsize=32)
def l2_rules(fork: Fork, native_attribution: bool) -> EvmRules:
    """An OP fork's rules."""
    precompiles = l2_precompiles(fork)
    if native_attribution:
        precompiles[ATTRIBUTION_ADDRESS] = attribution_precompile
    return _rules(f"Op{fork.name.title()}", fork, l1_fork_of(fork), precompiles, native_attribution)


def _rules(
    name: str, fork: Fork | None, l1_fork: L1Fork, precompiles: dict[bytes, Precompile], native_attribution: bool
) -> EvmRules:
    apply_patches()
    by_type = message_rules(l1_fork, has_blobs=fork is None)
    return EvmRules(
        _state_class(name, _L1_STATES[l1_fork], precompiles, native_attribution),
        fork,
        l1_fork,
        is_shanghai=l1_fork >= L1Fork.SHANGHAI,
        is_cancun=l1_fork >= L1Fork.CANCUN,
        is_prague=l1_fork >= L1Fork.PRAGUE,
        message_rules=by_type,
        signed_rules=signed_rules(l1_fork, by_type),
        is_native_attribution=native_attribution,
    )


def _l1_precompiles(l1_fork: L1Fork) -> dict[bytes, Precompile]:
    """An L1 fork's precompiles: py-evm's, but for those that are faster or more exact here."""
    precompiles = dict(_L1_STATES[l1_fork].computation_class.get_precompiles())
    precompiles[ECRECOVER_ADDRESS] = ecrecover
    precompiles |= {ECADD_ADDRESS: ecadd, ECMUL_ADDRESS: ecmul, ECPAIRING_ADDRESS: ecpairing, BLAKE2F_ADDRESS: blake2f}
    if l1_fork < L1Fork.OSAKA:
        precompiles[MODEXP_ADDRESS] = modexp_eip2565
    if l1_fork >= L1Fork.CANCUN:
        precompiles[POINT_EVALUATION_ADDRESS] = point_evaluation
    if l1_fork >= L1Fork.PRAGUE:
        precompiles |= bls12_precompiles.PRECOMPILES
    return precompiles


def l2_precompiles(fork: Fork) -> dict[bytes, Precompile]:
    """The L1 fork's precompiles with an OP fork's additions and bounds."""
    # spec: fjord.p256
    precompiles = _l1_precompiles(l1_fork_of(fork))
    if fork >= Fork.FJORD:
        precompiles.setdefault(P256VERIFY_ADDRESS, p256verify)
    for address, size in precompile_limits(fork).items():
        precompiles[address] = limited(precompiles[address], size)
    return precompiles


def precompile_limits(fork: Fork) -> dict[bytes, int]:
    """The largest inputs in bytes that an OP fork lets precompiles have, by address."""
    return next((limits for since, limits in reversed(_LIMITS) if fork >= since), {})


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
