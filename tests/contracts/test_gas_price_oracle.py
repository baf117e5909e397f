"""GasPriceOracle against other clients' fee cases and against the official contract's bytecode."""

import random
from typing import Any

import pytest

from rollup.execution.genesis import L2GenesisParams, build_l2_alloc
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.predeploys import DEPOSITOR_ACCOUNT, GAS_PRICE_ORACLE, L1_BLOCK
from tests.contracts.evm import ANYONE, Evm, Reverted, selector
from tests.contracts.official import creation_code
from tests.vector_files import load

OFFICIAL = bytes.fromhex("0f" * 20)
FLAGS = ("Ecotone", "Fjord", "Isthmus", "Jovian")
VIEWS = (
    "gasPrice()(uint256)",
    "baseFee()(uint256)",
    "l1BaseFee()(uint256)",
    "blobBaseFee()(uint256)",
    "baseFeeScalar()(uint32)",
    "blobBaseFeeScalar()(uint32)",
    "decimals()(uint256)",
    "DECIMALS()(uint256)",
    *(f"is{flag}()(bool)" for flag in FLAGS),
)


def oracle(fork: Fork) -> Evm:
    params = L2GenesisParams(timestamp=1, forks=ForkSchedule.all_at(fork))
    return Evm().load(build_l2_alloc(params))


def set_attributes(evm: Evm, **values: int) -> None:
    """Writes L1Block's slots as the L1 attributes transaction would."""
    state = evm.state
    state.set_storage(L1_BLOCK, 1, values.get("l1_base_fee", 0))
    scalars = values.get("base_fee_scalar", 0) << 96 | values.get("blob_base_fee_scalar", 0) << 64
    state.set_storage(L1_BLOCK, 3, scalars)
    state.set_storage(L1_BLOCK, 5, values.get("overhead", 0))
    state.set_storage(L1_BLOCK, 6, values.get("scalar", 0))
    state.set_storage(L1_BLOCK, 7, values.get("blob_base_fee", 0))
    state.set_storage(L1_BLOCK, 8, values.get("operator_fee_scalar", 0) << 64 | values.get("operator_fee_constant", 0))


def with_official(fork: Fork) -> Evm:
    evm = oracle(fork)
    evm.deploy(creation_code("jovian", "Jovian: Gas Price Oracle Deployment"), OFFICIAL)
    for flag in FLAGS:
        if fork >= Fork[flag.upper()]:
            evm.call(OFFICIAL, f"set{flag}()", sender=DEPOSITOR_ACCOUNT)
    return evm


def outcome(evm: Evm, address: bytes, function: str, *arguments: Any) -> Any:
    try:
        return evm.call(address, function, *arguments)
    except Reverted as refusal:
        return refusal.data


def inputs(rng: random.Random) -> list[bytes]:
    """Data of every kind of compressibility, with repeats near and far."""
    words = [rng.randbytes(rng.randrange(1, 40)) for _ in range(8)]
    texts = [b"".join(rng.choice(words) for _ in range(rng.randrange(60))) for _ in range(12)]
    sizes = (0, 1, 2, 12, 13, 14, 15, 16, 100, 255, 256, 400, 2000)
    noise = [rng.randbytes(size) for size in sizes]
    runs = [bytes([rng.randrange(3)]) * size for size in (*sizes, 263, 264, 265, 270, 525, 526, 527)]
    far = rng.randbytes(600)
    return [*texts, *noise, *runs, far + bytes(9000) + far]


