"""Building a block, and validating one: the same code, transaction by transaction, up to the header."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rollup.cooperative import in_turns, pause
from rollup.execution.blob_gas import BlobGasMeter
from rollup.execution.block_context import BlockContext, l1_context, l2_context
from rollup.execution.config import L1Config, L2Config
from rollup.execution.errors import ExecutionInterrupted, InvalidTransaction, Refusal
from rollup.execution.evm import Evm, Outcome
from rollup.execution.fast_path import FastPath
from rollup.execution.irregular import begin_irregularly
from rollup.execution.known_message import KnownMessage, ObservedAccounts, ObservedContext
from rollup.execution.l1_block import read_l1_fee_parameters
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.database import StagedState, StateDatabase
from rollup.execution.system_calls import begin_block, end_l1_block, pay_withdrawals
from rollup.execution.tracing import Tracer
from rollup.execution.transition import apply_transaction, execute_ahead
from rollup.execution.vms.rules import EvmRules
from rollup.execution.vms.stepwise import Tracing
from rollup.protocol import predeploys
from rollup.protocol.block import Block, ExecutedBlock, Withdrawal
from rollup.protocol.fees import L1FeeParameters
from rollup.protocol.forks import Fork
from rollup.protocol.header import Header
from rollup.protocol.ordered_trie import ordered_trie_root
from rollup.protocol.primitives import EMPTY_REQUESTS_HASH, Hash
from rollup.protocol.receipt import Receipt
from rollup.protocol.transaction import Transaction

_MAX_EXTRA_DATA = 32  # bytes (Yellow Paper, 4.3)
_HEADER_ROOM = 1_024  # bytes that a builder reserves for the parts of a block other than transactions and withdrawals

BlockHashes = Callable[[int], Hash | None]

__all__ = ["BlockBuilder", "BlockContext", "Sealed", "l1_context", "l2_context"]


@dataclass(slots=True, frozen=True)
class Sealed:
    """A finished block with its receipts, and its state, not stored yet."""

    executed: ExecutedBlock
    staged: StagedState


class BlockBuilder:
    """One block in the making. begin() once, apply() a transaction, seal() once.

    fast: use the fast path, which gives the same results without py-evm (fast_path.py). Otherwise py-evm runs every
    transaction.
    """

    def __init__(
        self,
        config: L1Config | L2Config,
        context: BlockContext,
        states: StateDatabase,
        block_hash: BlockHashes,
        fast: bool = True,
        ahead: bool = False,
        accounts: AccountDatabase | None = None,
        rules: EvmRules | None = None,
    ) -> None:
        """ahead: the block is never sealed; execute_ahead runs a transaction to learn its effects in this block.

        accounts: the state to begin with, instead of the parent's. rules: instead of the context's.
        """
        self.config = config
        self.context = context
        self._rules = context.rules if rules is None else rules
        self.transactions: list[Transaction] = []
        self.receipts: list[Receipt] = []
        self.outcomes: list[Outcome] = []
        self.log_count = 0
        self.gas_used = 0
        self.withdrawals: list[Withdrawal] = []  # L1 only; paid by seal()
        self._states = states
        if accounts is None:
            reader = states.reader_at(context.parent.state_root)
            accounts = ObservedAccounts(reader) if ahead else AccountDatabase(reader)
        self._accounts = accounts
        self._fees_read = False
        self._fast = fast
        self._fast_path: FastPath | None = None  # once the block's L1 fees are known
        self._blob_gas = BlobGasMeter(config, context, self._rules)
        self._size_left = self._rules.l1_row.max_block_size if self._rules.fork is None else None
        if self._size_left is not None:
            self._size_left -= _HEADER_ROOM
        evm_context: Any = context.evm_context(block_hash)
        if isinstance(self._accounts, ObservedAccounts):
            evm_context = ObservedContext(evm_context, self._accounts)
        self.evm = Evm(self._rules, evm_context, self._accounts, L1FeeParameters())
        if isinstance(config, L2Config):
            self.evm.base_fee_recipient = config.variant.base_fee_recipient
            self._fees_read = not config.variant.has_l1_fee

    @property
    def gas_left(self) -> int:
        """Gas of the block that no transaction has used."""
        return self.context.gas_limit - self.gas_used

    @property
    def blob_gas_used(self) -> int:
        """The blob gas of the block's transactions; on L2 their DA footprint, from Jovian on."""
        return self._blob_gas.used

    @property
    def needs_l1_attributes(self) -> bool:
        """True from Jovian on: the DA footprint needs the scalar in the first transaction."""
        fork = self._rules.fork
        return fork is not None and fork >= Fork.JOVIAN

    @property
    def accounts(self) -> AccountDatabase:
        """The state so far."""
        return self._accounts

    def begin(self) -> None:
        """Makes the changes of state that come before the first transaction."""
        context = self.context
        begin_irregularly(self._accounts, context)
        begin_block(self.evm, context.parent_hash, context.parent_beacon_block_root, self._fast)

    def execute_ahead(self, transaction: Transaction) -> KnownMessage | None:
        """The effects that a signed transaction's message would have here. None if they cannot be known in advance.

        Raises InvalidTransaction. Call it once per builder.
        """
        self._read_fees(transaction)
        return execute_ahead(self.evm, transaction, self.gas_left)

    def apply(self, transaction: Transaction, known: KnownMessage | None = None) -> Receipt:
        """Runs a transaction and includes it. Raises InvalidTransaction with the state unchanged.

        known: the effects of its message, from execute_ahead. Raises StaleMessage if they no longer hold.
        """
        pause()
        blob_gas = self._blob_gas.needed(transaction, not self.transactions)
        if self._size_left is not None and _size_in_block(transaction) > self._size_left:  # EIP-7934
            raise InvalidTransaction(Refusal.BLOCK_SIZE, have=_size_in_block(transaction), want=self._size_left)
        self._read_fees(transaction)
        self.evm.known = known
        try:
            outcome = self._outcome(transaction)
        finally:
            self.evm.known = None
        self.gas_used += outcome.gas_used
        if self._size_left is not None:
            self._size_left -= _size_in_block(transaction)
        self._blob_gas.used += blob_gas
        receipt = self._receipt(transaction, outcome)
        self.transactions.append(transaction)
        self.receipts.append(receipt)
        self.log_count += len(receipt.logs)
        self.outcomes.append(outcome)
        return receipt

    def _read_fees(self, transaction: Transaction) -> None:
        fork = self._rules.fork
        if fork is not None and not self._fees_read and not transaction.is_deposit:
            # op-geth reads L1Block once per block, after the deposits (core/types/rollup_cost.go).
            self.evm.use_fees(read_l1_fee_parameters(self._accounts, fork))
            self._fees_read = True

    def limit_time(self, seconds: Callable[[], float], most: float) -> None:
        """A transaction that runs longer, in seconds, is an InvalidTransaction. For pools only, never for blocks."""
        end = seconds() + most

        def check() -> None:
            pause()
            if seconds() > end:
                raise ExecutionInterrupted(most)

        self.evm.context.check_interrupt = check

    def lift_size_limit(self) -> None:
        """Lifts the bound on the size of transactions, for a block whose size is checked as a whole."""
        self._size_left = None

    def lift_time_limit(self) -> None:
        """Lifts the bound on time: everything runs to its end again."""
        self.evm.context.check_interrupt = pause

    @contextmanager
    def tracing(self, tracer: Tracer) -> Iterator[None]:
        """Calls a tracer's hooks for everything that runs within. Everything runs in the EVM then."""
        context, before = self.evm.context, self.evm.context.tracing
        context.tracing = Tracing(tracer)
        try:
            yield
        finally:
            context.tracing = before

    def _outcome(self, transaction: Transaction) -> Outcome:
        if self._fast and not transaction.is_deposit and self.evm.context.tracing is None:
            if self._fast_path is None:
                self._fast_path = FastPath(self.evm)
            outcome = self._fast_path.apply(transaction, self.gas_left)
            if outcome is not None:
                return outcome
        return apply_transaction(self.evm, transaction, self.gas_left)

    def apply_all(self, transactions: Iterable[Transaction]) -> None:
        """Runs transactions in order; raises InvalidTransaction at the first that may not be here."""
        for transaction in transactions:
            self.apply(transaction)

    def seal(self) -> Sealed:
        """Ends the block: roots, bloom, header."""
        # spec: engine-api.ecotone-fields, isthmus.withdrawals-root, isthmus.no-requests
        context, rules = self.context, self._rules
        requests_hash = None
        if self.withdrawals:
            pay_withdrawals(self._accounts, self.withdrawals)
        if rules.is_prague:
            logs = (log for receipt in self.receipts for log in receipt.logs)
            requests_hash = end_l1_block(self.evm, logs) if rules.fork is None else EMPTY_REQUESTS_HASH
        staged = self._stage_state()
        withdrawals_root = None
        if rules.is_shanghai:
            withdrawals_root = ordered_trie_root([withdrawal.encode() for withdrawal in self.withdrawals])
            if rules.fork is not None and rules.fork >= Fork.ISTHMUS:
                withdrawals_root = self._states.storage_root_of(staged, predeploys.L2_TO_L1_MESSAGE_PASSER)
        header = Header(
            parent_hash=context.parent_hash,
            coinbase=context.coinbase,
            state_root=staged.root,
            transactions_root=self._transactions_root(),
            receipts_root=self._receipts_root(),
            logs_bloom=self._logs_bloom(),
            number=context.number,
            gas_limit=context.gas_limit,
            gas_used=self.gas_used,
            timestamp=context.timestamp,
            extra_data=context.extra_data,
            prev_randao=context.prev_randao,
            base_fee_per_gas=context.base_fee,
            withdrawals_root=withdrawals_root,
            blob_gas_used=self.blob_gas_used if rules.is_cancun else None,
            excess_blob_gas=context.excess_blob_gas if rules.is_cancun else None,
            parent_beacon_block_root=context.parent_beacon_block_root if rules.is_cancun else None,
            requests_hash=requests_hash,
        )
        block = Block(header, self.transactions, withdrawals=self.withdrawals)
        return Sealed(ExecutedBlock(block, self.receipts), staged)

    def _stage_state(self) -> StagedState:
        return self._states.stage(self.context.parent.state_root, self._accounts.changes())

    def _transactions_root(self) -> Hash:
        return ordered_trie_root(list(in_turns(transaction.encode() for transaction in self.transactions)))

    def _receipts_root(self) -> Hash:
        return ordered_trie_root(list(in_turns(receipt.encode() for receipt in self.receipts)))

    def _logs_bloom(self) -> bytes:
        bloom = 0
        for receipt in in_turns(self.receipts):
            if receipt.logs:
                bloom |= int.from_bytes(receipt.bloom, "big")
        return bloom.to_bytes(256, "big")

    def _receipt(self, transaction: Transaction, outcome: Outcome) -> Receipt:
        # spec: deposit.receipt-version
        fork = self._rules.fork
        version = 1 if transaction.is_deposit and fork is not None and fork >= Fork.CANYON else None
        return Receipt(
            tx_type=transaction.tx_type,
            status=outcome.status,
            cumulative_gas_used=self.gas_used,
            gas_used=outcome.gas_used,
            logs=outcome.logs,
            contract_address=outcome.contract_address,
            deposit_nonce=outcome.deposit_nonce,
            deposit_receipt_version=version,
            effective_gas_price=outcome.gas_price,
            output=outcome.output,
            first_log=self.log_count,
        )


def _size_in_block(transaction: Transaction) -> int:
    """An upper bound for a transaction's bytes in a block's RLP, with the prefix of the string."""
    return len(transaction.encode()) + 4
