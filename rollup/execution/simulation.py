"""Blocks of calls that nobody sent, one on top of the other (eth_simulateV1; geth internal/ethapi/simulate.go).

They begin at the state after a block of the chain. One account database holds all changes since, so a simulated
block's state root is the base's with all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from eth.exceptions import Revert, VMError

from rollup.cooperative import pause
from rollup.execution.blob_gas import BlobGasMeter
from rollup.execution.block_builder import BlockBuilder, BlockHashes
from rollup.execution.block_context import BlockContext, BlockOverrides, l1_base_fee, l1_excess_blob_gas, l2_base_fee
from rollup.execution.calls import GAS_CAP, CallRequest, overridden_rules
from rollup.execution.config import L1Config, L2Config
from rollup.execution.errors import InvalidTransaction, Refusal
from rollup.execution.evm import Outcome
from rollup.execution.l1_block import stored_da_footprint_gas_scalar
from rollup.execution.overrides import StateOverride, override_accounts
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.state.database import StagedState, StateDatabase
from rollup.execution.tracers.transfers import TransferLogger
from rollup.execution.transition import execute_call
from rollup.execution.vms.program import Programs
from rollup.execution.vms.rules import EvmRules
from rollup.execution.vms.stepwise import Tracing
from rollup.protocol.block import Block
from rollup.protocol.fees import GAS_PER_BLOB, da_footprint
from rollup.protocol.forks import Fork
from rollup.protocol.header import Header
from rollup.protocol.primitives import ZERO_HASH, Address, Hash
from rollup.protocol.receipt import Log
from rollup.protocol.transaction import BLOB, DYNAMIC_FEE, LEGACY, SET_CODE, Transaction

MAX_BLOCKS = 256
MAX_NONCE = 2**64 - 1
_TIME_STEP = 12  # seconds between simulated blocks, unless a time is given


class SimulationRefused(ValueError):
    """A simulation that cannot be; the text is geth's."""


class InvalidOrder(SimulationRefused):
    """A block number that is not above the one before."""


class InvalidTime(SimulationRefused):
    """A time that is not after the one before."""


class TooMuch(SimulationRefused):
    """More blocks than may be simulated."""


class BlockFull(SimulationRefused):
    """A call wants more gas than its block has left."""


class GasCapExhausted(SimulationRefused):
    """The calls of a request used more gas in total than a request may use."""


class CallRefused(SimulationRefused):
    """A call that could not be a transaction."""

    def __init__(self, refusal: InvalidTransaction, gas: int) -> None:
        super().__init__(f"err: {refusal} (supplied gas {gas})")
        self.kind = refusal.kind


@dataclass(slots=True)
class SimulatedCalls:
    """One block of a request."""

    calls: Sequence[CallRequest] = ()
    state: dict[Address, StateOverride] = field(default_factory=dict)
    block: BlockOverrides = field(default_factory=BlockOverrides)
    parent_beacon_block_root: Hash = ZERO_HASH


@dataclass(slots=True)
class SimulatedCall:
    """The result of one call. was_capped: the request's bound gave it less gas than it asked for."""

    output: bytes
    revert_data: bytes
    gas_used: int
    max_gas_used: int
    error: VMError | None
    logs: list[Log]
    was_capped: bool = False


@dataclass(slots=True)
class SimulatedBlock:
    """A block that is on no chain."""

    block: Block
    calls: list[SimulatedCall]


