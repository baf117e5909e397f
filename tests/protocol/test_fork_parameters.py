"""The numbers that forks change, on both sides of their activation (specs protocol/: the pages of the forks)."""

from dataclasses import replace

import pytest

from derivation.channels import max_bank_size, max_rlp_bytes
from rollup.execution.vms.rules import precompile_limits
from rollup.protocol.blob_schedule import l1_blob_base_fee
from rollup.protocol.config import SystemConfig
from rollup.protocol.fees import blob_base_fee
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.header import Header
from rollup.protocol.l1_attributes import L1Attributes, l1_attributes_deposit
from tests.vectors.rollup_configs import rollup_config

TIME = 1_000
CANCUN_FRACTION, PRAGUE_FRACTION = 3_338_477, 5_007_716  # EIP-4844, EIP-7691
PAIRING, G1_MSM, G2_MSM, BLS_PAIRING = (number.to_bytes(20, "big") for number in (8, 12, 14, 15))


def activating(fork):
    """A config in which a fork begins at TIME, the forks before it at genesis."""
    older = ForkSchedule.all_at(Fork(fork - 1))
    return rollup_config(replace(older, **{fork.name.lower(): TIME}))


def both_sides(value, fork):
    """A number just before a fork's time and at it."""
    config = activating(fork)
    return value(config, TIME - 1), value(config, TIME)


@pytest.mark.parametrize(
    ("value", "fork", "before", "after"),
    [
        (lambda config, time: config.channel_timeout_at(time), Fork.GRANITE, 300, 50),
        (lambda config, time: config.max_sequencer_drift_at(time), Fork.FJORD, 600, 1_800),
        (max_rlp_bytes, Fork.FJORD, 10_000_000, 100_000_000),
        (max_bank_size, Fork.FJORD, 100_000_000, 1_000_000_000),
    ],
    ids=["channel timeout", "sequencer drift", "bytes of a channel", "bytes of the bank"],
)
def test_a_number_changes_at_its_forks_time(value, fork, before, after):
    # spec: channel.max-rlp-bytes, channel.timeout-granite, fjord.channel-limits, fjord.drift
    assert both_sides(value, fork) == (before, after)


@pytest.mark.parametrize(
    ("fork", "limits"),
    [
        (Fork.FJORD, {}),
        (Fork.GRANITE, {PAIRING: 112_687}),
        (Fork.HOLOCENE, {PAIRING: 112_687}),
        (Fork.ISTHMUS, {PAIRING: 112_687, G1_MSM: 513_760, G2_MSM: 488_448, BLS_PAIRING: 235_008}),
        (Fork.JOVIAN, {PAIRING: 81_984, G1_MSM: 288_960, G2_MSM: 278_784, BLS_PAIRING: 156_672}),
        (Fork.KARST, {PAIRING: 57_600, G1_MSM: 288_960, G2_MSM: 278_784, BLS_PAIRING: 156_672}),
    ],
    ids=lambda value: value.name.lower() if isinstance(value, Fork) else "",
)
def test_the_largest_inputs_of_precompiles_are_those_of_the_fork(fork, limits):
    # spec: precompile.karst-pairing, jovian.precompiles, isthmus.precompiles, precompile.granite-pairing
    assert precompile_limits(fork) == limits


@pytest.mark.parametrize("time", [TIME - 1, TIME])
def test_a_chain_with_a_pectra_blob_schedule_has_cancuns_prices_until_its_time(time):
    # spec: attributes.pectra-blob-schedule
    header = Header(timestamp=time, excess_blob_gas=200_000_000)
    fraction = CANCUN_FRACTION if time < TIME else PRAGUE_FRACTION
    # An L1 that is not known by its chain id has Prague's schedule from genesis.
    assert l1_blob_base_fee(900, header, TIME) == blob_base_fee(200_000_000, fraction)
    assert l1_blob_base_fee(900, header, None) == blob_base_fee(200_000_000, PRAGUE_FRACTION)


@pytest.mark.parametrize(("configured", "expected"), [(0, 400), (1, 1), (65_535, 65_535)])
def test_a_footprint_scalar_of_zero_is_400_in_the_attributes(configured, expected):
    # spec: attributes.jovian-footprint-default
    system = SystemConfig(b"\1" * 20, 0, 1 << 248 | 7, 30_000_000, da_footprint_gas_scalar=configured)
    config = rollup_config(ForkSchedule.all_at(Fork.JOVIAN))
    deposit = l1_attributes_deposit(config, system, Header(number=5), b"\3" * 32, 0, TIME)
    assert L1Attributes.decode(deposit.data).da_footprint_gas_scalar == expected
