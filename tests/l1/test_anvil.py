"""Against anvil, an L1 of other people's making: read through RpcL1Source, and the same transactions on both."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollup.l1 import kzg
from rollup.l1.client import LocalL1Client
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient
from rollup.l1.l1_client import TransactionRefused
from rollup.l1.rpc_client import RpcL1Client, RpcL1Source
from rollup.l1.source import LocalL1Source
from rollup.protocol.accounts import USERS
from rollup.protocol.transaction import ACCESS_LIST, LEGACY, SET_CODE, Authorization, Transaction
from tests.l1.chains import CHAIN_ID, GWEI, RECIPIENT, carry, make_l1, pay, sidecar_of

pytestmark = pytest.mark.external

# Emits LOG2(topics 1 and the caller) with its calldata, then stores the caller in the slot of its first word.
EMITTER = bytes.fromhex("365f5f37" + "33" + "6001" + "365f" + "a2" + "335f3555" + "00")
REVERTER = bytes.fromhex("60aa5f5260205ffd")


def initcode(runtime: bytes) -> bytes:
    """Creates a contract with this code: CODECOPY of what follows the first 10 bytes."""
    return bytes.fromhex(f"60{len(runtime):02x}600a5f3960{len(runtime):02x}5ff3") + runtime


def anvil_program() -> str:
    program = os.environ.get("ANVIL") or shutil.which("anvil")
    if not program:
        pytest.skip("NO ANVIL: npm install @foundry-rs/anvil, then put it on PATH or name it in ANVIL")
    return program


@pytest.fixture(scope="module")
def anvil_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = anvil_program()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("anvil") / "log"
    arguments = ["--port", str(port), "--chain-id", str(CHAIN_ID), "--hardfork", "prague", "--no-mining"]
    with log.open("wb") as output:
        process = subprocess.Popen([program, *arguments], stdout=output, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}"
            assert JsonRpcClient(HttpEndpoint(url, tries=8)).call("eth_chainId") == hex(CHAIN_ID), _text(log)
            yield url
        finally:
            process.terminate()
            process.wait(10)


def _text(log: Path) -> str:
    return log.read_text(errors="replace")


def call(url: str, method: str, *params: Any) -> Any:
    return JsonRpcClient(HttpEndpoint(url)).call(method, *params)


def every_kind() -> list[tuple[str, Transaction]]:
    """Transactions of every type, succeeding and failing, in an order that fills one block."""
    fixed: dict[str, Any] = {"max_fee_per_gas": 50 * GWEI, "max_priority_fee_per_gas": 50 * GWEI}
    emitter = _create_address(0)
    reverter = _create_address(1)
    slots = (bytes(32), b"\x11" * 32)
    authorization = _authorization(user=3, nonce=0, address=emitter)
    word = b"\x22" * 32
    return [
        ("creates the emitter", pay(0, to=None, value=0, gas_limit=300_000, data=initcode(EMITTER))),
        ("creates the reverter", pay(1, to=None, value=0, gas_limit=300_000, data=initcode(REVERTER))),
        ("legacy payment", pay(2, tx_type=LEGACY, **fixed)),
        ("logs and stores", pay(3, to=emitter, value=0, gas_limit=200_000, data=word)),
        (
            "with an access list",
            pay(
                4,
                tx_type=ACCESS_LIST,
                **fixed,
                to=emitter,
                value=0,
                gas_limit=200_000,
                data=word,
                access_list=((emitter, slots),),
            ),
        ),
        ("reverts", pay(5, to=reverter, value=0, gas_limit=100_000)),
        ("runs out of gas", pay(6, to=emitter, value=0, gas_limit=22_500, data=b"\x01")),
        ("pays the calldata floor", pay(7, value=0, gas_limit=200_000, data=b"\xff" * 2_000)),
        (
            "sets code",
            pay(
                8,
                tx_type=SET_CODE,
                to=USERS[3].address,
                value=0,
                gas_limit=300_000,
                data=word,
                authorization_list=(authorization,),
            ),
        ),
        ("creation that reverts", pay(9, to=None, value=0, gas_limit=200_000, data=REVERTER)),
        (
            "calls the point evaluation precompile with nonsense",
            pay(10, to=b"\0" * 19 + b"\x0a", value=0, gas_limit=100_000, data=bytes(192)),
        ),
        ("calls BLS addition", pay(11, to=b"\0" * 19 + b"\x0b", value=0, gas_limit=100_000, data=bytes(256))),
    ]


def _authorization(user: int, nonce: int, address: bytes) -> Authorization:
    from coincurve import PrivateKey

    from rollup.protocol.primitives import keccak256, rlp_encode, to_int_bytes

    message = keccak256(b"\x05" + rlp_encode([to_int_bytes(CHAIN_ID), address, to_int_bytes(nonce)]))
    signature = PrivateKey(USERS[user].private_key).sign_recoverable(message, hasher=None)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    return Authorization(CHAIN_ID, address, nonce, signature[64], r, s)


def _create_address(nonce: int) -> bytes:
    from rollup.protocol.primitives import keccak256, rlp_encode, to_int_bytes

    return keccak256(rlp_encode([USERS[0].address, to_int_bytes(nonce)]))[12:]


def test_the_same_transactions_leave_the_same_receipts_and_state(anvil_url: str):
    world = make_l1()
    kinds = every_kind()
    sidecar = sidecar_of(b"anvil one", b"anvil two")
    blob = carry(sidecar, len(kinds))
    for _, transaction in kinds:
        raw = transaction.encode()
        assert call(anvil_url, "eth_sendRawTransaction", "0x" + raw.hex()) == "0x" + transaction.hash.hex()
        world.l1.send_raw_transaction(raw)
    RpcL1Client(anvil_url).send_raw_transaction(sidecar.wrap(blob))
    world.l1.send_raw_transaction(sidecar.wrap(blob))
    call(anvil_url, "evm_mine")
    block = world.l1.mine()

    anvil = RpcL1Source(anvil_url, anvil_url)
    head = anvil.head()
    theirs, ours = anvil.receipts(head.hash), LocalL1Source(world.l1).receipts(block.hash)
    names = [name for name, _ in kinds] + ["carries blobs"]
    assert [tx.hash for tx in anvil.transactions(head.hash)] == [tx.hash for tx in block.transactions]
    differences = [
        (name, mine.status, other.status, mine.gas_used, other.gas_used)
        for name, mine, other in zip(names, ours, theirs, strict=True)
        if mine.encode() != other.encode() or mine.contract_address != other.contract_address
    ]
    assert differences == []
    assert [receipt.status for receipt in ours] == [1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1]
    assert sum(len(receipt.logs) for receipt in ours) == 3
    assert block.header.receipts_root == anvil.header(head.hash).receipts_root
    _compare_state(anvil_url, world.l1, [RECIPIENT, USERS[3].address, _create_address(0)])

    assert anvil.blobs(head, sidecar.versioned_hashes) == list(sidecar.blobs)
    mine, other = LocalL1Client(world.l1).receipt(blob.hash), RpcL1Client(anvil_url).receipt(blob.hash)
    assert mine is not None
    assert other is not None
    assert (mine.gas_used, mine.blob_gas_used, mine.blob_gas_price) == (
        other.gas_used,
        other.blob_gas_used,
        other.blob_gas_price,
    )
    assert block.header.excess_blob_gas == anvil.header(head.hash).excess_blob_gas


def _compare_state(url: str, l1: Any, addresses: list[bytes]) -> None:
    state = l1.chain.state_at(l1.chain.head.hash)
    for address in addresses:
        account = state.account(address)
        proof = call(url, "eth_getProof", "0x" + address.hex(), [], "latest")
        assert account is not None
        assert "0x" + account.storage_root.hex() == proof["storageHash"]
        assert "0x" + account.code_hash.hex() == proof["codeHash"]
        assert (account.nonce, account.balance) == (int(proof["nonce"], 16), int(proof["balance"], 16))


def test_the_osaka_form_of_a_blob_transaction_is_the_one_anvil_takes(anvil_url: str):
    """Whichever form anvil takes, a client that speaks to both nodes needs no switch."""
    sidecar = sidecar_of(b"cells for anvil")
    client = RpcL1Client(anvil_url)
    transaction = carry(sidecar, user=5)
    raw = sidecar.wrap_with_cell_proofs(transaction)
    world = make_l1()
    assert world.l1.send_raw_transaction(raw) == transaction.hash
    try:
        assert client.send_raw_transaction(raw) == transaction.hash
    except TransactionRefused as error:
        pytest.skip(f"this anvil refuses cell proofs on Prague: {error}")


def test_anvils_blocks_pass_every_check_from_genesis_to_head(anvil_url: str):
    call(anvil_url, "anvil_mine", "0x3")
    source = RpcL1Source(anvil_url, None)
    head = source.head()
    parent = source.ref_by_number(0)
    for number in range(1, head.number + 1):
        ref = source.ref_by_number(number)
        assert ref.parent_hash == parent.hash
        assert len(source.receipts(ref.hash)) == len(source.transactions(ref.hash))
        parent = ref
    assert parent == head
    assert source.safe().number <= head.number
    assert source.finalized().number <= source.safe().number


def test_the_client_reads_nonces_fees_and_refusals_from_anvil(anvil_url: str):
    client = RpcL1Client(anvil_url)
    user = USERS[7].address
    assert (client.nonce(user), client.pending_nonce(user)) == (0, 0)
    client.send_raw_transaction(pay(0, user=7).encode())
    assert (client.nonce(user), client.pending_nonce(user)) == (0, 1)
    expected = client.base_fee()
    call(anvil_url, "evm_mine")
    assert client.nonce(user) == 1
    header = RpcL1Source(anvil_url, None).header(client.head().hash)
    assert header.base_fee_per_gas == expected
    assert client.blob_base_fee() >= 1
    assert client.suggested_tip() > 0
    with pytest.raises(TransactionRefused, match="nonce too low"):
        client.send_raw_transaction(pay(0, user=7, value=5).encode())
    assert len(sidecar_of(b"x").blobs[0]) == kzg.BLOB_SIZE
