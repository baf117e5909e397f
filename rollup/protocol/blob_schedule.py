"""The blob price of known L1 chains: their forks by time, each with its blob schedule (EIP-7840, EIP-7892)."""

from bisect import bisect_right
from collections.abc import Sequence

from rollup.protocol.fees import MIN_BLOB_BASE_FEE, blob_base_fee
from rollup.protocol.forks import L1_FORKS, L1Fork, parse_forks
from rollup.protocol.header import Header

L1Forks = Sequence[tuple[L1Fork, int]]  # with activation times in seconds, oldest first

# Activation times: go-ethereum params/config.go. Forks before Cancun have no blobs.
_BY_CHAIN: dict[int, L1Forks] = {
    1: (
        (L1Fork.CANCUN, 0),
        (L1Fork.PRAGUE, 1_746_612_311),
        (L1Fork.OSAKA, 1_764_798_551),
        (L1Fork.BPO1, 1_765_290_071),
        (L1Fork.BPO2, 1_767_747_671),
    ),
    11_155_111: (
        (L1Fork.CANCUN, 0),
        (L1Fork.PRAGUE, 1_741_159_776),
        (L1Fork.OSAKA, 1_760_427_360),
        (L1Fork.BPO1, 1_761_017_184),
        (L1Fork.BPO2, 1_761_607_008),
    ),
}
PRAGUE_FROM_GENESIS: L1Forks = ((L1Fork.PRAGUE, 0),)


def parse_l1_forks(text: str, genesis_time: int) -> L1Forks:
    """Parses L1's forks: "osaka", or "prague,osaka+60,bpo1+120" in seconds after genesis.

    Raises ValueError.
    """
    return tuple((fork, genesis_time + after if after else 0) for fork, after in parse_forks(text, L1Fork))


def l1_fork_at(forks: L1Forks, timestamp: int) -> L1Fork:
    """The newest fork active at a time in seconds."""
    return next(fork for fork, time in reversed(forks) if timestamp >= time)


def blob_schedule_of(forks: L1Forks) -> tuple[tuple[int, int], ...]:
    """The fraction by which the blob base fee changes, from a time in seconds on, oldest first."""
    rows = ((L1_FORKS[fork].blobs, time) for fork, time in forks)
    return tuple((time, blobs.update_fraction) for blobs, time in rows if blobs is not None)


def l1_blob_base_fee(
    l1_chain_id: int,
    header: Header,
    pectra_time: int | None = None,
    schedule: Sequence[tuple[int, int]] | None = None,
) -> int:
    """Wei per unit of blob gas in this L1 block; 1 before blobs (op-node: BlobBaseFee of a header without excess).

    pectra_time: L1 time before which Cancun's fraction applies under any fork (pectra-blob-schedule/derivation.md).
    schedule: for an L1 that is not known by its chain id, (from a time in seconds, the fraction), oldest first.
    """
    # spec: attributes.blob-base-fee, attributes.pectra-blob-schedule
    if header.excess_blob_gas is None:
        return MIN_BLOB_BASE_FEE
    if pectra_time is not None and header.timestamp < pectra_time:
        return blob_base_fee_under(L1Fork.CANCUN, header.excess_blob_gas)
    forks = _BY_CHAIN.get(l1_chain_id)
    entries = blob_schedule_of(forks) if forks else schedule or blob_schedule_of(PRAGUE_FROM_GENESIS)
    index = max(bisect_right([time for time, _ in entries], header.timestamp) - 1, 0)
    return blob_base_fee(header.excess_blob_gas, entries[index][1])


def blob_base_fee_under(fork: L1Fork, excess_blob_gas: int) -> int:
    """Wei per unit of blob gas under an L1 fork's schedule; 1 before blobs."""
    blobs = L1_FORKS[fork].blobs
    return MIN_BLOB_BASE_FEE if blobs is None else blob_base_fee(excess_blob_gas, blobs.update_fraction)
