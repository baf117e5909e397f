"""Our engine on an alloc, block by block, with a clock on each stage."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

from benchmarks.workloads import CHAIN_ID, GAS_LIMIT
from rollup.execution.block_builder import BlockBuilder, l2_context
from rollup.execution.chain import Chain
from rollup.execution.engine import AncestorHashes
from rollup.execution.genesis import genesis_header
from rollup.execution.genesis_account import GenesisAccount
from rollup.execution.senders import recover_senders
from rollup.execution.state.database import StagedState
from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.protocol.l1_attributes import l1_attributes_deposit
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.primitives import Address, Hash
from rollup.protocol.transaction import decode_transaction
from rollup.store.kv import Store

_GENESIS_TIME = 1_700_000_000
_Result = TypeVar("_Result")


@dataclass(slots=True)
class Stages:
    """Seconds a block spent in each stage."""

    decode: float = 0.0
    recover: float = 0.0
    execute: float = 0.0
    receipts: float = 0.0  # encoding, bloom, root
    transactions_root: float = 0.0
    state_root: float = 0.0
    rest: float = 0.0  # the block's context, system calls, header
    store: float = 0.0

    @property
    def total(self) -> float:
        """The sum of all stages, in seconds."""
        return sum(float(getattr(self, stage.name)) for stage in fields(self))


class TimedBuilder(BlockBuilder):
    """The builder with a clock on the parts of seal()."""

    stages: Stages

    def _stage_state(self) -> StagedState:
        return self._timed("state_root", super()._stage_state)

    def _receipts_root(self) -> Hash:
        return self._timed("receipts", super()._receipts_root)

    def _transactions_root(self) -> Hash:
        return self._timed("transactions_root", super()._transactions_root)

    def _logs_bloom(self) -> bytes:
        return self._timed("receipts", super()._logs_bloom)

    def _timed(self, stage: str, part: Callable[[], _Result]) -> _Result:
        started = time.perf_counter()
        result = part()
        setattr(self.stages, stage, getattr(self.stages, stage) + time.perf_counter() - started)
        return result


class RollupChain:
    """A local L2 whose genesis has more accounts, extended through the block builder. All blocks of one L1 origin."""

    def __init__(self, alloc: Mapping[Address, GenesisAccount], store: Store) -> None:
        self.devnet = make_devnet(DevnetParams(_GENESIS_TIME, l2_chain_id=CHAIN_ID))
        file = self.devnet.l2.file
        file.alloc.update(alloc)
        self.chain = Chain.open(store, genesis_header(file, self.devnet.params.forks), file.alloc)

    def run(self, raws: Sequence[bytes], fast: bool = True) -> Stages:
        """Decodes, checks, executes, seals and keeps one block. Raises RuntimeError when a transaction failed."""
        stages, chain = Stages(), self.chain
        mark = time.perf_counter()
        transactions = [decode_transaction(raw) for raw in raws]
        stages.decode, mark = time.perf_counter() - mark, time.perf_counter()
        recover_senders(transactions)
        stages.recover, mark = time.perf_counter() - mark, time.perf_counter()
        builder = self._builder(fast)
        builder.stages = stages
        began, mark = time.perf_counter() - mark, time.perf_counter()
        builder.apply_all(transactions)
        stages.execute, mark = time.perf_counter() - mark, time.perf_counter()
        sealed = builder.seal()
        seal = time.perf_counter() - mark
        stages.rest = began + seal - stages.receipts - stages.transactions_root - stages.state_root
        if not all(receipt.status for receipt in sealed.executed.receipts):
            raise RuntimeError("a transaction failed")
        mark = time.perf_counter()
        chain.insert(sealed.executed, sealed.staged)
        chain.set_head(sealed.executed.block.hash)
        stages.store = time.perf_counter() - mark
        return stages

    @property
    def gas_used(self) -> int:
        """The gas of the head's transactions, without the first one, which sets the L1 attributes."""
        receipts = self.chain.receipts(self.chain.head.hash) or []
        return sum(receipt.gas_used for receipt in receipts[1:])

    def balance(self, address: Address) -> int:
        """Wei at the head."""
        account = self.chain.state_at(self.chain.head.hash).account(address)
        return account.balance if account else 0

    def storage(self, address: Address, slot: int) -> int:
        """A storage word at the head."""
        return self.chain.state_at(self.chain.head.hash).storage(address, slot)

    def _builder(self, fast: bool) -> TimedBuilder:
        parent, devnet = self.chain.head, self.devnet
        timestamp = parent.timestamp + devnet.params.l2_block_time
        config = devnet.rollup_config
        deposit = l1_attributes_deposit(
            config,
            config.genesis.system_config,
            devnet.l1.header,
            devnet.l1.header.hash,
            parent.number + 1,
            timestamp,
        )
        attributes = PayloadAttributes(
            timestamp=timestamp,
            prev_randao=bytes(32),
            fee_recipient=devnet.l2.header.coinbase,
            parent_beacon_block_root=bytes(32),
            transactions=[deposit.encode()],
            no_tx_pool=True,
            gas_limit=GAS_LIMIT,
            has_withdrawals=True,
            eip1559_params=bytes(8),
            min_base_fee=0,
        )
        context = l2_context(devnet.l2_config, parent.header, attributes)
        ancestors = AncestorHashes(self.chain, parent.hash)
        builder = TimedBuilder(devnet.l2_config, context, self.chain.states, ancestors, fast)
        builder.begin()
        builder.apply(deposit)
        return builder
