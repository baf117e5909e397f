"""EIP-6110: what stakers paid into the deposit contract of L1, as the requests of its blocks."""

from collections.abc import Iterable

from rollup.execution.errors import InvalidBlock
from rollup.protocol.predeploys import DEPOSIT_CONTRACT
from rollup.protocol.receipt import Log

DEPOSIT_EVENT = bytes.fromhex("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5")
# pubkey, withdrawal credentials, amount, signature and index: where each begins in the event's data, and its bytes.
_FIELDS = ((160, 48), (256, 32), (320, 8), (384, 96), (512, 8))
_SIZE = 576


def deposit_requests(logs: Iterable[Log]) -> bytes:
    """The deposits in the logs of a block, one after the other; raises InvalidBlock for a malformed event."""
    return b"".join(
        _deposit(log.data) for log in logs if log.address == DEPOSIT_CONTRACT and log.topics[:1] == (DEPOSIT_EVENT,)
    )


def _deposit(data: bytes) -> bytes:
    """The fields of an event without the lengths and the padding between them."""
    if len(data) != _SIZE:
        raise InvalidBlock("deposit event", f"{_SIZE} bytes", len(data))
    for index, (start, size) in enumerate(_FIELDS):
        place, length = _number(data, 32 * index), _number(data, start)
        if place != start or length != size:
            raise InvalidBlock("deposit event", f"field {index} of {size} bytes at {start}", f"{length} at {place}")
    return b"".join(data[start + 32 : start + 32 + size] for start, size in _FIELDS)


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 32], "big")
