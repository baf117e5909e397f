"""The calldata of every call that the economics measure, by the precompile's ABI (contracts/attribution)."""

from collections.abc import Sequence
from typing import Final

from coincurve import PrivateKey

from attribution_precompile import SELECTORS
from attribution_precompile.abi import encode_words
from attribution_precompile.attestation import Attestation, sign_attestation
from rollup.economics.shape import Level
from rollup.protocol.accounts import DevAccount
from rollup.protocol.primitives import keccak256

_SELECTOR: Final = {method.name: selector for selector, method in SELECTORS.items()}
_WORD: Final = 32

# Hashes do not compress, and nearly always have no zero byte: the dearest that 32 bytes of calldata can be.
REQUEST_HASH, RESPONSE_HASH, EVIDENCE = (
    bytes(byte or 1 for byte in keccak256(name)) for name in (b"request", b"response", b"evidence")
)


def call(name: str, *words: int) -> bytes:
    """A method's selector and its arguments as words."""
    return _SELECTOR[name] + encode_words(*words)


def _array(values: Sequence[int]) -> bytes:
    return encode_words(len(values), *values)


def _hash(value: bytes) -> int:
    return int.from_bytes(value, "big")


def _address(account: DevAccount) -> int:
    return int.from_bytes(account.address, "big")


def create_datanet() -> bytes:
    """A DataNet whose curator is the sender."""
    return call("createDatanet", _hash(EVIDENCE))


def contribute(datanet_id: int, rows: Sequence[tuple[int, int, int]]) -> bytes:
    """Contributions: rows of the contributor's address as a number, its units, and the content's hash."""
    return call("contribute", datanet_id, 2 * _WORD, len(rows), *(word for row in rows for word in row))


def register_model(level: Level, datanet_ids: Sequence[int], base: int, attributor: DevAccount, per_call: int) -> bytes:
    """A model over the DataNets; `per_call` is its price [wei]."""
    weights = [word for pair in zip(datanet_ids, level.weights, strict=True) for word in pair]
    head = (_hash(EVIDENCE), base, _address(attributor), per_call, 0, 0)
    split = (level.owner_bps, level.lineage_bps, level.data_bps)
    return call("registerModel", _WORD, *head, *split, 10 * _WORD, level.entries, *weights)


def infer(model: int, tokens: tuple[int, int]) -> bytes:
    """One inference at the default weights."""
    return call("infer", model, *tokens, _hash(REQUEST_HASH), _hash(RESPONSE_HASH))


def infer_compact(model: int, tokens: tuple[int, int]) -> bytes:
    """Calldata of `inferCompact`: an inference in 48 bytes."""
    return _SELECTOR["inferCompact"] + b"".join(n.to_bytes(4, "big") for n in (model, *tokens)) + EVIDENCE


def infer_attested(
    model: int, tokens: tuple[int, int], influence: Sequence[int], signer: DevAccount, payer: DevAccount,
    nonce: int, deadline: int, chain_id: int,
) -> bytes:  # fmt: skip
    """One inference with its own influence, as the attributor signed it."""
    attestation = Attestation(
        model, "0x" + payer.address.hex(), nonce, deadline, *tokens, REQUEST_HASH, RESPONSE_HASH, EVIDENCE
    )
    signature = sign_attestation(PrivateKey(signer.private_key), attestation, influence, chain_id)
    vector = _array(influence)
    offsets = encode_words(11 * _WORD, 11 * _WORD + len(vector))
    tail = vector + encode_words(len(signature)) + signature.ljust(96, b"\0")
    return _SELECTOR["inferAttested"] + attestation.encode() + offsets + tail


def infer_batch(model: int, count: int, tokens: tuple[int, int]) -> bytes:
    """`count` inferences in one record, at the default weights; tokens are the sums."""
    return call("inferBatch", model, count, *tokens, _hash(EVIDENCE), 6 * _WORD, 0)


def request(model: int, deadline: int) -> bytes:
    """A job that is paid first; `deadline` in unix seconds."""
    return call("request", model, _hash(REQUEST_HASH), deadline)


def settle(job: int, tokens: tuple[int, int]) -> bytes:
    """The job's answer, at the default weights."""
    return call("settle", job, *tokens, _hash(RESPONSE_HASH), _hash(EVIDENCE), 6 * _WORD, 0)


def claim(datanet_ids: Sequence[int], recipient: DevAccount) -> bytes:
    """Everything the sender has earned, in those DataNets too."""
    return _SELECTOR["claim"] + encode_words(2 * _WORD, _address(recipient)) + _array(datanet_ids)


def pool_influence(datanet_ids: Sequence[int]) -> list[int]:
    """An influence vector over pools, all of equal weight."""
    return [datanet_id << 192 | 1 << 160 for datanet_id in datanet_ids]
