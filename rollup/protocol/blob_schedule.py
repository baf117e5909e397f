"""What a blob costs on an L1: the update fraction by L1 and time (EIP-7840's blobSchedule, as data)."""

from bisect import bisect_right
from collections.abc import Sequence

from rollup.protocol.fees import BLOB_SCHEDULE, MIN_BLOB_BASE_FEE, blob_base_fee
from rollup.protocol.header import Header

_CANCUN, _PRAGUE = BLOB_SCHEDULE["cancun"][2], BLOB_SCHEDULE["prague"][2]
# Activation times in seconds: go-ethereum params/config.go (Cancun, Prague, BPO1, BPO2).
_BY_CHAIN = {
    1: [(0, _CANCUN), (1_746_612_311, _PRAGUE), (1_765_290_071, 8_346_193), (1_767_747_671, 11_684_671)],
    11_155_111: [(0, _CANCUN), (1_741_159_776, _PRAGUE), (1_761_017_184, 8_346_193), (1_761_607_008, 11_684_671)],
}
_PRAGUE_FROM_GENESIS = [(0, _PRAGUE)]


def l1_blob_base_fee(
    l1_chain_id: int,
    header: Header,
    pectra_time: int | None = None,
    schedule: Sequence[tuple[int, int]] | None = None,
) -> int:
    """Wei a unit of blob gas in this L1 block; 1 before blobs (op-node: BlobBaseFee of a header without excess).

    pectra_time: L1 time before which Cancun's fraction holds whatever L1 says (pectra-blob-schedule/derivation.md).
    schedule: of an L1 that is not known by its chain id, (from a time in seconds, the fraction), oldest first.
    """
    if header.excess_blob_gas is None:
        return MIN_BLOB_BASE_FEE
    if pectra_time is not None and header.timestamp < pectra_time:
        return blob_base_fee(header.excess_blob_gas, _CANCUN)
    entries = _BY_CHAIN.get(l1_chain_id) or schedule or _PRAGUE_FROM_GENESIS
    index = max(bisect_right([time for time, _ in entries], header.timestamp) - 1, 0)
    return blob_base_fee(header.excess_blob_gas, entries[index][1])
