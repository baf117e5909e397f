"""Models: their owner, the price of an inference, the split of a fee, and their training."""

from typing import Final, NamedTuple

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
    COUNTS,
    HISTORY,
    MASK_64,
    MODEL_METADATA,
    MODELS,
    MORE_WEIGHTS,
    OWNER,
    PRICE,
    SPLIT,
    TRAINING,
    USAGE,
)
from .ledger import ALL_BPS, MAX_ANCESTORS, MAX_WEIGHTS, load_weights
from .platform import enter
from .signatures import keccak256
from .values import new
from .words import (
    cached,
    pack_attributor,
    pack_counts,
    pack_owner,
    pack_price,
    pack_split,
    pack_weight,
    pack_weight_pair,
    unpack_attributor,
    unpack_counts,
    unpack_owner,
    unpack_price,
    unpack_shares,
    unpack_usage,
)

# ModelParams: metadata, baseModelId, attributor, price (3), split (3), the offset of the weights.
_PARAMS: Final = (256, 64, 160, 96, 96, 96, 16, 16, 16, 256)
_TRAINING_WORDS: Final = 5


class Model(NamedTuple):
    """A registered model: its id, its first storage slot, its owner (an address as an integer), its price per call."""

    id: int
    slot: int
    owner: int
    per_call: int  # wei


class Price(NamedTuple):
    """The PRICE word: wei per 1,000 tokens, and the id of the base model (0 for none)."""

    per_kilo_input: int
    per_kilo_output: int
    base_model_id: int


def load_model(host: Host, model_id: int) -> Model:
    """Reads a model. Raises UnknownModel."""
    slot = host.mapping(model_id, MODELS)
    owner, per_call = unpack_owner(host.sload(slot))
    if not owner:
        raise UNKNOWN_MODEL(model_id)
    return new(Model, (model_id, slot, owner, per_call))


@cached
def _price(word: int) -> Price:
    return Price(*unpack_price(word))


def load_price(host: Host, model: Model) -> Price:
    """Reads a model's token prices and base model."""
    return _price(host.sload(model.slot + PRICE))


def quote_fee(model: Model, price: Price, count: int, input_tokens: int, output_tokens: int) -> int:
    """The lowest fee of `count` inferences with these token sums, in wei.

    Each product is divided by 1,000 and rounded down (docs/attribution.md).
    """
    return (
        model.per_call * count
        + price.per_kilo_input * input_tokens // 1000
        + price.per_kilo_output * output_tokens // 1000
    )


def load_attributor(host: Host, model: Model) -> int:
    """Reads the account that signs and settles for a model: its attributor, or its owner if none is set."""
    attributor, _, _ = unpack_attributor(host.sload(model.slot + ATTRIBUTOR))
    return attributor or model.owner


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
    datanets, models, jobs = unpack_counts(host.sload(COUNTS))
    _check_weights(weights, datanets)
    depth = _lineage_depth(host, base_model_id, models)
    model_id = models + 1
    if model_id >> 64:
        raise AMOUNT_OVERFLOW()
    host.sstore(COUNTS, pack_counts(datanets, model_id, jobs))
    slot = host.mapping(model_id, MODELS)
    packed = [pack_weight(datanet_id, weight) for datanet_id, weight in weights] + [0]
    host.sstore(slot + OWNER, pack_owner(host.caller, per_call))
    host.sstore(slot + PRICE, pack_price(per_kilo_input, per_kilo_output, base_model_id))
    host.sstore(slot + SPLIT, pack_split(owner_bps, lineage_bps, data_bps, len(weights), packed[0], packed[1]))
    host.sstore(slot + ATTRIBUTOR, pack_attributor(attributor, depth, training_step=0))
    host.sstore(slot + MODEL_METADATA, metadata)
    for index in range(2, len(weights), 2):
        host.sstore(slot + MORE_WEIGHTS + (index - 2 >> 1), pack_weight_pair(packed[index], packed[index + 1]))
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
    """The number of ancestors of a model with this base; 0 without a base."""
    if not base_model_id:
        return 0
    if base_model_id > models:
        raise UNKNOWN_MODEL(base_model_id)
    _, base_depth, _ = unpack_attributor(host.sload(host.mapping(base_model_id, MODELS) + ATTRIBUTOR))
    depth = base_depth + 1
    if depth > MAX_ANCESTORS:
        raise LINEAGE_TOO_DEEP(depth, MAX_ANCESTORS)
    return depth


