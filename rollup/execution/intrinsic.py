"""Gas a transaction owes before its first opcode, and the least it owes in all."""

from typing import TYPE_CHECKING

from rollup.protocol.transaction import Transaction

if TYPE_CHECKING:
    from rollup.execution.vms.rules import EvmRules

TX_GAS = 21_000
MAX_INITCODE_SIZE = 49_152  # EIP-3860
_ZERO_BYTE_GAS, _BYTE_GAS = 4, 16  # EIP-2028
_FLOOR_PER_TOKEN = 10  # EIP-7623: a token is a zero byte, or a quarter of any other
_CREATE_GAS = 32_000
_ACCESS_LIST_ADDRESS_GAS, _ACCESS_LIST_SLOT_GAS = 2_400, 1_900  # EIP-2930
_AUTHORIZATION_GAS = 25_000  # EIP-7702, PER_EMPTY_ACCOUNT_COST


def gas_needed(transaction: Transaction, rules: "EvmRules") -> tuple[int, int]:
    """Gas charged before execution, and the least gas used for the calldata (0 before Prague, EIP-7623).

    Sources: Yellow Paper (g0), EIP-2028, EIP-2930, EIP-3860, EIP-7702.
    """
    data = transaction.data
    gas = floor = TX_GAS
    if data:
        zeros = data.count(0)
        gas += _BYTE_GAS * len(data) - (_BYTE_GAS - _ZERO_BYTE_GAS) * zeros
        floor += _FLOOR_PER_TOKEN * (4 * len(data) - 3 * zeros)
    if transaction.to is None:
        gas += _CREATE_GAS
        if rules.is_shanghai:
            gas += 2 * ((len(data) + 31) // 32)
    if transaction.access_list:
        slots = sum(len(keys) for _, keys in transaction.access_list)
        gas += _ACCESS_LIST_ADDRESS_GAS * len(transaction.access_list) + _ACCESS_LIST_SLOT_GAS * slots
    if transaction.authorization_list:
        gas += _AUTHORIZATION_GAS * len(transaction.authorization_list)
    return gas, floor if rules.is_prague else 0


def is_initcode_too_large(transaction: Transaction) -> bool:
    """True for a creation with more than 49,152 bytes of initcode (EIP-3860, from Shanghai)."""
    return transaction.to is None and len(transaction.data) > MAX_INITCODE_SIZE


def intrinsic_gas(transaction: Transaction, rules: "EvmRules") -> int:
    """Gas charged before execution."""
    return gas_needed(transaction, rules)[0]


def floor_gas(transaction: Transaction, rules: "EvmRules") -> int:
    """The least gas a transaction uses for its calldata (EIP-7623); 0 before Prague."""
    return gas_needed(transaction, rules)[1]
