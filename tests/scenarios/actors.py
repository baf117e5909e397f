"""The actors of the scenarios: an L1 miner, a sequencer with its node, a batcher, verifiers, users.

Each has verbs and little else; a scenario is a script of them. One manual clock, stores in memory, keys by number:
the same script gives the same hashes.
"""

from eth_abi import encode

from rollup.clock import ManualClock
from rollup.execution.chain import Chain
from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.node.assembly import open_l1, open_l2
from rollup.protocol.accounts import BATCHER, OWNER, USERS
from rollup.protocol.l2_blocks import l2_block_ref
from rollup.protocol.primitives import keccak256
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction
from rollup.store.kv import MemoryStore
from sequencer.batcher.batcher import Batcher
from sequencer.batcher.config import BatcherConfig
from sequencer.sequencer import Sequencer

GENESIS_TIME = 1_700_000_000
GWEI, ETHER = 10**9, 10**18


class World:
    """One L1, one sequencer with a batcher, and as many verifiers as a script asks for."""

    def __init__(self, *, batcher=None, finality=None, **params):
        self.params = DevnetParams(genesis_time=GENESIS_TIME, **params)
        self.devnet = make_devnet(self.params)
        self.config = self.devnet.rollup_config
        self.clock = ManualClock(GENESIS_TIME)
        self.l1 = L1Miner(self, finality)
        self.sequencer = SequencerNode(self)
        self.batcher = BatcherActor(self, batcher or BatcherConfig(da="calldata"))
        self.users = [User(self, account) for account in USERS]
        self.owner = User(self, OWNER)

    def new_verifier(self, store=None):
        """A verifier with nothing but L1 data and the rollup config."""
        return VerifierNode(self, store)

    def new_batcher(self, private_key):
        """A batcher with another key."""
        return BatcherActor(self, self.batcher.options, private_key)

    def run_epochs(self, count=1):
        """Everyday life: an L1 block, the L2 blocks up to it, derivation, a batch."""
        for _ in range(count):
            self.l1.mine()
            self.sequencer.build_to_l1_head()
            self.sequencer.derive()
            self.batcher.step()


class L1Miner:
    """Mines when told, a slot a block; the clock follows."""

    def __init__(self, world, finality):
        devnet = world.devnet
        self._world = world
        self.chain = Chain.open(MemoryStore(), devnet.l1.header, devnet.l1.alloc)
        layer = open_l1(self.chain, devnet, world.clock, finality=finality)
        self.pool, self.node, self.source, self.client = layer.pool, layer.miner, layer.source, layer.client

    @property
    def head(self):
        return self.chain.head

    def mine(self, count=1):
        """Blocks with what the pool holds; returns the last."""
        for _ in range(count):
            self._to_next_slot()
            self.node.mine()
        return self.head

    def mine_empty(self, count=1):
        """Blocks that leave the pool alone."""
        for _ in range(count):
            self._to_next_slot()
            self.node.mine_empty()
        return self.head

    def reorg(self, depth, blocks=None):
        """Replaces the newest blocks, by default with as many empty ones."""
        change = self.node.reorg(depth, blocks)
        if self._world.clock.now() < self.head.timestamp:
            self._world.clock.set(self.head.timestamp)
        return change

    def balance(self, address):
        """Wei at the head."""
        account = self.chain.state_at(self.head.hash).account(address)
        return account.balance if account is not None else 0

    def transactions(self):
        """Every transaction in the canonical chain, with its block number."""
        return [
            (block.number, transaction)
            for number in range(self.head.number + 1)
            for block in [self.chain.block_by_number(number)]
            for transaction in block.transactions
        ]

    def batches(self):
        """The batcher transactions in the canonical chain."""
        inbox = self._world.config.batch_inbox_address
        return [transaction for _, transaction in self.transactions() if transaction.to == inbox]

    def _to_next_slot(self):
        if self._world.clock.now() < self.node.next_block_time:
            self._world.clock.set(self.node.next_block_time)


class _Node:
    """An L2 chain with an engine and its own derivation."""

    def __init__(self, world, store, now=None):
        """now: the clock of its pool; without, it takes no transactions."""
        devnet = world.devnet
        self.world = world
        self.store = store if store is not None else MemoryStore()
        self.chain = Chain.open(self.store, devnet.l2.header, devnet.l2.alloc)
        node = open_l2(self.chain, devnet.l2_config, world.config, world.l1.source, world.l1.source, now=now)
        self.pool, self.engine, self.derivation = node.pool, node.engine, node.derivation

    @property
    def unsafe(self):
        return l2_block_ref(self.world.config, self.chain.head)

    @property
    def safe(self):
        return self.derivation.safe_head

    @property
    def finalized(self):
        return self.derivation.finalized_head

    def derive(self):
        """Reads L1 to its head."""
        self.derivation.sync()
        return self.safe

    def hashes(self, upto=None):
        """Block hashes from genesis on."""
        last = self.chain.head.number if upto is None else upto
        return [self.chain.canonical_hash(number) for number in range(last + 1)]

    def origin(self, number):
        """The L1 origin of a block."""
        return l2_block_ref(self.world.config, self.chain.block_by_number(number)).l1_origin

    def balance(self, address):
        account = self.chain.state_at(self.chain.head.hash).account(address)
        return account.balance if account is not None else 0

    def nonce(self, address):
        account = self.chain.state_at(self.chain.head.hash).account(address)
        return account.nonce if account is not None else 0

    def receipt(self, tx_hash):
        location = self.chain.find_transaction(tx_hash)
        return self.chain.receipts(location.block_hash)[location.index] if location is not None else None


