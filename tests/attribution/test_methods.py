"""Permissions, the order of refusals, and what is stored (docs/attribution.md)."""

from typing import Any

import pytest
from eth_abi import encode
from eth_abi.packed import encode_packed
from sha3 import keccak_256

from attribution_precompile import ADDRESS, explain
from attribution_precompile.layout import content_slot

from . import calls
from .harness import ADMIN, GENESIS_TIME, MODES, TREASURY, Evm
from .scene import (
    ATTRIBUTOR,
    CURATOR,
    DEADLINE,
    EVIDENCE,
    FEE,
    INFLUENCE,
    MEMBERS,
    OWNER,
    PAYER,
    PRICE,
    REQUEST,
    RESPONSE,
    TUNER,
    VALID,
    build,
    signed,
)

STRANGER = 0x57A
RESTRICTED = [
    "setPlatform", "contribute", "setUnits", "transferCurator", "setPrice", "setAttributor", "transferModel",
    "recordTraining", "inferAttested", "inferBatch", "settle", "cancel",
]  # fmt: skip
DAY = 86_400


@pytest.fixture(params=MODES)
def evm(request: pytest.FixtureRequest) -> Evm:
    return build(request.param)


def refused(evm: Evm, data: bytes, caller: int, value: int = 0) -> str:
    root = evm.storage_root()
    result = evm.call(data, caller=caller, value=value)
    assert not result.success
    assert evm.storage_root() == root
    return explain(result.output)


def done(evm: Evm, name: str, *arguments: Any, caller: int, value: int = 0) -> Any:
    result = evm.call(calls.call(name, *arguments), caller=caller, value=value)
    assert result.success, explain(result.output)
    return calls.result(name, result.output) if calls.OUTPUTS[name] else None


@pytest.mark.parametrize("name", RESTRICTED)
@pytest.mark.parametrize("who", [STRANGER, TREASURY, CURATOR, OWNER, TUNER, PAYER, ATTRIBUTOR, ADMIN])
def test_only_authorized_accounts_may_call(evm: Evm, name: str, who: int) -> None:
    call = VALID[name]
    if who == call.caller:
        return
    evm.fund(who)
    assert refused(evm, call.data, who, call.value) == f"Unauthorized({calls.hexed(who)})"


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("contribute", (9, []), "UnknownDatanet(9)"),
        ("setUnits", (9, calls.hexed(1), 1), "UnknownDatanet(9)"),
        ("transferCurator", (0, calls.hexed(1)), "UnknownDatanet(0)"),
        ("datanet", (9,), "UnknownDatanet(9)"),
        ("member", (9, calls.hexed(1)), "UnknownDatanet(9)"),
        ("setPrice", (9, PRICE), "UnknownModel(9)"),
        ("setAttributor", (9, calls.hexed(1)), "UnknownModel(9)"),
        ("transferModel", (0, calls.hexed(1)), "UnknownModel(0)"),
        ("recordTraining", (9, 1, REQUEST, REQUEST), "UnknownModel(9)"),
        ("model", (9,), "UnknownModel(9)"),
        ("usage", (9,), "UnknownModel(9)"),
        ("quote", (9, 0, 0), "UnknownModel(9)"),
        ("infer", (9, 0, 0, REQUEST, RESPONSE), "UnknownModel(9)"),
        ("inferBatch", (9, 1, 0, 0, REQUEST, []), "UnknownModel(9)"),
        ("inferBatch", (1, 0, 0, 0, REQUEST, []), "MalformedInput()"),
        ("request", (9, REQUEST, DEADLINE), "UnknownModel(9)"),
        ("settle", (9, 0, 0, REQUEST, RESPONSE, []), "UnknownJob(9)"),
        ("cancel", (9,), "UnknownJob(9)"),
        ("job", (0,), "UnknownJob(0)"),
    ],
)
def test_what_does_not_exist(evm: Evm, name: str, arguments: tuple[Any, ...], reason: str) -> None:
    assert refused(evm, calls.call(name, *arguments), PAYER) == reason


