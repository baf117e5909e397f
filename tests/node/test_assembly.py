"""The parts of a node: opening the chain of a folder."""

from dataclasses import replace

import pytest

from rollup.l1.devnet import DevnetParams, make_devnet
from rollup.node.assembly import open_chain
from rollup.store.kv import StoreError


def test_a_store_whose_chain_cannot_be_opened_is_closed_again(tmp_path):
    l2 = make_devnet(DevnetParams(genesis_time=1_700_000_000)).l2
    store, chain = open_chain(tmp_path, l2.header, l2.alloc)
    store.close()
    with pytest.raises(StoreError):
        open_chain(tmp_path, replace(l2.header, timestamp=l2.header.timestamp + 2), l2.alloc)
    store, again = open_chain(tmp_path, l2.header, l2.alloc)
    assert again.genesis.hash == chain.genesis.hash
    store.close()
