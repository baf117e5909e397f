"""Blocks, transactions and receipts out of JSON; a lying or foreign node gives a clear error."""

from typing import Any

import pytest
from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from hexbytes import HexBytes

from rollup.l1.rpc_types import (
    MalformedResponse,
    block_from_json,
    check_withdrawals,
    header_from_json,
    receipts_from_json,
    transaction_from_json,
)
from rollup.protocol.block import Block
from rollup.protocol.header import Header
from rollup.protocol.ordered_trie import ordered_trie_root
from rollup.protocol.primitives import EMPTY_REQUESTS_HASH, EMPTY_TRIE_ROOT
from rollup.protocol.receipt import Log, Receipt
from rollup.protocol.transaction import (
    ACCESS_LIST,
    BLOB,
    DYNAMIC_FEE,
    LEGACY,
    SET_CODE,
    Authorization,
    Transaction,
    decode_transaction,
    deposit_transaction,
)
from tests.l1.rpc_json import block_json, h, header_json, receipts_json, transaction_json
from tests.vector_files import load

KEY = b"\x07" * 32
SLOT = b"\x0b" * 32


def signed_of_every_type() -> list[Transaction]:
    common: dict[str, Any] = {"gas_limit": 50_000, "to": b"\xaa" * 20, "value": 5, "data": b"\x01\x02"}
    fees: dict[str, Any] = {"chain_id": 900, "max_fee_per_gas": 10**10, "max_priority_fee_per_gas": 10**9}
    fixed: dict[str, Any] = {"max_fee_per_gas": 10**10, "max_priority_fee_per_gas": 10**10}
    access: dict[str, Any] = {"access_list": ((b"\xbb" * 20, (SLOT, bytes(32))), (b"\xcc" * 20, ()))}
    authorization = Authorization(900, b"\xdd" * 20, 3, 1, 2**200 + 5, 7)
    return [
        Transaction(LEGACY, 0, **common, **fixed).signed(KEY),
        Transaction(LEGACY, 1, **common, **fixed, chain_id=900).signed(KEY),
        Transaction(LEGACY, 2, gas_limit=90_000, data=b"\x60\x00", **fixed, chain_id=900).signed(KEY),
        Transaction(ACCESS_LIST, 3, **common, **fixed, chain_id=900, **access).signed(KEY),
        Transaction(DYNAMIC_FEE, 4, **common, **fees, **access).signed(KEY),
        Transaction(BLOB, 5, **common, **fees, max_fee_per_blob_gas=9, blob_versioned_hashes=(SLOT,)).signed(KEY),
        Transaction(SET_CODE, 6, **common, **fees, authorization_list=(authorization,)).signed(KEY),
    ]


def block_of(transactions: list[Transaction], **changes: Any) -> Block:
    header = Header(
        number=7,
        gas_limit=30_000_000,
        timestamp=1_700_000_000,
        base_fee_per_gas=10**9,
        withdrawals_root=EMPTY_TRIE_ROOT,
        blob_gas_used=131_072,
        excess_blob_gas=0,
        parent_beacon_block_root=b"\x11" * 32,
        requests_hash=EMPTY_REQUESTS_HASH,
        transactions_root=ordered_trie_root([tx.encode() for tx in transactions]),
    )
    return Block(header.with_fields(**changes), transactions)


@pytest.mark.parametrize("transaction", signed_of_every_type(), ids=lambda tx: f"type{tx.tx_type}-{tx.nonce}")
def test_a_transaction_of_every_type_comes_back_byte_for_byte(transaction: Transaction):
    parsed = transaction_from_json(transaction_json(transaction))
    assert parsed.encode() == transaction.encode()
    assert parsed.sender == transaction.sender


def test_a_deposit_comes_back_byte_for_byte():
    deposit = deposit_transaction(
        source_hash=b"\x01" * 32,
        sender=b"\x02" * 20,
        to=None,
        mint=7,
        value=3,
        gas_limit=100_000,
        is_system=False,
        data=b"\x05",
    )
    answer = {
        "type": "0x7e",
        "sourceHash": h(deposit.source_hash or b""),
        "from": h(deposit.sender),
        "to": None,
        "mint": "0x7",
        "value": "0x3",
        "gas": hex(100_000),
        "input": "0x05",
    }
    assert transaction_from_json(answer).encode() == deposit.encode()


def test_a_block_with_every_type_comes_back_with_its_hash():
    block = block_of(signed_of_every_type())
    answer = block_json(block, full=True)
    parsed = block_from_json(answer)
    check_withdrawals(answer, parsed.header)
    assert parsed.hash == block.hash
    assert [tx.hash for tx in parsed.transactions] == [tx.hash for tx in block.transactions]


def _mainnet_blocks() -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = load("derivation", "opmainnet_regolith_18090205_18090218")["l1_blocks"]
    return blocks


def test_real_mainnet_headers_have_the_hashes_the_chain_gave_them():
    for block in _mainnet_blocks():
        header = header_from_json(block["header"] | {"hash": block["hash"]})
        assert header.number == block["number"]
        assert h(header.encode()) == block["header_rlp"]


def test_real_mainnet_transactions_read_by_eth_account_come_back_byte_for_byte():
    count = 0
    for block in _mainnet_blocks()[:3]:
        for raw in block["transactions"]:
            if not raw.startswith("0x02"):
                continue
            fields = {
                key: _as_json(value) for key, value in TypedTransaction.from_bytes(HexBytes(raw)).as_dict().items()
            }
            answer = fields | {"input": fields["data"] or "0x"}
            assert h(transaction_from_json(answer).encode()) == raw
            count += 1
    assert count > 100


