"""Models: who owns them, what an inference costs, how a fee is split, what they were trained on."""

from typing import Final

from . import gas
from .abi import WORD, decode_array, decode_words, encode_words, locate_tuple
from .errors import (
    AMOUNT_OVERFLOW,
    INVALID_ADDRESS,
    INVALID_NONCE,
    INVALID_SPLIT,
    INVALID_WEIGHTS,
    LINEAGE_TOO_DEEP,
    TOO_MANY,
    UNAUTHORIZED,
    UNKNOWN_DATANET,
    UNKNOWN_MODEL,
)
from .events import ATTRIBUTOR_SET, MODEL_PRICED, MODEL_REGISTERED, MODEL_TRANSFERRED, TRAINING_RECORDED
from .host import Host
from .layout import (
    ATTRIBUTOR,
    BASE_MODEL_SHIFT,
    COUNTS,
    DATA_BPS_SHIFT,
    DEPTH_SHIFT,
    FIRST_WEIGHT_SHIFT,
    HISTORY,
    LAST_TIME_SHIFT,
    LINEAGE_BPS_SHIFT,
    MASK_8,
    MASK_16,
    MASK_32,
    MASK_64,
    MASK_96,
    MASK_128,
    MASK_160,
    MODEL_COUNT_SHIFT,
    MODEL_METADATA,
    MODELS,
    MORE_WEIGHTS,
    OWNER,
    PER_CALL_SHIFT,
    PER_KILO_OUTPUT_SHIFT,
    PRICE,
    REVENUE_SHIFT,
    SECOND_WEIGHT_SHIFT,
    SPLIT,
    STEP_SHIFT,
    TRAINING,
    USAGE,
    WEIGHT_COUNT_SHIFT,
    mapping_slot,
)
from .ledger import ALL_BPS, MAX_ANCESTORS, MAX_WEIGHTS, load_weights
from .platform import enter
from .signatures import keccak256

# ModelParams: metadata, baseModelId, attributor, price (3), split (3), the offset of the weights.
_PARAMS: Final = (256, 64, 160, 96, 96, 96, 16, 16, 16, 256)
_TRAINING_WORDS: Final = 5


def existing(host: Host, model_id: int) -> tuple[int, int]:
    """The model's slot and its OWNER word, or UnknownModel."""
    host.charge(gas.MAPPING)
    slot = mapping_slot(model_id, MODELS)
    word = host.sload(slot)
    if not word & MASK_160:
        raise UNKNOWN_MODEL(model_id)
    return slot, word


def quoted(owner_word: int, price_word: int, count: int, input_tokens: int, output_tokens: int) -> int:
    """What `count` inferences of these token sums cost, wei: each product floored by 1,000 (section 4)."""
    return (
        (owner_word >> PER_CALL_SHIFT) * count
        + (price_word & MASK_96) * input_tokens // 1000
        + (price_word >> PER_KILO_OUTPUT_SHIFT & MASK_96) * output_tokens // 1000
    )


def attributor_of(host: Host, slot: int, owner_word: int) -> int:
    """Who signs and settles for the model: its attributor, or its owner where none is set."""
    return host.sload(slot + ATTRIBUTOR) & MASK_160 or owner_word & MASK_160


