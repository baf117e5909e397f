"""The example data set: every text indexed, every contributor's address the one of its account index."""

from pathlib import Path

import yaml
from eth_account import Account as Wallet

from rollup.execution.genesis import L2GenesisParams, build_l2_alloc
from rollup.protocol.accounts import MNEMONIC

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "medical"


def test_the_index_names_every_text_and_contributor() -> None:
    index = yaml.safe_load((FOLDER / "dataset.yaml").read_text())
    documents, contributors = index["documents"], index["contributors"]
    assert [document["file"] for document in documents] == sorted(path.name for path in FOLDER.glob("*.txt"))
    assert (len(documents), len(contributors)) == (12, 8)
    assert {document["contributor"] for document in documents} == {person["name"] for person in contributors}
    for document in documents:
        text = (FOLDER / document["file"]).read_text()
        assert text.splitlines()[0] == document["title"]
        assert 100 <= len(text.split()) <= 300
        assert document["units"] >= 1


def test_the_contributors_are_accounts_without_coins() -> None:
    Wallet.enable_unaudited_hdwallet_features()
    alloc = build_l2_alloc(L2GenesisParams(timestamp=1))
    for person in yaml.safe_load((FOLDER / "dataset.yaml").read_text())["contributors"]:
        wallet = Wallet.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{person['account']}")
        assert wallet.address == person["address"]
        assert bytes.fromhex(wallet.address[2:]) not in alloc
