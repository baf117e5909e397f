"""Running a block again that is known: to validate it, and to trace a transaction of it."""

from dataclasses import replace

from rollup.execution.block_builder import BlockBuilder, BlockHashes, Sealed
from rollup.execution.block_context import BlockContext, context_of_header, l1_context, l2_base_fee
from rollup.execution.config import L1Config, L2Config
from rollup.execution.errors import InvalidBlock, InvalidTransaction
from rollup.execution.senders import recover_senders
from rollup.execution.state.database import StateDatabase
from rollup.protocol.block import Block
from rollup.protocol.fees import decode_extra_data, l1_gas_limit_may_follow
from rollup.protocol.forks import Fork
from rollup.protocol.header import Header

_MAX_EXTRA_DATA = 32  # bytes (Yellow Paper, 4.3)


class Reexecution:
    """A block's transactions on the state of its parent, once.

    builder = Reexecution(config, parent, states, block_hash, block).builder_before(3)
    with builder.tracing(tracer):
        builder.apply(block.transactions[3])
    """

    def __init__(
        self,
        config: L1Config | L2Config,
        parent: Header,
        states: StateDatabase,
        block_hash: BlockHashes,
        block: Block,
        context: BlockContext | None = None,
    ) -> None:
        """context: the one that the block's own header gives, unless another is given."""
        self.block = block
        context = context_of_header(config, block.header, parent) if context is None else context
        recover_senders([transaction for transaction in block.transactions if not transaction.is_deposit])
        self.builder = BlockBuilder(config, context, states, block_hash)
        self.builder.withdrawals = block.withdrawals
        self.builder.lift_size_limit()

    def builder_before(self, index: int) -> BlockBuilder:
        """The builder with the state before a transaction; raises InvalidBlock for one before it that is not valid."""
        builder = self.builder
        builder.begin()
        for number, transaction in enumerate(self.block.transactions[:index]):
            try:
                builder.apply(transaction)
            except InvalidTransaction as error:
                raise InvalidBlock(f"transaction {number}", "a valid transaction", error) from error
        return builder

    def run(self) -> Sealed:
        """The whole block, sealed; raises InvalidBlock."""
        # spec: deposit.l1-attributes-first
        builder = self.builder_before(len(self.block.transactions))
        if builder.needs_l1_attributes and not self.block.transactions:
            raise InvalidBlock("transactions", "the L1 attributes deposit first", "none")
        return builder.seal()


def validate_block(
    config: L1Config | L2Config, parent: Header, states: StateDatabase, block_hash: BlockHashes, block: Block
) -> Sealed:
    """Executes a block on its parent and compares every header field; raises InvalidBlock."""
    if block.withdrawals and not isinstance(config, L1Config):
        raise InvalidBlock("withdrawals", "none", f"{len(block.withdrawals)} of them")
    context = _context_by_rules(config, block.header, parent)
    _check_size(context, block)
    sealed = Reexecution(config, parent, states, block_hash, block, context).run()
    compare_headers(block.header, sealed.executed.block.header)
    return sealed


def _check_size(context: BlockContext, block: Block) -> None:
    """EIP-7934: an L1 block's bytes from Osaka on."""
    rules = context.rules
    most = rules.l1_row.max_block_size
    if rules.fork is None and most is not None and block.size > most:
        raise InvalidBlock("size", f"at most {most} bytes", block.size)


def compare_headers(given: Header, computed: Header) -> None:
    """Raises InvalidBlock for the first field in which they differ."""
    for name in Header.__slots__:
        if getattr(given, name) != getattr(computed, name):
            raise InvalidBlock(name, getattr(computed, name), getattr(given, name))


def _context_by_rules(config: L1Config | L2Config, header: Header, parent: Header) -> BlockContext:
    """The context that the rules give a block. Fields that the block's builder may choose come from the header."""
    if isinstance(config, L1Config):
        _check_l1_header(header, parent)
        return l1_context(
            config,
            parent,
            header.timestamp,
            header.coinbase,
            header.gas_limit,
            header.extra_data,
            header.prev_randao,
            header.parent_beacon_block_root,
            header.parent_hash,
        )
    _check_extra_data(config, header)
    base_fee = l2_base_fee(config, parent, header.timestamp)
    context = context_of_header(config, header, parent)
    return replace(context, number=parent.number + 1, base_fee=base_fee, excess_blob_gas=0)


def _check_l1_header(header: Header, parent: Header) -> None:
    if not l1_gas_limit_may_follow(parent.gas_limit, header.gas_limit):
        raise InvalidBlock("gas_limit", f"near {parent.gas_limit}", header.gas_limit)
    if len(header.extra_data) > _MAX_EXTRA_DATA:
        raise InvalidBlock("extra_data", f"at most {_MAX_EXTRA_DATA} bytes", header.extra_data)


def _check_extra_data(config: L2Config, header: Header) -> None:
    # spec: fees.extra-data-before-holocene
    fork = config.fork_at(header.timestamp)
    if fork < Fork.HOLOCENE:
        if header.extra_data:  # specs protocol/exec-engine.md, "Extra-data"
            raise InvalidBlock("extra_data", "none before Holocene", header.extra_data)
        return
    try:
        decode_extra_data(header.extra_data, fork)
    except ValueError as error:
        raise InvalidBlock("extra_data", str(error), header.extra_data) from error
