"""The inference methods: check the fee, split it, count and log it, in one transaction.

The hot path. What one inference at default weights touches: PLATFORM; the model's OWNER, PRICE, SPLIT, USAGE and
HISTORY; for each DataNet MEMBERSHIP and POOL; the credits of the treasury and the owner. Never a member.
"""

from typing import Final

from . import gas
from .abi import decode_words, slice_bytes, slice_words
from .errors import (
    AMOUNT_OVERFLOW,
    EXPIRED,
    FEE_TOO_LOW,
    INVALID_NONCE,
    INVALID_SIGNATURE,
    MALFORMED_INPUT,
    TOO_MANY,
    UNAUTHORIZED,
)
from .host import Host
from .layout import ADDRESS, BPS_SHIFT, MASK_16, MASK_64, MASK_160, NONCES, PRICE, SPLIT, mapping_slot
from .ledger import ALL_BPS, MAX_WEIGHTS, credit, distribute
from .models import attributor_of, existing, quoted
from .platform import enter
from .records import record_inference
from .signatures import attestation_digest, domain_separator

COMPACT_LENGTH: Final = 48
ZERO: Final = bytes(32)
HALF_CURVE_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0

_DOMAIN_WORDS: Final = 5
_STRUCT_WORDS: Final = 11
# 0x1901, the domain separator and the struct's hash: 66 bytes, three words.
_DIGEST_WORDS: Final = 3

_INFER: Final = (64, 32, 32, 256, 256)
_ATTESTATION: Final = (64, 160, 64, 64, 32, 32, 256, 256, 256, 256, 256)
_BATCH: Final = (64, 32, 64, 64, 256, 256)


def infer(host: Host, data: bytes) -> bytes:
    """infer: at the model's default weights."""
    model_id, input_tokens, output_tokens, _, _ = decode_words(data, _INFER)
    return _infer_plain(host, model_id, input_tokens, output_tokens, data[100:164] + ZERO)


def infer_compact(host: Host, data: bytes) -> bytes:
    """inferCompact: 48 bytes in all, tightly packed."""
    if len(data) != COMPACT_LENGTH:
        raise MALFORMED_INPUT()
    numbers = int.from_bytes(data[4:16], "big")
    return _infer_plain(
        host, numbers >> 64, numbers >> 32 & 0xFFFFFFFF, numbers & 0xFFFFFFFF, data[16:48] + ZERO + ZERO
    )


def _infer_plain(host: Host, model_id: int, input_tokens: int, output_tokens: int, hashes: bytes) -> bytes:
    platform = enter(host)
    model, owner_word = existing(host, model_id)
    fee = host.value
    price = check_fee(host, model, owner_word, fee, 1, input_tokens, output_tokens)
    inference_id = pay_and_record(
        host,
        platform,
        model_id,
        model,
        owner_word & MASK_160,
        price,
        host.caller,
        fee,
        1,
        input_tokens,
        output_tokens,
        hashes,
        b"",
    )
    return inference_id.to_bytes(32, "big")


def infer_attested(host: Host, data: bytes) -> bytes:
    """inferAttested: the attested payer pays; the model's attributor has signed the influence."""
    words = decode_words(data, _ATTESTATION)
    model_id, payer, nonce, deadline, input_tokens, output_tokens = words[:6]
    influence = slice_words(data, words[9])
    signature = slice_bytes(data, words[10])
    platform = enter(host)
    check_length(influence)
    model, owner_word = existing(host, model_id)
    if host.caller != payer:
        raise UNAUTHORIZED(host.caller)
    host.charge(gas.MAPPING)
    nonce_slot = mapping_slot(payer, NONCES)
    expected = host.sload(nonce_slot) & MASK_64
    if nonce != expected:
        raise INVALID_NONCE(nonce, expected)
    if nonce == MASK_64:
        raise AMOUNT_OVERFLOW()
    if host.timestamp > deadline:
        raise EXPIRED(deadline)
    _check_signature(host, attributor_of(host, model, owner_word), data[4:292], influence, signature)
    host.sstore(nonce_slot, nonce + 1)
    fee = host.value
    price = check_fee(host, model, owner_word, fee, 1, input_tokens, output_tokens)
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
        data[196:292],
        influence,
    )
    return inference_id.to_bytes(32, "big")


