"""States no sequence of calls can reach, but eth_call's overrides can (A19): each ends in its typed error."""

import pytest

from attribution_precompile import DictHost, explain, genesis_storage
from attribution_precompile.layout import (
    COUNTS,
    MASK_96,
    MEMBERSHIP,
    PLATFORM,
    PRICE,
    SPLIT,
    credit_slot,
    datanet_slot,
    member_slot,
    model_slot,
)
from attribution_precompile.words import pack_member, pack_pool, pack_price, pack_split, pack_weight

from . import calls
from .harness import ADMIN, MODES, TREASURY
from .scene import MEMBERS, VALID, build

POOL_1, MEMBER_1 = datanet_slot(1), member_slot(1, MEMBERS[0])
ALL = 10_000
# Everything to the lineage, one weight, and the model is its own base.
ENDLESS = {
    model_slot(1) + PRICE: pack_price(0, 0, 1),
    model_slot(1) + SPLIT: pack_split(0, ALL, 0, 1, 0, 0),
}
FRACTION = {POOL_1: pack_pool(10**30 + 1, MASK_96), MEMBER_1: pack_member(0, 3)}


@pytest.mark.parametrize(
    ("slots", "name", "reason"),
    [
        ({PLATFORM: 10_001 << 160 | TREASURY}, "infer", "AmountOverflow()"),
        ({model_slot(1) + SPLIT: pack_split(10_001, 0, 0, 1, 0, 0)}, "infer", "InvalidSplit()"),
        ({model_slot(1) + SPLIT: pack_split(0, 0, 0, 33, 0, 0)}, "infer", "InvalidWeights()"),
        ({model_slot(1) + SPLIT: 0}, "model", "InvalidWeights()"),
        ({model_slot(1) + SPLIT: pack_split(0, 0, 0, 1, pack_weight(1, 0), 0)}, "infer", "InvalidWeights()"),
        ({model_slot(1) + SPLIT: pack_split(0, 0, 0, 2, 0, 0)}, "infer", "InvalidWeights()"),
        (ENDLESS, "infer", "LineageTooDeep(5, 4)"),
        ({POOL_1 + MEMBERSHIP: MASK_96 | (2**64 - 1) << 96}, "setUnits", None),
        ({POOL_1 + MEMBERSHIP: 5}, "setUnits", "AmountOverflow()"),
        ({POOL_1 + MEMBERSHIP: 30 | 2 << 96 | (2**64 - 1) << 160}, "contribute", "AmountOverflow()"),
        ({MEMBER_1: 10 << 160 | (2**160 - 1)}, "harvest", "AmountOverflow()"),
        ({**FRACTION, POOL_1 + MEMBERSHIP: 0}, "harvest", "AmountOverflow()"),
        ({**FRACTION, POOL_1: pack_pool(2**160 - 1, MASK_96)}, "harvest", "AmountOverflow()"),
        ({COUNTS: 0}, "registerModel", "UnknownDatanet(1)"),
        ({credit_slot(MEMBERS[0]): 2**256 - 1}, "claim", "AmountOverflow()"),
        ({credit_slot(MEMBERS[0]): 2**256 - 1}, "claimable", "AmountOverflow()"),
        ({credit_slot(MEMBERS[0]): 2**256 - 1}, "harvest", "AmountOverflow()"),
        ({credit_slot(MEMBERS[0]): 2**256 - 1}, "setUnits", "AmountOverflow()"),
    ],
)
def test_a19_impossible_state(slots: dict[int, int], name: str, reason: str | None) -> None:
    call = VALID[name]
    ends = []
    for mode in MODES:
        evm = build(mode)
        evm.set_storage(slots)
        result = evm.call(call.data, caller=call.caller, value=call.value)
        if reason is None:
            assert result.success
        else:
            assert explain(result.output) == reason
        ends.append((result.success, result.output, result.logs, evm.storage_root()))
    assert ends[0] == ends[1]


def test_genesis_storage_is_checked() -> None:
    assert genesis_storage(ADMIN, TREASURY.to_bytes(20, "big"), 3_000) == {0: ADMIN, 1: 3_000 << 160 | TREASURY}
    for admin, treasury, bps in ((0, 1, 1), (1, 0, 1), (2**160, 1, 1), (1, 1, 3_001), (1, 1, -1)):
        with pytest.raises(ValueError, match="the platform's"):
            genesis_storage(admin, treasury, bps)


def test_dict_host_refunds_by_eip_3529() -> None:
    """Each way a slot can change twice in a transaction: gas and refund by the EIP's table."""
    # original, then the values written; SSTORE gas with the slot warm, refund.
    for original, values, gas, refund in (
        (0, (1, 0), 20_100, 19_900),
        (0, (1, 2), 20_100, 0),
        (0, (1, 2, 0), 20_200, 19_900),
        (1, (0, 1), 3_000, 4_800 - 4_800 + 2_800),
        (1, (0, 2), 3_000, 0),
        (1, (2, 0), 3_000, 4_800),
        (1, (2, 1), 3_000, 2_800),
        (1, (2, 3), 3_000, 0),
        (1, (0,), 2_900, 4_800),
        (1, (1, 1), 200, 0),
        (1, (0, 1, 0), 5_900, 4_800 + 2_800),
    ):
        host = DictHost(storage={7: original})
        host.begin()
        host.enter(1, 0, 100_000)
        assert host.sload(7) == original
        for value in values:
            host.sstore(7, value)
        assert (100_000 - 2_100 - host.gas, host.refund) == (gas, refund), (original, values)
    short = DictHost(storage={})
    short.begin()
    short.enter(1, 0, 2_300 + 12)
    result = short.call(calls.call("createDatanet", bytes(32)), caller=1, gas=4_412)
    assert (result.success, result.gas_used) == (False, 4_412)
