"""The HTTP sources and clients agree with the local ones, and believe nothing they can compute."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from derivation.errors import Critical, NotFound, Temporary
from rollup.l1.client import LocalL1Client
from rollup.l1.json_rpc import HttpEndpoint
from rollup.l1.l1_client import TransactionRefused
from rollup.l1.miner import FinalityLag
from rollup.l1.rpc_client import RpcL1Client, RpcL1Source
from rollup.l1.rpc_types import MalformedResponse, UnknownHeaderField, header_from_json
from rollup.l1.sidecar import BlobSidecar
from rollup.l1.source import LocalL1Source, l1_block_ref
from rollup.rpc.formats import header_json
from tests.l1.chains import GWEI, RECIPIENT, carry, make_l1, pay, sidecar_of
from tests.l1.l1_server import L1Server, serve


@cache
def sidecar() -> BlobSidecar:
    """Three blobs. Made by the first test: KZG's setup takes two seconds to load."""
    return sidecar_of(b"first", b"second", b"third")


def endpoint(url: str) -> HttpEndpoint:
    return HttpEndpoint(url, timeout=5, tries=2, sleep=lambda seconds: None)


@pytest.fixture
def server() -> Iterator[L1Server]:
    world = make_l1(finality=FinalityLag(1, 2))
    world.l1.send_raw_transaction(pay(0).encode())
    world.l1.mine()
    world.l1.send_raw_transaction(sidecar().wrap(carry(sidecar(), 1)))
    world.l1.send_raw_transaction(pay(0, user=1, data=b"\x01", gas_limit=30_000).encode())
    world.l1.mine()
    world.l1.mine()
    with serve(L1Server(world.l1)) as running:
        yield running


@pytest.fixture
def source(server: L1Server) -> RpcL1Source:
    return RpcL1Source(server.url, server.url, endpoint=endpoint)


def test_both_sources_say_the_same_of_every_block(server: L1Server, source: RpcL1Source):
    local = LocalL1Source(server.l1)
    assert source.chain_id() == 900
    for name in ("head", "safe", "finalized"):
        assert getattr(source, name)() == getattr(local, name)()
    for number in range(4):
        ref = local.ref_by_number(number)
        assert source.ref_by_number(number) == source.ref_by_hash(ref.hash) == local.ref_by_hash(ref.hash) == ref
        assert source.header(ref.hash) == local.header(ref.hash)
        raws = [tx.encode() for tx in local.transactions(ref.hash)]
        assert [tx.encode() for tx in source.transactions(ref.hash)] == raws
        encoded = [receipt.encode() for receipt in local.receipts(ref.hash)]
        assert [receipt.encode() for receipt in source.receipts(ref.hash)] == encoded


def test_a_header_field_of_a_newer_fork_is_one_error_that_names_it(server: L1Server):
    """Asking again does not help. A field that the hash does not cover does not matter."""
    block = server.l1.chain.head
    shown = header_json(block.header, block.hash)
    assert header_from_json({**shown, "blockAccessListHash": "0x" + "22" * 32}) == block.header
    newer = {**shown, "blockAccessListHash": "0x" + "22" * 32, "hash": "0x" + "33" * 32}
    with pytest.raises(UnknownHeaderField, match="blockAccessListHash"):
        header_from_json(newer)
    source = RpcL1Source(server.url, server.url, endpoint=endpoint)
    with pytest.raises(Critical, match="blockAccessListHash"):
        source._parsed(lambda: header_from_json(newer))
    with pytest.raises(MalformedResponse, match="the fields hash to"):
        header_from_json({**shown, "hash": "0x" + "33" * 32})


def test_an_object_of_the_future_is_not_found(server: L1Server, source: RpcL1Source):
    for reader in (source, LocalL1Source(server.l1)):
        with pytest.raises(NotFound):
            reader.ref_by_number(4)
        for ask in (reader.ref_by_hash, reader.header, reader.receipts, reader.transactions):
            with pytest.raises(NotFound):
                ask(b"\x09" * 32)
        with pytest.raises(NotFound):
            reader.blobs(reader.head(), [b"\x01" * 32])


@pytest.mark.parametrize("missing", [set(), {"/eth/v1/beacon/blobs"}], ids=["blobs", "blob_sidecars"])
def test_blobs_come_in_the_order_asked_for(server: L1Server, source: RpcL1Source, missing: set[str]):
    server.missing = missing
    one, two, three = sidecar().versioned_hashes
    for reader in (source, LocalL1Source(server.l1)):
        ref = reader.ref_by_number(2)
        assert reader.blobs(ref, [three, one]) == [sidecar().blobs[2], sidecar().blobs[0]]
        assert reader.blobs(ref, [two, two]) == [sidecar().blobs[1], sidecar().blobs[1]]
        assert reader.blobs(ref, []) == []


