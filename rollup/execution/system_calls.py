"""A block's changes outside its transactions: EIP-4788, 2935, 4895, 6110, 7002 and 7251, and create2deployer."""

import hashlib
from collections.abc import Iterable

from eth.vm.message import Message

from rollup.execution.deposit_requests import deposit_requests
from rollup.execution.errors import InvalidBlock
from rollup.execution.evm import Evm
from rollup.execution.native_system_contracts import stored_natively
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.transition import TransactionContext
from rollup.protocol import predeploys
from rollup.protocol.block import Withdrawal
from rollup.protocol.primitives import EMPTY_REQUESTS_HASH, Address, Hash
from rollup.protocol.receipt import Log

SYSTEM_ADDRESS = bytes.fromhex("fffffffffffffffffffffffffffffffffffffffe")
_SYSTEM_GAS = 30_000_000
_GWEI = 10**9


def system_call(evm: Evm, target: Address, data: bytes) -> bytes | None:
    """Calls a system contract. Returns its output, None where it has no code or fails."""
    accounts = evm.accounts
    code = accounts.get_code(target)
    if not code:
        return None
    accounts.lock_changes()
    message = Message(_SYSTEM_GAS, target, SYSTEM_ADDRESS, 0, data, code, should_transfer_value=False)
    tracing = evm.context.tracing
    if tracing is not None:
        tracing.begin(0)
        tracing.tracer.on_system_call_start()
    computation = evm.state.computation_class.apply_message(evm.state, message, TransactionContext(SYSTEM_ADDRESS, 0))
    if tracing is not None:
        tracing.tracer.on_system_call_end()
    accounts.delete_touched_empty()
    accounts.lock_changes()
    output: bytes | None = computation.output if computation.is_success else None
    return output


def begin_block(evm: Evm, parent_hash: Hash, parent_beacon_block_root: Hash | None, fast: bool = True) -> None:
    """The calls before the first transaction. fast: without the EVM, where nobody traces them."""
    if evm.rules.is_cancun and parent_beacon_block_root is not None:
        _store(evm, predeploys.BEACON_ROOTS, parent_beacon_block_root, fast)
    if evm.rules.is_prague:
        _store(evm, predeploys.HISTORY_STORAGE, parent_hash, fast)


def _store(evm: Evm, target: Address, word: Hash, fast: bool) -> None:
    if not (fast and evm.context.tracing is None and stored_natively(evm, target, word)):
        system_call(evm, target, word)


def end_l1_block(evm: Evm, logs: Iterable[Log]) -> Hash:
    """The hash of the requests of an L1 block (EIP-7685): deposits among its logs, then what two contracts answer.

    Raises InvalidBlock for a malformed deposit event, and where one of the contracts has no code or fails (EIP-7002,
    EIP-7251: such a block is invalid).
    """
    requests = [b"\0" + deposit_requests(logs)]
    for kind, contract in ((b"\1", predeploys.WITHDRAWAL_REQUESTS), (b"\2", predeploys.CONSOLIDATION_REQUESTS)):
        answer = system_call(evm, contract, b"")
        if answer is None:
            raise InvalidBlock(f"system contract 0x{contract.hex()}", "an answer", "no code, or a call that fails")
        requests.append(kind + answer)
    digests = b"".join(hashlib.sha256(request).digest() for request in requests if len(request) > 1)
    return hashlib.sha256(digests).digest() if digests else EMPTY_REQUESTS_HASH


def pay_withdrawals(accounts: AccountDatabase, withdrawals: Iterable[Withdrawal]) -> None:
    """Credits an L1 block's withdrawals (EIP-4895), after its transactions."""
    accounts.lock_changes()
    for withdrawal in withdrawals:
        if withdrawal.amount:
            accounts.add_balance(withdrawal.address, withdrawal.amount * _GWEI)
        else:
            accounts.touch_account(withdrawal.address)
    accounts.delete_touched_empty()
    accounts.lock_changes()


def set_code(accounts: AccountDatabase, address: Address, code: bytes) -> None:
    """Puts code at an address outside any transaction (canyon/overview.md, "Create2Deployer")."""
    accounts.lock_changes()
    accounts.set_code(address, code)
    accounts.lock_changes()
