"""The fast path against py-evm: random blocks through both, every byte of what comes out compared."""

from collections import Counter
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from attribution_precompile import ADDRESS_BYTES, DictHost
from rollup.execution.block_builder import BlockBuilder, l1_context, l2_context
from rollup.execution.chain import Chain
from rollup.execution.delegation import DELEGATION_PREFIX
from rollup.execution.engine import AncestorHashes
from rollup.execution.errors import InvalidTransaction
from rollup.execution.evm import Outcome
from rollup.execution.fast_path import FastPath
from rollup.execution.genesis import genesis_header
from rollup.execution.genesis_account import GenesisAccount
from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.l1.genesis import l1_genesis_header
from rollup.protocol import predeploys
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.l1_attributes import l1_attributes_deposit
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.transaction import ACCESS_LIST, DYNAMIC_FEE, LEGACY, Transaction, deposit_transaction
from rollup.store.kv import MemoryStore
from tests.attribution.world import PEOPLE, Actor

TIME = 1_700_000_000
GWEI = 10**9
COINBASE = b"\xcb" * 20
EMPTY, DELEGATED, CODE, NEW = (bytes([byte]) * 20 for byte in (0xE0, 0xDE, 0xC0, 0x4E))
SENDERS = [person.to_bytes(20, "big") for person in PEOPLE]
TARGETS = [
    *SENDERS,
    COINBASE,
    EMPTY,
    DELEGATED,
    CODE,
    NEW,
    ADDRESS_BYTES,
    bytes(20),
    *(number.to_bytes(20, "big") for number in (1, 4, 9, 0x0B, 0x100)),
    predeploys.L1_FEE_VAULT,
    predeploys.BASE_FEE_VAULT,
    predeploys.OPERATOR_FEE_VAULT,
    predeploys.L2_TO_L1_MESSAGE_PASSER,
]
STORES_AND_STOPS = bytes.fromhex("600160005500")