class Simulation:
    """A request: a chain of simulated blocks on a base."""

    def __init__(
        self,
        config: L1Config | L2Config,
        base: Header,
        base_hash: Hash,
        states: StateDatabase,
        block_hash: BlockHashes,
        check_interrupt: Callable[[], None] = pause,
    ) -> None:
        """block_hash: of the base's ancestors. What check_interrupt raises ends the simulation."""
        self._config = config
        self._base, self._base_hash = base, base_hash
        self._states = states
        self._ancestors = block_hash
        self._check_interrupt = check_interrupt
        self._accounts = AccountDatabase(states.reader_at(base.state_root))
        self._hashes = {base.number: base_hash}
        self._gas_left = GAS_CAP
        self.traces_transfers = False
        self.validates = False

    def run(self, blocks: Sequence[SimulatedCalls]) -> list[SimulatedBlock]:
        """All blocks, those between them that are empty too; raises SimulationRefused."""
        results: list[SimulatedBlock] = []
        parent, parent_hash = self._base, self._base_hash
        for wanted in self._in_order(blocks):
            results.append(self._run_block(wanted, parent, parent_hash))
            parent, parent_hash = results[-1].block.header, results[-1].block.hash
            self._hashes[parent.number] = parent_hash
        return results

    # ------------------------------------------------------------ the chain
    def _in_order(self, blocks: Sequence[SimulatedCalls]) -> list[SimulatedCalls]:
        """Numbers and times for all, and empty blocks for the numbers between."""
        result: list[SimulatedCalls] = []
        number, time = self._base.number, self._base.timestamp
        for block in blocks:
            given = block.block.number
            wanted = number + 1 if given is None else given
            if wanted <= number:
                raise InvalidOrder(f"block numbers must be in order: {wanted} <= {number}")
            if wanted - self._base.number > MAX_BLOCKS:
                raise TooMuch("too many blocks")
            for between in range(number + 1, wanted):
                time += _TIME_STEP
                result.append(SimulatedCalls(block=BlockOverrides(number=between, timestamp=time)))
            when = time + _TIME_STEP if block.block.timestamp is None else block.block.timestamp
            if when <= time:
                raise InvalidTime(f"block timestamps must be in order: {when} <= {time}")
            number, time = wanted, when
            result.append(replace(block, block=replace(block.block, number=number, timestamp=time)))
        return result

    def _context(self, wanted: SimulatedCalls, parent: Header, parent_hash: Hash) -> BlockContext:
        given, config = wanted.block, self._config
        assert given.number is not None
        assert given.timestamp is not None
        excess = l1_excess_blob_gas(config, parent, given.timestamp) if isinstance(config, L1Config) else 0
        base_fee = given.base_fee
        if base_fee is None:
            base_fee = self._next_base_fee(parent, given.timestamp) if self.validates else 0
        return BlockContext(
            config=config,
            parent=parent,
            parent_hash=parent_hash,
            number=given.number,
            timestamp=given.timestamp,
            coinbase=parent.coinbase if given.coinbase is None else given.coinbase,
            prev_randao=ZERO_HASH if given.prev_randao is None else given.prev_randao,
            gas_limit=parent.gas_limit if given.gas_limit is None else given.gas_limit,
            base_fee=base_fee,
            extra_data=b"",
            parent_beacon_block_root=wanted.parent_beacon_block_root,
            excess_blob_gas=excess,
            blob_base_fee=given.blob_base_fee,
        )

    def _next_base_fee(self, parent: Header, timestamp: int) -> int:
        config = self._config
        if isinstance(config, L1Config):
            return l1_base_fee(parent)
        # A simulated block has no extraData: the parameters are the base's.
        return l2_base_fee(config, replace(parent, extra_data=self._base.extra_data), timestamp)

    def _block_hash(self, number: int) -> Hash | None:
        return self._hashes.get(number) or self._ancestors(number)

    # ------------------------------------------------------------ one block
    def _run_block(self, wanted: SimulatedCalls, parent: Header, parent_hash: Hash) -> SimulatedBlock:
        context = self._context(wanted, parent, parent_hash)
        override_accounts(self._accounts, wanted.state)
        self._accounts.lock_changes()
        rules = overridden_rules(context.rules, wanted.state)
        builder = _CallBlock(context, self._states, self._block_hash, self._accounts, self._base.state_root, rules)
        evm_context = builder.evm.context
        evm_context.check_interrupt, evm_context.programs = self._check_interrupt, Programs()
        builder.validates = self.validates
        logger = TransferLogger(self.traces_transfers)
        builder.begin()
        evm_context.tracing = Tracing(logger)
        calls = [self._run_call(builder, request, logger) for request in wanted.calls]
        evm_context.tracing = None
        return SimulatedBlock(builder.seal().executed.block, calls)

    def _run_call(self, builder: "_CallBlock", request: CallRequest, logger: TransferLogger) -> SimulatedCall:
        self._check_interrupt()
        left = builder.gas_left
        wanted = left if request.gas is None else request.gas
        if wanted > left:
            raise BlockFull(f"block gas limit reached: remaining: {left}, required: {wanted}")
        gas = min(wanted, self._gas_left)
        logger.begin()
        try:
            builder.apply(_transaction(builder, request, gas))
        except InvalidTransaction as error:
            raise CallRefused(error, gas) from error
        outcome = builder.outcomes[-1]
        if outcome.gas_used > self._gas_left:
            raise GasCapExhausted(f"RPC gas cap exhausted: need {outcome.gas_used}, remaining {self._gas_left}")
        self._gas_left -= outcome.gas_used
        logs = logger.logs if outcome.error is None else []
        output = outcome.output if outcome.error is None else b""
        revert_data = outcome.output if isinstance(outcome.error, Revert) else b""
        return SimulatedCall(
            output, revert_data, outcome.gas_used, outcome.max_gas_used, outcome.error, logs, was_capped=gas < wanted
        )


