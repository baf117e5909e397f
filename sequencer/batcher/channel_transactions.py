"""The L1 transactions that carry a closed channel."""

from dataclasses import dataclass

from rollup.l1.sidecar import make_sidecar
from rollup.protocol.blobs import encode_blob
from rollup.protocol.primitives import Address
from sequencer.batcher.channel_builder import ChannelBuilder
from sequencer.batcher.config import BatcherConfig
from sequencer.batcher.da import DERIVATION_VERSION_0, L1Prices, blobs_are_cheaper
from sequencer.batcher.tx_manager import TxCandidate


@dataclass(slots=True, frozen=True)
class ChannelTransaction:
    """A transaction to send. data_bytes: its frames with their version bytes."""

    candidate: TxCandidate
    kind: str  # "calldata" or "blobs"
    data_bytes: int
    blobs: int


def channel_transactions(
    channel: ChannelBuilder, inbox: Address, options: BatcherConfig, prices: L1Prices, can_be_blobs: bool
) -> list[ChannelTransaction]:
    """A channel's frames as calldata or as blobs, by the options.

    can_be_blobs: L1 has blobs, and derivation reads them: from the L1 block on whose time is Ecotone's
    (ecotone/derivation.md, "Blob Retrieval").
    """
    calldata = [DERIVATION_VERSION_0 + frame for frame in channel.frames(options.max_calldata_frame)]
    in_blobs = [DERIVATION_VERSION_0 + frame for frame in channel.frames(options.max_blob_frame)]
    wants_blobs = options.da == "blobs" or (options.da == "auto" and blobs_are_cheaper(calldata, len(in_blobs), prices))
    if not (wants_blobs and can_be_blobs):
        return [ChannelTransaction(TxCandidate(inbox, data), "calldata", len(data), 0) for data in calldata]
    size = options.blobs_per_transaction
    groups = [in_blobs[start : start + size] for start in range(0, len(in_blobs), size)]
    return [
        ChannelTransaction(
            TxCandidate(inbox, sidecar=make_sidecar(tuple(map(encode_blob, group)))),
            "blobs",
            sum(map(len, group)),
            len(group),
        )
        for group in groups
    ]