@pytest.mark.parametrize("missing", [set(), {"/eth/v1/beacon/blobs"}], ids=["blobs", "blob_sidecars"])
def test_blobs_of_an_orphaned_block_are_still_served(server: L1Server, source: RpcL1Source, missing: set[str]):
    server.missing = missing
    orphaned = source.ref_by_number(2)
    server.l1.reorg(2, [])
    assert source.blobs(orphaned, sidecar().versioned_hashes[:1]) == [sidecar().blobs[0]]
    assert source.ref_by_hash(orphaned.hash) == orphaned


@pytest.mark.parametrize("missing", [set(), {"/eth/v1/beacon/blobs"}], ids=["blobs", "blob_sidecars"])
def test_a_blob_that_is_not_the_one_asked_for_is_never_passed_on(
    server: L1Server, source: RpcL1Source, missing: set[str]
):
    # spec: blob.verified
    server.missing = missing
    wrong = "0x" + sidecar_of(b"wrong").blobs[0].hex()

    def lie(method: str, answer: Any) -> Any:
        if method == "/eth/v1/beacon/blobs":
            return answer | {"data": [wrong]}
        if method == "/eth/v1/beacon/blob_sidecars":
            return answer | {"data": [item | {"blob": wrong} for item in answer["data"]]}
        return answer

    ref = source.ref_by_number(2)
    server.tamper = lie
    with pytest.raises((NotFound, Temporary)):
        source.blobs(ref, sidecar().versioned_hashes[:1])


def test_without_a_beacon_node_a_chain_with_blobs_cannot_go_on(server: L1Server):
    source = RpcL1Source(server.url, None, endpoint=endpoint)
    with pytest.raises(Critical, match="beacon API"):
        source.blobs(source.head(), sidecar().versioned_hashes)


def test_another_chains_beacon_node_is_named(server: L1Server, source: RpcL1Source):
    server.tamper = lambda method, answer: (
        {"data": {"genesis_time": "9999999999"}} if method == "/eth/v1/beacon/genesis" else answer
    )
    with pytest.raises(Critical, match="another chain's beacon node"):
        source.blobs(source.head(), sidecar().versioned_hashes)


@pytest.mark.parametrize("data", [{}, {"SECONDS_PER_SLOT": "0"}, {"SECONDS_PER_SLOT": 12}, {"SECONDS_PER_SLOT": "x"}])
def test_a_beacon_spec_that_is_odd_is_not_believed(server: L1Server, source: RpcL1Source, data: dict[str, Any]):
    server.tamper = lambda method, answer: {"data": data} if method == "/eth/v1/config/spec" else answer
    with pytest.raises(Temporary, match="SECONDS_PER_SLOT"):
        source.blobs(source.head(), sidecar().versioned_hashes)


def test_a_beacon_node_without_a_spec_goes_by_block_number(server: L1Server, source: RpcL1Source):
    """anvil's way; in this chain slot and number happen to be the same."""
    server.missing = {"/eth/v1/config/spec"}
    assert source.blobs(source.ref_by_number(2), sidecar().versioned_hashes) == list(sidecar().blobs)


def test_receipts_come_one_by_one_where_a_node_has_no_block_receipts(server: L1Server, source: RpcL1Source):
    server.missing = {"eth_getBlockReceipts"}
    block = source.ref_by_number(2)
    local = LocalL1Source(server.l1)
    encoded = [receipt.encode() for receipt in local.receipts(block.hash)]
    assert [receipt.encode() for receipt in source.receipts(block.hash)] == encoded
    source.receipts(source.ref_by_number(1).hash)
    assert server.asked.count("eth_getBlockReceipts") == 1


def test_a_block_read_by_hash_is_not_requested_again(server: L1Server, source: RpcL1Source):
    block = source.ref_by_number(2)
    for _ in range(3):
        source.header(block.hash)
        source.transactions(block.hash)
        source.receipts(block.hash)
    assert server.asked == ["eth_getBlockByNumber", "eth_getBlockByHash", "eth_getBlockReceipts"]


