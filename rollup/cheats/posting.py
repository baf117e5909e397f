"""Posts garbage on a running chain, and reads what derivation makes of it."""

from dataclasses import dataclass
from typing import Any, Final

from derivation.drops import Drop
from derivation.journal import Fact
from rollup.cheats.garbage import Garbage, Place
from rollup.cheats.shared import Cheats
from rollup.execution.intrinsic import TX_GAS
from rollup.protocol.accounts import USERS
from rollup.protocol.call import Call
from rollup.protocol.primitives import Hash
from rollup.protocol.transaction import Transaction

_STRANGER: Final = USERS[9]
_GAS_PER_BYTE: Final = 40  # the most that a byte of calldata costs (EIP-7623)
_TIP: Final = 10**9  # wei per unit of gas
_SETTLING: Final = 4  # L1 blocks, for what the batcher has in L1's pool already


@dataclass(slots=True, frozen=True)
class Posted:
    """Garbage that was posted: its L1 transaction and block, and what derivation dropped while it read that block."""

    transaction: Hash
    l1_block: int
    drops: tuple[Drop, ...]

    def to_json(self) -> dict[str, Any]:
        """The garbage and its drops as a JSON object."""
        return {
            "l1Transaction": "0x" + self.transaction.hex(),
            "l1Block": self.l1_block,
            "dropped": [
                {"rule": drop.rule.code, "reason": drop.rule.text, "section": drop.rule.section} for drop in self.drops
            ],
        }


def post_garbage(cheats: Cheats, kind: Garbage) -> Posted:
    """Posts one kind and mines the L1 block that contains it. Raises PoolError, CheatRefused.

    The batcher rests meanwhile, so that no batch of its own comes before the garbage.
    """
    batcher = cheats.node.batcher
    if not batcher.is_active:
        return _post(cheats, kind)
    batcher.stop()
    try:
        return _post(cheats, kind)
    finally:
        batcher.start()


def _post(cheats: Cheats, kind: Garbage) -> Posted:
    node = cheats.node
    _settle(cheats)
    place = _next_place(cheats)
    transaction = _signed(cheats, kind, kind.data(place))
    facts: list[Drop] = []

    def note(fact: Fact) -> None:
        if isinstance(fact, Drop):
            facts.append(fact)

    end = node.l2.derivation.journal.subscribe(note)
    try:
        node.l1.miner.send_raw_transaction(transaction.encode())
        cheats.l1.mine()
    finally:
        end()
    found = node.l1.chain.find_transaction(transaction.hash)
    number = found.block_number if found is not None else node.l1.chain.head.number
    return Posted(transaction.hash, number, tuple(drop for drop in facts if drop.l1_block.number == number))


def _settle(cheats: Cheats) -> None:
    """Mines what the batcher has sent."""
    batcher = cheats.node.devnet.params.batcher.address
    for _ in range(_SETTLING):
        if not cheats.node.l1.pool.content().pending.get(batcher):
            return
        cheats.l1.mine()


def _next_place(cheats: Cheats) -> Place:
    node = cheats.node
    safe = node.safe_head
    return Place(safe.hash, safe.timestamp + node.devnet.params.l2_block_time, safe.l1_origin)


def _signed(cheats: Cheats, kind: Garbage, data: bytes) -> Transaction:
    node = cheats.node
    sender = _STRANGER if kind.is_stranger else node.devnet.params.batcher
    params, base_fee = node.devnet.params, node.l1.chain.head.header.base_fee_per_gas or 0
    call = Call(params.batch_inbox_address, data=data, gas=TX_GAS + _GAS_PER_BYTE * len(data))
    nonce = node.l1.pool.nonce(sender.address)
    return call.signed(sender.private_key, nonce, params.l1_chain_id, 2 * base_fee + _TIP, _TIP)