class World:
    """One layer, and two builders of each of its blocks: with the fast path and without."""

    def __init__(self, seed: int, fork: Fork | None, operator: bool) -> None:
        self.random = Random(seed)
        forks = ForkSchedule.all_at(fork or Fork.JOVIAN)
        operator = operator and (fork is None or fork >= Fork.ISTHMUS)
        params = DevnetParams(
            TIME,
            forks=forks,
            operator_fee_scalar=7 if operator else 0,
            operator_fee_constant=11 if operator else 0,
            attribution="native" if fork is not None and fork >= Fork.ECOTONE else "none",
        )
        self.devnet = make_devnet(params)
        self.fork = fork
        file = self.devnet.l1.file if fork is None else self.devnet.l2.file
        file.alloc.update(
            {sender: GenesisAccount(2**200, 0, b"", {}) for sender in SENDERS}
            | {
                EMPTY: GenesisAccount(0, 0, b"", {}),
                DELEGATED: GenesisAccount(5, 1, DELEGATION_PREFIX + CODE, {}),
                CODE: GenesisAccount(0, 1, STORES_AND_STOPS, {}),
            }
        )
        header = l1_genesis_header(file) if fork is None else genesis_header(file, forks)
        self.chain = Chain.open(MemoryStore(), header, file.alloc)
        self.nonces = dict.fromkeys(SENDERS, 0)

    def block(self, size: int) -> None:
        builders = fast, slow = self._builder(True), self._builder(False)
        if self.fork is not None:
            for builder in builders:
                builder.apply(self._attributes())
        actor = Actor(self.random, _View(slow)) if ADDRESS_BYTES in self.devnet.l2.alloc else None
        for _ in range(size):
            transaction = self._transaction(slow, actor)
            results = [_apply(builder, transaction) for builder in builders]
            assert results[0] == results[1], transaction
            assert fast.gas_used == slow.gas_used
            for address in (transaction.sender, transaction.to, COINBASE, *TARGETS):
                assert address is None or fast.accounts.account(address) == slow.accounts.account(address)
            if not isinstance(results[1], str):
                self.nonces[transaction.sender] = fast.accounts.get_nonce(transaction.sender)
        one, two = (builder.seal() for builder in builders)
        assert one.executed.block.header == two.executed.block.header
        assert one.staged == two.staged
        self.chain.insert(one.executed, one.staged)
        self.chain.set_head(one.executed.block.hash)

    def _builder(self, fast: bool) -> BlockBuilder:
        parent, time = self.chain.head, self.chain.head.timestamp + 2
        if self.fork is None:
            config = self.devnet.l1_config
            context = l1_context(config, parent.header, time, COINBASE, 60_000_000, b"", bytes(32), bytes(32))
        else:
            config = self.devnet.l2_config
            context = l2_context(config, parent.header, self._payload_attributes(time))
        builder = BlockBuilder(config, context, self.chain.states, AncestorHashes(self.chain, parent.hash), fast)
        builder.begin()
        return builder

    def _payload_attributes(self, time: int) -> PayloadAttributes:
        fork = self.fork or Fork.JOVIAN
        return PayloadAttributes(
            timestamp=time,
            prev_randao=bytes(32),
            fee_recipient=COINBASE,
            parent_beacon_block_root=bytes(32) if fork >= Fork.ECOTONE else None,
            transactions=[],
            no_tx_pool=True,
            gas_limit=60_000_000,
            has_withdrawals=fork >= Fork.CANYON,
            eip1559_params=bytes(8) if fork >= Fork.HOLOCENE else None,
            min_base_fee=0 if fork >= Fork.JOVIAN else None,
        )

    def _attributes(self) -> Transaction:
        config, l1 = self.devnet.rollup_config, self.devnet.l1.header
        head = self.chain.head
        system_config = config.genesis.system_config
        return l1_attributes_deposit(config, system_config, l1, l1.hash, head.number + 1, head.timestamp + 2)

    def _transaction(self, builder: BlockBuilder, actor: Actor | None) -> Transaction:
        random = self.random
        if actor is not None and random.random() < 0.5:
            step = actor.step()
            sender, to, value, data = step.caller.to_bytes(20, "big"), ADDRESS_BYTES, step.value, step.data
        else:
            sender, to = random.choice(SENDERS), random.choice(TARGETS)
            value = random.choice((0, 0, 1, GWEI, 2**100, builder.accounts.get_balance(sender)))
            data = random.choice((b"", b"", bytes(5), random.randbytes(40), random.randbytes(300), bytes(2_000)))
        if self.fork is not None and random.random() < 0.03:
            return deposit_transaction(
                source_hash=random.randbytes(32),
                sender=sender,
                to=to,
                mint=random.choice((None, 5)),
                value=min(value, 3),
                gas_limit=random.choice((21_000, 100_000)),
                is_system=False,
                data=b"",
            )
        slip = random.choice((0,) * 20 + (1, -1 if self.nonces.get(sender) else 0))
        kind = random.choice((LEGACY, ACCESS_LIST, DYNAMIC_FEE, DYNAMIC_FEE, DYNAMIC_FEE))
        cap = random.choice((2 * GWEI, 2 * GWEI, 2 * GWEI, 1, builder.context.base_fee))
        transaction = Transaction(
            kind,
            nonce=builder.accounts.get_nonce(sender) + slip,
            gas_limit=random.choice((21_000, 30_000, 45_000, 65_000, 400_000, 400_000, 400_000, 2_000_000, 70_000_000)),
            to=None if random.random() < 0.01 else to,
            value=value,
            data=data,
            chain_id=random.choice((builder.config.chain_id,) * 30 + (1,)),
            max_fee_per_gas=cap,
            max_priority_fee_per_gas=random.choice((0, GWEI // 2, 3 * GWEI)) if kind == DYNAMIC_FEE else cap,
            access_list=((to, (bytes(32),)),) if kind != LEGACY and random.random() < 0.1 else (),
            r=random.randrange(2**256),
            s=random.randrange(2**255),
        )
        # Whose it is, without a key: the precompile's accounts are contracts, zero and small numbers too.
        transaction._sender = sender
        return transaction


class _View:
    """The values that the actor reads, taken from a block that is being built."""

    def __init__(self, builder: BlockBuilder) -> None:
        self._builder = builder
        self.timestamp = builder.context.timestamp
        self._host = DictHost(timestamp=self.timestamp, storage=_Slots(builder))

    def storage(self, slot: int) -> int:
        return self._builder.accounts.get_storage(ADDRESS_BYTES, slot)

    def balance(self, account: int) -> int:
        return self._builder.accounts.get_balance(account.to_bytes(20, "big"))

    def call(self, data: bytes, caller: int):
        self._host.begin()
        return self._host.call(data, caller=caller, static=True)


class _Slots(dict[int, int]):
    def __init__(self, builder: BlockBuilder) -> None:
        super().__init__()
        self._accounts = builder.accounts

    def get(self, slot: int, default: int = 0) -> int:
        return self._accounts.get_storage(ADDRESS_BYTES, slot)


def _apply(builder: BlockBuilder, transaction: Transaction) -> object:
    """A receipt's bytes with what it leaves out, or the words of the refusal."""
    try:
        receipt = builder.apply(transaction)
    except InvalidTransaction as error:
        return str(error)
    outcome = builder.outcomes[-1]
    error = type(outcome.error) if outcome.error is not None else None
    return receipt.encode(False), receipt.gas_used, receipt.output, receipt.effective_gas_price, error


FORKS = [None, Fork.BEDROCK, Fork.REGOLITH, Fork.CANYON, Fork.ECOTONE, Fork.FJORD, Fork.ISTHMUS, Fork.JOVIAN]
SETTINGS = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}


@settings(max_examples=15, **SETTINGS)
@example(seed=1, fork=Fork.JOVIAN, operator=True)
@given(seed=st.integers(0, 2**32), fork=st.sampled_from(FORKS), operator=st.booleans())
def test_random_blocks_come_out_the_same(seed: int, fork: Fork | None, operator: bool) -> None:
    world = World(seed, fork, operator)
    for _ in range(3):
        world.block(50)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=600, **SETTINGS)
@given(seed=st.integers(0, 2**32), fork=st.sampled_from(FORKS), operator=st.booleans())
def test_many_random_blocks_come_out_the_same(seed: int, fork: Fork | None, operator: bool) -> None:
    world = World(seed, fork, operator)
    for _ in range(4):
        world.block(80)


def test_the_random_blocks_reach_both_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is worth something only if many go each way, in each kind."""
    taken: Counter[str] = Counter()
    apply = FastPath.apply

    def counting(path: FastPath, transaction: Transaction, gas_available: int) -> Outcome | None:
        outcome = apply(path, transaction, gas_available)
        kind = "inference" if transaction.to == ADDRESS_BYTES else "transfer"
        if outcome is None:
            taken[f"{kind} left"] += 1
        else:
            taken[f"{kind} {'succeeds' if outcome.status else type(outcome.error).__name__}"] += 1
        return outcome

    monkeypatch.setattr(FastPath, "apply", counting)
    world = World(3, Fork.JOVIAN, False)
    for _ in range(10):
        world.block(80)
    reached = {"transfer succeeds", "transfer left", "inference succeeds", "inference Revert", "inference OutOfGas"}
    assert reached | {"inference left"} <= taken.keys(), taken
    assert taken["transfer succeeds"] > 30
    assert taken["inference succeeds"] > 30
