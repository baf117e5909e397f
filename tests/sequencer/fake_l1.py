"""An L1 of nonces and receipts alone: what the transaction manager can see, with every way it can go wrong."""

from derivation.errors import Temporary
from rollup.l1.l1_client import AlreadyPooled, L1Receipt, TransactionRefused
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.transaction import BLOB, Transaction, decode_transaction


class FakeL1:
    """Every transaction in the pool is mined by `mine`, if its fee cap covers base_fee_now."""

    def __init__(self):
        self.blocks: list[list[Transaction]] = [[]]
        self.branch = 0
        self.pool: dict[int, Transaction] = {}
        self.price = 10**9
        self.tip = 10**9
        self.blob_price = 1
        self.fails = 0  # how many of the next calls raise Temporary
        self.refuse: str | None = None
        self.lose_answer = False
        self.fails_after_loss = 0
        self.sent: list[Transaction] = []

    def _door(self):
        if self.fails:
            self.fails -= 1
            raise Temporary("connection refused")

    def _hash(self, number):
        return bytes([self.branch]) + number.to_bytes(31, "big")

    def head(self):
        self._door()
        number = len(self.blocks) - 1
        return L1BlockRef(self._hash(number), number, self._hash(number - 1) if number else bytes(32), 12 * number)

    def nonce(self, address):
        self._door()
        return sum(len(block) for block in self.blocks)

    def pending_nonce(self, address):
        nonce = self.nonce(address)
        while nonce in self.pool:
            nonce += 1
        return nonce

    def base_fee(self):
        self._door()
        return self.price

    def blob_base_fee(self):
        self._door()
        return self.blob_price

    def suggested_tip(self):
        self._door()
        return self.tip

    def send_raw_transaction(self, raw):
        self._door()
        transaction = decode_transaction(raw)
        assert transaction.tx_type != BLOB
        if self.refuse is not None:
            raise TransactionRefused(self.refuse)
        old = self.pool.get(transaction.nonce)
        if transaction.nonce < self.nonce(b""):
            raise TransactionRefused("nonce too low")
        if old is not None:
            if old.hash == transaction.hash:
                raise AlreadyPooled("already known")
            if transaction.max_fee_per_gas * 100 < old.max_fee_per_gas * 110:
                raise TransactionRefused("replacement transaction underpriced")
        self.pool[transaction.nonce] = transaction
        self.sent.append(transaction)
        if self.lose_answer:
            self.lose_answer = False
            self.fails = self.fails_after_loss
            raise Temporary("connection reset")
        return transaction.hash

    def receipt(self, tx_hash):
        self._door()
        for number, block in enumerate(self.blocks):
            for transaction in block:
                if transaction.hash == tx_hash:
                    return L1Receipt(tx_hash, self._hash(number), number, 1, 21_000, self.price + self.tip)
        return None

    def call(self, to, data):
        raise AssertionError("not asked here")

    def mine(self, empty=False):
        block = []
        nonce = sum(len(block) for block in self.blocks)
        while not empty and nonce in self.pool and self.pool[nonce].max_fee_per_gas >= self.price:
            block.append(self.pool.pop(nonce))
            nonce += 1
        self.blocks.append(block)

    def reorg(self, depth, *, keep):
        """Replaces the last blocks by as many empty ones; keep = the pool takes the transactions back."""
        self.branch += 1
        gone = [transaction for block in self.blocks[-depth:] for transaction in block]
        self.blocks[-depth:] = [[] for _ in range(depth)]
        if keep:
            self.pool |= {transaction.nonce: transaction for transaction in gone}
