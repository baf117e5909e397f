"""The record of inferences in the state: a model's counters and its history commitment."""

from typing import Final, NamedTuple

from .errors import AMOUNT_OVERFLOW
from .events import INFERRED
from .gas import KECCAK, keccak_gas
from .host import Host
from .layout import HISTORY, USAGE
from .signatures import keccak256
from .words import pack_usage, unpack_usage

EMPTY_INFLUENCE_HASH: Final = keccak256(b"")
HISTORY_WORDS: Final = 12
_HISTORY_GAS: Final = keccak_gas(HISTORY_WORDS)
_EMPTY_VECTOR: Final = bytes(32)  # its length
_INFLUENCE_OFFSET: Final = (8 * 32).to_bytes(32, "big")


class Usage(NamedTuple):
    """The usage of a model by one transaction, and what was paid for it."""

    payer: int  # an address as an integer
    fee: int  # wei
    inferences: int
    input_tokens: int
    output_tokens: int
    hashes: bytes  # requestHash, responseHash and evidence, 96 bytes
    influence: bytes  # packed words; empty for the model's default weights


def record_inference(host: Host, model_id: int, model_slot: int, usage: Usage) -> int:
    """Counts and logs a usage of a model and updates the commitment. Returns the id of the last inference.

    Raises AmountOverflow if the ids or the revenue would not fit.
    """
    payer, fee, count, input_tokens, output_tokens, hashes, influence = usage
    inferences, revenue, _ = unpack_usage(host.sload(model_slot + USAGE))
    inference_id = inferences + count
    revenue += fee
    if inference_id >> 64 or revenue >> 128:
        raise AMOUNT_OVERFLOW()
    now = host.timestamp
    host.sstore(model_slot + USAGE, pack_usage(inference_id, revenue, now))
    if influence:
        host.charge(_HISTORY_GAS + keccak_gas(len(influence) >> 5))
        influence_hash = keccak256(influence)
        vector = (len(influence) >> 5).to_bytes(32, "big") + influence
    else:
        host.charge(_HISTORY_GAS + KECCAK)
        influence_hash = EMPTY_INFLUENCE_HASH
        vector = _EMPTY_VECTOR
    head = host.sload(model_slot + HISTORY)
    body = (fee << 768 | count << 512 | input_tokens << 256 | output_tokens).to_bytes(128, "big") + hashes
    commitment = b"".join(
        (
            (head << 512 | inference_id << 256 | payer).to_bytes(96, "big"),
            body,
            influence_hash,
            now.to_bytes(32, "big"),
        )
    )
    host.sstore(model_slot + HISTORY, int.from_bytes(keccak256(commitment), "big"))
    host.log((INFERRED, model_id, inference_id, payer), b"".join((body, _INFLUENCE_OFFSET, vector)))
    return inference_id
