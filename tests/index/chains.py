"""A real chain whose blocks hold deposits by anyone, on any parent: random lives of the attribution account, reorgs."""

from dataclasses import replace
from random import Random

from attribution_precompile import ADDRESS_BYTES
from attribution_precompile.layout import (
    COUNTS,
    CURATOR,
    MASK_64,
    MASK_160,
    datanet_slot,
    job_slot,
    member_slot,
    model_slot,
)
from rollup.execution.block_builder import BlockBuilder
from rollup.execution.block_context import context_of_header, l2_context
from rollup.execution.calls import CallRequest, call
from rollup.execution.chain import Chain
from rollup.execution.config import AttributionConfig, L2Config
from rollup.execution.genesis import L2GenesisParams, build_l2_alloc, build_l2_genesis, genesis_header
from rollup.execution.genesis_account import GenesisAccount
from rollup.execution.state.changes import changes_of_alloc
from rollup.execution.state.database import StateDatabase
from rollup.index.index import Index, genesis_platform
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.payload import PayloadAttributes
from rollup.protocol.primitives import EMPTY_TRIE_ROOT
from rollup.protocol.transaction import deposit_transaction
from rollup.store.kv import MemoryStore
from tests.attribution import calls

TIME = 1_700_000_000
ADMIN, TREASURY = 0xAD, 0x7EA
RELAY = 0xC0DE  # a contract that hands on what it is called with, value too
RELAY_CODE = bytes.fromhex("363d3d373d3d363d3473" + ADDRESS_BYTES.hex() + "5af16026575f5ffd5b00")
PEOPLE = [0x1001, 0x1002, 0x1003, 0x1004, RELAY]
FORTUNE = 10**30


def raw(account):
    return account.to_bytes(20, "big")


class Lab:
    """A chain, and an index of it."""

    def __init__(self, mode="native", path=None, history=256, timestamp=TIME):
        forks = ForkSchedule.all_at(Fork.ISTHMUS)
        params = L2GenesisParams(
            timestamp=timestamp,
            chain_id=901,
            forks=forks,
            attribution=mode,
            attribution_admin=raw(ADMIN),
            attribution_treasury=raw(TREASURY),
            balances={raw(person): FORTUNE for person in [*PEOPLE, ADMIN, TREASURY]},
        )
        alloc = build_l2_alloc(params)
        alloc[raw(RELAY)] = GenesisAccount(balance=FORTUNE, nonce=1, code=RELAY_CODE)
        self.alloc = alloc
        header = genesis_header(build_l2_genesis(params), forks)
        header = self._with_state_root(header, alloc)
        self.chain = Chain.open(MemoryStore(), header, alloc, history)
        self.config = L2Config(901, forks, attribution=AttributionConfig(mode, 0))
        self.platform = genesis_platform(alloc[ADDRESS_BYTES].storage)
        self.salt = 0
        self.index = self.new_index(path)

    @staticmethod
    def _with_state_root(header, alloc):
        root = StateDatabase(MemoryStore()).stage(EMPTY_TRIE_ROOT, changes_of_alloc(alloc)).root
        return replace(header, state_root=root)

    def new_index(self, path=None):
        return Index(self.chain, self.config, self.platform, path)

    def block(self, given=(), parent=None, seconds=2):
        """A block of (caller, data, value[, to]) deposits on a parent, which becomes the head."""
        if parent is not None and parent.hash != self.chain.head.hash:
            self.chain.set_head(parent.hash)
        parent = self.chain.head
        attributes = PayloadAttributes(
            timestamp=parent.timestamp + seconds,
            prev_randao=bytes(32),
            fee_recipient=b"\x11" * 20,
            parent_beacon_block_root=bytes(32),
            transactions=[],
            no_tx_pool=True,
            gas_limit=1_000_000_000,
            eip1559_params=bytes(8),
        )
        builder = BlockBuilder(
            self.config, l2_context(self.config, parent.header, attributes), self.chain.states, lambda number: None
        )
        builder.begin()
        for caller, data, value, *to in given:
            self.salt += 1
            builder.apply(
                deposit_transaction(
                    source_hash=self.salt.to_bytes(32, "big"),
                    sender=raw(caller),
                    to=raw(to[0]) if to else ADDRESS_BYTES,
                    mint=None,
                    value=value,
                    gas_limit=5_000_000,
                    is_system=False,
                    data=data,
                )
            )
        sealed = builder.seal()
        self.chain.insert(sealed.executed, sealed.staged)
        self.chain.set_head(sealed.executed.block.hash)
        self.receipts = builder.receipts
        return sealed.executed.block

    def must(self, *given):
        """A block in which everything succeeds."""
        block = self.block(given)
        assert [receipt.status for receipt in self.receipts] == [1] * len(given)
        return block

    def view(self, name, *arguments):
        """A view method by eth_call at the head."""
        head = self.chain.head
        parent = self.chain.header(head.header.parent_hash) or head.header
        request = CallRequest(to=ADDRESS_BYTES, data=calls.call(name, *arguments))
        answer = call(
            context_of_header(self.config, head.header, parent),
            self.chain.state_at(head.hash),
            request,
            lambda number: None,
        )
        answer.raise_if_failed()
        return calls.result(name, answer.output)

    def storage(self, slot):
        return self.chain.state_at(self.chain.head.hash).storage(ADDRESS_BYTES, slot)


