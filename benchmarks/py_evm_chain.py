"""py-evm as it is shipped, mining blocks: what the engine is measured against.

It gets the packages that its users can install in addition: coincurve for signatures, safe-pysha3 behind eth-hash,
rusty-rlp.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES, PragueComputation
from eth.vm.forks.prague.state import PragueState

from attribution_precompile import ADDRESS_BYTES
from benchmarks.workloads import CHAIN_ID, GAS_LIMIT, GWEI
from rollup.execution.attribution_host import AttributionComputation, AttributionState, attribution_precompile
from rollup.execution.genesis_account import GenesisAccount
from rollup.execution.py_evm_patches import use_fast_keccak
from rollup.protocol.primitives import Address

_GENESIS_TIME = 1_700_000_000


class _NativeComputation(AttributionComputation, PragueComputation):  # type: ignore[misc]
    _precompiles = {**PRAGUE_PRECOMPILES, ADDRESS_BYTES: attribution_precompile}  # noqa: RUF012


class _NativeState(AttributionState, PragueState):  # type: ignore[misc]
    computation_class = _NativeComputation


class _NativeVM(PragueVM):  # type: ignore[misc]
    _state_class = _NativeState


class PyEvmChain:
    """A chain in memory on Prague rules, with the precompile behind py-evm's own executor when native is set."""

    def __init__(self, alloc: Mapping[Address, GenesisAccount], native: bool) -> None:
        use_fast_keccak()
        vm = _NativeVM if native else PragueVM
        chain_class: Any = MiningChain.configure("Shipped", vm_configuration=((0, vm),), chain_id=CHAIN_ID)
        params = {
            "difficulty": 0,
            "gas_limit": GAS_LIMIT,
            "timestamp": _GENESIS_TIME,
            "base_fee_per_gas": GWEI,
            "excess_blob_gas": 0,
            "blob_gas_used": 0,
            "parent_beacon_block_root": bytes(32),
        }
        state = {
            address: {
                "balance": account.balance,
                "nonce": account.nonce,
                "code": account.code,
                "storage": dict(account.storage),
            }
            for address, account in alloc.items()
        }
        self._chain = chain_class.from_genesis(AtomicDB(), params, state)

    def run(self, raws: Sequence[bytes]) -> int:
        """Decodes, checks, executes, seals and keeps one block; returns its gas. Raises RuntimeError on a failure."""
        builder = self._chain.get_vm().get_transaction_builder()
        transactions = [builder.decode(raw) for raw in raws]
        result, receipts, _ = self._chain.mine_all(transactions, gas_limit=GAS_LIMIT)
        if any(receipt.state_root != b"\x01" for receipt in receipts):
            raise RuntimeError("a transaction failed in py-evm")
        return int(result.imported_block.header.gas_used)

    def balance(self, address: Address) -> int:
        """Wei at the head."""
        return int(self._chain.get_vm().state.get_balance(address))

    def storage(self, address: Address, slot: int) -> int:
        """A storage word at the head."""
        return int(self._chain.get_vm().state.get_storage(address, slot))
