"""A6, A7, A11 to A14, A20: where the money goes, to the wei."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attribution_precompile import ADDRESS, DictHost, Revert, execute, explain, genesis_storage
from attribution_precompile.audit import owed_scaled
from attribution_precompile.layout import (
    COUNTS,
    MASK_96,
    MASK_160,
    MEMBERSHIP,
    POOL,
    USAGE,
    credit_slot,
    datanet_slot,
    member_slot,
    model_slot,
    nonce_slot,
)
from attribution_precompile.words import pack_member, pack_membership, pack_pool, unpack_membership, unpack_pool

from . import bytecode, calls
from .harness import ADMIN, CONTRACT, MODES, NATIVE, TREASURY, Evm, Result
from .scene import ATTRIBUTOR, CURATOR, FEE, MEMBERS, OWNER, PAYER, TUNER, VALID, build, signed
from .test_abi import word_widths
from .world import ACCOUNTS, EDGES, FORTUNE, PEOPLE, RECEIVER, REENTRANT, REFUSER, Actor

H = bytes(32)


@pytest.fixture(params=MODES)
def evm(request: pytest.FixtureRequest) -> Evm:
    return build(request.param)


def must(result: Result) -> Result:
    assert result.success, explain(result.output)
    return result


def refused(result: Result) -> str:
    assert not result.success
    return explain(result.output)


def claimable(evm: Evm, account: int, *datanets: int) -> int:
    data = calls.call("claimable", calls.hexed(account), list(datanets))
    amount: int = calls.result("claimable", must(evm.call(data, caller=1)).output)
    return amount


def test_one_inference_pays_everyone_down_the_lineage(evm: Evm) -> None:
    """Worked by hand: 5 % platform; model 2 gives 20 % to its owner, 10 % to model 1, 70 % to DataNet 2."""
    people = [TREASURY, TUNER, OWNER, *MEMBERS]
    before = [claimable(evm, account, 1, 2) for account in people]
    must(evm.call(calls.call("infer", 2, 0, 0, H, H), caller=PAYER, value=2_000_000))
    gained = [claimable(evm, account, 1, 2) - old for account, old in zip(people, before, strict=True)]
    # net 1,900,000: 380,000 to the tuner, 190,000 up the lineage, 1,330,000 to DataNet 2. Of the 190,000 model 1's
    # owner has 30 % and its data 133,000: 3/4 to DataNet 1 (10 and 20 units), the rest to DataNet 2.
    assert gained[:3] == [100_000, 380_000, 57_000]
    assert gained[3] == pytest.approx(99_750 / 3, abs=1)
    assert gained[4] == pytest.approx(99_750 * 2 / 3, abs=1)
    assert gained[5] == pytest.approx(1_330_000 + 33_250, abs=1)
    assert 2_000_000 - len(people) <= sum(gained) <= 2_000_000


def test_usage_counts_what_was_paid_to_the_model_itself(evm: Evm) -> None:
    must(evm.call(calls.call("infer", 2, 0, 0, H, H), caller=PAYER, value=FEE))
    one = calls.result("usage", evm.call(calls.call("usage", 1), caller=1).output)
    two = calls.result("usage", evm.call(calls.call("usage", 2), caller=1).output)
    assert one[:2] == (1, FEE)
    assert two[:3] == (2, 2 * FEE, evm.timestamp)


def test_influence_pays_members_directly_and_pools_by_weight(evm: Evm) -> None:
    words = [calls.influence_word(1, 1, MEMBERS[0]), calls.influence_word(1, 3, MEMBERS[1])]
    before = [claimable(evm, member) for member in MEMBERS]
    must(evm.call(calls.call("inferBatch", 1, 1, 0, 0, H, words), caller=ATTRIBUTOR, value=1_000_000))
    # net 950,000; 70 % of it is 665,000, of which the first has a quarter, floored, and the last the rest.
    gained = [claimable(evm, member) - old for member, old in zip(MEMBERS, before, strict=True)]
    assert gained == [166_250, 498_750, 0]


def test_a06_transfers_inference_and_claims_in_one_transaction(evm: Evm) -> None:
    robot, friend = 0xB0B, 0xF1E
    claim_own = calls.call("claim", [], calls.hexed(friend))
    script = [
        (friend, 1_000, b""),
        (ADDRESS, 0, calls.call("registerModel", calls.model_params([(1, 1)], split=(6000, 0, 4000)))),
        (ADDRESS, 100_000, calls.call("infer", 3, 0, 0, H, H)),
        (friend, 7, b""),
        (ADDRESS, 0, claim_own),
        (ADDRESS, 50_000, calls.call("infer", 3, 0, 0, H, H)),
        (ADDRESS, 0, claim_own),
        (ADDRESS, 30_000, calls.call("request", 3, H, evm.timestamp + 5)),
    ]
    evm.deploy(robot, bytecode.script(script))
    evm.fund(robot, 10**6)
    held, treasury = evm.balance(ADDRESS), claimable(evm, TREASURY)
    must(evm.call(b"", caller=PAYER, to=robot))
    # The plain ledger: 5 % of each fee to the treasury, 60 % of the rest to the robot, who sends it to the friend.
    earned = 57_000 + 28_500
    assert evm.balance(robot) == 10**6 - 1_000 - 100_000 - 7 - 50_000 - 30_000
    assert evm.balance(friend) == 1_000 + 7 + earned
    assert evm.balance(ADDRESS) == held + 180_000 - earned
    assert claimable(evm, TREASURY) == treasury + 7_500
    assert claimable(evm, robot) == 0


def with_word(data: bytes, position: int, value: int) -> bytes:
    return data[:position] + value.to_bytes(32, "big") + data[position + 32 :]


@pytest.mark.parametrize("edge", [0, 2**64, 2**96, 2**128, 2**255, 2**256 - 1])
def test_a07_words_too_wide_are_malformed(evm: Evm, edge: int) -> None:
    """Every argument of every method, one above its type's range (edge 0) and at the great edges."""
    for name, call in VALID.items():
        for position, bits in word_widths(name):
            value = edge or 1 << bits
            if bits < 256 and value >> bits:
                result = evm.call(with_word(call.data, position, value), caller=call.caller, value=call.value)
                assert refused(result) == "MalformedInput()", (name, position)