@pytest.mark.parametrize("fork", [Fork.BEDROCK, Fork.ECOTONE, Fork.FJORD, Fork.ISTHMUS, Fork.JOVIAN])
def test_every_view_equals_the_official_contract(fork: Fork) -> None:
    # spec: oracle.overhead-ignored
    evm = with_official(fork)
    rng = random.Random(fork)
    for round_ in range(2):
        set_attributes(
            evm,
            l1_base_fee=rng.randrange(10**12),
            blob_base_fee=rng.randrange(10**12),
            base_fee_scalar=rng.randrange(2**28),  # the official contract panics above: it multiplies by 16 in uint32
            blob_base_fee_scalar=rng.randrange(2**32),
            overhead=rng.randrange(10**4),
            scalar=rng.randrange(10**7),
            operator_fee_scalar=rng.randrange(2**32),
            operator_fee_constant=rng.randrange(2**64),
        )
        for view in (*VIEWS, "overhead()(uint256)", "scalar()(uint256)"):
            assert outcome(evm, GAS_PRICE_ORACLE, view) == outcome(evm, OFFICIAL, view), view
        for data in inputs(rng)[round_::2]:
            for view in ("getL1Fee(bytes)(uint256)", "getL1GasUsed(bytes)(uint256)"):
                assert outcome(evm, GAS_PRICE_ORACLE, view, data) == outcome(evm, OFFICIAL, view, data), (view, data)
        for number in (0, 1, 100, 21_000, 10**9, 2**128, 2**255, 2**256 - 1):
            for view in ("getOperatorFee(uint256)(uint256)", "getL1FeeUpperBound(uint256)(uint256)"):
                ours, theirs = (outcome(evm, a, view, number) for a in (GAS_PRICE_ORACLE, OFFICIAL))
                assert ours == theirs, (view, number)


def test_fjord_fees_follow_from_the_fastlz_lengths_other_clients_assert() -> None:
    evm = oracle(Fork.JOVIAN)
    set_attributes(evm, l1_base_fee=10**9, base_fee_scalar=10**6)
    for case in load("fees", "fastlz")["cases"]:
        repeat = case.get("input_repeat")
        data = bytes.fromhex((repeat["byte"] * repeat["count"]).replace("0x", "") if repeat else case["input"][2:])
        size = max(100 * 10**6, -42_585_600 + 836_500 * (case["expected_fastlz_len"] + 68))
        assert evm.call(GAS_PRICE_ORACLE, "getL1GasUsed(bytes)(uint256)", data) == size * 16 // 10**6
        assert evm.call(GAS_PRICE_ORACLE, "getL1Fee(bytes)(uint256)", data) == size * 16 * 10**15 // 10**12


def test_operator_fee_cases_of_other_clients() -> None:
    # spec: jovian.operator-fee
    checked = 0
    for case in load("fees", "l1_cost")["cases"]:
        if case["name"] == "operator fee isthmus":
            evm = oracle(Fork.ISTHMUS)
            set_attributes(evm, **case["params"])
            # op-geth rollup_cost_test.go charges for 1,618 gas.
            found = evm.call(GAS_PRICE_ORACLE, "getOperatorFee(uint256)(uint256)", 1618)
            assert found == case["expected"]["operator_fee"]
            checked += 1
    assert checked == 1


def test_a_flag_is_set_once_in_order_by_the_depositor_alone() -> None:
    # spec: oracle.set-isthmus
    evm = oracle(Fork.BEDROCK)
    for position, flag in enumerate(FLAGS):
        with pytest.raises(Reverted) as refusal:
            evm.call(GAS_PRICE_ORACLE, f"set{flag}()", sender=ANYONE)
        assert f"only the depositor account can set is{flag} flag" in refusal.value.reason
        for later in FLAGS[position + 1 :]:
            with pytest.raises(Reverted):
                evm.send(GAS_PRICE_ORACLE, selector(f"set{later}()"), sender=DEPOSITOR_ACCOUNT)
        evm.call(GAS_PRICE_ORACLE, f"set{flag}()", sender=DEPOSITOR_ACCOUNT)
        assert evm.call(GAS_PRICE_ORACLE, f"is{flag}()(bool)") is True
        with pytest.raises(Reverted) as refusal:
            evm.call(GAS_PRICE_ORACLE, f"set{flag}()", sender=DEPOSITOR_ACCOUNT)
        assert refusal.value.reason == f"GasPriceOracle: {flag} already active"