def infer_batch(host: Host, data: bytes) -> bytes:
    """inferBatch: `count` inferences in one record, by the attributor."""
    model_id, count, input_tokens, output_tokens, _, offset = decode_words(data, _BATCH)
    influence = slice_words(data, offset)
    if not count:
        raise MALFORMED_INPUT()
    platform = enter(host)
    check_length(influence)
    model, owner_word = existing(host, model_id)
    if host.caller != attributor_of(host, model, owner_word):
        raise UNAUTHORIZED(host.caller)
    fee = host.value
    price = check_fee(host, model, owner_word, fee, count, input_tokens, output_tokens)
    inference_id = pay_and_record(
        host,
        platform,
        model_id,
        model,
        owner_word & MASK_160,
        price,
        host.caller,
        fee,
        count,
        input_tokens,
        output_tokens,
        data[132:164] + ZERO + ZERO,
        influence,
    )
    return inference_id.to_bytes(32, "big")


def nonces(host: Host, data: bytes) -> bytes:
    """nonces: the next attestation's."""
    (payer,) = decode_words(data, (160,))
    host.charge(gas.MAPPING)
    return (host.sload(mapping_slot(payer, NONCES)) & MASK_64).to_bytes(32, "big")


def check_length(influence: bytes) -> None:
    """At most 32 entries."""
    if len(influence) > MAX_WEIGHTS << 5:
        raise TOO_MANY(len(influence) >> 5, MAX_WEIGHTS)


def check_fee(
    host: Host, model: int, owner_word: int, fee: int, count: int, input_tokens: int, output_tokens: int
) -> int:
    """That `fee` wei is below 2^128 and at least the quote; returns the model's PRICE word."""
    if fee >> 128:
        raise AMOUNT_OVERFLOW()
    price = host.sload(model + PRICE)
    required = quoted(owner_word, price, count, input_tokens, output_tokens)
    if fee < required:
        raise FEE_TOO_LOW(fee, required)
    return price


def pay_and_record(
    host: Host,
    platform: int,
    model_id: int,
    model: int,
    owner: int,
    price: int,
    payer: int,
    fee: int,
    count: int,
    input_tokens: int,
    output_tokens: int,
    hashes: bytes,
    influence: bytes,
) -> int:
    """Credits `fee` wei to everyone it is due to, then records the inference; returns its id (section 4).

    `platform` and `price` are storage words, `model` the model's slot, `hashes` requestHash, responseHash, evidence.
    """
    platform_cut = fee * (platform >> BPS_SHIFT & MASK_16) // ALL_BPS
    if platform_cut > fee:
        raise AMOUNT_OVERFLOW()
    credit(host, platform & MASK_160, platform_cut)
    split = host.sload(model + SPLIT)
    distribute(host, model, owner, price, split, fee - platform_cut, influence)
    return record_inference(host, model_id, model, payer, fee, count, input_tokens, output_tokens, hashes, influence)


def _check_signature(host: Host, signer: int, attestation: bytes, influence: bytes, signature: bytes) -> None:
    """65 bytes r, s, v; v 27 or 28; s in the lower half of the order, so that no second signature exists (EIP-2)."""
    if len(signature) != 65:
        raise INVALID_SIGNATURE()
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:64], "big")
    v = signature[64]
    if v not in (27, 28) or s > HALF_CURVE_ORDER:
        raise INVALID_SIGNATURE()
    host.charge(
        gas.keccak_gas(_DOMAIN_WORDS)
        + gas.keccak_gas(_STRUCT_WORDS)
        + gas.keccak_gas(_DIGEST_WORDS)
        + gas.keccak_gas(len(influence) >> 5)
        + gas.ECRECOVER
    )
    digest = attestation_digest(domain_separator(host.chain_id, ADDRESS), attestation, influence)
    recovered = host.ecrecover(digest, v, r, s)
    if not recovered or recovered != signer:
        raise INVALID_SIGNATURE()
