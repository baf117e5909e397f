"""Reads the fields of L1Block that execution uses. Like op-geth, from its storage (core/types/rollup_cost.go)."""

from dataclasses import replace

from rollup.execution.errors import InvalidTransaction, Refusal
from rollup.execution.state.accounts import AccountDatabase
from rollup.protocol.fees import L1FeeParameters
from rollup.protocol.forks import Fork
from rollup.protocol.l1_attributes import JOVIAN_SELECTOR, OLDER_SELECTORS
from rollup.protocol.predeploys import L1_BLOCK
from rollup.protocol.transaction import Transaction

_ISTHMUS_SIZE, _JOVIAN_SIZE = 176, 178  # bytes: isthmus/ and jovian/l1-attributes.md

_DEFAULT_FOOTPRINT_SCALAR = 400


def read_l1_fee_parameters(accounts: AccountDatabase, fork: Fork) -> L1FeeParameters:
    """The fee parameters in L1Block's slots, limited to those that the fork reads. Reading does not warm the slots."""
    base_fee = accounts.get_storage(L1_BLOCK, 1)
    scalars = blob_base_fee = operator = 0
    if fork >= Fork.ECOTONE:
        scalars, blob_base_fee = accounts.get_storage(L1_BLOCK, 3), accounts.get_storage(L1_BLOCK, 7)
    if fork >= Fork.ISTHMUS:
        operator = accounts.get_storage(L1_BLOCK, 8)
    parameters = L1FeeParameters(
        base_fee=base_fee,
        blob_base_fee=blob_base_fee,
        base_fee_scalar=scalars >> 96 & 0xFFFFFFFF,
        blob_base_fee_scalar=scalars >> 64 & 0xFFFFFFFF,
        operator_fee_scalar=operator >> 64 & 0xFFFFFFFF,
        operator_fee_constant=operator & 0xFFFFFFFFFFFFFFFF,
    )
    if fork < Fork.ECOTONE or parameters.is_before_ecotone_values:
        overhead, scalar = accounts.get_storage(L1_BLOCK, 5), accounts.get_storage(L1_BLOCK, 6)
        return replace(parameters, overhead=overhead, scalar=scalar)
    return parameters


def stored_da_footprint_gas_scalar(accounts: AccountDatabase) -> int:
    """The scalar in L1Block's slots; 0 stands for the default (jovian/l1-attributes.md)."""
    return accounts.get_storage(L1_BLOCK, 8) >> 96 & 0xFFFF or _DEFAULT_FOOTPRINT_SCALAR


def da_footprint_gas_scalar(first_transaction: Transaction, is_first_of_jovian: bool) -> int | None:
    """The scalar in the L1 attributes deposit of a block from Jovian on; raises InvalidTransaction for anything else.

    None in the activation block: its attributes still have the form of the fork before (op-geth core/types,
    CalcDAFootprint), which is Isthmus's unless several forks activate in this block.
    """
    if not first_transaction.is_deposit:
        raise InvalidTransaction(Refusal.NO_L1_ATTRIBUTES)
    data = first_transaction.data
    if len(data) == _ISTHMUS_SIZE or (is_first_of_jovian and data[:4] in OLDER_SELECTORS):
        return None
    if len(data) < _JOVIAN_SIZE or data[:4] != JOVIAN_SELECTOR:
        raise InvalidTransaction(Refusal.NO_FOOTPRINT_SCALAR)
    return int.from_bytes(data[176:178], "big")
