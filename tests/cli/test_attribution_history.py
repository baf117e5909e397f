"""Events read in pieces are the events read at once, and end at the given block."""

import pytest
from web3 import Web3

from attribution_precompile.client import AttributionClient
from rollup.cli import attribution_history
from rollup.cli.attribution_history import History
from rollup.cli.attribution_session import development_account


def test_pieces_and_ends(native_shell: object, monkeypatch: pytest.MonkeyPatch) -> None:
    client = AttributionClient(Web3(Web3.HTTPProvider(native_shell.url)))  # type: ignore[attr-defined]
    curator = development_account(2)
    datanet = client.create_datanet(curator)
    people = ["0x" + f"{number:040x}" for number in (0xA1, 0xB2)]
    receipts = [
        client.contribute(curator, datanet, [(who, 3, bytes([7, number]) * 16), (who, 4, bytes([8, number]) * 16)])
        for number, who in enumerate(people)
    ]
    receipts.append(client.send(curator, "setUnits", datanet, Web3.to_checksum_address(people[0]), 1))
    whole = History(client)
    expected = [(member.account.lower(), member.units, len(member.contents)) for member in whole.members(datanet)]
    assert expected == [(people[0], 1, 2), (people[1], 7, 2)]
    for blocks in (1, 2, 3):
        monkeypatch.setattr(attribution_history, "_BLOCKS_A_QUERY", blocks)
        pieces = History(client)
        assert list(pieces.events("Contributed", datanet)) == list(whole.events("Contributed", datanet))
        assert [(item.account.lower(), item.units, len(item.contents)) for item in pieces.members(datanet)] == expected
    # Up to a log, without it: the first contribution of the second transaction is the third of all.
    log = receipts[1]["logs"][0]
    before = History(client, (log["blockNumber"], log["logIndex"]))
    assert len(list(before.events("Contributed", datanet))) == 2
    after = History(client, (log["blockNumber"], log["logIndex"] + 1))
    assert [member.units for member in after.members(datanet)] == [7, 3]
    assert whole.datanets_of(people[1])[-1] == datanet
