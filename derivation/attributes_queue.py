"""Stage 7: a batch becomes payload attributes (specs protocol/derivation.md, "Payload Attributes Derivation")."""

from dataclasses import dataclass
from typing import Protocol

from derivation.attributes import prepare_payload_attributes
from derivation.batches import SingularBatch
from derivation.errors import Reset
from derivation.places import BatchPlace
from derivation.sources import L1Source
from rollup.protocol.blockref import L1BlockRef, L2BlockRef
from rollup.protocol.config import RollupConfig, SystemConfig
from rollup.protocol.payload import PayloadAttributes


class BatchSource(Protocol):
    """The stage before: batch queue or batch stage."""

    def next_batch(self, parent: L2BlockRef) -> tuple[SingularBatch, bool]: ...


@dataclass(slots=True, frozen=True)
class DerivedAttributes:
    """Attributes, the block they build on, whether they end their batch, and the L1 block that made them derivable.

    batch: where their batch was read; None for a block without a batch.
    """

    attributes: PayloadAttributes
    parent: L2BlockRef
    is_last_in_batch: bool
    derived_from: L1BlockRef
    batch: BatchPlace | None = None

    def deposits_only(self) -> PayloadAttributes:
        """The attributes without the batch's transactions (holocene/derivation.md, "Engine Queue")."""
        # spec: holocene.deposits-only
        kept = [raw for raw in self.attributes.transactions if raw[:1] == b"\x7e"]
        return PayloadAttributes(
            timestamp=self.attributes.timestamp,
            prev_randao=self.attributes.prev_randao,
            fee_recipient=self.attributes.fee_recipient,
            parent_beacon_block_root=self.attributes.parent_beacon_block_root,
            transactions=kept,
            no_tx_pool=True,
            gas_limit=self.attributes.gas_limit,
            has_withdrawals=self.attributes.has_withdrawals,
            eip1559_params=self.attributes.eip1559_params,
            min_base_fee=self.attributes.min_base_fee,
        )


class AttributesQueue:
    """Holds one batch until L1 has answered all that its attributes need."""

    def __init__(self, config: RollupConfig, previous: BatchSource, l1: L1Source) -> None:
        self._config = config
        self._previous = previous
        self._l1 = l1
        self._batch: tuple[SingularBatch, bool] | None = None

    def reset(self) -> None:
        """Forgets the batch."""
        self._batch = None

    def next_attributes(self, parent: L2BlockRef, system_config: SystemConfig, origin: L1BlockRef) -> DerivedAttributes:
        """Attributes of the block after parent; raises NotEnoughData, EndOfSource, Temporary, Reset, Critical."""
        # spec: attributes.transaction-order
        if self._batch is None:
            self._batch = self._previous.next_batch(parent)
        batch, is_last = self._batch
        if batch.parent_hash != parent.hash or batch.timestamp != parent.timestamp + self._config.block_time:
            self._batch = None
            raise Reset(f"a valid batch does not follow L2 block {parent.number} 0x{parent.hash.hex()}")
        attributes = prepare_payload_attributes(self._config, self._l1, parent, system_config, batch.epoch)
        attributes.transactions += batch.transactions
        self._batch = None
        return DerivedAttributes(attributes, parent, is_last, origin, batch.place)
