"""Jobs: paid first, answered later. The escrow becomes a fee and a refund, or goes back to the payer as a whole."""

from typing import Final, NamedTuple

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
from .layout import COUNTS, ESCROW, JOBS, PAYER, REQUEST
from .ledger import credit
from .models import load_attributor, load_model, load_price, quote_fee
from .platform import enter
from .records import Usage
from .words import pack_counts, pack_escrow, pack_job, unpack_counts, unpack_escrow, unpack_job

OPEN: Final = 1
SETTLED: Final = 2
CANCELLED: Final = 3
MAX_SECONDS_AHEAD: Final = 30 * 24 * 3600


class Job(NamedTuple):
    """A paid request: its first storage slot and the content of its first two words."""

    slot: int
    payer: int  # an address as an integer
    model_id: int
    escrow: int  # wei
    deadline: int  # unix seconds
    state: int  # OPEN, SETTLED or CANCELLED


def request(host: Host, data: bytes) -> bytes:
    """request: holds msg.value until the attributor settles or the deadline passes."""
    model_id, request_hash, deadline = decode_words(data, (64, 256, 64))
    enter(host)
    load_model(host, model_id)
    escrow = host.value
    if escrow >> 128:
        raise AMOUNT_OVERFLOW()
    now = host.timestamp
    if deadline <= now:
        raise EXPIRED(deadline)
    if deadline - now > MAX_SECONDS_AHEAD:
        raise TOO_MANY(deadline - now, MAX_SECONDS_AHEAD)
    datanets, models, jobs = unpack_counts(host.sload(COUNTS))
    job_id = jobs + 1
    if job_id >> 64:
        raise AMOUNT_OVERFLOW()
    host.sstore(COUNTS, pack_counts(datanets, models, job_id))
    slot = host.mapping(job_id, JOBS)
    host.sstore(slot + PAYER, pack_job(host.caller, model_id))
    host.sstore(slot + ESCROW, pack_escrow(escrow, deadline, OPEN))
    host.sstore(slot + REQUEST, request_hash)
    host.log((JOB_REQUESTED, job_id, model_id, host.caller), encode_words(escrow, request_hash, deadline))
    return encode_words(job_id)


def settle(host: Host, data: bytes) -> bytes:
    """settle: the attributor answers before the deadline. The fee is the quote or the escrow, whichever is less."""
    job_id, input_tokens, output_tokens, _, _, offset = decode_words(data, (64, 32, 32, 256, 256, 256))
    influence = slice_words(data, offset)
    platform = enter(host)
    check_length(influence)
    job = _load_open(host, job_id)
    model = load_model(host, job.model_id)
    if host.caller != load_attributor(host, model):
        raise UNAUTHORIZED(host.caller)
    if host.timestamp > job.deadline:
        raise EXPIRED(job.deadline)
    request_hash = host.sload(job.slot + REQUEST).to_bytes(32, "big")
    host.sstore(job.slot + ESCROW, pack_escrow(0, job.deadline, SETTLED))
    price = load_price(host, model)
    fee = min(job.escrow, quote_fee(model, price, 1, input_tokens, output_tokens))
    usage = Usage(job.payer, fee, 1, input_tokens, output_tokens, request_hash + data[100:164], influence)
    inference_id = pay_and_record(host, platform, model, price, usage)
    credit(host, job.payer, job.escrow - fee)
    host.log((JOB_SETTLED, job_id, model.id), encode_words(inference_id, fee, job.escrow - fee))
    return encode_words(inference_id)


def cancel(host: Host, data: bytes) -> bytes:
    """cancel: after the deadline the payer gets the whole escrow back as credit."""
    (job_id,) = decode_words(data, (64,))
    enter(host)
    job = _load_open(host, job_id)
    if host.caller != job.payer:
        raise UNAUTHORIZED(host.caller)
    if host.timestamp <= job.deadline:
        raise JOB_OPEN_UNTIL(job.deadline)
    host.sstore(job.slot + ESCROW, pack_escrow(0, job.deadline, CANCELLED))
    credit(host, job.payer, job.escrow)
    host.log((JOB_CANCELLED, job_id), encode_words(job.escrow))
    return b""


def job(host: Host, data: bytes) -> bytes:
    """job: model, payer, escrow that is still held, request, deadline, state (1 open, 2 settled, 3 cancelled)."""
    (job_id,) = decode_words(data, (64,))
    found = _load_job(host, job_id)
    request_hash = host.sload(found.slot + REQUEST)
    return encode_words(found.model_id, found.payer, found.escrow, request_hash, found.deadline, found.state)


def _load_job(host: Host, job_id: int) -> Job:
    """Reads a job. Raises UnknownJob."""
    slot = host.mapping(job_id, JOBS)
    payer, model_id = unpack_job(host.sload(slot + PAYER))
    if not payer:
        raise UNKNOWN_JOB(job_id)
    return Job(slot, payer, model_id, *unpack_escrow(host.sload(slot + ESCROW)))


def _load_open(host: Host, job_id: int) -> Job:
    """Reads an open job. Raises UnknownJob or JobClosed."""
    job = _load_job(host, job_id)
    if job.state != OPEN:
        raise JOB_CLOSED(job_id)
    return job
