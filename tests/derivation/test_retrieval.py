"""The batcher's data in an L1 block (specs protocol/derivation.md, "L1 Retrieval")."""

import pytest

from derivation.errors import EndOfSource
from derivation.l1_retrieval import L1Retrieval, batcher_data
from rollup.l1.kzg import blob_versioned_hash
from rollup.protocol.accounts import BATCHER, USERS
from rollup.protocol.blobs import BLOB_SIZE, encode_blob
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.config import SystemConfig
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.transaction import (
    ACCESS_LIST,
    BLOB,
    DEPOSIT,
    DYNAMIC_FEE,
    LEGACY,
    SET_CODE,
    Transaction,
    deposit_transaction,
)
from tests.vectors.rollup_configs import rollup_config

CONFIG = rollup_config(ForkSchedule.all_at(Fork.JOVIAN))
INBOX = CONFIG.batch_inbox_address
BLOCK = L1BlockRef(b"\1" * 32, 7, b"\2" * 32, 1_700_000_000)
# Specs protocol/derivation.md, "L1 Retrieval": legacy, access list, dynamic fee, blob, and deposits of nested chains.
ALLOWED = {LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, DEPOSIT}


def from_account(account, tx_type, data=b"frames", to=INBOX, hashes=()):
    """A transaction of any type from an account to the inbox."""
    if tx_type == DEPOSIT:
        return deposit_transaction(
            source_hash=bytes(32),
            sender=account.address,
            to=to,
            mint=None,
            value=0,
            gas_limit=100_000,
            is_system=False,
            data=data,
        )
    transaction = Transaction(
        tx_type=tx_type, chain_id=1, gas_limit=100_000, to=to, data=data, blob_versioned_hashes=tuple(hashes)
    )
    return transaction.signed(account.private_key)


def taken(transaction, *, allow_blobs=False):
    return [item.calldata for item in batcher_data(INBOX, BATCHER.address, [transaction], allow_blobs=allow_blobs)]


@pytest.mark.parametrize("tx_type", [LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, SET_CODE, DEPOSIT])
def test_every_transaction_type_is_taken_or_passed_over_as_specified(tx_type):
    # spec: retrieval.inbox, retrieval.types, retrieval.sender
    expected = [b"frames"] if tx_type in ALLOWED else []
    assert taken(from_account(BATCHER, tx_type)) == expected
    assert taken(from_account(USERS[0], tx_type)) == []
    assert taken(from_account(BATCHER, tx_type, to=USERS[0].address)) == []


class OneBlock:
    """An L1 of one block, its blobs, and the stage that stands on it."""

    def __init__(self, transactions, blobs):
        self.origin = BLOCK
        self.system_config = SystemConfig(BATCHER.address, 0, 1, 30_000_000)
        self._blocks = [BLOCK]
        self._transactions = transactions
        self._blobs = {blob_versioned_hash(blob): blob for blob in blobs}

    def next_l1_block(self):
        if not self._blocks:
            raise EndOfSource
        return self._blocks.pop()

    def transactions(self, block_hash):
        assert block_hash == BLOCK.hash
        return self._transactions

    def blobs(self, block, hashes):
        assert block == BLOCK
        return [self._blobs[item] for item in hashes]


def read(transactions, blobs):
    source = OneBlock(transactions, blobs)
    stage, found = L1Retrieval(CONFIG, source, source, source), []
    try:
        while True:
            found.append(stage.next_data().data)
    except EndOfSource:
        return found


def test_blobs_and_calldata_come_in_the_order_of_the_block():
    # spec: retrieval.order, blob.calldata-ignored, blob.order, blob.invalid-ignored
    foreign = b"\0\xff" + bytes(BLOB_SIZE - 2)  # below the field's modulus, but no encoding of ours
    blobs = [encode_blob(b"b"), foreign, encode_blob(b"c"), encode_blob(b"e")]
    hashes = [blob_versioned_hash(blob) for blob in blobs]
    transactions = [
        from_account(BATCHER, DYNAMIC_FEE, b"a"),
        from_account(BATCHER, BLOB, b"ignored", hashes=hashes[:3]),
        from_account(USERS[0], BLOB, b"foreign", hashes=hashes[:1]),
        from_account(BATCHER, DEPOSIT, b"d"),
        from_account(BATCHER, BLOB, b"ignored", hashes=hashes[3:]),
    ]
    assert read(transactions, blobs) == [b"a", b"b", b"c", b"d", b"e"]
