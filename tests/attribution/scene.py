"""A small world every method succeeds in: two DataNets, two models of which one is built on the other, two jobs."""

from dataclasses import dataclass
from functools import cache

from . import calls
from .harness import ADMIN, CHAIN_ID, GENESIS_TIME, Evm

CURATOR, OWNER, TUNER, PAYER = 0x51, 0x61, 0x62, 0x91
MEMBERS = (0x101, 0x102, 0x103)
# Whom the payouts go to: accounts that are not there yet.
RECIPIENTS = {"claim": 0x999, "claimFor": MEMBERS[1]}
KEY, ATTRIBUTOR = calls.key_of(0xA77)
FEE = 10**18
REQUEST, RESPONSE, EVIDENCE = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32
DEADLINE = GENESIS_TIME + 10_000
INFLUENCE = [
    calls.influence_word(1, 5),
    calls.influence_word(1, 2, MEMBERS[1]),
    calls.influence_word(2, 9, MEMBERS[2]),
]
PRICE = (1000, 100, 200)


@dataclass(frozen=True, slots=True)
class Call:
    data: bytes
    caller: int
    value: int = 0


def build(mode: str) -> Evm:
    """The world, in one of the two modes; job 1 is open, job 2 is past its deadline."""
    return _built(mode).copy()


@cache
def _built(mode: str) -> Evm:
    evm = Evm(mode)
    for account in (PAYER, ATTRIBUTOR, OWNER, ADMIN):
        evm.fund(account)

    def do(data: bytes, caller: int, value: int = 0) -> None:
        result = evm.call(data, caller=caller, value=value)
        assert result.success, result

    do(calls.call("createDatanet", b"\x0a" * 32), CURATOR)
    do(calls.call("createDatanet", b"\x0b" * 32), CURATOR)
    rows = [(calls.hexed(member), 10 * (i + 1), bytes([i + 1]) * 32) for i, member in enumerate(MEMBERS)]
    do(calls.call("contribute", 1, rows[:2]), CURATOR)
    do(calls.call("contribute", 2, rows[2:]), CURATOR)
    first = calls.model_params([(1, 3), (2, 1)], price=PRICE, attributor=ATTRIBUTOR)
    do(calls.call("registerModel", first), OWNER)
    tuned = calls.model_params([(2, 1)], split=(2000, 1000, 7000), base=1, price=PRICE)
    do(calls.call("registerModel", tuned), TUNER)
    for model_id in (1, 2):
        do(calls.call("infer", model_id, 10, 20, REQUEST, RESPONSE), PAYER, FEE)
    do(calls.call("request", 1, REQUEST, DEADLINE), PAYER, FEE)
    do(calls.call("request", 1, REQUEST, GENESIS_TIME + 1), PAYER, FEE)
    evm.advance(12)
    return evm


def attestation(
    nonce: int = 0, deadline: int = DEADLINE, payer: int = PAYER, model_id: int = 1
) -> tuple[int | str | bytes, ...]:
    return (model_id, calls.hexed(payer), nonce, deadline, 10, 20, REQUEST, RESPONSE, EVIDENCE)


def signed(nonce: int = 0, influence: list[int] | None = None) -> bytes:
    words = INFLUENCE if influence is None else influence
    given = attestation(nonce)
    return calls.call("inferAttested", given, words, calls.attest(given, words, KEY, CHAIN_ID))


def valid_calls() -> dict[str, Call]:
    """A call of each method that succeeds in the world as built."""
    member = calls.hexed(MEMBERS[0])
    return {
        "setPlatform": Call(calls.call("setPlatform", calls.hexed(ADMIN), calls.hexed(0x7EB), 300), ADMIN),
        "platform": Call(calls.call("platform"), PAYER),
        "version": Call(calls.call("version"), PAYER),
        "createDatanet": Call(calls.call("createDatanet", b"\x0c" * 32), CURATOR),
        "contribute": Call(calls.call("contribute", 1, [(member, 7, b"\x77" * 32)]), CURATOR),
        "setUnits": Call(calls.call("setUnits", 1, member, 3), CURATOR),
        "transferCurator": Call(calls.call("transferCurator", 1, calls.hexed(0x52)), CURATOR),
        "datanet": Call(calls.call("datanet", 1), PAYER),
        "member": Call(calls.call("member", 1, member), PAYER),
        "registerModel": Call(calls.call("registerModel", calls.model_params([(1, 1), (2, 2)], base=2)), OWNER),
        "setPrice": Call(calls.call("setPrice", 1, (1, 2, 3)), OWNER),
        "setAttributor": Call(calls.call("setAttributor", 1, calls.hexed(0)), OWNER),
        "transferModel": Call(calls.call("transferModel", 1, calls.hexed(0x63)), OWNER),
        "recordTraining": Call(calls.call("recordTraining", 1, 5, b"\x04" * 32, b"\x05" * 32), OWNER),
        "model": Call(calls.call("model", 1), PAYER),
        "usage": Call(calls.call("usage", 1), PAYER),
        "quote": Call(calls.call("quote", 1, 10, 20), PAYER),
        "infer": Call(calls.call("infer", 1, 10, 20, REQUEST, RESPONSE), PAYER, FEE),
        "inferCompact": Call(calls.compact(2, 10, 20, REQUEST), PAYER, FEE),
        "inferAttested": Call(signed(), PAYER, FEE),
        "inferBatch": Call(calls.call("inferBatch", 1, 3, 10, 20, REQUEST, INFLUENCE), ATTRIBUTOR, FEE),
        "request": Call(calls.call("request", 1, REQUEST, DEADLINE), PAYER, FEE),
        "settle": Call(calls.call("settle", 1, 10, 20, RESPONSE, EVIDENCE, INFLUENCE), ATTRIBUTOR),
        "cancel": Call(calls.call("cancel", 2), PAYER),
        "job": Call(calls.call("job", 1), PAYER),
        "nonces": Call(calls.call("nonces", calls.hexed(PAYER)), PAYER),
        "harvest": Call(calls.call("harvest", [1, 2], member), PAYER),
        "claim": Call(calls.call("claim", [1], calls.hexed(RECIPIENTS["claim"])), MEMBERS[0]),
        "claimFor": Call(calls.call("claimFor", calls.hexed(RECIPIENTS["claimFor"]), [1]), PAYER),
        "claimable": Call(calls.call("claimable", member, [1, 2]), PAYER),
    }


VALID = valid_calls()
