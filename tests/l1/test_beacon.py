"""The beacon paths say what op-node and kona ask for, of every branch."""

from collections import Counter
from functools import cache

import pytest

from rollup.l1 import kzg
from rollup.l1.beacon import BeaconApi, BeaconBadRequest, BeaconNotFound
from rollup.l1.client import LocalL1Client
from rollup.l1.l1_client import TransactionRefused
from rollup.l1.miner import FinalityLag
from rollup.l1.sidecar import BlobSidecar, make_sidecar
from rollup.l1.source import LocalL1Source, l1_block_ref
from tests.l1.chains import GENESIS_TIME, World, carry, make_l1, pay, sidecar_of


@cache  # not when the tests are collected: it takes KZG's setup, which is slow to load
def three_blobs() -> BlobSidecar:
    return sidecar_of(b"one", b"two", b"three")


def hashes() -> list[str]:
    return ["0x" + item.hex() for item in three_blobs().versioned_hashes]


def blobs() -> list[str]:
    return ["0x" + blob.hex() for blob in three_blobs().blobs]


@pytest.fixture(scope="module")
def world() -> World:
    """Slot 1 has a payment, slot 3 two blob transactions (slot 2 is missed), slot 4 nothing."""
    world = make_l1(finality=FinalityLag(1, 2))
    world.l1.send_raw_transaction(pay(0).encode())
    world.l1.mine()
    world.l1.send_raw_transaction(three_blobs().wrap(carry(three_blobs(), 1)))
    extra = sidecar_of(b"four")
    world.l1.send_raw_transaction(extra.wrap(carry(extra, 2)))
    world.l1.mine(GENESIS_TIME + 36)
    world.l1.mine()
    return world


@pytest.fixture(scope="module")
def api(world: World) -> BeaconApi:
    return BeaconApi(world.l1)


def test_genesis_and_spec_give_what_slots_are_computed_from(api: BeaconApi):
    assert api.genesis()["data"]["genesis_time"] == str(GENESIS_TIME)
    assert api.spec()["data"]["SECONDS_PER_SLOT"] == "12"
    assert api.version()["data"]["version"].startswith("openrollup/")
    for value in (*api.genesis()["data"].values(), *api.spec()["data"].values()):
        assert isinstance(value, str)


def test_blobs_of_a_slot_come_in_the_blocks_order(api: BeaconApi):
    answer = api.blobs("3")
    assert answer["data"][:3] == blobs()
    assert len(answer["data"]) == 4
    assert answer["execution_optimistic"] is False


@pytest.mark.parametrize("is_joined", [False, True], ids=["repeated, as op-node asks", "comma-joined, as kona asks"])
def test_blobs_can_be_asked_for_by_hash_in_both_styles(api: BeaconApi, is_joined: bool):
    wanted = [hashes()[2], hashes()[0]]
    assert api.blobs("3", [",".join(wanted)] if is_joined else wanted)["data"] == [blobs()[2], blobs()[0]]


def test_a_hash_asked_for_twice_is_answered_twice(api: BeaconApi):
    assert api.blobs("3", [hashes()[1], hashes()[1]])["data"] == [blobs()[1], blobs()[1]]


def test_sidecars_can_be_asked_for_by_index_and_verify(api: BeaconApi):
    answer = api.blob_sidecars("3", ["1", "3"])
    assert [item["index"] for item in answer["data"]] == ["1", "3"]
    assert answer["data"][0]["blob"] == blobs()[1]
    assert [item["index"] for item in api.blob_sidecars("3", ["0,2"])["data"]] == ["0", "2"]
    for item in api.blob_sidecars("3")["data"]:
        blob, commitment, proof = (bytes.fromhex(item[name][2:]) for name in ("blob", "kzg_commitment", "kzg_proof"))
        assert kzg.verify_blobs([blob], [commitment], [proof])
        assert len(item["kzg_commitment_inclusion_proof"]) == 17
        assert item["signed_block_header"]["message"]["slot"] == "3"


def test_a_block_without_blobs_has_an_empty_list(api: BeaconApi):
    assert api.blobs("1")["data"] == []
    assert api.blob_sidecars("1")["data"] == []


