"""A16, A17: paying money out, to any receiver, whatever it does then."""

import pytest

from attribution_precompile import ADDRESS, METHODS, DictHost, explain, genesis_storage
from attribution_precompile.errors import REENTRANCY
from attribution_precompile.layout import PLATFORM, credit_slot

from . import bytecode, calls
from .harness import ADMIN, CONTRACT, MODES, NATIVE, TREASURY, Evm
from .scene import MEMBERS, OWNER, VALID, build

NOBODY, FRIEND, HELPER = 0xDEAD1, 0xF41E, 0xC0DE
MUTATORS = [method.name for method in METHODS if method.mutates]


@pytest.fixture(params=MODES)
def evm(request: pytest.FixtureRequest) -> Evm:
    return build(request.param)


def claim_to(recipient: int) -> bytes:
    return calls.call("claim", [], calls.hexed(recipient))


def test_a16_gas_to_new_funded_and_own_accounts(evm: Evm) -> None:
    """2,600 to reach a cold account, 9,000 for the value less the stipend that comes back, 25,000 to create it."""
    evm.fund(FRIEND, 1)
    copies = {name: evm.copy() for name in ("new", "funded", "own")}
    new = copies["new"].call(claim_to(NOBODY), caller=OWNER)
    funded = copies["funded"].call(claim_to(FRIEND), caller=OWNER)
    # The caller of a transaction is warm from its start.
    own = copies["own"].call(claim_to(OWNER), caller=OWNER)
    assert new.success
    assert funded.success
    assert own.success
    assert new.gas - funded.gas == 25_000
    assert funded.gas - own.gas == 2_500
    amount = calls.result("claim", new.output)
    assert copies["new"].balance(NOBODY) == amount
    assert copies["funded"].balance(FRIEND) == amount + 1
    assert evm.balance(ADDRESS) - copies["new"].balance(ADDRESS) == amount


def test_a16_a_contract_that_takes_money_runs_on_the_stipend(evm: Evm) -> None:
    evm.deploy(HELPER, bytecode.receiver())
    evm.deploy(FRIEND, b"\x00")
    other = evm.copy()
    logged = evm.call(claim_to(HELPER), caller=OWNER)
    silent = other.call(claim_to(FRIEND), caller=OWNER)
    assert logged.success
    assert [log[0][-2:] for log in logged.logs][-1] == HELPER.to_bytes(2, "big")
    assert logged.gas - silent.gas == 375 + 2 * 3


@pytest.mark.parametrize("recipient", ["refuser", "greedy", "precompile"])
def test_a16_a_failed_payout_changes_nothing(evm: Evm, recipient: str) -> None:
    evm.deploy(HELPER, bytecode.refuser())
    # 2,300 gas are not enough to store anything.
    evm.deploy(FRIEND, bytecode.assemble(bytecode.push(1), bytecode.push(0), bytecode.SSTORE))
    to = {"refuser": HELPER, "greedy": FRIEND, "precompile": ADDRESS}[recipient]
    before = evm.storage_root(), evm.balance(ADDRESS), evm.balance(to)
    result = evm.call(claim_to(to), caller=OWNER)
    assert explain(result.output) == "PayoutFailed()"
    assert result.logs == ()
    assert (evm.storage_root(), evm.balance(ADDRESS), evm.balance(to)) == before
    harvested = evm.call(calls.call("claim", [1], calls.hexed(to)), caller=MEMBERS[0])
    assert explain(harvested.output) == "PayoutFailed()"
    assert evm.storage_root() == before[0], "what was harvested on the way is back in the pool"


def test_a16_a_payout_the_account_cannot_cover_fails(evm: Evm) -> None:
    evm.set_storage({credit_slot(OWNER): evm.balance(ADDRESS) + 1})
    assert explain(evm.call(claim_to(FRIEND), caller=OWNER).output) == "PayoutFailed()"


def test_claims_of_nothing_and_to_nobody(evm: Evm) -> None:
    assert explain(evm.call(claim_to(FRIEND), caller=FRIEND).output) == "NothingToClaim()"
    assert explain(evm.call(claim_to(0), caller=OWNER).output) == "InvalidAddress()"
    assert explain(evm.call(calls.call("claimFor", calls.hexed(0), []), caller=OWNER).output) == "InvalidAddress()"


def test_claim_for_pays_only_the_account_itself(evm: Evm) -> None:
    amount = calls.result("claimable", evm.call(calls.call("claimable", calls.hexed(MEMBERS[0]), [1]), caller=1).output)
    result = evm.call(calls.call("claimFor", calls.hexed(MEMBERS[0]), [1, 1]), caller=FRIEND)
    assert calls.result("claimFor", result.output) == amount
    assert evm.balance(MEMBERS[0]) == amount
    assert evm.balance(FRIEND) == 0


