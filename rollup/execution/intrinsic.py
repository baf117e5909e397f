"""Gas a transaction owes before its first opcode, and the least it owes in all."""

from rollup.execution.vms.rules import EvmRules
from rollup.protocol.fees import calldata_gas
from rollup.protocol.transaction import Transaction

TX_GAS = 21_000
MAX_INITCODE_SIZE = 49_152  # EIP-3860
_CREATE_GAS = 32_000
_ACCESS_LIST_ADDRESS_GAS, _ACCESS_LIST_SLOT_GAS = 2_400, 1_900  # EIP-2930
_AUTHORIZATION_GAS = 25_000  # EIP-7702, PER_EMPTY_ACCOUNT_COST


def intrinsic_gas(transaction: Transaction, rules: EvmRules) -> int:
    """Gas charged before execution (Yellow Paper g0; EIP-2028, 2930, 3860, 7702)."""
    data = transaction.data
    gas = TX_GAS + (calldata_gas(data) if data else 0)
    if transaction.to is None:
        gas += _CREATE_GAS
        if rules.is_shanghai:
            gas += 2 * ((len(data) + 31) // 32)
    if transaction.access_list:
        slots = sum(len(keys) for _, keys in transaction.access_list)
        gas += _ACCESS_LIST_ADDRESS_GAS * len(transaction.access_list) + _ACCESS_LIST_SLOT_GAS * slots
    return gas + _AUTHORIZATION_GAS * len(transaction.authorization_list)


def floor_gas(transaction: Transaction, rules: EvmRules) -> int:
    """The least gas a transaction uses for its calldata (EIP-7623); 0 before Prague."""
    if not rules.is_prague:
        return 0
    data = transaction.data
    return TX_GAS + 10 * (4 * len(data) - 3 * data.count(0))