def register_model(host: Host, data: bytes) -> bytes:
    """registerModel: the caller becomes the owner."""
    (offset,) = decode_words(data, (256,))
    base = locate_tuple(data, offset, len(_PARAMS))
    (
        metadata,
        base_model_id,
        attributor,
        per_call,
        per_kilo_input,
        per_kilo_output,
        owner_bps,
        lineage_bps,
        data_bps,
        weights_offset,
    ) = decode_words(data, _PARAMS, base)
    weights = decode_array(data, weights_offset, (64, 32), base)
    enter(host)
    if owner_bps + lineage_bps + data_bps != ALL_BPS or (lineage_bps and not base_model_id):
        raise INVALID_SPLIT()
    counts = host.sload(COUNTS)
    _check_weights(weights, counts & MASK_64)
    models = counts >> MODEL_COUNT_SHIFT & MASK_64
    depth = _lineage_depth(host, base_model_id, models)
    model_id = models + 1
    if model_id >> 64:
        raise AMOUNT_OVERFLOW()
    host.sstore(COUNTS, counts + (1 << MODEL_COUNT_SHIFT))
    host.charge(gas.MAPPING)
    slot = mapping_slot(model_id, MODELS)
    packed = [datanet_id << 32 | weight for datanet_id, weight in weights] + [0]
    split = (
        len(weights) << WEIGHT_COUNT_SHIFT | data_bps << DATA_BPS_SHIFT | lineage_bps << LINEAGE_BPS_SHIFT
    ) | owner_bps
    host.sstore(slot + OWNER, per_call << PER_CALL_SHIFT | host.caller)
    host.sstore(slot + PRICE, _price_word(per_kilo_input, per_kilo_output, base_model_id))
    host.sstore(slot + SPLIT, split | packed[0] << FIRST_WEIGHT_SHIFT | packed[1] << SECOND_WEIGHT_SHIFT)
    host.sstore(slot + ATTRIBUTOR, depth << DEPTH_SHIFT | attributor)
    host.sstore(slot + MODEL_METADATA, metadata)
    for index in range(2, len(weights), 2):
        host.sstore(slot + MORE_WEIGHTS + (index - 2 >> 1), packed[index + 1] << 96 | packed[index])
    host.log((MODEL_REGISTERED, model_id, host.caller, base_model_id), encode_words(metadata))
    return encode_words(model_id)


def _check_weights(weights: list[list[int]], datanets: int) -> None:
    if len(weights) > MAX_WEIGHTS:
        raise TOO_MANY(len(weights), MAX_WEIGHTS)
    previous = 0
    total = 0
    for datanet_id, weight in weights:
        if datanet_id <= previous:
            raise INVALID_WEIGHTS()
        if datanet_id > datanets:
            raise UNKNOWN_DATANET(datanet_id)
        previous = datanet_id
        total += weight
    if not total:
        raise INVALID_WEIGHTS()


def _lineage_depth(host: Host, base_model_id: int, models: int) -> int:
    """How many ancestors a model on this base has; 0 without a base."""
    if not base_model_id:
        return 0
    if base_model_id > models:
        raise UNKNOWN_MODEL(base_model_id)
    host.charge(gas.MAPPING)
    word = host.sload(mapping_slot(base_model_id, MODELS) + ATTRIBUTOR)
    depth = (word >> DEPTH_SHIFT & MASK_8) + 1
    if depth > MAX_ANCESTORS:
        raise LINEAGE_TOO_DEEP(depth, MAX_ANCESTORS)
    return depth


def _price_word(per_kilo_input: int, per_kilo_output: int, base_model_id: int) -> int:
    return base_model_id << BASE_MODEL_SHIFT | per_kilo_output << PER_KILO_OUTPUT_SHIFT | per_kilo_input


def set_price(host: Host, data: bytes) -> bytes:
    """setPrice."""
    model_id, per_call, per_kilo_input, per_kilo_output = decode_words(data, (64, 96, 96, 96))
    enter(host)
    slot, owner = _owned(host, model_id)
    base_model_id = host.sload(slot + PRICE) >> BASE_MODEL_SHIFT
    host.sstore(slot + OWNER, per_call << PER_CALL_SHIFT | owner)
    host.sstore(slot + PRICE, _price_word(per_kilo_input, per_kilo_output, base_model_id))
    host.log((MODEL_PRICED, model_id), encode_words(per_call, per_kilo_input, per_kilo_output))
    return b""


def set_attributor(host: Host, data: bytes) -> bytes:
    """setAttributor: address zero makes the owner the attributor."""
    model_id, attributor = decode_words(data, (64, 160))
    enter(host)
    slot, _ = _owned(host, model_id)
    word = host.sload(slot + ATTRIBUTOR)
    host.sstore(slot + ATTRIBUTOR, word >> 160 << 160 | attributor)
    host.log((ATTRIBUTOR_SET, model_id, attributor), b"")
    return b""


