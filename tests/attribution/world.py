"""Random but purposeful calls: a seeded actor that knows enough of the state to be right most of the time, and wrong
on purpose the rest of it."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from attribution_precompile import ADDRESS, METHODS
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
from attribution_precompile.signatures import CURVE_ORDER, attestation_digest, domain_separator

from . import calls
from .harness import ADMIN, CHAIN_ID, TREASURY, Evm

KEYS = [calls.key_of(seed) for seed in (11, 12, 13)]
SIGNERS = [account for _, account in KEYS]
REFUSER, REENTRANT, RECEIVER = 0xC0DE1, 0xC0DE2, 0xC0DE3
PEOPLE = [0x1001, 0x1002, 0x1003, 0x1004, *SIGNERS]
ACCOUNTS = [*PEOPLE, ADMIN, TREASURY, REFUSER, REENTRANT, RECEIVER, ADDRESS, 0]
EDGES = [
    0,
    1,
    2**16 - 1,
    2**32 - 1,
    2**64 - 1,
    2**64,
    2**96 - 1,
    2**96,
    2**128 - 1,
    2**128,
    2**160 - 1,
    2**160,
    2**255,
    2**256 - 1,
]
FORTUNE = 2**200


@dataclass(frozen=True, slots=True)
class Step:
    """One call both machines get."""

    data: bytes
    caller: int
    value: int
    static: bool
    seconds: int


class Actor:
    """Draws steps from `random`, looking at one machine's state only to know which ids exist and who owns them."""

    def __init__(self, random: Random, evm: Evm) -> None:
        self.random = random
        self.evm = evm
        self.contents = 0
        self.makers: list[tuple[int, Callable[[], tuple[bytes, int, int]]]] = [
            (4, self._create_datanet),
            (10, self._contribute),
            (5, self._set_units),
            (1, self._transfer_curator),
            (7, self._register_model),
            (2, self._set_price),
            (2, self._set_attributor),
            (1, self._transfer_model),
            (2, self._record_training),
            (1, self._set_platform),
            (14, self._infer),
            (8, self._infer_compact),
            (10, self._infer_attested),
            (6, self._infer_batch),
            (5, self._request),
            (5, self._settle),
            (4, self._cancel),
            (5, self._harvest),
            (6, self._claim),
            (5, self._claim_for),
            (6, self._view),
        ]
        self.weights = [weight for weight, _ in self.makers]

    def step(self) -> Step:
        random = self.random
        maker = random.choices(self.makers, self.weights)[0][1]
        data, caller, value = maker()
        chance = random.random()
        if chance < 0.05:
            data = self._spoil_word(data)
        elif chance < 0.07:
            data = data[: random.randrange(len(data) + 1)]
        elif chance < 0.09:
            data += random.randbytes(random.choice((1, 32, 33, 640, 9_000)))
        elif chance < 0.10:
            data = random.randbytes(random.randrange(8))
        if random.random() < 0.04:
            caller = random.choice(ACCOUNTS)
        if caller == ADDRESS:
            # Nobody has its key, and its only calls of its own are payouts without data.
            caller = PEOPLE[0]
        if random.random() < 0.03:
            value = random.choice(EDGES[:10])
        static = random.random() < 0.03
        seconds = random.choice((0, 0, 2, 2, 2, 40))
        return Step(data, caller, 0 if static else min(value, self.evm.balance(caller)), static, seconds)

    # -- what exists

    def _count(self, shift: int) -> int:
        return self.evm.storage(COUNTS) >> shift & MASK_64

    def _id(self, count: int) -> int:
        if not count or self.random.random() < 0.03:
            return self.random.choice((0, count + 1, 2**32 - 1, MASK_64))
        return self.random.randint(1, count)

    def _datanet(self) -> int:
        return self._id(self._count(0))

    def _model(self) -> int:
        return self._id(self._count(64))

    def _job(self) -> int:
        count = self._count(128)
        return self._id(count) if self.random.random() < 0.3 else count

    def _owner(self, model_id: int) -> int:
        return self.evm.storage(model_slot(model_id)) & MASK_160 or PEOPLE[0]

    def _attributor(self, model_id: int) -> int:
        return self.evm.storage(model_slot(model_id) + 3) & MASK_160 or self._owner(model_id)

    def _person(self) -> int:
        return self.random.choice(PEOPLE if self.random.random() < 0.9 else ACCOUNTS)

    def _hash(self) -> bytes:
        return self.random.choice((bytes(32), b"\x22" * 32, self.random.randbytes(32)))

    def _amount(self) -> int:
        random = self.random
        return random.choice((random.randrange(1, 2000), random.randrange(10**18), random.choice(EDGES[:9]), 10**20))

    def _units(self) -> int:
        random = self.random
        return random.choice((1, random.randrange(1, 1000), random.randrange(2**80), random.choice(EDGES[:7])))

    def _spoil_word(self, data: bytes) -> bytes:
        if len(data) < 36:
            return data
        at = 4 + 32 * self.random.randrange((len(data) - 4) // 32)
        return data[:at] + self.random.choice(EDGES).to_bytes(32, "big") + data[at + 32 :]

    # -- a call each: calldata, caller, value

    def _create_datanet(self) -> tuple[bytes, int, int]:
        return calls.call("createDatanet", self._hash()), self._person(), 0

    def _curator(self, datanet_id: int) -> int:
        return self.evm.storage(datanet_slot(datanet_id) + CURATOR) or PEOPLE[0]

    def _contribute(self) -> tuple[bytes, int, int]:
        datanet_id = self._datanet()
        rows = []
        for _ in range(self.random.choice((0, 1, 1, 2, 3, 5))):
            self.contents += self.random.random() > 0.05
            rows.append((calls.hexed(self._person()), min(self._units(), 2**96 - 1), self.contents.to_bytes(32, "big")))
        return calls.call("contribute", datanet_id, rows), self._curator(datanet_id), 0

    def _set_units(self) -> tuple[bytes, int, int]:
        datanet_id = self._datanet()
        units = self.random.choice((0, min(self._units(), 2**96 - 1)))
        return (
            calls.call("setUnits", datanet_id, calls.hexed(self._person()), units),
            self._curator(datanet_id),
            0,
        )

    def _transfer_curator(self) -> tuple[bytes, int, int]:
        datanet_id = self._datanet()
        return (
            calls.call("transferCurator", datanet_id, calls.hexed(self._person())),
            self._curator(datanet_id),
            0,
        )

    def _price(self) -> tuple[int, int, int]:
        pick = lambda: self.random.choice((0, 1, 999, 10**12, min(self._amount(), 2**96 - 1)))  # noqa: E731
        return pick(), pick(), pick()

    def _register_model(self) -> tuple[bytes, int, int]:
        random = self.random
        count = self._count(0)
        k = min(count, random.choice((1, 1, 2, 2, 3, 5, 32)))
        ids = sorted(random.sample(range(1, count + 1), k)) if k else [1]
        if random.random() < 0.05:
            random.shuffle(ids)
        weights = [(i, random.choice((0, 1, 3, random.randrange(2**32)))) for i in ids]
        base = self._model() if random.random() < 0.6 else 0
        lineage = random.choice((0, 1000, 9999)) if base else 0
        owner = random.randrange(0, 10_001 - lineage)
        split = (owner, lineage, 10_000 - owner - lineage)
        if random.random() < 0.05:
            split = (owner, 1, 2)
        attributor = random.choice((0, *SIGNERS))
        params = calls.model_params(weights, split=split, price=self._price(), base=base, attributor=attributor)
        return calls.call("registerModel", params), self._person(), 0

    def _set_price(self) -> tuple[bytes, int, int]:
        model_id = self._model()
        return calls.call("setPrice", model_id, self._price()), self._owner(model_id), 0

    def _set_attributor(self) -> tuple[bytes, int, int]:
        model_id = self._model()
        to = self.random.choice((0, *SIGNERS))
        return calls.call("setAttributor", model_id, calls.hexed(to)), self._owner(model_id), 0

    def _transfer_model(self) -> tuple[bytes, int, int]:
        model_id = self._model()
        return calls.call("transferModel", model_id, calls.hexed(self._person())), self._owner(model_id), 0

    def _record_training(self) -> tuple[bytes, int, int]:
        model_id = self._model()
        step = self.random.choice((self.random.randrange(1000), self.evm.timestamp, MASK_64))
        return (
            calls.call("recordTraining", model_id, step, self._hash(), self._hash()),
            self._owner(model_id),
            0,
        )

    def _set_platform(self) -> tuple[bytes, int, int]:
        bps = self.random.choice((0, 1, 500, 3000, 3001, 65535))
        return calls.call("setPlatform", calls.hexed(ADMIN), calls.hexed(self._person()), bps), ADMIN, 0

    def _tokens(self) -> tuple[int, int]:
        return self.random.choice(((0, 0), (10, 20), (1000, 1), (2**32 - 1, 2**32 - 1)))

    def _fee(self, model_id: int, count: int, tokens: tuple[int, int]) -> int:
        if self.random.random() < 0.25:
            return self._amount()
        answer = self.evm.call(calls.call("quote", model_id, *tokens), caller=1)
        quoted: int = calls.result("quote", answer.output) if answer.success else 0
        return quoted * count + self.random.choice((0, 0, -1, 1, 12345, 10**18)) if quoted else self._amount()

    def _infer(self) -> tuple[bytes, int, int]:
        model_id, tokens = self._model(), self._tokens()
        data = calls.call("infer", model_id, *tokens, self._hash(), self._hash())
        return data, self._person(), max(self._fee(model_id, 1, tokens), 0)

    def _infer_compact(self) -> tuple[bytes, int, int]:
        model_id, tokens = self._model() & 0xFFFFFFFF, self._tokens()
        data = calls.compact(model_id, *tokens, self._hash())
        return data, self._person(), max(self._fee(model_id, 1, tokens), 0)

    def _influence(self, model_id: int) -> list[int]:
        random = self.random
        if random.random() < 0.3:
            return []
        answer = self.evm.call(calls.call("model", model_id), caller=1)
        weights = calls.result("model", answer.output)[6] if answer.success else [(1, 1)]
        words = []
        for datanet_id, _ in weights[:8]:
            if random.random() < 0.7:
                words.append(calls.influence_word(datanet_id, random.randrange(1, 2**32)))
            words += [
                calls.influence_word(datanet_id, random.randrange(1, 100), person)
                for person in sorted(random.sample(PEOPLE, random.choice((0, 0, 1, 2))))
                if random.random() < 0.1 or self._is_member(datanet_id, person)
            ]
        if random.random() < 0.05:
            words.append(random.choice(EDGES))
        if random.random() < 0.03:
            words *= 8
        return words

    def _is_member(self, datanet_id: int, person: int) -> bool:
        return bool(self.evm.storage(member_slot(datanet_id, person)) >> 160)

    def _infer_attested(self) -> tuple[bytes, int, int]:
        random = self.random
        model_id, payer, tokens = self._model(), self._person(), self._tokens()
        answer = self.evm.call(calls.call("nonces", calls.hexed(payer)), caller=1)
        nonce = calls.result("nonces", answer.output) + (random.random() < 0.04)
        deadline = self.evm.timestamp + random.choice((0, 100, 100, 100, -1))
        hashes = (self._hash(), self._hash(), self._hash())
        influence = self._influence(model_id)
        words = [model_id, payer, nonce, deadline, *tokens, *(int.from_bytes(h, "big") for h in hashes)]
        signature = self._sign(model_id, words, influence)
        attestation = (model_id, calls.hexed(payer), nonce, deadline, *tokens, *hashes)
        data = calls.call("inferAttested", attestation, influence, signature)
        return data, payer, max(self._fee(model_id, 1, tokens), 0)

    def _sign(self, model_id: int, words: list[int], influence: list[int]) -> bytes:
        random = self.random
        attributor = self._attributor(model_id)
        key = next((key for key, account in KEYS if account == attributor), KEYS[0][0])
        chain_id = CHAIN_ID if random.random() > 0.02 else CHAIN_ID + 1
        packed = b"".join(word.to_bytes(32, "big") for word in influence)
        head = b"".join(word.to_bytes(32, "big") for word in words)
        digest = attestation_digest(domain_separator(chain_id, ADDRESS), head, packed)
        signature = key.sign_recoverable(digest, hasher=None)
        r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64] + 27
        chance = random.random()
        if chance < 0.02:
            s, v = CURVE_ORDER - s, 55 - v
        elif chance < 0.04:
            v = random.choice((0, 1, 26, 29, 255))
        elif chance < 0.05:
            r = random.choice((bytes(32), CURVE_ORDER.to_bytes(32, "big"), b"\x05" * 32))
        elif chance < 0.06:
            return r + s.to_bytes(32, "big")
        return r + s.to_bytes(32, "big") + bytes([v])

    def _infer_batch(self) -> tuple[bytes, int, int]:
        model_id = self._model()
        count = self.random.choice((1, 2, 100, 2**32 - 1, 0))
        tokens = self.random.choice((self._tokens(), (MASK_64, MASK_64)))
        influence = self._influence(model_id)
        data = calls.call("inferBatch", model_id, count, *tokens, self._hash(), influence)
        return data, self._attributor(model_id), max(self._fee(model_id, count, tokens), 0)

    def _request(self) -> tuple[bytes, int, int]:
        ahead = self.random.choice((1, 2, 20, 20, 20, 30 * 86400, 0, 30 * 86400 + 1))
        deadline = self.evm.timestamp + ahead
        return (
            calls.call("request", self._model(), self._hash(), deadline),
            self._person(),
            self._amount(),
        )

    def _settle(self) -> tuple[bytes, int, int]:
        job_id = self._job()
        model_id = self.evm.storage(job_slot(job_id)) >> 160 & MASK_64
        influence = self._influence(model_id)
        data = calls.call("settle", job_id, *self._tokens(), self._hash(), self._hash(), influence)
        return data, self._attributor(model_id), 0

    def _cancel(self) -> tuple[bytes, int, int]:
        job_id = self._id(self._count(128))
        return calls.call("cancel", job_id), self.evm.storage(job_slot(job_id)) & MASK_160 or PEOPLE[0], 0

    def _some_datanets(self) -> list[int]:
        return [self._datanet() for _ in range(self.random.choice((0, 1, 1, 2, 4)))]

    def _harvest(self) -> tuple[bytes, int, int]:
        return calls.call("harvest", self._some_datanets(), calls.hexed(self._person())), self._person(), 0

    def _claim(self) -> tuple[bytes, int, int]:
        to = self.random.choice([*ACCOUNTS, 0xF0000 + self.random.randrange(2**32)])
        return calls.call("claim", self._some_datanets(), calls.hexed(to)), self._person(), 0

    def _claim_for(self) -> tuple[bytes, int, int]:
        account = self.random.choice(ACCOUNTS)
        return calls.call("claimFor", calls.hexed(account), self._some_datanets()), self._person(), 0

    def _view(self) -> tuple[bytes, int, int]:
        name = self.random.choice([method.name for method in METHODS if not method.mutates])
        arguments: dict[str, Any] = {
            "platform": (),
            "version": (),
            "datanet": (self._datanet(),),
            "member": (self._datanet(), calls.hexed(self._person())),
            "model": (self._model(),),
            "usage": (self._model(),),
            "quote": (self._model(), self.random.choice(EDGES[:5]), self.random.choice(EDGES[:5])),
            "nonces": (calls.hexed(self._person()),),
            "job": (self._job(),),
            "claimable": (calls.hexed(self._person()), self._some_datanets()),
        }
        return calls.call(name, *arguments[name]), self._person(), 0