def test_a07_the_widest_words_are_not_malformed(evm: Evm) -> None:
    """Arguments with all bits set are decoded. They may be refused for another reason."""
    for name, call in VALID.items():
        for position, bits in word_widths(name):
            data = with_word(call.data, position, (1 << bits) - 1)
            result = evm.copy().call(data, caller=call.caller, value=call.value)
            assert result.success or explain(result.output) not in ("MalformedInput()", "0x"), (name, position)


def test_a07_units_at_their_bound(evm: Evm) -> None:
    whole = 2**96 - 1
    must(evm.call(calls.call("setUnits", 2, calls.hexed(MEMBERS[2]), whole), caller=CURATOR))
    another = calls.call("contribute", 2, [(calls.hexed(MEMBERS[0]), 1, b"\x99" * 32)])
    assert refused(evm.call(another, caller=CURATOR)) == "AmountOverflow()"
    more = calls.call("setUnits", 2, calls.hexed(MEMBERS[0]), 1)
    assert refused(evm.call(more, caller=CURATOR)) == "AmountOverflow()"
    before = claimable(evm, MEMBERS[2], 2)
    must(evm.call(calls.call("infer", 2, 0, 0, H, H), caller=PAYER, value=FEE))
    # 70 % of 95 % from model 2, and the quarter of model 1's 70 % of its 9.5 % share.
    expected = FEE * 95 // 100 * 70 // 100 + FEE * 95 // 1000 * 70 // 100 // 4
    # 2^96 units leave at most 2^96 of remainder, in 2^-64 wei: it waits in the pool.
    assert expected - 2**32 <= claimable(evm, MEMBERS[2], 2) - before <= expected
    assert audit(evm) == evm.balance(ADDRESS) << 64