class Life:
    """Random calls that mostly make sense at the head they are made on."""

    def __init__(self, lab, seed):
        self.lab = lab
        self.random = Random(seed)
        self.contents = seed << 32

    def calls(self, count, relayed=True):
        """Calls for one block: the state is that of the head, so that later ones may fail."""
        made = []
        for _ in range(count):
            caller, data, value = self._one()
            if relayed and self.random.random() < 0.15:
                made.append((caller, data, value, RELAY))
            else:
                made.append((caller, data, value))
        return made

    def _count(self, shift):
        return self.lab.storage(COUNTS) >> shift & MASK_64

    def _person(self):
        return self.random.choice(PEOPLE)

    def _datanet(self):
        return self.random.randint(1, max(1, self._count(0)))

    def _model(self):
        return self.random.randint(1, max(1, self._count(64)))

    def _one(self):
        random = self.random
        if not self._count(0):
            return self._person(), calls.call("createDatanet", random.randbytes(32)), 0
        if not self._count(64):
            return self._register()
        makers = {
            self._contribute: 4,
            self._set_units: 2,
            self._register: 1,
            self._infer: 8,
            self._batch: 3,
            self._request: 1,
            self._settle: 1,
            self._cancel: 1,
            self._harvest: 3,
            self._claim: 2,
            self._claim_for: 2,
            self._platform: 1,
            self._train: 1,
            self._transfer: 1,
            self._datanet_made: 1,
        }
        return random.choices(list(makers), list(makers.values()))[0]()

    def _datanet_made(self):
        return self._person(), calls.call("createDatanet", self.random.randbytes(32)), 0

    def _units(self):
        return self.random.choice((0, 1, 3, self.random.randrange(1, 1000), self.random.randrange(2**70), 2**95))

    def _curator(self, datanet_id):
        return self.lab.storage(datanet_slot(datanet_id) + CURATOR) or PEOPLE[0]

    def _owner(self, model_id):
        return self.lab.storage(model_slot(model_id)) & MASK_160 or PEOPLE[0]

    def _attributor(self, model_id):
        return self.lab.storage(model_slot(model_id) + 3) & MASK_160 or self._owner(model_id)

    def _contribute(self):
        datanet_id = self._datanet()
        rows = []
        for _ in range(self.random.choice((0, 1, 1, 2, 3))):
            self.contents += 1
            rows.append((calls.hexed(self._person()), self._units(), self.contents.to_bytes(32, "big")))
        return self._curator(datanet_id), calls.call("contribute", datanet_id, rows), 0

    def _set_units(self):
        datanet_id = self._datanet()
        data = calls.call("setUnits", datanet_id, calls.hexed(self._person()), self._units())
        return self._curator(datanet_id), data, 0

    def _register(self):
        random = self.random
        count = self._count(0)
        ids = sorted(random.sample(range(1, count + 1), min(count, random.choice((1, 1, 2, 3, 5)))))
        weights = [(i, random.choice((0, 1, 3, random.randrange(2**32)))) for i in ids]
        models = self._count(64)
        base = random.randint(1, models) if models and random.random() < 0.6 else 0
        lineage = random.choice((0, 1000, 9999)) if base else 0
        owner = random.randrange(0, 10_001 - lineage)
        split = (owner, lineage, 10_000 - owner - lineage)
        params = calls.model_params(weights, split=split, price=(7, 0, 0), base=base)
        return self._person(), calls.call("registerModel", params), 0

    def _fee(self):
        return self.random.choice((7, self.random.randrange(7, 2000), self.random.randrange(7, 10**18)))

    def _infer(self):
        if self.random.random() < 0.3:
            return self._person(), calls.compact(self._model(), 1, 2, self.random.randbytes(32)), self._fee()
        data = calls.call("infer", self._model(), 10, 20, self.random.randbytes(32), self.random.randbytes(32))
        return self._person(), data, self._fee()

    def _influence(self, model_id):
        words = []
        for datanet_id, _ in self.lab.view("model", model_id)[6] if self._count(64) else []:
            if self.random.random() < 0.5:
                words.append(calls.influence_word(datanet_id, self.random.randrange(1, 2**32)))
            for person in sorted(PEOPLE):
                if self.lab.storage(member_slot(datanet_id, person)) >> 160 and self.random.random() < 0.5:
                    words.append(calls.influence_word(datanet_id, self.random.randrange(1, 100), person))
        return words

    def _batch(self):
        model_id = self._model()
        count = self.random.choice((1, 2, 100))
        data = calls.call(
            "inferBatch", model_id, count, 2**64 - 1, 5, self.random.randbytes(32), self._influence(model_id)
        )
        return self._attributor(model_id), data, 7 * count + self._fee()

    def _request(self):
        deadline = self.lab.chain.head.timestamp + self.random.choice((3, 20, 1000))
        return self._person(), calls.call("request", self._model(), self.random.randbytes(32), deadline), self._fee()

    def _job(self):
        return self.random.randint(1, max(1, self._count(128)))

    def _settle(self):
        job_id = self._job()
        model_id = self.lab.storage(job_slot(job_id)) >> 160 & MASK_64 or 1
        hashes = self.random.randbytes(32), self.random.randbytes(32)
        data = calls.call("settle", job_id, 1, 2, *hashes, self._influence(model_id))
        return self._attributor(model_id), data, 0

    def _cancel(self):
        job_id = self._job()
        return self.lab.storage(job_slot(job_id)) & MASK_160 or PEOPLE[0], calls.call("cancel", job_id), 0

    def _datanets(self):
        return [self._datanet() for _ in range(self.random.choice((0, 1, 1, 2, 4)))]

    def _harvest(self):
        return self._person(), calls.call("harvest", self._datanets(), calls.hexed(self._person())), 0

    def _claim(self):
        return self._person(), calls.call("claim", self._datanets(), calls.hexed(0xF000 + self.random.randrange(99))), 0

    def _claim_for(self):
        return self._person(), calls.call("claimFor", calls.hexed(self._person()), self._datanets()), 0

    def _platform(self):
        bps = self.random.choice((0, 1, 500, 3000))
        return ADMIN, calls.call("setPlatform", calls.hexed(ADMIN), calls.hexed(self._person()), bps), 0

    def _train(self):
        model_id = self._model()
        step = self.random.randrange(1, 2**64)
        data = calls.call("recordTraining", model_id, step, self.random.randbytes(32), self.random.randbytes(32))
        return self._owner(model_id), data, 0

    def _transfer(self):
        model_id = self._model()
        data = calls.call("transferModel", model_id, calls.hexed(self._person()))
        return self._owner(model_id), data, 0


def dump(index):
    """Every row of every table but the undo records."""
    found = {}
    for (name,) in index.database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"):
        if not name.startswith(("undo_", "meta", "sqlite_")):
            found[name] = sorted(index.database.execute(f"SELECT * FROM {name}").fetchall())
    return found