@pytest.mark.parametrize(
    ("name", "arguments", "caller"),
    [
        ("setPlatform", (calls.hexed(0), calls.hexed(1), 0), ADMIN),
        ("setPlatform", (calls.hexed(1), calls.hexed(0), 0), ADMIN),
        ("contribute", (1, [(calls.hexed(0), 1, EVIDENCE)]), CURATOR),
        ("setUnits", (1, calls.hexed(0), 1), CURATOR),
        ("transferCurator", (1, calls.hexed(0)), CURATOR),
        ("transferModel", (1, calls.hexed(0)), OWNER),
    ],
)
def test_address_zero_is_nobody(evm: Evm, name: str, arguments: tuple[Any, ...], caller: int) -> None:
    assert refused(evm, calls.call(name, *arguments), caller) == "InvalidAddress()"


def test_the_platform(evm: Evm) -> None:
    other = 0xADD
    over = calls.call("setPlatform", calls.hexed(other), calls.hexed(0x7), 3_001)
    assert refused(evm, over, ADMIN) == "TooMany(3001, 3000)"
    done(evm, "setPlatform", calls.hexed(other), calls.hexed(0x7), 3_000, caller=ADMIN)
    assert done(evm, "platform", caller=1) == (calls.hexed(other), calls.hexed(0x7), 3_000)
    assert refused(evm, VALID["setPlatform"].data, ADMIN) == f"Unauthorized({calls.hexed(ADMIN)})"
    done(evm, "infer", 1, 0, 0, REQUEST, RESPONSE, caller=PAYER, value=10_000)
    assert done(evm, "claimable", calls.hexed(0x7), [], caller=1) == 3_000


def test_a_content_counts_once_in_a_datanet(evm: Evm) -> None:
    member, content = calls.hexed(MEMBERS[0]), b"\x5c" * 32
    again = calls.call("contribute", 1, [(member, 1, content), (member, 2, content)])
    assert refused(evm, again, CURATOR) == f"DuplicateContent(0x{content.hex()})"
    done(evm, "contribute", 1, [(member, 1, content)], caller=CURATOR)
    assert evm.storage(content_slot(1, int.from_bytes(content, "big"))) == 1
    assert refused(evm, calls.call("contribute", 1, [(member, 1, content)]), CURATOR).startswith("DuplicateContent")
    done(evm, "contribute", 2, [(member, 0, content)], caller=CURATOR)
    assert done(evm, "datanet", 1, caller=1)[2:] == (31, 2, 3)
    # No units, no member; its content is recorded all the same.
    assert done(evm, "datanet", 2, caller=1)[2:] == (30, 1, 2)


def test_curators_and_owners_hand_over(evm: Evm) -> None:
    done(evm, "transferCurator", 1, calls.hexed(STRANGER), caller=CURATOR)
    assert refused(evm, VALID["setUnits"].data, CURATOR).startswith("Unauthorized")
    done(evm, "setUnits", 1, calls.hexed(MEMBERS[0]), 1, caller=STRANGER)
    done(evm, "transferModel", 1, calls.hexed(STRANGER), caller=OWNER)
    assert refused(evm, VALID["setPrice"].data, OWNER).startswith("Unauthorized")
    done(evm, "setPrice", 1, (7, 8, 9), caller=STRANGER)
    model = done(evm, "model", 1, caller=1)
    assert (model[0], model[4]) == (calls.hexed(STRANGER), (7, 8, 9))
    done(evm, "infer", 1, 0, 0, REQUEST, RESPONSE, caller=PAYER, value=10_000)
    assert done(evm, "claimable", calls.hexed(STRANGER), [], caller=1) == 9_500 * 30 // 100


