"""The inference methods. They check a fee, split it, count it and log it in one transaction. This is the hot path. An
inference with default weights touches PLATFORM; the model's OWNER, PRICE, SPLIT, USAGE and HISTORY; MEMBERSHIP and POOL
of each DataNet; and the credits of the treasury and the owner. It never touches a member.
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
from .layout import ADDRESS, MASK_32, MASK_64, NONCES
from .ledger import ALL_BPS, MAX_WEIGHTS, credit, distribute
from .models import Model, Price, load_attributor, load_model, load_price, quote_fee
from .platform import Platform, enter
from .records import Usage, record_inference
from .signatures import attestation_digest, domain_separator
from .values import new

COMPACT_LENGTH: Final = 48
ZERO: Final = bytes(32)
HALF_CURVE_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0

_DOMAIN_WORDS: Final = 5
_STRUCT_WORDS: Final = 11
# 0x1901, the domain separator and the struct's hash: 66 bytes, three words.
_DIGEST_WORDS: Final = 3

# The two hashes that follow take any value.
_INFER_NUMBERS: Final = (64, 32, 32)
_HASHES_LENGTH: Final = 96
_ATTESTATION: Final = (64, 160, 64, 64, 32, 32, 256, 256, 256, 256, 256)
_BATCH: Final = (64, 32, 64, 64, 256, 256)


def infer(host: Host, data: bytes) -> bytes:
    """infer: one inference with the model's default weights."""
    model_id, input_tokens, output_tokens = decode_words(data, _INFER_NUMBERS)
    hashes = data[100:164] + ZERO
    if len(hashes) != _HASHES_LENGTH:
        raise MALFORMED_INPUT()
    usage = new(Usage, (host.caller, host.value, 1, input_tokens, output_tokens, hashes, b""))
    return _infer(host, model_id, usage)


def infer_compact(host: Host, data: bytes) -> bytes:
    """inferCompact: one inference in 48 bytes of packed calldata."""
    if len(data) != COMPACT_LENGTH:
        raise MALFORMED_INPUT()
    numbers = int.from_bytes(data[4:16], "big")
    input_tokens, output_tokens = numbers >> 32 & MASK_32, numbers & MASK_32
    hashes = data[16:48] + ZERO + ZERO
    usage = new(Usage, (host.caller, host.value, 1, input_tokens, output_tokens, hashes, b""))
    return _infer(host, numbers >> 64, usage)


def _infer(host: Host, model_id: int, usage: Usage) -> bytes:
    """Charges a usage at the model's price, shares its fee, records it. Returns the ABI-encoded inference id."""
    platform = enter(host)
    model = load_model(host, model_id)
    price = check_fee(host, model, usage)
    return pay_and_record(host, platform, model, price, usage).to_bytes(32, "big")


def infer_attested(host: Host, data: bytes) -> bytes:
    """inferAttested: the attested payer pays. The model's attributor has signed the influence."""
    words = decode_words(data, _ATTESTATION)
    model_id, payer, nonce, deadline, input_tokens, output_tokens = words[:6]
    influence = slice_words(data, words[9])
    signature = slice_bytes(data, words[10])
    platform = enter(host)
    check_length(influence)
    model = load_model(host, model_id)
    if host.caller != payer:
        raise UNAUTHORIZED(host.caller)
    nonce_slot = host.mapping(payer, NONCES)
    expected = host.sload(nonce_slot) & MASK_64
    if nonce != expected:
        raise INVALID_NONCE(nonce, expected)
    if nonce == MASK_64:
        raise AMOUNT_OVERFLOW()
    if host.timestamp > deadline:
        raise EXPIRED(deadline)
    _check_signature(host, load_attributor(host, model), data[4:292], influence, signature)
    host.sstore(nonce_slot, nonce + 1)
    usage = new(Usage, (payer, host.value, 1, input_tokens, output_tokens, data[196:292], influence))
    price = check_fee(host, model, usage)
    return pay_and_record(host, platform, model, price, usage).to_bytes(32, "big")


def infer_batch(host: Host, data: bytes) -> bytes:
    """inferBatch: `count` inferences in one record; only the attributor may call it."""
    model_id, count, input_tokens, output_tokens, _, offset = decode_words(data, _BATCH)
    influence = slice_words(data, offset)
    if not count:
        raise MALFORMED_INPUT()
    platform = enter(host)
    check_length(influence)
    model = load_model(host, model_id)
    if host.caller != load_attributor(host, model):
        raise UNAUTHORIZED(host.caller)
    hashes = data[132:164] + ZERO + ZERO
    usage = new(Usage, (host.caller, host.value, count, input_tokens, output_tokens, hashes, influence))
    price = check_fee(host, model, usage)
    return pay_and_record(host, platform, model, price, usage).to_bytes(32, "big")


def nonces(host: Host, data: bytes) -> bytes:
    """nonces: the nonce of a payer's next attestation."""
    (payer,) = decode_words(data, (160,))
    return (host.sload(host.mapping(payer, NONCES)) & MASK_64).to_bytes(32, "big")


def check_length(influence: bytes) -> None:
    """Checks that a vector has at most 32 entries."""
    if len(influence) > MAX_WEIGHTS << 5:
        raise TOO_MANY(len(influence) >> 5, MAX_WEIGHTS)


def check_fee(host: Host, model: Model, usage: Usage) -> Price:
    """Reads the model's price and checks the fee of a usage. Raises AmountOverflow from 2^128 wei on, and FeeTooLow."""
    fee = usage.fee
    if fee >> 128:
        raise AMOUNT_OVERFLOW()
    price = load_price(host, model)
    required = quote_fee(model, price, usage.inferences, usage.input_tokens, usage.output_tokens)
    if fee < required:
        raise FEE_TOO_LOW(fee, required)
    return price


def pay_and_record(host: Host, platform: Platform, model: Model, price: Price, usage: Usage) -> int:
    """Credits the fee of a usage to all its recipients and records the usage (docs/attribution.md).

    Returns the id of its last inference.
    """
    fee = usage.fee
    platform_cut = fee * platform.bps // ALL_BPS
    if platform_cut > fee:
        raise AMOUNT_OVERFLOW()
    credit(host, platform.treasury, platform_cut)
    distribute(host, model.slot, model.owner, price.base_model_id, fee - platform_cut, usage.influence)
    return record_inference(host, model.id, model.slot, usage)


def _check_signature(host: Host, signer: int, attestation: bytes, influence: bytes, signature: bytes) -> None:
    """Checks a signature of 65 bytes r, s, v. v is 27 or 28; s is in the lower half of the order, so that there is no
    second valid signature (EIP-2).
    """
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
