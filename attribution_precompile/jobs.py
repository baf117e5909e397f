"""Jobs: paid first, answered later. The escrow ends as a fee and a refund, or whole with the payer (section 5)."""

from typing import Final

from . import gas
from .abi import decode_words, encode_words, slice_words
from .errors import (
    AMOUNT_OVERFLOW,
    EXPIRED,
    JOB_CLOSED,
    JOB_OPEN_UNTIL,
    TOO_MANY,
    UNAUTHORIZED,
    UNKNOWN_JOB,
)
from .events import JOB_CANCELLED, JOB_REQUESTED, JOB_SETTLED
from .host import Host
from .inference import check_length, pay_and_record
from .layout import (
    COUNTS,
    DEADLINE_SHIFT,
    ESCROW,
    JOB_COUNT_SHIFT,
    JOB_MODEL_SHIFT,
    JOBS,
    MASK_8,
    MASK_64,
    MASK_128,
    MASK_160,
    PAYER,
    PRICE,
    REQUEST,
    STATE_SHIFT,
    mapping_slot,
)
from .ledger import credit
from .models import attributor_of, existing, quoted
from .platform import enter

OPEN: Final = 1
SETTLED: Final = 2
CANCELLED: Final = 3
MAX_SECONDS_AHEAD: Final = 30 * 24 * 3600


def request(host: Host, data: bytes) -> bytes:
    """request: holds msg.value until the attributor settles or the deadline passes."""
    model_id, request_hash, deadline = decode_words(data, (64, 256, 64))
    enter(host)
    existing(host, model_id)
    escrow = host.value
    if escrow >> 128:
        raise AMOUNT_OVERFLOW()
    now = host.timestamp
    if deadline <= now:
        raise EXPIRED(deadline)
    if deadline - now > MAX_SECONDS_AHEAD:
        raise TOO_MANY(deadline - now, MAX_SECONDS_AHEAD)
    counts = host.sload(COUNTS)
    job_id = (counts >> JOB_COUNT_SHIFT & MASK_64) + 1
    if job_id >> 64:
        raise AMOUNT_OVERFLOW()
    host.sstore(COUNTS, counts + (1 << JOB_COUNT_SHIFT))
    host.charge(gas.MAPPING)
    slot = mapping_slot(job_id, JOBS)
    host.sstore(slot + PAYER, model_id << JOB_MODEL_SHIFT | host.caller)
    host.sstore(slot + ESCROW, OPEN << STATE_SHIFT | deadline << DEADLINE_SHIFT | escrow)
    host.sstore(slot + REQUEST, request_hash)
    host.log((JOB_REQUESTED, job_id, model_id, host.caller), encode_words(escrow, request_hash, deadline))
    return encode_words(job_id)


def settle(host: Host, data: bytes) -> bytes:
    """settle: the attributor answers in time; the fee is the quote or the escrow, whichever is less."""
    job_id, input_tokens, output_tokens, _, _, offset = decode_words(data, (64, 32, 32, 256, 256, 256))
    influence = slice_words(data, offset)
    platform = enter(host)
    check_length(influence)
    slot, payer, model_id, terms = _open_job(host, job_id)
    model, owner_word = existing(host, model_id)
    if host.caller != attributor_of(host, model, owner_word):
        raise UNAUTHORIZED(host.caller)
    deadline = terms >> DEADLINE_SHIFT & MASK_64
    if host.timestamp > deadline:
        raise EXPIRED(deadline)
    escrow = terms & MASK_128
    request_hash = host.sload(slot + REQUEST).to_bytes(32, "big")
    host.sstore(slot + ESCROW, SETTLED << STATE_SHIFT | deadline << DEADLINE_SHIFT)
    price = host.sload(model + PRICE)
    fee = min(escrow, quoted(owner_word, price, 1, input_tokens, output_tokens))
    inference_id = pay_and_record(
        host,
        platform,
        model_id,
        model,
        owner_word & MASK_160,
        price,
        payer,
        fee,
        1,
        input_tokens,
        output_tokens,
        request_hash + data[100:164],
        influence,
    )
    credit(host, payer, escrow - fee)
    host.log((JOB_SETTLED, job_id, model_id), encode_words(inference_id, fee, escrow - fee))
    return encode_words(inference_id)


def cancel(host: Host, data: bytes) -> bytes:
    """cancel: once the deadline has passed, the payer takes the whole escrow back as credit."""
    (job_id,) = decode_words(data, (64,))
    enter(host)
    slot, payer, _, terms = _open_job(host, job_id)
    if host.caller != payer:
        raise UNAUTHORIZED(host.caller)
    deadline = terms >> DEADLINE_SHIFT & MASK_64
    if host.timestamp <= deadline:
        raise JOB_OPEN_UNTIL(deadline)
    escrow = terms & MASK_128
    host.sstore(slot + ESCROW, CANCELLED << STATE_SHIFT | deadline << DEADLINE_SHIFT)
    credit(host, payer, escrow)
    host.log((JOB_CANCELLED, job_id), encode_words(escrow))
    return b""


def job(host: Host, data: bytes) -> bytes:
    """job: model, payer, escrow still held, request, deadline, state (1 open, 2 settled, 3 cancelled)."""
    (job_id,) = decode_words(data, (64,))
    slot, payer, model_id = _existing(host, job_id)
    terms = host.sload(slot + ESCROW)
    return encode_words(
        model_id,
        payer,
        terms & MASK_128,
        host.sload(slot + REQUEST),
        terms >> DEADLINE_SHIFT & MASK_64,
        terms >> STATE_SHIFT & MASK_8,
    )


def _existing(host: Host, job_id: int) -> tuple[int, int, int]:
    """The job's slot, payer and model, or UnknownJob."""
    host.charge(gas.MAPPING)
    slot = mapping_slot(job_id, JOBS)
    word = host.sload(slot + PAYER)
    payer = word & MASK_160
    if not payer:
        raise UNKNOWN_JOB(job_id)
    return slot, payer, word >> JOB_MODEL_SHIFT & MASK_64


def _open_job(host: Host, job_id: int) -> tuple[int, int, int, int]:
    """The job's slot, payer, model and ESCROW word, the job being open."""
    slot, payer, model_id = _existing(host, job_id)
    terms = host.sload(slot + ESCROW)
    if terms >> STATE_SHIFT & MASK_8 != OPEN:
        raise JOB_CLOSED(job_id)
    return slot, payer, model_id, terms
