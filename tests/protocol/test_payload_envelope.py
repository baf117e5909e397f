"""Payloads that do not have the form of their version (specs protocol/rollup-node-p2p.md, "Block validation")."""

import pytest

from rollup.protocol.block import Block
from rollup.protocol.header import Header
from rollup.protocol.payload_envelope import PayloadError, decode_payload, encode_payload

ROOT = b"\5" * 32
VERSIONS = (1, 2, 3, 4)


def payload(version):
    header = Header(
        number=7,
        timestamp=1_700_000_000,
        gas_limit=30_000_000,
        base_fee_per_gas=7,
        withdrawals_root=bytes(32) if version >= 4 else None,
    )
    return encode_payload(Block(header, []), version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_beacon_root_belongs_to_versions_3_and_4_alone(version):
    # spec: gossip.beacon-root
    right, wrong = (ROOT, None) if version >= 3 else (None, ROOT)
    assert decode_payload(payload(version), version, right).header.parent_beacon_block_root == right
    with pytest.raises(PayloadError, match="a parent beacon block root belongs to versions 3 and 4"):
        decode_payload(payload(version), version, wrong)


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_a_payload_with_a_withdrawal_is_refused(version):
    # spec: gossip.withdrawals
    withdrawal = bytes(44)  # SSZ: index, validator, address, amount
    with pytest.raises(PayloadError, match="withdrawals, where an OP chain has none"):
        decode_payload(payload(version) + withdrawal, version, ROOT if version >= 3 else None)