def test_a07_fees_at_their_bound(evm: Evm) -> None:
    evm.fund(PAYER, 2**129)
    for datanet_id, member in ((1, MEMBERS[0]), (2, MEMBERS[2])):
        must(evm.call(calls.call("setUnits", datanet_id, calls.hexed(member), 2**64), caller=CURATOR))
    infer = calls.call("infer", 1, 0, 0, H, H)
    for fee in (2**128, 2**128 + 1):
        assert refused(evm.call(infer, caller=PAYER, value=fee)) == "AmountOverflow()"
        request = calls.call("request", 1, H, evm.timestamp + 9)
        assert refused(evm.call(request, caller=PAYER, value=fee)) == "AmountOverflow()"
    # The model has had FEE already: its revenue would not fit.
    assert refused(evm.call(infer, caller=PAYER, value=2**128 - 1)) == "AmountOverflow()"
    largest = 2**128 - 1 - FEE
    owner = claimable(evm, OWNER)
    must(evm.call(infer, caller=PAYER, value=largest))
    assert claimable(evm, OWNER) - owner == (largest - largest * 500 // 10_000) * 3000 // 10_000


def test_a07_acc_never_wraps(evm: Evm) -> None:
    data = calls.call("infer", 2, 0, 0, H, H)
    evm.fund(PAYER, 2**128)
    assert refused(evm.call(data, caller=PAYER, value=2**127)) == "AmountOverflow()", "2^191 / 30 is above 2^160"
    pool = datanet_slot(2) + POOL
    evm.set_storage({pool: 2**160 - 1, member_slot(2, MEMBERS[2]): 30 << 160 | (2**160 - 1)})
    assert refused(evm.call(data, caller=PAYER, value=FEE)) == "AmountOverflow()"


@pytest.mark.parametrize(
    ("slots", "name"),
    [
        ({COUNTS: 2**64 - 1}, "createDatanet"),
        ({COUNTS: (2**64 - 1) << 64 | 2}, "registerModel"),
        ({COUNTS: (2**64 - 1) << 128}, "request"),
        ({model_slot(1) + USAGE: 2**64 - 1}, "infer"),
        ({credit_slot(OWNER): 2**256 - 1}, "infer"),
    ],
)
def test_a07_counters_and_credits_never_wrap(evm: Evm, slots: dict[int, int], name: str) -> None:
    evm.set_storage(slots)
    call = VALID[name]
    assert refused(evm.call(call.data, caller=call.caller, value=call.value)) == "AmountOverflow()"


def test_a07_the_last_nonce_is_never_used(evm: Evm) -> None:
    evm.set_storage({nonce_slot(PAYER): 2**64 - 1})
    assert refused(evm.call(signed(2**64 - 1), caller=PAYER, value=FEE)) == "AmountOverflow()"


def word(datanet_id: int, weight: int, contributor: int = 0) -> int:
    return calls.influence_word(datanet_id, weight, contributor)


@pytest.mark.parametrize(
    "influence",
    [
        pytest.param([word(1, 1), word(1, 1)], id="duplicate pool"),
        pytest.param([word(1, 1, MEMBERS[0]), word(1, 1, MEMBERS[0])], id="duplicate member"),
        pytest.param([word(2, 1), word(1, 1)], id="unsorted DataNets"),
        pytest.param([word(1, 1, MEMBERS[1]), word(1, 1, MEMBERS[0])], id="unsorted members"),
        pytest.param([word(1, 1, MEMBERS[0]), word(1, 9)], id="pool after member"),
        pytest.param([word(1, 0)], id="zero weight"),
        pytest.param([word(1, 0), word(2, 0)], id="zero sum"),
        pytest.param([word(1, 1), word(2, 0)], id="one zero weight"),
        pytest.param([word(3, 1)], id="foreign DataNet"),
        pytest.param([word(0, 1)], id="no DataNet"),
        pytest.param([word(2**64 - 1, 1)], id="last DataNet"),
        pytest.param([word(1, 1), word(3, 1)], id="foreign after own"),
        pytest.param([word(1, 1, MEMBERS[2])], id="member of another DataNet"),
        pytest.param([word(1, 1, 0xBAD)], id="nobody"),
    ],
)
def test_a11_invalid_influence(evm: Evm, influence: list[int]) -> None:
    must(evm.call(calls.call("createDatanet", H), caller=CURATOR))
    root = evm.storage_root()
    data = calls.call("inferBatch", 1, 1, 0, 0, H, influence)
    assert refused(evm.call(data, caller=ATTRIBUTOR, value=FEE)) == "InvalidWeights()"
    settle = calls.call("settle", 1, 0, 0, H, H, influence)
    assert refused(evm.call(settle, caller=ATTRIBUTOR)) == "InvalidWeights()"
    assert evm.storage_root() == root


def test_a11_a_member_whose_units_were_taken_is_no_member(evm: Evm) -> None:
    must(evm.call(calls.call("setUnits", 1, calls.hexed(MEMBERS[0]), 0), caller=CURATOR))
    data = calls.call("inferBatch", 1, 1, 0, 0, H, [word(1, 1, MEMBERS[0])])
    assert refused(evm.call(data, caller=ATTRIBUTOR, value=FEE)) == "InvalidWeights()"


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ([], "InvalidWeights()"),
        ([(1, 0)], "InvalidWeights()"),
        ([(1, 0), (2, 0)], "InvalidWeights()"),
        ([(1, 1), (1, 1)], "InvalidWeights()"),
        ([(2, 1), (1, 1)], "InvalidWeights()"),
        ([(0, 1)], "InvalidWeights()"),
        ([(3, 1)], "UnknownDatanet(3)"),
        ([(i, 1) for i in range(1, 34)], "TooMany(33, 32)"),
    ],
)
def test_a11_invalid_default_weights(evm: Evm, weights: list[tuple[int, int]], reason: str) -> None:
    data = calls.call("registerModel", calls.model_params(weights))
    assert refused(evm.call(data, caller=OWNER)) == reason