def test_a_missed_or_future_slot_is_not_found(api: BeaconApi):
    for slot in ("2", "5", "99999999999"):
        with pytest.raises(BeaconNotFound):
            api.blobs(slot)
        with pytest.raises(BeaconNotFound):
            api.blob_sidecars(slot)
    with pytest.raises(BeaconNotFound):
        api.blobs("3", ["0x" + "01" * 32])
    with pytest.raises(BeaconNotFound):
        api.blobs("1", hashes())


@pytest.mark.parametrize("slot", ["", "-1", "0x3", "three", "1e3", "²", "9" * 40])
def test_an_odd_slot_is_a_bad_request(api: BeaconApi, slot: str):
    with pytest.raises(BeaconBadRequest):
        api.blobs(slot)


@pytest.mark.parametrize("value", ["0x", "zz", "0x" + "01" * 31, "01" * 33])
def test_an_odd_hash_or_index_is_a_bad_request(api: BeaconApi, value: str):
    with pytest.raises(BeaconBadRequest):
        api.blobs("3", [value])
    with pytest.raises(BeaconBadRequest):
        api.blob_sidecars("3", [value])


def test_headers_link_to_the_blocks_beacon_roots(world: World, api: BeaconApi):
    head = api.header("head")["data"]
    assert head == api.headers()["data"][0] == api.header("4")["data"]
    assert head["canonical"] is True
    parent_root = world.l1.chain.head.header.parent_beacon_block_root
    assert head["header"]["message"]["parent_root"] == "0x" + (parent_root or b"").hex()
    assert api.header("genesis")["data"]["header"]["message"]["slot"] == "0"
    assert api.header("1")["finalized"] is True
    assert api.header("4")["finalized"] is False


def test_after_a_reorg_the_canonical_block_goes_first_and_orphaned_blobs_stay():
    world = make_l1(finality=FinalityLag(1, 9))
    api = BeaconApi(world.l1)
    world.l1.send_raw_transaction(three_blobs().wrap(carry(three_blobs(), 0)))
    world.l1.mine()
    other = sidecar_of(b"other")
    world.l1.reorg(1, [[other.wrap(carry(other, 0))]])
    assert api.blobs("1")["data"] == ["0x" + other.blobs[0].hex()]
    assert api.blobs("1", hashes())["data"] == blobs()
    assert [item["blob"] for item in api.blob_sidecars("1")["data"]] == ["0x" + other.blobs[0].hex()]
    world.l1.reorg(1, [])
    assert api.header("1")["data"]["canonical"] is False
    assert api.blobs("1", hashes())["data"] == blobs()


def test_blobs_of_the_nodes_own_batcher_are_committed_once_and_proved_when_asked(monkeypatch: pytest.MonkeyPatch):
    world, calls = make_l1(), Counter[str]()
    original = kzg.call_ckzg

    def call_ckzg(function: str, *arguments: object) -> object:
        calls[function] += 1
        return original(function, *arguments)

    monkeypatch.setattr(kzg, "call_ckzg", call_ckzg)
    sidecar = make_sidecar(three_blobs().blobs)
    LocalL1Client(world.l1).send_blob_transaction(carry(sidecar), sidecar)
    block = world.l1.mine()
    assert LocalL1Source(world.l1).blobs(l1_block_ref(block), sidecar.versioned_hashes) == list(three_blobs().blobs)
    assert calls == {"blob_to_kzg_commitment": 3}
    answer = BeaconApi(world.l1).blob_sidecars("1", ["1"])["data"]
    assert calls == {"blob_to_kzg_commitment": 3, "compute_blob_kzg_proof": 1}
    assert answer[0]["kzg_proof"] == "0x" + three_blobs().proofs[1].hex()


def test_blobs_of_another_transaction_are_refused():
    client, other = LocalL1Client(make_l1().l1), sidecar_of(b"four")
    with pytest.raises(TransactionRefused, match="commitment does not match"):
        client.send_blob_transaction(carry(sidecar_of(b"one")), other)
