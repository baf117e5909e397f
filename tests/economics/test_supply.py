"""V12 and V13: the schedule's months, and books that are equal to the wei."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.economics.errors import EconomicsError
from rollup.economics.liquidity import Flow, Sheet, after, sheets
from rollup.economics.shape import Level, Shape
from rollup.economics.supply import TOTAL, Absorption, Schedule, Tranche, path


@pytest.mark.parametrize(("month", "said"), [(0, 215.5), (8, 290.77), (14, 365.71), (48, 1_000.0), (600, 1_000.0)])
def test_v12_the_circulating_supply_by_month(month, said):
    assert float(Schedule().circulating(month)) == pytest.approx(said, abs=0.005)


def test_v12_all_of_it_in_the_end_exactly_and_never_less_than_before():
    schedule = Schedule()
    assert schedule.circulating(48) == TOTAL
    assert all(schedule.unlock(month) >= 0 for month in range(1, 100))
    assert schedule.unlock(1) == Fraction(4516, 480)
    assert float(schedule.unlock(13)) == pytest.approx(18.66, abs=0.01)
    assert np.all(np.diff(path(schedule, 80)) >= 0)
    with pytest.raises(EconomicsError, match="from 0"):
        schedule.circulating(-1)


@pytest.mark.parametrize(("rate", "said"), [(12.86, 318.4), (10.77, 301.7)])
def test_v12_the_rival_rates_do_not_give_the_290_of_the_essay(rate, said):
    rival = Schedule(tranches=(Tranche(Fraction(str(rate)) * 48, 48),))
    assert float(rival.circulating(8)) == pytest.approx(said, abs=0.1)


def test_absorption_is_the_exchange_identity():
    absorption = Absorption(holding=2.0, kept=0.25)
    assert absorption.needed_growth(8.0) == pytest.approx(3.0)
    assert absorption.terms(8.0, 10.0) == pytest.approx((6.0, 4.75, 10.0))


amounts = st.integers(0, 10**20)


@given(
    st.lists(
        st.builds(
            Flow,
            st.integers(10**24, 10**25),
            st.integers(0, 1_000),
            amounts,
            amounts,
            amounts,
            st.just(0),
            st.integers(0, 10_000),
            st.integers(0, 100),
        ),
        min_size=1,
        max_size=30,
    ),
    st.integers(0, 10_000),
)
def test_v13_everything_minted_is_somewhere_every_month(flows, owner_bps):
    shape = Shape((Level(owner_bps, 0, 10_000 - owner_bps),))
    for sheet in sheets(flows, shape):
        assert sheet.difference == 0
        assert min(sheet.held, sheet.vaults, sheet.pools, sheet.escrow, sheet.withdrawn) >= 0


def test_v13_escrow_comes_back_out_and_nobody_spends_what_is_not_there():
    opened = after(Sheet(minted=100, held=100), Flow(0, 0, 0, 0, escrow_opened=60), Shape())
    assert (opened.held, opened.escrow) == (40, 60)
    settled = after(opened, Flow(0, 0, 0, 0, escrow_settled=60, claimed_bps=0), Shape())
    assert (settled.pools, settled.escrow, settled.difference) == (60, 0, 0)
    with pytest.raises(EconomicsError, match="more than there is"):
        after(Sheet(minted=1, held=1), Flow(0, 1, 2, 0), Shape())