@pytest.mark.parametrize("name", MUTATORS)
def test_a17_reentry_is_refused(name: str) -> None:
    """Every mutator, from within the payout, on the stipend: the recipient logs the answer."""
    evm = build(NATIVE)
    evm.deploy(HELPER, bytecode.reentrant(ADDRESS, VALID[name].data))
    result = evm.call(claim_to(HELPER), caller=OWNER)
    assert result.success
    assert result.logs[-1][2] == REENTRANCY.selector
    assert evm.storage(PLATFORM) >> 176 == 0, "the lock is off again"
    assert evm.call(VALID["createDatanet"].data, caller=1).success


@pytest.mark.parametrize("name", ["createDatanet", "inferCompact", "infer", "cancel", "setAttributor"])
def test_a17_reentry_is_refused_by_the_twin(name: str) -> None:
    """These calls are decoded within the stipend, so the twin refuses them. The others run out of gas before that."""
    evm = build(CONTRACT)
    evm.deploy(HELPER, bytecode.reentrant(ADDRESS, VALID[name].data))
    result = evm.call(claim_to(HELPER), caller=OWNER)
    assert result.success
    assert result.logs[-1][2] == REENTRANCY.selector


@pytest.mark.parametrize("name", MUTATORS)
def test_a17_reentry_has_no_effect(evm: Evm, name: str) -> None:
    """Either the recipient only has the money, or it ran out of gas trying, and the payout failed as a whole."""
    before = evm.storage_root(), evm.balance(ADDRESS)
    quiet = evm.copy()
    quiet.deploy(HELPER, bytecode.receiver())
    assert quiet.call(claim_to(HELPER), caller=OWNER).success
    evm.deploy(HELPER, bytecode.reentrant(ADDRESS, VALID[name].data))
    result = evm.call(claim_to(HELPER), caller=OWNER)
    if result.success:
        assert result.logs[-1][2] == REENTRANCY.selector
        assert (evm.storage_root(), evm.balance(HELPER)) == (quiet.storage_root(), quiet.balance(HELPER))
    else:
        assert evm.mode == CONTRACT
        assert explain(result.output) == "PayoutFailed()"
        assert (evm.storage_root(), evm.balance(ADDRESS)) == before


def test_a17_a_view_may_be_called_from_within_a_payout(evm: Evm) -> None:
    evm.deploy(HELPER, bytecode.reentrant(ADDRESS, calls.call("version")))
    result = evm.call(claim_to(HELPER), caller=OWNER)
    assert result.logs[-1][2] == bytes(4)


def dict_host() -> DictHost:
    host = DictHost(storage=genesis_storage(ADMIN, TREASURY, 500) | {credit_slot(OWNER): 10**9})
    host.balances[ADDRESS] = 10**9
    return host


def test_dict_host_receivers_stand_for_contracts() -> None:
    told: list[bytes] = []

    def greedy(host: DictHost, amount: int) -> bool:
        told.append(host.call(claim_to(HELPER), caller=HELPER, gas=2_300).output)
        return amount == 10**9

    host = dict_host()
    host.receivers[HELPER] = greedy
    host.begin()
    result = host.call(claim_to(HELPER), caller=OWNER)
    assert result.success
    assert told == [REENTRANCY.selector]
    assert host.balances[HELPER] == 10**9
    assert host.balance == 0

    host = dict_host()
    host.receivers[HELPER] = lambda host, amount: False
    host.begin()
    before = dict(host.storage)
    assert explain(host.call(claim_to(HELPER), caller=OWNER).output) == "PayoutFailed()"
    assert {slot: word for slot, word in host.storage.items() if word} == before
    assert host.balance == 10**9
    assert host.logs == []


@pytest.mark.parametrize("recipient", [NOBODY, FRIEND, OWNER, ADDRESS])
def test_dict_host_charges_what_the_evm_does(recipient: int) -> None:
    evm = Evm(NATIVE)
    evm.set_storage({credit_slot(OWNER): 10**9})
    evm.fund(ADDRESS, 10**9)
    evm.fund(FRIEND, 5)
    host = dict_host()
    host.balances[FRIEND] = 5
    host.begin()
    host._warm_accounts.add(OWNER)
    one = host.call(claim_to(recipient), caller=OWNER, gas=10**6)
    two = evm.call(claim_to(recipient), caller=OWNER, gas=10**6)
    assert (one.success, one.output, one.gas_used, one.refund) == (two.success, two.output, two.gas, two.refund)


def test_dict_host_runs_out_of_gas_and_money() -> None:
    host = dict_host()
    host.begin()
    full = host.call(claim_to(FRIEND), caller=OWNER)
    assert full.success
    for gas in range(0, full.gas_used, 97):
        host = dict_host()
        host.begin()
        short = host.call(claim_to(FRIEND), caller=OWNER, gas=gas)
        assert (short.success, short.output, short.gas_used) == (False, b"", gas)
        assert host.balance == 10**9
        assert host._warm == set()
    poor = host.call(VALID["infer"].data, caller=0xB00, value=1)
    assert (poor.success, poor.output) == (False, b"")