LIES = {
    "eth_getBlockByNumber": lambda answer: answer | {"timestamp": "0x1"},
    "eth_getBlockByHash": lambda answer: answer | {"transactions": answer["transactions"][1:]},
    "eth_getBlockReceipts": lambda answer: [answer[0] | {"status": "0x0"}, *answer[1:]],
}


@pytest.mark.parametrize("method", LIES)
def test_a_lie_is_a_temporary_error_and_is_forgotten(server: L1Server, source: RpcL1Source, method: str):
    honest = server.tamper
    server.tamper = lambda name, answer: LIES[method](answer) if name == method else answer
    with pytest.raises(Temporary):
        source.receipts(source.ref_by_number(2).hash)
    server.tamper = honest
    assert len(source.receipts(source.ref_by_number(2).hash)) == 2


def test_an_honest_answer_to_another_question_is_a_lie_too(server: L1Server, source: RpcL1Source):
    real = LocalL1Source(server.l1).ref_by_number(2)
    other = server._eth_getBlockByNumber("0x1", False)
    server.tamper = lambda name, answer: other
    with pytest.raises(Temporary, match="asked for block 2, got 1"):
        source.ref_by_number(2)
    with pytest.raises(Temporary, match="asked for block 0x"):
        source.header(real.hash)


def test_both_clients_say_the_same(server: L1Server):
    local, remote = LocalL1Client(server.l1), RpcL1Client(server.url, endpoint=endpoint)
    waiting = pay(2)
    server.l1.send_raw_transaction(waiting.encode())
    sender = waiting.sender
    blob_hash = next(tx.hash for tx in LocalL1Source(server.l1).transactions(_hash(server, 2)) if tx.tx_type == 3)
    for client in (local, remote):
        assert client.head() == l1_block_ref(server.l1.chain.head)
        assert (client.nonce(sender), client.pending_nonce(sender)) == (2, 3)
        assert client.nonce(RECIPIENT) == 0
        assert client.suggested_tip() == GWEI
        assert client.receipt(b"\x05" * 32) is None
    assert local.base_fee() == remote.base_fee()
    assert local.blob_base_fee() == remote.blob_base_fee() == 1
    receipt = local.receipt(blob_hash)
    assert receipt is not None
    assert receipt == remote.receipt(blob_hash)
    assert (receipt.block_number, receipt.status, receipt.gas_used) == (2, 1, 21_000)
    assert (receipt.blob_gas_used, receipt.blob_gas_price) == (3 * 131_072, 1)


def test_the_next_base_fee_is_the_next_blocks(server: L1Server):
    expected = LocalL1Client(server.l1).base_fee()
    assert server.l1.mine().header.base_fee_per_gas == expected


def test_both_clients_send_and_are_refused_alike(server: L1Server):
    remote = RpcL1Client(server.url, endpoint=endpoint)
    first = pay(2)
    assert remote.send_raw_transaction(first.encode()) == first.hash
    fresh = sidecar_of(b"fresh")
    blob = carry(fresh, 3)
    assert remote.send_raw_transaction(fresh.wrap(blob)) == blob.hash
    assert len(server.l1.mine().transactions) == 2
    for client in (LocalL1Client(server.l1), remote):
        with pytest.raises(TransactionRefused, match="nonce too low: next nonce 4, tx nonce 2"):
            client.send_raw_transaction(pay(2, value=9).encode())


def test_both_clients_call_and_hear_of_reverts_alike(server: L1Server):
    # Returns the first word of calldata, or reverts when it is zero:
    # PUSH0 CALLDATALOAD DUP1 PUSH1 9 JUMPI PUSH0 PUSH0 REVERT JUMPDEST ... with the jump target at 9
    runtime = bytes.fromhex("5f35806009575f5ffd5b5f5260205ff3")
    initcode = bytes.fromhex("6f") + runtime + bytes.fromhex("5f5260106010f3")
    create = pay(2, to=None, value=0, gas_limit=200_000, data=initcode)
    server.l1.send_raw_transaction(create.encode())
    block = server.l1.mine()
    receipts = server.l1.chain.receipts(block.hash)
    assert receipts is not None
    contract = receipts[0].contract_address
    assert contract is not None
    for client in (LocalL1Client(server.l1), RpcL1Client(server.url, endpoint=endpoint)):
        assert client.call(contract, (7).to_bytes(32, "big")) == (7).to_bytes(32, "big")
        with pytest.raises(TransactionRefused, match="execution reverted"):
            client.call(contract, bytes(32))


def _hash(server: L1Server, number: int) -> bytes:
    found = server.l1.chain.canonical_hash(number)
    assert found is not None
    return found
