"""The system contracts that every block calls first, EIP-4788's and EIP-2935's, without the EVM.

A block calls each of them once with one word, and the call stores one or two words. Nobody pays for its gas, it has no
logs, and it cannot fail. So the two writes are the whole effect, and calling the EVM for them costs more than the
transfer of a small block. Only the code of the EIPs is known here; a contract with any other code is called.
"""

from collections.abc import Callable
from typing import Final

from rollup.execution.evm import Evm
from rollup.protocol.primitives import Address, Hash, keccak256

_BUFFER = 8_191  # slots of a ring
_BEACON_ROOTS_CODE = bytes.fromhex(
    "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff810690815414603c57"
    "5f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500"
)
_HISTORY_CODE = bytes.fromhex(
    "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff"
    "9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"
)


def _store_beacon_root(evm: Evm, target: Address, root: Hash) -> None:
    """EIP-4788, "set()": the time, and the root of the beacon block before it."""
    time = evm.context.timestamp
    evm.accounts.set_storage(target, time % _BUFFER, time)
    evm.accounts.set_storage(target, time % _BUFFER + _BUFFER, int.from_bytes(root, "big"))


def _store_parent_hash(evm: Evm, target: Address, parent_hash: Hash) -> None:
    """EIP-2935, "set()": the parent's hash."""
    slot = (evm.context.block_number - 1) % _BUFFER
    evm.accounts.set_storage(target, slot, int.from_bytes(parent_hash, "big"))


_BY_CODE: Final[dict[Hash, Callable[[Evm, Address, Hash], None]]] = {
    keccak256(_BEACON_ROOTS_CODE): _store_beacon_root,
    keccak256(_HISTORY_CODE): _store_parent_hash,
}


def stored_natively(evm: Evm, target: Address, word: Hash) -> bool:
    """Does what the contract's code would do with a word of 32 bytes; False, with nothing done, for other code."""
    store = _BY_CODE.get(evm.accounts.get_code_hash(target))
    if store is None:
        return False
    accounts = evm.accounts
    accounts.lock_changes()
    store(evm, target, word)
    accounts.lock_changes()
    return True