@pytest.mark.parametrize(
    ("tokens", "fee"),
    [((0, 0), 1_000), ((999, 499), 1_198), ((9, 4), 1_000), ((1_000, 1_000), 1_300), ((2**64 - 1, 0), None)],
)
def test_the_quote_floors_each_product(evm: Evm, tokens: tuple[int, int], fee: int | None) -> None:
    """1,000 wei per call, 100 per thousand input tokens, 200 per thousand output tokens."""
    expected = 1_000 + 100 * tokens[0] // 1_000 + 200 * tokens[1] // 1_000
    assert fee is None or fee == expected
    assert done(evm, "quote", 1, *tokens, caller=1) == expected


def test_a_fee_below_the_quote_is_refused(evm: Evm) -> None:
    infer = calls.call("infer", 1, 1_000, 1_000, REQUEST, RESPONSE)
    assert refused(evm, infer, PAYER, 1_299) == "FeeTooLow(1299, 1300)"
    assert evm.call(infer, caller=PAYER, value=1_300).success
    batch = calls.call("inferBatch", 1, 5, 3_000, 500, REQUEST, [])
    assert refused(evm, batch, ATTRIBUTOR, 5_399) == "FeeTooLow(5399, 5400)"
    assert evm.call(batch, caller=ATTRIBUTOR, value=5_400).success
    assert done(evm, "usage", 1, caller=1)[0] == 1 + 1 + 5


def keccak(data: bytes) -> bytes:
    return bytes(keccak_256(data).digest())


def test_history_commits_to_every_inference_in_order(evm: Evm) -> None:
    """Recomputed with another encoder: infer (in the scene), compact, attested, a batch, a settled job."""
    head = bytes(32)
    types = ["bytes32", "uint64", "address", "uint256", "uint32", "uint64", "uint64", *["bytes32"] * 4, "uint256"]

    def extend(
        number: int, payer: int, fee: int, count: int, hashes: tuple[bytes, ...], words: list[int], at: int
    ) -> None:
        nonlocal head
        packed = keccak(encode_packed(["uint256"] * len(words), words))
        row = [head, number, calls.hexed(payer), fee, count, 10, 20, *hashes, packed, at]
        head = keccak(encode(types, row))

    zero = bytes(32)
    extend(1, PAYER, FEE, 1, (REQUEST, RESPONSE, zero), [], GENESIS_TIME)
    assert done(evm, "usage", 1, caller=1)[3] == head
    for data, caller, value in (
        (calls.compact(1, 10, 20, REQUEST), PAYER, FEE),
        (signed(), PAYER, FEE),
        (calls.call("inferBatch", 1, 3, 10, 20, REQUEST, INFLUENCE), ATTRIBUTOR, FEE),
        (VALID["settle"].data, ATTRIBUTOR, 0),
    ):
        evm.advance(2)
        assert evm.call(data, caller=caller, value=value).success
    last = evm.timestamp
    extend(2, PAYER, FEE, 1, (REQUEST, zero, zero), [], last - 6)
    extend(3, PAYER, FEE, 1, (REQUEST, RESPONSE, EVIDENCE), INFLUENCE, last - 4)
    extend(6, ATTRIBUTOR, FEE, 3, (REQUEST, zero, zero), INFLUENCE, last - 2)
    price = 1_000 + 100 * 10 // 1_000 + 200 * 20 // 1_000
    extend(7, PAYER, price, 1, (REQUEST, RESPONSE, EVIDENCE), INFLUENCE, last)
    usage = done(evm, "usage", 1, caller=1)
    assert usage == (7, 4 * FEE + price, last, head, bytes(32))


def test_training_steps_rise_and_are_committed_to(evm: Evm) -> None:
    head = bytes(32)
    assert refused(evm, calls.call("recordTraining", 1, 0, REQUEST, RESPONSE), OWNER) == "InvalidNonce(0, 1)"
    for step in (1, 5, 2**64 - 1):
        done(evm, "recordTraining", 1, step, REQUEST, RESPONSE, caller=OWNER)
        row = [head, step, REQUEST, RESPONSE, evm.timestamp]
        head = keccak(encode(["bytes32", "uint64", "bytes32", "bytes32", "uint256"], row))
        assert done(evm, "usage", 1, caller=1)[4] == head
        again = calls.call("recordTraining", 1, step, REQUEST, RESPONSE)
        assert refused(evm, again, OWNER) == f"InvalidNonce({step}, {(step + 1) % 2**64})"
    assert done(evm, "model", 1, caller=1)[1] == calls.hexed(ATTRIBUTOR), "the step shares its slot"


