"""A block of a fork on a devnet's genesis, and its validator."""

from dataclasses import dataclass, replace

from rollup.execution.block_builder import BlockBuilder, Sealed, l1_context, l2_context
from rollup.execution.chain import Chain
from rollup.execution.config import L1Config, L2Config
from rollup.execution.engine import AncestorHashes
from rollup.execution.genesis import genesis_header
from rollup.execution.reexecution import validate_block
from rollup.l1.devnet import Devnet, DevnetParams, make_devnet
from rollup.l1.genesis import l1_genesis_header
from rollup.protocol.accounts import USERS
from rollup.protocol.block import Block
from rollup.protocol.forks import Fork, ForkSchedule, L1Fork
from rollup.protocol.header import Header
from rollup.protocol.l1_attributes import l1_attributes_deposit
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.transaction import LEGACY, Transaction
from rollup.store.kv import MemoryStore

TIME = 1_700_000_000
FEE = 10**10


@dataclass
class Layer:
    """A devnet's L2 with one fork from genesis, or with fork None its L1."""

    fork: Fork | None
    devnet: Devnet
    chain: Chain

    @classmethod
    def at(cls, fork: Fork | L1Fork | None) -> "Layer":
        """A fork from genesis: an OP fork's L2, an L1 fork's L1, or Prague's L1 for None."""
        l1_fork = fork if isinstance(fork, L1Fork) else L1Fork.PRAGUE
        fork = fork if isinstance(fork, Fork) else None
        forks = ForkSchedule.all_at(fork if fork is not None else Fork.JOVIAN)
        # The attribution account is of Cancun's rules; a genesis block that has a fork's L1Block from the beginning.
        devnet = make_devnet(DevnetParams(TIME, forks=forks, l1_forks=((l1_fork, 0),), attribution="none"))
        file = devnet.l1.file if fork is None else devnet.l2.file
        header = l1_genesis_header(file) if fork is None else genesis_header(file, forks)
        return cls(fork, devnet, Chain.open(MemoryStore(), header, file.alloc))

    @classmethod
    def activating(cls, fork: Fork, before: Fork | None = None) -> "Layer":
        """An L2 whose first block after genesis is the first one of this fork, and of all after `before`."""
        before = Fork(fork - 1) if before is None else before
        times = {item.name.lower(): TIME + 2 for item in Fork if before < item <= fork}
        forks = replace(ForkSchedule.all_at(before), **times)
        devnet = make_devnet(DevnetParams(TIME, forks=forks, attribution="none"))
        header = genesis_header(devnet.l2.file, forks)
        return cls(fork, devnet, Chain.open(MemoryStore(), header, devnet.l2.file.alloc))

    @property
    def config(self) -> L1Config | L2Config:
        return self.devnet.l1_config if self.fork is None else self.devnet.l2_config

    @property
    def parent(self) -> Header:
        return self.chain.head.header

    def transfers(self, count: int, data: bytes = b"") -> list[Transaction]:
        """Legacy transactions of the first user, which are valid on every fork."""
        chain_id = 900 if self.fork is None else 901
        gas_limit = 21_000 + 40 * len(data)
        return [
            Transaction(
                LEGACY, nonce=nonce, gas_limit=gas_limit, to=b"\x77" * 20, value=5, data=data, chain_id=chain_id,
                max_fee_per_gas=FEE, max_priority_fee_per_gas=FEE,
            ).signed(USERS[0].private_key)
            for nonce in range(count)
        ]  # fmt: skip

    def build(self, transactions: list[Transaction], gas_limit: int = 60_000_000) -> Sealed:
        """The block of these, on L2 behind the L1 attributes deposit."""
        builder = self.builder(gas_limit)
        builder.apply_all(transactions)
        return builder.seal()

    def builder(self, gas_limit: int = 60_000_000, fast: bool = True) -> BlockBuilder:
        """A builder of the next block, on L2 with the L1 attributes deposit applied."""
        if self.fork is None:
            context = l1_context(
                self.devnet.l1_config, self.parent, TIME + 12, b"\xcb" * 20, gas_limit, b"", bytes(32), b"\6" * 32
            )
            builder = BlockBuilder(self.devnet.l1_config, context, self.chain.states, self._ancestors(), fast)
            builder.begin()
        else:
            context = l2_context(self.devnet.l2_config, self.parent, self.attributes(gas_limit))
            builder = BlockBuilder(self.devnet.l2_config, context, self.chain.states, self._ancestors(), fast)
            builder.begin()
            builder.apply(self.deposit())
        return builder

    def validate(self, block: Block) -> Sealed:
        return validate_block(self.config, self.parent, self.chain.states, self._ancestors(), block)

    def _ancestors(self) -> AncestorHashes:
        return AncestorHashes(self.chain, self.chain.head.hash)

    def attributes(self, gas_limit: int) -> PayloadAttributes:
        fork = self.fork or Fork.BEDROCK
        return PayloadAttributes(
            timestamp=TIME + 2,
            prev_randao=b"\5" * 32,
            fee_recipient=b"\xcb" * 20,
            parent_beacon_block_root=b"\6" * 32 if fork >= Fork.ECOTONE else None,
            transactions=[],
            no_tx_pool=True,
            gas_limit=gas_limit,
            has_withdrawals=fork >= Fork.CANYON,
            eip1559_params=bytes(8) if fork >= Fork.HOLOCENE else None,
            min_base_fee=0 if fork >= Fork.JOVIAN else None,
        )

    def deposit(self) -> Transaction:
        config, l1 = self.devnet.rollup_config, self.devnet.l1.header
        return l1_attributes_deposit(config, config.genesis.system_config, l1, l1.hash, 1, TIME + 2)


def changed(block: Block, **fields: object) -> Block:
    """The block with other header fields, and the hash it then has."""
    return Block(replace(block.header, **fields), block.transactions)  # type: ignore[arg-type]