def transfer_model(host: Host, data: bytes) -> bytes:
    """transferModel: the price stays, the fees from now on are the new owner's."""
    model_id, to = decode_words(data, (64, 160))
    enter(host)
    slot, word = existing(host, model_id)
    owner = word & MASK_160
    if owner != host.caller:
        raise UNAUTHORIZED(host.caller)
    if not to:
        raise INVALID_ADDRESS()
    host.sstore(slot + OWNER, word >> PER_CALL_SHIFT << PER_CALL_SHIFT | to)
    host.log((MODEL_TRANSFERRED, model_id, owner, to), b"")
    return b""


def record_training(host: Host, data: bytes) -> bytes:
    """recordTraining: steps rise strictly, from 1; InvalidNonce names the least step that would do."""
    model_id, step, checkpoint, data_root = decode_words(data, (64, 64, 256, 256))
    enter(host)
    slot, _ = _owned(host, model_id)
    word = host.sload(slot + ATTRIBUTOR)
    last = word >> STEP_SHIFT & MASK_64
    if step <= last:
        raise INVALID_NONCE(step, last + 1 & MASK_64)
    host.sstore(slot + ATTRIBUTOR, word & (1 << STEP_SHIFT) - 1 | step << STEP_SHIFT)
    host.charge(gas.keccak_gas(_TRAINING_WORDS))
    head = host.sload(slot + TRAINING)
    commitment = keccak256(encode_words(head, step, checkpoint, data_root, host.timestamp))
    host.sstore(slot + TRAINING, int.from_bytes(commitment, "big"))
    host.log((TRAINING_RECORDED, model_id, step), encode_words(checkpoint, data_root))
    return b""


def model(host: Host, data: bytes) -> bytes:
    """model: owner, attributor (0: the owner), base, metadata, price, split, weights."""
    (model_id,) = decode_words(data, (64,))
    slot, owner_word = existing(host, model_id)
    price = host.sload(slot + PRICE)
    split = host.sload(slot + SPLIT)
    attributor = host.sload(slot + ATTRIBUTOR) & MASK_160
    metadata = host.sload(slot + MODEL_METADATA)
    weights = load_weights(host, slot, split)
    values = [
        owner_word & MASK_160,
        attributor,
        price >> BASE_MODEL_SHIFT,
        metadata,
        owner_word >> PER_CALL_SHIFT,
        price & MASK_96,
        price >> PER_KILO_OUTPUT_SHIFT & MASK_96,
        split & MASK_16,
        split >> LINEAGE_BPS_SHIFT & MASK_16,
        split >> DATA_BPS_SHIFT & MASK_16,
        11 * WORD,
        len(weights),
    ]
    for weight in weights:
        values += (weight >> 32, weight & MASK_32)
    return encode_words(*values)


def usage(host: Host, data: bytes) -> bytes:
    """usage: inferences, revenue, lastTime, history, training."""
    (model_id,) = decode_words(data, (64,))
    slot, _ = existing(host, model_id)
    word = host.sload(slot + USAGE)
    return encode_words(
        word & MASK_64,
        word >> REVENUE_SHIFT & MASK_128,
        word >> LAST_TIME_SHIFT,
        host.sload(slot + HISTORY),
        host.sload(slot + TRAINING),
    )


def quote(host: Host, data: bytes) -> bytes:
    """quote: the least fee of one inference, wei."""
    model_id, input_tokens, output_tokens = decode_words(data, (64, 64, 64))
    slot, owner_word = existing(host, model_id)
    return encode_words(quoted(owner_word, host.sload(slot + PRICE), 1, input_tokens, output_tokens))


def _owned(host: Host, model_id: int) -> tuple[int, int]:
    """The model's slot and its owner, who is the caller."""
    slot, word = existing(host, model_id)
    owner = word & MASK_160
    if owner != host.caller:
        raise UNAUTHORIZED(host.caller)
    return slot, owner