class _CallBlock(BlockBuilder):
    """A block of calls: no signatures, no L1 and operator fees; on a state that is not in the store."""

    def __init__(
        self,
        context: BlockContext,
        states: StateDatabase,
        block_hash: BlockHashes,
        accounts: AccountDatabase,
        base_root: Hash,
        rules: EvmRules,
    ) -> None:
        super().__init__(context.config, context, states, block_hash, fast=False, accounts=accounts, rules=rules)
        self.validates = False
        self._base_root = base_root
        self._fees_read = True
        self._blob_gas = _BlobGasWithoutLimit(context.config, context, self._rules, accounts)
        self.lift_size_limit()

    def _outcome(self, transaction: Transaction) -> Outcome:
        accounts = self.accounts
        if self.validates:
            _check_nonce(transaction, accounts.get_nonce(transaction.sender))
        free = not self.validates and not (transaction.max_fee_per_gas or transaction.max_priority_fee_per_gas)
        base_fee = self.evm.context.base_fee_per_gas
        accounts.lock_changes()
        if free:  # as geth: a call that offers nothing is not measured against the base fee
            self.evm.context.base_fee_per_gas = 0
        try:
            outcome = execute_call(self.evm, transaction)
        finally:
            self.evm.context.base_fee_per_gas = base_fee
        accounts.delete_touched_empty()
        accounts.lock_changes()
        return outcome

    def _stage_state(self) -> StagedState:
        return self._states.stage(self._base_root, self.accounts.changes())


class _BlobGasWithoutLimit(BlobGasMeter):
    """The blob gas of calls, as op-geth shows it."""

    def __init__(
        self, config: L1Config | L2Config, context: BlockContext, rules: EvmRules, accounts: AccountDatabase
    ) -> None:
        super().__init__(config, context, rules)
        self._accounts = accounts

    def needed(self, transaction: Transaction, is_first: bool) -> int:
        """The blob gas that a call would use. The DA footprint has the scalar that L1Block holds."""
        del is_first
        fork = self._rules.fork
        if fork is None:
            return len(transaction.blob_versioned_hashes) * GAS_PER_BLOB
        if fork < Fork.JOVIAN:
            return 0
        return da_footprint(transaction, stored_da_footprint_gas_scalar(self._accounts))


def _check_nonce(transaction: Transaction, nonce: int) -> None:
    if transaction.nonce == nonce == MAX_NONCE:
        raise InvalidTransaction(Refusal.NONCE_MAX, address=transaction.sender, have=nonce)
    if transaction.nonce != nonce:
        kind = Refusal.NONCE_LOW if transaction.nonce < nonce else Refusal.NONCE_HIGH
        raise InvalidTransaction(kind, address=transaction.sender, have=transaction.nonce, want=nonce)


def _transaction(builder: BlockBuilder, request: CallRequest, gas: int) -> Transaction:
    nonce = builder.accounts.get_nonce(request.sender) if request.nonce is None else request.nonce
    kind = DYNAMIC_FEE
    if request.has_gas_price:
        kind = LEGACY
    elif request.authorization_list:
        kind = SET_CODE
    elif request.blob_versioned_hashes:
        kind = BLOB
    return Transaction(
        kind,
        nonce=nonce,
        gas_limit=gas,
        to=request.to,
        value=request.value,
        data=request.data,
        chain_id=None if kind == LEGACY else builder.config.chain_id,
        max_fee_per_gas=request.max_fee_per_gas,
        max_priority_fee_per_gas=request.max_priority_fee_per_gas,
        access_list=request.access_list,
        blob_versioned_hashes=request.blob_versioned_hashes,
        authorization_list=request.authorization_list,
        _sender=request.sender,
    )
