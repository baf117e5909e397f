"""A receipt under the root and in the store: both are RLP of its fields, encoded item by item."""

from hypothesis import given
from hypothesis import strategies as st

from rollup.execution.block_codec import decode_receipts, encode_receipts
from rollup.protocol.primitives import rlp_encode, to_int_bytes
from rollup.protocol.receipt import Log, Receipt, number_logs
from rollup.protocol.transaction import DEPOSIT

WORDS = st.integers(0, 2**64 - 1) | st.integers(0, 300)
ADDRESSES = st.binary(min_size=20, max_size=20)
TOPICS = st.lists(st.binary(min_size=32, max_size=32), max_size=4).map(tuple)
LOGS = st.lists(st.builds(Log, ADDRESSES, TOPICS, st.binary(max_size=400)), max_size=3)
RECEIPTS = st.builds(
    Receipt,
    st.sampled_from((0, 1, 2, 4, DEPOSIT)),
    st.integers(0, 1),
    WORDS,
    WORDS,
    LOGS,
    contract_address=st.none() | ADDRESSES,
    deposit_nonce=st.none() | WORDS,
    deposit_receipt_version=st.none() | st.integers(0, 200),
    effective_gas_price=WORDS,
)


@given(RECEIPTS, st.booleans())
def test_a_receipts_encoding_is_that_of_its_fields(receipt: Receipt, for_root: bool) -> None:
    numbers = []
    if receipt.deposit_nonce is not None and (not for_root or receipt.deposit_receipt_version is not None):
        numbers = [number for number in (receipt.deposit_nonce, receipt.deposit_receipt_version) if number is not None]
    logs = [[log.address, list(log.topics), log.data] for log in receipt.logs]
    head = [to_int_bytes(receipt.status), to_int_bytes(receipt.cumulative_gas_used)]
    expected = rlp_encode([*head, receipt.bloom, logs, *map(to_int_bytes, numbers)])
    assert receipt.encode(for_root) == bytes((receipt.tx_type,) if receipt.tx_type else ()) + expected


@given(st.lists(RECEIPTS, max_size=4))
def test_stored_receipts_come_back_and_keep_their_encoding(receipts: list[Receipt]) -> None:
    number_logs(receipts)
    before = [receipt.encode(for_root=False) for receipt in receipts]
    restored = decode_receipts(encode_receipts(receipts))
    assert [item.bloom for item in restored] == [item.bloom for item in receipts]
    assert [(item, item.first_log) for item in restored] == [(item, item.first_log) for item in receipts]
    assert [receipt.encode(for_root=False) for receipt in (*receipts, *restored)] == before * 2