def _as_json(value: Any) -> Any:
    if isinstance(value, bool | int):
        return hex(value)
    if isinstance(value, bytes):
        return h(value) if value else None
    if isinstance(value, tuple | list):
        return [_as_json(item) for item in value]
    if isinstance(value, dict):  # an access list entry, whose slots eth_account shows as integers
        return {"address": h(value["address"]), "storageKeys": [f"0x{slot:064x}" for slot in value["storageKeys"]]}
    return value


def test_real_mainnet_blocks_have_their_transactions_root():
    for block in _mainnet_blocks()[:3]:
        transactions = [transaction_json(decode_transaction(HexBytes(raw))) for raw in block["transactions"]]
        parsed = block_from_json(block["header"] | {"hash": block["hash"], "transactions": transactions})
        assert [h(tx.encode()) for tx in parsed.transactions] == block["transactions"]


def test_eth_account_recovers_the_same_sender():
    for transaction in signed_of_every_type():
        if transaction.tx_type in (LEGACY, ACCESS_LIST, DYNAMIC_FEE):
            expected = Account.recover_transaction(transaction.encode())
            assert h(transaction_from_json(transaction_json(transaction)).sender) == expected.lower()


def test_a_header_that_does_not_hash_to_its_hash_is_a_lie():
    answer = header_json(block_of([]).header) | {"gasUsed": "0x1"}
    with pytest.raises(MalformedResponse, match=r"block 7: the fields hash to 0x.*, the node says 0x"):
        header_from_json(answer)


def test_a_block_with_one_transaction_left_out_is_a_lie():
    answer = block_json(block_of(signed_of_every_type()), full=True)
    answer["transactions"].pop()
    with pytest.raises(MalformedResponse, match="transactions root"):
        block_from_json(answer)


def test_an_unknown_transaction_type_is_named():
    answer = transaction_json(signed_of_every_type()[4]) | {"type": "0x6a"}
    with pytest.raises(MalformedResponse, match="type 0x6a is not known"):
        transaction_from_json(answer)


@pytest.mark.parametrize("key", ["nonce", "gas", "value", "input", "maxFeePerGas", "r", "s", "chainId"])
@pytest.mark.parametrize("value", [None, 5, "5", "0xzz", [], {}])
def test_a_field_that_is_missing_or_odd_is_named(key: str, value: Any):
    answer = transaction_json(signed_of_every_type()[4]) | {key: value}
    with pytest.raises(MalformedResponse, match=key):
        transaction_from_json(answer)


@pytest.mark.parametrize("answer", [None, [], "0x", 5, {}, {"hash": "0x00"}])
def test_bytes_that_are_not_a_block_are_a_clear_error(answer: Any):
    with pytest.raises(MalformedResponse):
        block_from_json(answer)


def test_withdrawals_are_checked_against_the_headers_root():
    withdrawal = {"index": "0x1", "validatorIndex": "0x2", "address": "0x" + "ab" * 20, "amount": "0x3"}
    header = block_of([]).header
    with pytest.raises(MalformedResponse, match="withdrawals"):
        check_withdrawals({"withdrawals": [withdrawal]}, header)
    with pytest.raises(MalformedResponse, match="withdrawals"):
        check_withdrawals({}, header)
    # rlp([1, 2, address, 3]) under rlp(0), by hand: EIP-4895.
    root = ordered_trie_root([b"\xd8\x01\x02\x94" + b"\xab" * 20 + b"\x03"])
    check_withdrawals({"withdrawals": [withdrawal]}, header.with_fields(withdrawals_root=root))


def _receipts() -> list[Receipt]:
    log = Log(b"\x01" * 20, (b"\x02" * 32,), b"\x03")
    return [Receipt(0, 1, 21_000, 21_000), Receipt(2, 1, 61_000, 40_000, [log]), Receipt(3, 0, 82_000, 21_000)]


def _block_with_receipts() -> tuple[Block, list[dict[str, Any]]]:
    every = signed_of_every_type()
    root = ordered_trie_root([receipt.encode() for receipt in _receipts()])
    block = block_of([every[1], every[4], every[5]], receipts_root=root)
    return block, receipts_json(block, _receipts())


def test_receipts_come_back_and_have_the_headers_root():
    block, answer = _block_with_receipts()
    parsed = receipts_from_json(answer, block.header, 3)
    assert [receipt.encode() for receipt in parsed] == [receipt.encode() for receipt in _receipts()]
    assert parsed[1].logs == _receipts()[1].logs


@pytest.mark.parametrize("change", [{"status": "0x0"}, {"cumulativeGasUsed": "0x1"}, {"logs": []}, {"type": "0x3"}])
def test_a_changed_receipt_is_a_lie(change: dict[str, Any]):
    block, answer = _block_with_receipts()
    answer[1] |= change
    with pytest.raises(MalformedResponse, match="receipts root"):
        receipts_from_json(answer, block.header, 3)


def test_gas_used_which_no_root_covers_is_checked_by_the_sum():
    block, answer = _block_with_receipts()
    answer[2]["gasUsed"] = "0x1"
    with pytest.raises(MalformedResponse, match="receipt 2: gasUsed"):
        receipts_from_json(answer, block.header, 3)


def test_missing_and_old_receipts_are_refused():
    block, answer = _block_with_receipts()
    with pytest.raises(MalformedResponse, match="2 receipts for 3 transactions"):
        receipts_from_json(answer[:2], block.header, 3)
    del answer[0]["status"]
    with pytest.raises(MalformedResponse, match="Byzantium"):
        receipts_from_json(answer, block.header, 3)