def test_a_job_is_settled_or_cancelled_once(evm: Evm) -> None:
    assert done(evm, "job", 1, caller=1) == (1, calls.hexed(PAYER), FEE, REQUEST, DEADLINE, 1)
    assert refused(evm, VALID["cancel"].data.replace((2).to_bytes(32, "big"), (1).to_bytes(32, "big")), PAYER) == (
        f"JobOpenUntil({DEADLINE})"
    )
    late = calls.call("settle", 2, 10, 20, RESPONSE, EVIDENCE, [])
    assert refused(evm, late, ATTRIBUTOR) == f"Expired({GENESIS_TIME + 1})"
    credit = done(evm, "claimable", calls.hexed(PAYER), [], caller=1)
    assert done(evm, "settle", 1, 10, 20, RESPONSE, EVIDENCE, [], caller=ATTRIBUTOR) == 2
    price = 1_000 + 1 + 4
    assert done(evm, "claimable", calls.hexed(PAYER), [], caller=1) == credit + FEE - price
    done(evm, "cancel", 2, caller=PAYER)
    assert done(evm, "claimable", calls.hexed(PAYER), [], caller=1) == credit + 2 * FEE - price
    assert done(evm, "job", 1, caller=1)[2:] == (0, REQUEST, DEADLINE, 2)
    assert done(evm, "job", 2, caller=1)[2:] == (0, REQUEST, GENESIS_TIME + 1, 3)
    for job_id in (1, 2):
        again = calls.call("settle", job_id, 0, 0, RESPONSE, EVIDENCE, [])
        assert refused(evm, again, ATTRIBUTOR) == f"JobClosed({job_id})"
        assert refused(evm, calls.call("cancel", job_id), PAYER) == f"JobClosed({job_id})"


def test_an_escrow_below_the_quote_is_the_fee(evm: Evm) -> None:
    job_id = done(evm, "request", 1, REQUEST, evm.timestamp + 5, caller=PAYER, value=999)
    evm.advance(5)
    done(evm, "settle", job_id, 10, 20, RESPONSE, EVIDENCE, [], caller=ATTRIBUTOR)
    assert done(evm, "usage", 1, caller=1)[1] == FEE + 999
    assert done(evm, "claimable", calls.hexed(PAYER), [], caller=1) == 0


@pytest.mark.parametrize(
    ("ahead", "reason"),
    [
        (0, "Expired"),
        (-1, "Expired"),
        (1, ""),
        (30 * DAY, ""),
        (30 * DAY + 1, "TooMany(2592001, 2592000)"),
    ],
)
def test_a_deadline_is_one_block_to_thirty_days_ahead(evm: Evm, ahead: int, reason: str) -> None:
    result = evm.call(calls.call("request", 1, REQUEST, evm.timestamp + ahead), caller=PAYER, value=1)
    assert result.success == (not reason)
    assert explain(result.output).startswith(reason or "0x")


def test_inferences_are_logged_as_the_interface_says(evm: Evm) -> None:
    result = evm.call(signed(), caller=PAYER, value=FEE)
    ((account, topics, data),) = result.logs
    assert account == ADDRESS.to_bytes(20, "big")
    assert topics[1:] == (1, 2, PAYER)
    types = ["uint256", "uint32", "uint64", "uint64", "bytes32", "bytes32", "bytes32", "uint256[]"]
    assert data == encode(types, [FEE, 1, 10, 20, REQUEST, RESPONSE, EVIDENCE, INFLUENCE])
