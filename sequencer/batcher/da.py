"""Where batch data goes on L1: calldata or blobs, and which is cheaper now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rollup.protocol.fees import GAS_PER_BLOB
from rollup.protocol.fees import calldata_gas as standard_calldata_gas

DataAvailability = Literal["calldata", "blobs", "auto"]

DERIVATION_VERSION_0 = b"\x00"  # specs protocol/derivation.md, "Batcher Transaction Format"
# What one blob holds by the OP codec (specs protocol/ecotone/derivation.md, "Blob Encoding").
MAX_BLOB_DATA_SIZE = (4 * 31 + 3) * 1024 - 4
MAX_BLOBS_PER_TRANSACTION = 6
# op-batcher's max-l1-tx-size-bytes: below the 128 KiB a pool takes.
MAX_CALLDATA_SIZE = 120_000
_TRANSACTION_GAS = 21_000


@dataclass(slots=True, frozen=True)
class L1Prices:
    """Wei: the next block's base fee, the tip to pay, the blob base fee. has_blobs is false where L1 takes no blobs."""

    base_fee: int
    tip: int
    blob_base_fee: int
    has_blobs: bool = True

    @property
    def gas_price(self) -> int:
        """Wei a unit of execution gas."""
        return self.base_fee + self.tip


def calldata_gas(data: bytes) -> int:
    """Gas of a transaction with nothing but this calldata: the standard price or EIP-7623's floor, the higher."""
    floor = 10 * (4 * len(data) - 3 * data.count(0))
    return _TRANSACTION_GAS + max(standard_calldata_gas(data), floor)


def calldata_cost(transactions: Sequence[bytes], prices: L1Prices) -> int:
    """Wei for one transaction an item of calldata."""
    return sum(calldata_gas(data) for data in transactions) * prices.gas_price


def blob_cost(blobs: int, prices: L1Prices) -> int:
    """Wei for this many blobs, in as few transactions as they fit."""
    transactions = -(-blobs // MAX_BLOBS_PER_TRANSACTION)
    return blobs * GAS_PER_BLOB * prices.blob_base_fee + transactions * _TRANSACTION_GAS * prices.gas_price


def blobs_are_cheaper(calldata: Sequence[bytes], blobs: int, prices: L1Prices) -> bool:
    """Compares the two ways for the same channel; a tie goes to blobs."""
    return blob_cost(blobs, prices) <= calldata_cost(calldata, prices)