class VerifierNode(_Node):
    """Derives from L1 alone."""

    def __init__(self, world, store=None):
        super().__init__(world, store)

    def balance(self, address):
        """Wei at the safe head: after an L1 reorg the newest block may be one that is not derived any more."""
        account = self.chain.state_at(self.safe.hash).account(address)
        return account.balance if account is not None else 0

    def restarted(self):
        """A new process on the same store: the old one was killed."""
        return VerifierNode(self.world, self.store)

    def must_equal(self, sequencer, *, safe):
        """Asserts that it has exactly the sequencer's blocks up to `safe`, its safe head."""
        assert self.safe.number == safe
        assert self.hashes(safe) == sequencer.hashes(safe)
        # A block hash holds the state root; that the state is there as well is another matter.
        account = USERS[0].address
        state = self.chain.state_at(self.safe.hash)
        assert state.account(account) == sequencer.chain.state_at(self.safe.hash).account(account)


class SequencerNode(_Node):
    """Builds blocks, and derives the same from L1 to know which are safe."""

    def __init__(self, world, store=None, **options):
        super().__init__(world, store, world.clock.now)
        self.building = Sequencer(world.config, self.engine, world.l1.source, world.clock, pool=self.pool, **options)

    def build(self, count=1):
        """Blocks one after the other; the clock follows."""
        for _ in range(count):
            if self.world.clock.now() < self.building.next_block_time:
                self.world.clock.set(self.building.next_block_time)
            self.building.build_block()
        return self.chain.head

    def build_to_l1_head(self):
        """Blocks up to the time of L1's head, which then is the origin of the last."""
        while self.building.next_block_time <= self.world.l1.head.timestamp:
            self.building.build_block()
        return self.chain.head

    def restarted(self):
        """A new process on the same store: the old one was killed."""
        return SequencerNode(self.world, self.store)


class BatcherActor:
    """Posts the sequencer's blocks."""

    def __init__(self, world, options, private_key=BATCHER.private_key):
        self._world = world
        self.options = options
        self._key = private_key
        self.reports = []
        self.start()

    def start(self):
        """A new process; an earlier one is forgotten."""
        world = self._world
        node = world.sequencer
        self.process = Batcher(world.config, node.chain, world.l1.client, self._key, node.derivation, self.options)

    def step(self):
        """One step of the batcher; its reports are kept."""
        self.reports += self.process.step()

    def post(self):
        """Sends every L2 block there is, without waiting for a channel to fill."""
        self.process.flush()
        self.step()


class User:
    """Someone with a key; nonces are asked of the layer's pool."""

    def __init__(self, world, account):
        self._world = world
        self.key = account.private_key
        self.address = account.address

    def sends(self, to=None, value=0, data=b"", gas=100_000, *, tip=GWEI, cap=100 * GWEI, nonce=None):
        """A transaction into the sequencer's pool; returns its hash."""
        pool = self._world.sequencer.pool
        return pool.add(self._signed(901, pool, to, value, data, gas, tip, cap, nonce).encode())

    def signed_for_l2(self, to=None, value=0, data=b"", gas=100_000, nonce=0):
        """A transaction that no pool has seen."""
        return self._signed(901, None, to, value, data, gas, GWEI, 100 * GWEI, nonce)

    def sends_on_l1(self, to=None, value=0, data=b"", gas=1_000_000, *, tip=GWEI, cap=100 * GWEI):
        """A transaction into L1's pool; returns its hash."""
        pool = self._world.l1.pool
        return pool.add(self._signed(900, pool, to, value, data, gas, tip, cap, None).encode())

    def deposits(self, to, *, mint=0, value=None, gas=100_000, data=b"", creates=False):
        """A call of the portal's depositTransaction; mint in wei is what is paid on L1."""
        request = self.deposit_data(to, mint if value is None else value, gas, data, creates)
        return self.sends_on_l1(self._world.config.deposit_contract_address, mint, request)

    @staticmethod
    def deposit_data(to, value, gas=100_000, data=b"", creates=False):
        """The portal's call data for it."""
        arguments = encode(
            ["address", "uint256", "uint64", "bool", "bytes"], [to or bytes(20), value, gas, creates, data]
        )
        return keccak256(b"depositTransaction(address,uint256,uint64,bool,bytes)")[:4] + arguments

    def calls_system_config(self, signature, *arguments):
        """A setter of SystemConfig, by its Solidity signature."""
        types = signature[signature.index("(") + 1 : -1].split(",")
        data = keccak256(signature.encode())[:4] + encode(types, arguments)
        return self.sends_on_l1(self._world.config.l1_system_config_address, 0, data)

    def _signed(self, chain_id, pool, to, value, data, gas, tip, cap, nonce):
        return Transaction(
            DYNAMIC_FEE,
            nonce=pool.nonce(self.address) if nonce is None else nonce,
            gas_limit=gas,
            to=to,
            value=value,
            data=data,
            chain_id=chain_id,
            max_fee_per_gas=cap,
            max_priority_fee_per_gas=tip,
        ).signed(self.key)
