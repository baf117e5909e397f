"""The index's ledger is the precompile's: every pool, member and credit, to 2^-64 of a wei."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution_precompile.layout import MASK_96, MASK_160, credit_slot, datanet_slot, member_slot
from tests.attribution import calls
from tests.index.chains import PEOPLE, TREASURY, Lab, Life, raw


def compare(lab):
    """Pools, members and credits against storage; claimable against the view method."""
    rows = lab.index.rows
    ids = []
    for (datanet_id,), pool in rows.datanets.all():
        ids.append(datanet_id)
        word = lab.storage(datanet_slot(datanet_id))
        assert (pool.acc, pool.remainder) == (word & MASK_160, word >> 160)
        assert pool.units == lab.storage(datanet_slot(datanet_id) + 1) & MASK_96
    for (datanet_id, account), member in rows.members.all():
        word = lab.storage(member_slot(datanet_id, int.from_bytes(account, "big")))
        assert (member.paid_acc, member.units) == (word & MASK_160, word >> 160)
    for person in [*PEOPLE, TREASURY]:
        row = rows.accounts.get(raw(person))
        assert (row.credit if row else 0) == lab.storage(credit_slot(person))
        pending = sum(
            rows.members.get(i, raw(person)).units
            * (rows.datanets.get(i).acc - rows.members.get(i, raw(person)).paid_acc)
            >> 64
            for i in ids
            if rows.members.get(i, raw(person)) is not None
        )
        assert (row.credit if row else 0) + pending == lab.view("claimable", calls.hexed(person), ids)


@pytest.mark.parametrize("mode", ["native", "contract"])
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_ledger_equals_storage_after_any_life(mode, seed):
    lab = Lab(mode)
    life = Life(lab, seed)
    done = 0
    for _ in range(12):
        lab.block(life.calls(6, relayed=False))
        done += sum(receipt.status for receipt in lab.receipts)
        assert lab.index.update()
        compare(lab)
    assert done > 5
