"""A chain of accounts without blocks behind it, and transactions signed by numbered keys: what pool tests need."""

from dataclasses import dataclass, field

from coincurve import PrivateKey

from rollup.execution.chain import HeadChange
from rollup.execution.config import L2Config
from rollup.execution.state.account import Account
from rollup.pool.mempool import Mempool
from rollup.protocol.block import Block
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.header import Header
from rollup.protocol.primitives import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, keccak256
from rollup.protocol.transaction import DYNAMIC_FEE, LEGACY, Transaction

CHAIN_ID = 900
GWEI = 10**9
ETHER = 10**18
RECIPIENT = b"\x77" * 20


def key(index: int) -> bytes:
    return index.to_bytes(32, "big")


def address(index: int) -> bytes:
    return keccak256(PrivateKey(key(index)).public_key.format(compressed=False)[1:])[12:]


@dataclass
class Accounts:
    """A StateReader over a dictionary."""

    accounts: dict = field(default_factory=dict)
    codes: dict = field(default_factory=dict)

    def account(self, address):
        return self.accounts.get(address)

    def storage(self, address, slot):
        return 0

    def code(self, code_hash):
        return self.codes.get(code_hash, b"")

    def set(self, address, nonce=0, balance=100 * ETHER, code=b""):
        code_hash = keccak256(code) if code else EMPTY_CODE_HASH
        self.codes[code_hash] = code
        self.accounts[address] = Account(nonce, balance, EMPTY_TRIE_ROOT, code_hash)


class FakeChain:
    """A stand-in for Chain with the parts that the pool reads."""

    def __init__(self, gas_limit=30_000_000):
        self.state = Accounts()
        self.head = Block(Header(number=0, gas_limit=gas_limit, timestamp=1_700_000_000, base_fee_per_gas=GWEI))
        self.callbacks = []
        for index in range(1, 20):
            self.state.set(address(index))

    def state_at(self, block_hash):
        return self.state

    def subscribe(self, callback):
        self.callbacks.append(callback)

    def include(self, *transactions, removed=()):
        """A block with these: nonces move, and subscribers are notified."""
        parent = removed[0].header if removed else self.head.header
        header = Header(
            parent_hash=parent.hash,
            number=parent.number + 1,
            gas_limit=parent.gas_limit,
            timestamp=parent.timestamp + 2,
            base_fee_per_gas=GWEI,
            extra_data=bytes([len(removed)]),
        )
        block = Block(header, list(transactions))
        for old in removed:
            for transaction in reversed(old.transactions):
                self._nonce(transaction.sender, transaction.nonce)
        for transaction in transactions:
            self._nonce(transaction.sender, transaction.nonce + 1)
        self.head = block
        for callback in self.callbacks:
            callback(HeadChange(list(removed), [block]))
        return block

    def _nonce(self, sender, nonce):
        account = self.state.accounts[sender]
        self.state.accounts[sender] = account._replace(nonce=nonce)


def transfer(sender, nonce=0, *, tip=GWEI, cap=10 * GWEI, value=1, gas=21_000, chain_id=CHAIN_ID, **fields):
    transaction = Transaction(
        fields.pop("tx_type", DYNAMIC_FEE),
        nonce=nonce,
        gas_limit=gas,
        to=fields.pop("to", RECIPIENT),
        value=value,
        chain_id=chain_id,
        max_fee_per_gas=cap,
        max_priority_fee_per_gas=tip,
        **fields,
    )
    return transaction.signed(key(sender))


def legacy(sender, nonce=0, *, price=10 * GWEI, chain_id=CHAIN_ID, gas=21_000):
    return transfer(sender, nonce, tip=price, cap=price, chain_id=chain_id, gas=gas, tx_type=LEGACY)


def make_pool(chain=None, config=None, **options):
    """A pool of an L2 with Jovian's rules, or of the chain that a config describes."""
    chain = chain or FakeChain()
    return Mempool(chain, config or L2Config(CHAIN_ID, ForkSchedule.all_at(Fork.JOVIAN)), **options), chain


def order(pool, base_fee=GWEI):
    """(sender index, nonce) in the order a builder gets them."""
    indices = {address(index): index for index in range(1, 20)}
    return [(indices[tx.sender], tx.nonce) for tx in pool.pending(base_fee)]
