"""Inferences to measure by: the state they need, and the calls, for the hot loop alone and inside a block."""

from collections.abc import Iterator
from dataclasses import dataclass

from coincurve import PrivateKey

from attribution_precompile import ADDRESS, SELECTORS, DictHost, abi, execute, genesis_storage
from attribution_precompile.layout import ATTRIBUTOR, model_slot, nonce_slot
from attribution_precompile.signatures import attestation_digest, domain_separator, keccak256

ADMIN, TREASURY, CURATOR, OWNER, PAYER = 0xAD, 0x7EA, 0xC0, 0x0E, 0xFA
FIRST_MEMBER = 2**80
FEE = 10**18
CHUNK = 500
CHAIN_ID = 901
_KEY = PrivateKey(b"\x05" * 32)
_NEVER = 2**63

_SELECTOR = {method.name: selector for selector, method in SELECTORS.items()}


def _words(*values: int) -> bytes:
    return abi.encode_words(*values)


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of inference over a prepared state: who calls what with how much wei, again and again.

    `credits` is how many balances or pools one call pays; `storage` is the account's storage before the first call.
    """

    name: str
    entries: int
    contributors: int
    credits: int
    calldata: bytes
    caller: int
    value: int
    storage: dict[int, int]


def build_storage(entries: int, contributors: int) -> dict[int, int]:
    """A model with `entries` DataNets which share `contributors` contributors (at least one each)."""
    host = DictHost(storage=genesis_storage(ADMIN, TREASURY, 500))

    def do(data: bytes, caller: int) -> None:
        host.begin()
        result = host.call(data, caller=caller, gas=10**12)
        if not result.success:
            raise RuntimeError(f"setting up failed: {result.output.hex()}")

    for datanet_id in range(1, entries + 1):
        do(_SELECTOR["createDatanet"] + _words(datanet_id), CURATOR)
        share = max(1, contributors // entries)
        for first in range(0, share, CHUNK):
            count = min(CHUNK, share - first)
            rows: list[int] = []
            for index in range(first, first + count):
                rows += (FIRST_MEMBER + index, 1 + index % 7, index)
            do(_SELECTOR["contribute"] + _words(datanet_id, 64, count, *rows), CURATOR)
    weights: list[int] = []
    for datanet_id in range(1, entries + 1):
        weights += (datanet_id, datanet_id)
    params = (0, 0, 0, 1_000, 0, 0, 3_000, 0, 7_000, 320, entries, *weights)
    do(_SELECTOR["registerModel"] + _words(32, *params), OWNER)
    return host.storage


def workloads(entries: int, contributors: int) -> Iterator[Workload]:
    """The kinds of inference: default weights, least calldata, an own influence on pools, and one on members."""
    storage = build_storage(entries, contributors)
    hashes = (2**255, 2**254)

    def made(name: str, credits: int, calldata: bytes, caller: int) -> Workload:
        return Workload(name, entries, contributors, credits, calldata, caller, FEE, dict(storage))

    yield made("infer", 2 + entries, _SELECTOR["infer"] + _words(1, 700, 300, *hashes), PAYER)
    compact = b"".join(value.to_bytes(4, "big") for value in (1, 700, 300)) + hashes[0].to_bytes(32, "big")
    yield made("inferCompact", 2 + entries, _SELECTOR["inferCompact"] + compact, PAYER)
    for name, contributor in (("inferBatch, pools", 0), ("inferBatch, members", FIRST_MEMBER)):
        influence = [i << 192 | (10 + i) << 160 | contributor for i in range(1, entries + 1)]
        head = (1, 1, 700, 300, hashes[0], 192, entries)
        # Direct entries all pay the same first member, once for each DataNet.
        yield made(name, 2 + entries, _SELECTOR["inferBatch"] + _words(*head, *influence), OWNER)


def attested_workload(entries: int, contributors: int) -> Workload:
    """inferAttested with an influence on pools, in a state where each slot it writes is non-zero. Made once: a second
    call has another nonce, and so another signature."""
    inference = next(workloads(entries, contributors))
    host = DictHost(storage=inference.storage, timestamp=1)
    host.begin()
    host.enter(PAYER, FEE, 10**12)
    execute(host, inference.calldata)
    nonce = 1
    signer = keccak256(_KEY.public_key.format(compressed=False)[1:])[12:]
    host.storage[nonce_slot(PAYER)] = nonce
    host.storage[model_slot(1) + ATTRIBUTOR] = int.from_bytes(signer, "big")
    influence = _words(*[i << 192 | (10 + i) << 160 for i in range(1, entries + 1)])
    attestation = _words(1, PAYER, nonce, _NEVER, 700, 300, 2**255, 2**254, 2**253)
    digest = attestation_digest(domain_separator(CHAIN_ID, ADDRESS), attestation, influence)
    signed = _KEY.sign_recoverable(digest, hasher=None)
    signature = signed[:64] + bytes([27 + signed[64]])
    places = _words(11 * 32, 12 * 32 + len(influence))
    tail = _words(entries) + influence + _words(len(signature)) + signature.ljust(96, b"\0")
    calldata = _SELECTOR["inferAttested"] + attestation + places + tail
    return Workload("inferAttested", entries, contributors, 2 + entries, calldata, PAYER, FEE, host.storage)