def test_thirty_two_entries_are_the_most(evm: Evm) -> None:
    for _ in range(30):
        must(evm.call(calls.call("createDatanet", H), caller=CURATOR))
    weights = [(i, i) for i in range(1, 33)]
    must(evm.call(calls.call("registerModel", calls.model_params(weights)), caller=ATTRIBUTOR))
    stored = calls.result("model", evm.call(calls.call("model", 3), caller=1).output)
    assert list(stored[6]) == weights
    fits = [word(i, 1) for i in range(1, 33)]
    must(evm.call(calls.call("inferBatch", 3, 1, 0, 0, H, fits), caller=ATTRIBUTOR, value=FEE))
    must(evm.call(calls.call("infer", 3, 0, 0, H, H), caller=PAYER, value=FEE))
    over = calls.call("inferBatch", 3, 1, 0, 0, H, [*fits, word(33, 1)])
    assert refused(evm.call(over, caller=ATTRIBUTOR, value=FEE)) == "TooMany(33, 32)"


@pytest.mark.parametrize("name", ["inferAttested", "inferBatch", "settle"])
def test_an_influence_of_33_is_too_many_before_anything_else(evm: Evm, name: str) -> None:
    words = [word(i, 1) for i in range(1, 34)]
    data = {
        "inferAttested": signed(0, words),
        "inferBatch": calls.call("inferBatch", 99, 1, 0, 0, H, words),
        "settle": calls.call("settle", 99, 0, 0, H, H, words),
    }[name]
    assert refused(evm.call(data, caller=1)) == "TooMany(33, 32)"


@pytest.mark.parametrize(
    ("split", "base"),
    [((10_000, 0, 1), 0), ((9_999, 0, 0), 0), ((5_000, 1, 4_999), 0), ((65_535, 0, 0), 0), ((0, 0, 0), 1)],
)
def test_invalid_splits(evm: Evm, split: tuple[int, int, int], base: int) -> None:
    data = calls.call("registerModel", calls.model_params([(1, 1)], split=split, base=base))
    assert refused(evm.call(data, caller=OWNER)) == "InvalidSplit()"


def test_lineage_has_at_most_four_ancestors(evm: Evm) -> None:
    for base in (2, 3, 4):
        data = calls.call("registerModel", calls.model_params([(1, 1)], split=(0, 10_000, 0), base=base))
        must(evm.call(data, caller=OWNER))
    deeper = calls.call("registerModel", calls.model_params([(1, 1)], split=(0, 10_000, 0), base=5))
    assert refused(evm.call(deeper, caller=OWNER)) == "LineageTooDeep(5, 4)"
    unknown = calls.call("registerModel", calls.model_params([(1, 1)], base=6))
    assert refused(evm.call(unknown, caller=OWNER)) == "UnknownModel(6)"
    # Three models that pass everything on: what the fifth is paid arrives at the second.
    before = claimable(evm, TUNER)
    must(evm.call(calls.call("infer", 5, 0, 0, H, H), caller=PAYER, value=100_000))
    assert claimable(evm, TUNER) - before == 95_000 * 2000 // 10_000


