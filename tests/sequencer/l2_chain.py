"""An L2 of headers and L1 attributes alone, and a derivation that reads singular batches off a FakeL1."""

import zlib

from rollup.protocol.block import Block
from rollup.protocol.blockref import BlockId, L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig, RollupGenesis, SystemConfig
from rollup.protocol.forks import Fork, ForkSchedule
from rollup.protocol.header import Header
from rollup.protocol.l1_attributes import l1_attributes_deposit
from rollup.protocol.primitives import rlp_decode, rlp_encode

TIME = 1_700_000_000
GENESIS = Block(Header(timestamp=TIME, base_fee_per_gas=1))
SYSTEM = SystemConfig(b"\x0b" * 20, 0, 1, 1)


def rollup_config(**changes):
    genesis = RollupGenesis(BlockId(bytes(32), 0), BlockId(GENESIS.hash, 0), TIME, SYSTEM)
    fields = {"seq_window_size": 3600, "forks": ForkSchedule.all_at(Fork.JOVIAN)} | changes
    return RollupConfig(
        genesis=genesis,
        block_time=2,
        max_sequencer_drift=600,
        channel_timeout=300,
        l1_chain_id=900,
        l2_chain_id=901,
        batch_inbox_address=b"\xff" * 20,
        deposit_contract_address=b"\xdd" * 20,
        l1_system_config_address=b"\xcc" * 20,
        **fields,
    )


class L2Chain:
    """A stand-in for Chain with the parts that the batcher reads."""

    def __init__(self):
        self.config = rollup_config()
        self.blocks = [GENESIS]
        self.branch = 0
        self._origin, self._sequence_number = 0, 0  # of the newest block built

    @property
    def head(self):
        return self.blocks[-1]

    def build(self, count, *, origin):
        """Blocks whose L1 origin has this number."""
        for _ in range(count):
            parent = self.head
            self._sequence_number = self._sequence_number + 1 if origin == self._origin else 0
            self._origin = origin
            l1_header = Header(number=origin, timestamp=TIME, base_fee_per_gas=1, excess_blob_gas=0)
            place = l1_header.hash, self._sequence_number, parent.timestamp + 2
            deposit = l1_attributes_deposit(self.config, SYSTEM, l1_header, *place)
            header = Header(
                parent_hash=parent.hash,
                number=parent.number + 1,
                timestamp=parent.timestamp + 2,
                base_fee_per_gas=1,
                gas_used=self.branch,
            )
            self.blocks.append(Block(header, [deposit]))

    def reorg(self, depth):
        """Replaces the newest blocks by as many others."""
        del self.blocks[-depth:]
        self.branch += 1
        self.build(depth, origin=0)

    def block_by_number(self, number):
        return self.blocks[number] if 0 <= number < len(self.blocks) else None

    def canonical_hash(self, number):
        block = self.block_by_number(number)
        return block.hash if block is not None else None


class FakeDerivation:
    """Reads each mined L1 block once; starts over when L1 went back."""

    def __init__(self, config, l1, l2):
        self._config = config
        self._l1 = l1
        self._l2 = l2
        self.deaf_until = 0  # L1 blocks whose batches it drops
        self._start()

    def _start(self):
        self.safe_head = L2BlockRef(GENESIS.hash, 0, bytes(32), TIME, BlockId(bytes(32), 0), 0)
        self.current_l1 = L1BlockRef(bytes(32), 0, bytes(32), TIME)
        self.duplicates = 0
        self._branch = self._l1.branch
        self._channels = {}
        self._l2_branch = self._l2.branch

    def read(self):
        """Reads L1 up to its head."""
        if self._l1.branch != self._branch or self._l2.branch != self._l2_branch:
            self._start()
        for number in range(self.current_l1.number + 1, len(self._l1.blocks)):
            self.current_l1 = L1BlockRef(number.to_bytes(32, "big"), number, bytes(32), TIME + 12 * number)
            for transaction in self._l1.blocks[number]:
                if number >= self.deaf_until:
                    self._frame(transaction.data)

    def _frame(self, data):
        assert data[0] == 0
        channel_id, length = data[1:17], int.from_bytes(data[19:23], "big")
        channel = self._channels.setdefault(channel_id, b"") + data[23 : 23 + length]
        self._channels[channel_id] = channel
        if data[23 + length]:
            self._batches(zlib.decompress(self._channels.pop(channel_id)))

    def _batches(self, raw):
        while raw:
            item, raw = first_rlp_item(raw)
            parent_hash, _, _, time, _ = rlp_decode(rlp_decode(item)[1:])
            block = self._l2.block_by_number((int.from_bytes(time, "big") - TIME) // 2)
            if block is None or block.number <= self.safe_head.number:
                self.duplicates += 1
            elif block.header.parent_hash == parent_hash == self.safe_head.hash:
                self.safe_head = L2BlockRef(block.hash, block.number, parent_hash, block.timestamp, BlockId(b"", 0), 0)


def first_rlp_item(raw):
    """Splits an RLP string off the front."""
    if raw[0] <= 0xB7:
        size = 1 + raw[0] - 0x80
    else:
        digits = raw[0] - 0xB7
        size = 1 + digits + int.from_bytes(raw[1 : 1 + digits], "big")
    assert rlp_encode(rlp_decode(raw[:size])) == raw[:size]
    return raw[:size], raw[size:]
