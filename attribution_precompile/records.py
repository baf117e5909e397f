"""What state remembers of inferences: the counters and the commitment of attribution.md section 5."""

from typing import Final

from . import gas
from .errors import AMOUNT_OVERFLOW
from .events import INFERRED
from .host import Host
from .layout import HISTORY, LAST_TIME_SHIFT, MASK_64, MASK_128, REVENUE_SHIFT, USAGE
from .signatures import keccak256

EMPTY_INFLUENCE_HASH: Final = keccak256(b"")
HISTORY_WORDS: Final = 12
_INFLUENCE_OFFSET: Final = (8 * 32).to_bytes(32, "big")


def record_inference(
    host: Host,
    model_id: int,
    model: int,
    payer: int,
    fee: int,
    count: int,
    input_tokens: int,
    output_tokens: int,
    hashes: bytes,
    influence: bytes,
) -> int:
    """Counts, commits and logs `count` inferences paid with `fee` wei; returns the last one's id.

    `model` is the model's slot, `hashes` are requestHash, responseHash and evidence (96 bytes), `influence` the packed
    words. AmountOverflow if the ids or the revenue would not fit.
    """
    usage = host.sload(model + USAGE)
    inference_id = (usage & MASK_64) + count
    revenue = (usage >> REVENUE_SHIFT & MASK_128) + fee
    if inference_id >> 64 or revenue >> 128:
        raise AMOUNT_OVERFLOW()
    now = host.timestamp
    host.sstore(model + USAGE, now << LAST_TIME_SHIFT | revenue << REVENUE_SHIFT | inference_id)
    host.charge(gas.keccak_gas(HISTORY_WORDS) + gas.keccak_gas(len(influence) >> 5))
    influence_hash = keccak256(influence) if influence else EMPTY_INFLUENCE_HASH
    head = host.sload(model + HISTORY)
    body = (fee << 768 | count << 512 | input_tokens << 256 | output_tokens).to_bytes(128, "big") + hashes
    commitment = b"".join(
        (
            (head << 512 | inference_id << 256 | payer).to_bytes(96, "big"),
            body,
            influence_hash,
            now.to_bytes(32, "big"),
        )
    )
    host.sstore(model + HISTORY, int.from_bytes(keccak256(commitment), "big"))
    length = (len(influence) >> 5).to_bytes(32, "big")
    host.log((INFERRED, model_id, inference_id, payer), b"".join((body, _INFLUENCE_OFFSET, length, influence)))
    return inference_id