def set_price(host: Host, data: bytes) -> bytes:
    """setPrice: the model's owner changes its prices."""
    model_id, per_call, per_kilo_input, per_kilo_output = decode_words(data, (64, 96, 96, 96))
    enter(host)
    model = _load_owned(host, model_id)
    base_model_id = load_price(host, model).base_model_id
    host.sstore(model.slot + OWNER, pack_owner(model.owner, per_call))
    host.sstore(model.slot + PRICE, pack_price(per_kilo_input, per_kilo_output, base_model_id))
    host.log((MODEL_PRICED, model_id), encode_words(per_call, per_kilo_input, per_kilo_output))
    return b""


def set_attributor(host: Host, data: bytes) -> bytes:
    """setAttributor: address zero makes the owner the attributor."""
    model_id, attributor = decode_words(data, (64, 160))
    enter(host)
    model = _load_owned(host, model_id)
    _, depth, step = unpack_attributor(host.sload(model.slot + ATTRIBUTOR))
    host.sstore(model.slot + ATTRIBUTOR, pack_attributor(attributor, depth, step))
    host.log((ATTRIBUTOR_SET, model_id, attributor), b"")
    return b""


def transfer_model(host: Host, data: bytes) -> bytes:
    """transferModel: the price stays. Later fees go to the new owner."""
    model_id, to = decode_words(data, (64, 160))
    enter(host)
    model = _load_owned(host, model_id)
    if not to:
        raise INVALID_ADDRESS()
    host.sstore(model.slot + OWNER, pack_owner(to, model.per_call))
    host.log((MODEL_TRANSFERRED, model_id, model.owner, to), b"")
    return b""


def record_training(host: Host, data: bytes) -> bytes:
    """recordTraining: steps rise strictly, from 1 on. InvalidNonce gives the lowest step that is allowed."""
    model_id, step, checkpoint, data_root = decode_words(data, (64, 64, 256, 256))
    enter(host)
    slot = _load_owned(host, model_id).slot
    attributor, depth, last = unpack_attributor(host.sload(slot + ATTRIBUTOR))
    if step <= last:
        raise INVALID_NONCE(step, last + 1 & MASK_64)
    host.sstore(slot + ATTRIBUTOR, pack_attributor(attributor, depth, step))
    host.charge(gas.keccak_gas(_TRAINING_WORDS))
    head = host.sload(slot + TRAINING)
    commitment = keccak256(encode_words(head, step, checkpoint, data_root, host.timestamp))
    host.sstore(slot + TRAINING, int.from_bytes(commitment, "big"))
    host.log((TRAINING_RECORDED, model_id, step), encode_words(checkpoint, data_root))
    return b""


def model(host: Host, data: bytes) -> bytes:
    """model: owner, attributor (0: the owner), base, metadata, price, split, weights."""
    (model_id,) = decode_words(data, (64,))
    found = load_model(host, model_id)
    price = load_price(host, found)
    split = host.sload(found.slot + SPLIT)
    owner_bps, lineage_bps, data_bps = unpack_shares(split)
    attributor, _, _ = unpack_attributor(host.sload(found.slot + ATTRIBUTOR))
    metadata = host.sload(found.slot + MODEL_METADATA)
    weights = load_weights(host, found.slot, split)
    values = [
        found.owner,
        attributor,
        price.base_model_id,
        metadata,
        found.per_call,
        price.per_kilo_input,
        price.per_kilo_output,
        owner_bps,
        lineage_bps,
        data_bps,
        11 * WORD,
        len(weights),
    ]
    for datanet_id, weight in weights:
        values += (datanet_id, weight)
    return encode_words(*values)


def usage(host: Host, data: bytes) -> bytes:
    """usage: inferences, revenue, lastTime, history, training."""
    (model_id,) = decode_words(data, (64,))
    slot = load_model(host, model_id).slot
    inferences, revenue, last_time = unpack_usage(host.sload(slot + USAGE))
    history = host.sload(slot + HISTORY)
    return encode_words(inferences, revenue, last_time, history, host.sload(slot + TRAINING))


def quote(host: Host, data: bytes) -> bytes:
    """quote: the lowest fee of one inference, in wei."""
    model_id, input_tokens, output_tokens = decode_words(data, (64, 64, 64))
    found = load_model(host, model_id)
    return encode_words(quote_fee(found, load_price(host, found), 1, input_tokens, output_tokens))


def _load_owned(host: Host, model_id: int) -> Model:
    """Reads a model that the caller owns. Raises UnknownModel or Unauthorized."""
    model = load_model(host, model_id)
    if model.owner != host.caller:
        raise UNAUTHORIZED(host.caller)
    return model