def test_a12_no_units_all_removed_and_added_again(evm: Evm) -> None:
    member = calls.hexed(MEMBERS[2])
    infer = calls.call("infer", 2, 0, 0, H, H)
    earned = claimable(evm, MEMBERS[2], 2)
    must(evm.call(calls.call("setUnits", 2, member, 0), caller=CURATOR))
    assert claimable(evm, MEMBERS[2], 2) == earned, "earned money stays earned"
    state = calls.result("datanet", evm.call(calls.call("datanet", 2), caller=1).output)
    assert state[2:] == (0, 0, 1)
    tuner, owner = claimable(evm, TUNER), claimable(evm, OWNER)
    must(evm.call(infer, caller=PAYER, value=100_000))
    # 95,000 net: the tuner has 20 %, and the 70 % of a pool without units; model 1's owner likewise of its 9,500.
    assert claimable(evm, TUNER) - tuner == 19_000 + 66_500
    assert claimable(evm, OWNER) - owner == 2_850 + (6_650 - 6_650 * 3 // 4)
    must(evm.call(calls.call("setUnits", 2, member, 5), caller=CURATOR))
    assert claimable(evm, MEMBERS[2], 2) == earned, "units added later earn nothing from before"
    must(evm.call(infer, caller=PAYER, value=100_000))
    gained = claimable(evm, MEMBERS[2], 2) - earned
    assert 66_500 + 1_662 <= gained <= 66_500 + 1_664
    assert audit(evm) == evm.balance(ADDRESS) << 64


def audit(evm: Evm) -> int:
    return owed_scaled(
        evm.storage,
        [*ACCOUNTS, *MEMBERS, CURATOR, OWNER, TUNER, PAYER, ATTRIBUTOR, *[e for e in EDGES if e <= MASK_160]],
    )


def dict_world(members: int, units: int = 1, bps: int = 0) -> DictHost:
    """A DictHost with one DataNet of that many members and one model that passes all to it."""
    host = DictHost(storage=genesis_storage(ADMIN, TREASURY, bps))
    host.balances[PAYER] = 10**40
    do(host, calls.call("createDatanet", H), CURATOR)
    for first in range(0, members, 500):
        ids = range(first, min(first + 500, members))
        rows = [(calls.hexed(2**80 + i), units, i.to_bytes(32, "big")) for i in ids]
        do(host, calls.call("contribute", 1, rows), CURATOR)
    do(host, calls.call("registerModel", calls.model_params([(1, 1)], split=(0, 0, 10_000), price=(0, 0, 0))), OWNER)
    return host


def do(host: DictHost, data: bytes, caller: int, value: int = 0) -> int:
    host.begin()
    result = host.call(data, caller=caller, value=value, gas=10**10)
    assert result.success, explain(result.output)
    return result.gas_used


def test_a13_dust_of_many_small_payments() -> None:
    """20,000 payments of at most 1,000 wei, 2.5e19 units: what members can claim is short by at most 64 wei."""
    members = 25
    host = dict_world(members, units=10**18)
    random = Random(13)
    data = calls.call("infer", 1, 0, 0, H, H)
    paid = 0
    for i in range(20_000):
        fee = random.randrange(1, 1_001)
        do(host, data, PAYER, fee)
        paid += fee
        if i % 1_000 == 999:
            do(host, calls.call("harvest", [1], calls.hexed(2**80 + i // 1_000)), PAYER)
    for i in range(members):
        do(host, calls.call("harvest", [1], calls.hexed(2**80 + i)), PAYER)
    credited = sum(host.storage.get(credit_slot(2**80 + i), 0) for i in range(members))
    assert paid - 64 <= credited <= paid
    # Not even the dust is lost: it is in the pool, to the 2^-64 wei.
    assert owed_scaled(lambda slot: host.storage.get(slot, 0), range(2**80, 2**80 + members)) == paid << 64


def test_a13_dust_in_either_mode(evm: Evm) -> None:
    """Through the EVM: 100 payments over two members and a pool of an odd number of units."""
    units = 12_500_000_000_000_000_001
    rows = [(calls.hexed(MEMBERS[i]), units + i, bytes([0x40 + i]) * 32) for i in range(2)]
    must(evm.call(calls.call("createDatanet", H), caller=CURATOR))
    must(evm.call(calls.call("contribute", 3, rows), caller=CURATOR))
    free = calls.model_params([(3, 1)], split=(0, 0, 10_000), price=(0, 0, 0))
    must(evm.call(calls.call("registerModel", free), caller=OWNER))
    must(evm.call(calls.call("setPlatform", calls.hexed(ADMIN), calls.hexed(TREASURY), 0), caller=ADMIN))
    random = Random(13)
    before = sum(claimable(evm, member, 3) for member in MEMBERS[:2])
    paid = 0
    for _ in range(100):
        fee = random.randrange(1, 1_001)
        must(evm.call(calls.call("infer", 3, 0, 0, H, H), caller=PAYER, value=fee))
        paid += fee
    credited = sum(claimable(evm, member, 3) for member in MEMBERS[:2]) - before
    assert paid - 64 <= credited <= paid


SEQUENCES = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@settings(SEQUENCES, max_examples=15)
@given(seed=st.integers(0, 2**64 - 1), steps=st.integers(110, 130))
def test_a14_conservation(seed: int, steps: int) -> None:
    """After any sequence the balance is what is owed, exactly: no wei, nor 2^-64 of one, comes or goes."""
    assert_conserved(NATIVE, seed, steps)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@settings(SEQUENCES, max_examples=300)
@given(seed=st.integers(0, 2**64 - 1), steps=st.integers(110, 130))
def test_a14_conservation_in_many_sequences(seed: int, steps: int) -> None:
    assert_conserved(NATIVE, seed, steps)


@settings(SEQUENCES, max_examples=4)
@given(seed=st.integers(0, 2**64 - 1), steps=st.integers(110, 130))
def test_a14_conservation_of_the_twin(seed: int, steps: int) -> None:
    assert_conserved(CONTRACT, seed, steps)


def assert_conserved(mode: str, seed: int, steps: int) -> None:
    evm = Evm(mode)
    for person in (*PEOPLE, ADMIN):
        evm.fund(person, FORTUNE)
    evm.deploy(REFUSER, bytecode.refuser())
    evm.deploy(RECEIVER, bytecode.receiver())
    evm.deploy(REENTRANT, bytecode.reentrant(ADDRESS, calls.METHOD["version"].selector))
    actor = Actor(Random(seed), evm)
    for index in range(steps):
        step = actor.step()
        evm.advance(step.seconds)
        evm.call(step.data, caller=step.caller, value=step.value, static=step.static)
        if index % 10 == 0:
            assert audit(evm) == evm.balance(ADDRESS) << 64
    assert audit(evm) == evm.balance(ADDRESS) << 64


def test_a14_forced_wei_belongs_to_nobody(evm: Evm) -> None:
    evm.fund(ADDRESS, evm.balance(ADDRESS) + 12345)
    before = audit(evm)
    must(evm.call(calls.call("infer", 1, 0, 0, H, H), caller=PAYER, value=FEE))
    assert audit(evm) == before + (FEE << 64)
    assert audit(evm) + (12345 << 64) == evm.balance(ADDRESS) << 64


def test_a_remainder_that_would_not_fit_is_shared_at_once(evm: Evm) -> None:
    """No settlement is refused for want of room: 96 bits of remainder are divided among the units first."""
    pool = datanet_slot(1) + POOL
    acc = (evm.storage(pool) & MASK_160) + 1
    evm.set_storage({pool: pack_pool(acc, MASK_96)})
    must(evm.call(calls.call("harvest", [1], calls.hexed(MEMBERS[0])), caller=1))
    after = evm.storage(pool)
    assert unpack_pool(after)[1] < 30
    assert after & MASK_160 > acc


@pytest.mark.parametrize("many", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a20_gas_does_not_grow_with_members(many: int) -> None:
    data = calls.call("infer", 1, 0, 0, H, H)
    costs = []
    for members in (1, many):
        host = dict_world(members, bps=500)
        do(host, data, PAYER, 10**18)
        costs.append(do(host, data, PAYER, 10**18))
        host.begin()
        host.enter(PAYER, 10**18, 10**7)
        execute(host, data)
        assert 10**7 - host.gas == costs[-1]
    assert costs[0] == costs[1]


def test_a20_the_same_in_either_mode(evm: Evm) -> None:
    """The twin's gas too: a pool is two slots, however many members it says it has."""
    few, many = evm.copy(), evm.copy()
    membership = datanet_slot(1) + MEMBERSHIP
    word = evm.storage(membership)
    assert unpack_membership(word)[1] == 2
    slots = {member_slot(1, 2**80 + i): pack_member(0, 1) for i in range(1_000)}
    many.set_storage({**slots, membership: word + pack_membership(1_000, 1_000, 0)})
    costs = []
    for machine in (few, many):
        for call in (VALID["infer"], VALID["inferBatch"], VALID["inferCompact"]):
            costs.append(must(machine.call(call.data, caller=call.caller, value=call.value)).gas)
    assert costs[:3] == costs[3:]


def test_a_direct_frame_reverts_by_exception() -> None:
    host = dict_world(1)
    host.begin()
    host.enter(PAYER, 1, 10**6)
    with pytest.raises(Revert, match="UnknownModel"):
        execute(host, calls.call("infer", 9, 0, 0, H, H))
