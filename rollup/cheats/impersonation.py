"""Sending transactions as an account whose key nobody needs (`anvil_impersonateAccount`).

L1 takes such a transaction as it is: the mock L1 asks for no signature (`Transaction.impersonated`). An L2 block cannot
contain it, because derivation of the block recovers the sender from the signature. So on L2 it is a forced deposit:
an impersonated L1 call of the portal's depositTransaction. The portal gives the L1 sender an alias only where a
contract calls it, so the deposit's L2 sender is the impersonated account itself.
"""

from typing import Final

from eth_abi.abi import encode

from rollup.execution.calls import CallError, CallRequest, ExecutionReverted, call
from rollup.execution.chain import Chain
from rollup.execution.config import L1Config
from rollup.execution.revert_reason import revert_reason
from rollup.l1 import contracts
from rollup.l1.miner import MockL1
from rollup.protocol.deposits import TRANSACTION_DEPOSITED, decode_deposit_log
from rollup.protocol.primitives import ZERO_ADDRESS, Address, Hash, keccak256
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction

_DEPOSIT_TRANSACTION: Final = keccak256(b"depositTransaction(address,uint256,uint64,bool,bytes)")[:4]
_ARGUMENTS: Final = ("address", "uint256", "uint64", "bool", "bytes")
_MOST_GAS: Final = 2**24  # of an L1 transaction from Osaka on (EIP-7825)


class NotForDeposits(ValueError):
    """A transaction with something that a deposit cannot have."""


class Impersonation:
    """The accounts of one layer that anyone may send as."""

    def __init__(self) -> None:
        self.accounts: dict[Address, None] = {}
        self.is_automatic = False  # every account is impersonated

    def begin(self, account: Address) -> None:
        """Lets anyone send as an account."""
        self.accounts[account] = None

    def end(self, account: Address) -> None:
        """Ends what begin began; an account that is not impersonated is left as it is."""
        self.accounts.pop(account, None)

    def covers(self, account: Address) -> bool:
        """True where anyone may send as an account."""
        return self.is_automatic or account in self.accounts


def deposit_call(transaction: Transaction, l1: L1Config) -> Transaction:
    """The L1 call of the portal that deposits an unsigned L2 transaction, without its nonce and for no fee.

    Raises NotForDeposits.
    """
    if transaction.access_list or transaction.authorization_list or transaction.blob_versioned_hashes:
        raise NotForDeposits(
            "an impersonated L2 transaction is a deposit, which has no access list, authorizations or blobs"
        )
    gas = max(transaction.gas_limit, _minimum_gas(transaction.data))
    to = transaction.to or ZERO_ADDRESS
    arguments = to, transaction.value, gas, transaction.to is None, transaction.data
    return free_call(l1, contracts.OPTIMISM_PORTAL, _DEPOSIT_TRANSACTION + encode(_ARGUMENTS, arguments))


def free_call(l1: L1Config, to: Address, data: bytes) -> Transaction:
    """An L1 call that pays no fee, which an impersonated transaction need not, without its nonce."""
    return Transaction(DYNAMIC_FEE, gas_limit=_most_gas(l1), to=to, data=data, chain_id=l1.chain_id)


def _minimum_gas(data: bytes) -> int:
    """The least gas limit that the portal accepts for a deposit (OptimismPortal.minimumGasLimit)."""
    return 40 * len(data) + 21_000


def call_on_l1(miner: MockL1, sender: Address, to: Address, data: bytes) -> bytes:
    """The return data of a call in L1's next block; raises CallError."""
    head = miner.chain.head
    context = miner.context_on(head, miner.next_block_time)
    request = CallRequest(sender, to, _most_gas(miner.config), data=data)
    result = call(context, miner.chain.state_at(head.hash), request, miner.block_hashes_from(head))
    result.raise_if_failed()
    return result.output


def refusal_on_l1(miner: MockL1, sender: Address, to: Address, data: bytes) -> str | None:
    """Why a call would fail in L1's next block, None where it would not."""
    try:
        call_on_l1(miner, sender, to, data)
    except ExecutionReverted as error:
        return revert_reason(error.output) or str(error)
    except CallError as error:
        return str(error)
    return None


def _most_gas(l1: L1Config) -> int:
    return min(l1.gas_limit, _MOST_GAS)


def deposit_of(l1: Chain, tx_hash: Hash) -> Hash | None:
    """The hash of the L2 transaction that an L1 transaction deposits; None where it failed."""
    place = l1.find_transaction(tx_hash)
    if place is None:
        return None
    receipt = (l1.receipts(place.block_hash) or [])[place.index]
    for index, log in enumerate(receipt.logs, receipt.first_log):
        if log.address == contracts.OPTIMISM_PORTAL and log.topics[:1] == (TRANSACTION_DEPOSITED,):
            return decode_deposit_log(log, place.block_hash, index).hash
    return None
