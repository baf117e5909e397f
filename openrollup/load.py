"""Inferences as load: a DataNet with contributors, a model of it, and payers who ask it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from attribution_precompile import ADDRESS_BYTES, SELECTORS
from attribution_precompile.abi import encode_words
from openrollup.layers import L2
from openrollup.local_rpc import LocalRpc
from rollup.node import Node
from rollup.pool.mempool import Mempool
from rollup.protocol.accounts import USERS, DevAccount
from rollup.protocol.call import Call
from rollup.protocol.primitives import Hash, keccak256

OWNER: Final = USERS[0]
PAYERS: Final = USERS[2:]
PER_BLOCK: Final = 200  # inferences in one block: a fifth of the gas that a block has
_TEXTS_PER_CALL: Final = 200
_MOST_BLOCKS: Final = 50  # until the pool's transactions are included
_GAS_LIMIT: Final = 25_000_000
_INFER_GAS: Final = 400_000
_TIP: Final = 10**6
_PRICE: Final = (10**16, 10**15, 4 * 10**15)  # wei per call, per thousand tokens in, per thousand tokens out
_SPLIT: Final = (3_000, 0, 7_000)  # basis points to owner, lineage and data
_TOKENS: Final = (120, 340)
_SELECTOR: Final = {method.name: selector for selector, method in SELECTORS.items()}


@dataclass(slots=True)
class Load:
    """Sends attribution transactions of the development accounts through the node's pool."""

    node: Node
    l2: L2
    rpc: LocalRpc
    _nonces: dict[bytes, int] = field(default_factory=dict)
    _models: dict[int, int] = field(default_factory=dict)  # contributors of the DataNet: model

    def model(self, contributors: int) -> int:
        """The model of a DataNet with so many contributors; made the first time that it is asked for."""
        if contributors not in self._models:
            self._models[contributors] = self._register(contributors)
        return self._models[contributors]

    def infer(self, count: int, contributors: int) -> Iterator[Hash]:
        """The hashes of single compact inferences (48 bytes of calldata), some in each block, all of them included."""
        self._settle()
        model = self.model(contributors)
        value = _PRICE[0] + _PRICE[1] * _TOKENS[0] // 1000 + _PRICE[2] * _TOKENS[1] // 1000
        head = b"".join(number.to_bytes(4, "big") for number in (model, *_TOKENS))
        for first in range(0, count, PER_BLOCK):
            sent = []
            for number in range(first, min(first + PER_BLOCK, count)):
                record = keccak256(b"%d %d" % (model, number))
                data = _SELECTOR["inferCompact"] + head + record
                sent.append(self._send(PAYERS[number % len(PAYERS)], data, _INFER_GAS, value))
            self._include(sent)
            yield from sent

    @property
    def _pool(self) -> Mempool:
        assert self.node.l2.pool is not None, "the sequencer's L2 always has a pool"
        return self.node.l2.pool

    def _settle(self) -> None:
        """Builds what a reorganisation gave back to the pool: ids and nonces are then those of the chain."""
        self._nonces.clear()
        for _ in range(_MOST_BLOCKS):
            if not self._pool.counts()[0]:
                return
            self.l2.build()

    def _register(self, contributors: int) -> int:
        call = _SELECTOR["createDatanet"] + encode_words(_word(b"openrollup"))
        datanet = self._made(self._send(OWNER, call))
        for first in range(0, contributors, _TEXTS_PER_CALL):
            people = range(first, min(first + _TEXTS_PER_CALL, contributors))
            rows = [word for number in people for word in (contributor(number), number % 9 + 1, _word(b"%d" % number))]
            call = _SELECTOR["contribute"] + encode_words(datanet, 64, len(people), *rows)
            self._made(self._send(OWNER, call))
        attributor = int.from_bytes(USERS[1].address, "big")
        words = (32, _word(b"a model"), 0, attributor, *_PRICE, *_SPLIT, 320, 1, datanet, 1)
        return self._made(self._send(OWNER, _SELECTOR["registerModel"] + encode_words(*words)))

    def _send(self, sender: DevAccount, data: bytes, gas: int = _GAS_LIMIT, value: int = 0) -> Hash:
        if sender.address not in self._nonces:
            found = self.rpc.call("eth_getTransactionCount", "0x" + sender.address.hex(), "pending")
            self._nonces[sender.address] = int(found, 16)
        nonce, chain_id = self._nonces[sender.address], self.node.devnet.l2_config.chain_id
        call = Call(ADDRESS_BYTES, value, data, gas)
        transaction = call.signed(sender.private_key, nonce, chain_id, 2 * self.l2.base_fee + _TIP, _TIP)
        self._pool.add(transaction.encode())
        self._nonces[sender.address] += 1
        return transaction.hash

    def _include(self, hashes: list[Hash]) -> None:
        """Builds until all are in a block and none failed."""
        chain = self.node.l2.chain
        for _ in range(_MOST_BLOCKS):
            if all(chain.find_transaction(item) is not None for item in hashes):
                break
            self.l2.build()
        else:
            raise RuntimeError(f"transactions are in no block after {_MOST_BLOCKS} blocks")
        for item in hashes:
            if _receipt(self.node, item).status != 1:
                raise RuntimeError(f"transaction 0x{item.hex()} failed")

    def _made(self, sent: Hash) -> int:
        """The id in the first topic of what a transaction made."""
        self._include([sent])
        return int.from_bytes(_receipt(self.node, sent).logs[0].topics[1], "big")


def contributor(number: int) -> int:
    """The address of a made-up contributor as a number: nobody has its key."""
    return int.from_bytes(keccak256(b"contributor %d" % number)[12:], "big")


def _receipt(node: Node, sent: Hash) -> Any:
    location = node.l2.chain.find_transaction(sent)
    assert location is not None, "the transaction is in a block"
    return (node.l2.chain.receipts(location.block_hash) or [])[location.index]


def _word(text: bytes) -> int:
    return int.from_bytes(keccak256(text), "big")
