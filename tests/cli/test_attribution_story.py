"""DataNet, model, inferences, earnings, claims and jobs by the commands: to the wei what a ledger of our own says."""

import json
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3
from web3.types import RPCEndpoint

from attribution_precompile.client import record_hash
from rollup.cli.demo_texts import load_data_set
from rollup.protocol.accounts import USERS
from rollup.protocol.primitives import keccak256

ROOT = Path(__file__).resolve().parents[2]
MEDICAL, ANSWER = ROOT / "examples" / "medical", ROOT / "examples" / "answers" / "night-shift.txt"
OPEN = 10**18
TEXTS = load_data_set(MEDICAL)
UNITS: dict[str, int] = {}
for _text in TEXTS.texts:
    UNITS[_text.address] = UNITS.get(_text.address, 0) + _text.units
TOTAL = sum(UNITS.values())


@pytest.fixture(
    scope="module", params=["native", "contract", pytest.param("anvil", marks=pytest.mark.external)], autouse=True
)
def shell(request: pytest.FixtureRequest) -> Any:
    """Plays the story on our node in both modes, and on another client."""
    names = {"native": "native_shell", "contract": "contract_shell", "anvil": "anvil_shell"}
    return request.getfixturevalue(names[request.param])


def address(index: int) -> str:
    return Web3.to_checksum_address(USERS[index].address)


class Pool:
    """docs/attribution.md: platform first, then owner, then the rest to the pool, in 2^-64 wei per unit."""

    def __init__(self, bps: int) -> None:
        self.bps = bps
        self.acc = self.remainder = self.owner = 0

    def pay(self, fee: int) -> None:
        self.deposit(self.data_share(fee))

    def data_share(self, fee: int) -> int:
        net = fee - fee * self.bps // 10_000
        self.owner += net * 3_000 // 10_000
        return net - net * 3_000 // 10_000

    def deposit(self, amount: int) -> None:
        numerator = (amount << 64) + self.remainder
        self.acc, self.remainder = self.acc + numerator // TOTAL, numerator % TOTAL

    def pending(self, who: str) -> int:
        return UNITS[who] * self.acc >> 64


@pytest.fixture
def pool(shell: Any) -> Pool:
    web3 = Web3(Web3.HTTPProvider(shell.url))
    _, _, bps = (
        web3.eth.contract(
            address=Web3.to_checksum_address("0x4F50454e00000000000000000000000000000001"),
            abi=json.loads((ROOT / "attribution_precompile" / "twin.json").read_text())["abi"],
        )
        .functions.platform()
        .call()
    )
    assert bps == 500
    return Pool(bps)


@pytest.fixture
def model(shell: Any, tmp_path: Path) -> tuple[int, int]:
    """A new DataNet with the medical texts, owned by account 6, and a model of it; account 7 attests."""
    datanet = shell.json("datanet", "create", "--name", "Medical notes", "--account", 6)["datanetId"]
    given = shell.json("datanet", "contribute", datanet, MEDICAL, "--account", 6)
    assert len(given["contributions"]) == len(TEXTS.texts)
    file = tmp_path / "model.yaml"
    example = (ROOT / "examples" / "model.yaml").read_text()
    assert "id: 1\n" in example
    file.write_text(example.replace("id: 1\n", f"id: {datanet}\n").replace(address(1), address(7)))
    return datanet, shell.json("model", "register", file, "--account", 6)["modelId"]


def test_datanet_show(shell: Any, model: tuple[int, int]) -> None:
    shown = shell.json("datanet", "show", model[0])
    assert (shown["curator"], shown["totalUnits"], shown["members"]) == (address(6), TOTAL, len(UNITS))
    assert shown["metadata"] == "0x" + keccak256(b"Medical notes").hex()
    assert {row["account"]: row["units"] for row in shown["contributors"]} == UNITS
    contents = [content for row in shown["contributors"] for content in row["contentHashes"]]
    assert sorted(contents) == sorted("0x" + keccak256(text.content.encode()).hex() for text in TEXTS.texts)
    text = shell.run("datanet", "show", model[0]).output
    assert all(who in text for who in UNITS)


def test_model_show_and_price(shell: Any, model: tuple[int, int]) -> None:
    shown = shell.json("model", "show", model[1])
    assert (shown["owner"], shown["attributor"], shown["baseModelId"]) == (address(6), address(7), 0)
    assert shown["split"] == {"ownerBps": 3_000, "lineageBps": 0, "dataBps": 7_000}
    assert shown["weights"] == [{"datanetId": model[0], "weight": 1}]
    assert shown["metadata"] == "0x" + keccak256(b"Ward assistant").hex()
    quoted = shell.json("model", "price", model[1], "--input-tokens", 1_500, "--output-tokens", 250)
    assert quoted["quote"] == str(10**16 + 1_500 * 10**12 + 250 * 4 * 10**12)
    assert "transactionHash" not in quoted
    changed = shell.json("model", "price", model[1], "--per-call", "5gwei", "--account", 6)
    assert changed["price"] == {
        "perCall": str(5 * 10**9),
        "perKiloInput": str(10**15),
        "perKiloOutput": str(4 * 10**15),
    }
    assert shell.json("model", "show", model[1])["price"] == changed["price"]
    assert "0.000000005 OPEN a call" in shell.run("model", "price", model[1]).output


def test_without_an_attributor_the_owner_attests(shell: Any, model: tuple[int, int]) -> None:
    named = shell.json("model", "set-attributor", model[1], "0x" + "00" * 20, "--account", 6)
    assert named["attributor"] == shell.json("model", "show", model[1])["attributor"] == address(6)
    assert f"{address(6)} (the owner)" in shell.run("model", "show", model[1]).output
    vector = ("infer", model[1], "--influence", f"{model[0]}:1", "--account", 8)
    assert shell.json(*vector, "--attributor-account", 6)["inferenceId"] == 1
    assert f"attributor of model {model[1]} is {address(6)}" in shell.refusal(*vector, "--attributor-account", 7)


def test_infer_earn_claim(shell: Any, model: tuple[int, int], pool: Pool) -> None:
    datanet, model_id = model
    who = TEXTS.texts[0].address
    before = shell.json("earnings", who)
    assert [row["pending"] for row in before["datanets"] if row["datanetId"] == datanet] == ["0"]
    first = shell.json("infer", model_id, "--input-tokens", 12, "--output-tokens", 340, "--account", 8)
    assert int(first["fee"]) == 10**16 + 12 * 10**12 + 340 * 4 * 10**12
    pool.pay(int(first["fee"]))
    second = shell.json("infer", model_id, "--fee", "0.5open", "--account", 8)
    assert (second["inferenceId"], second["payer"], second["influence"]) == (2, address(8), [])
    pool.pay(OPEN // 2)
    compact = shell.json(
        "infer", model_id, "--compact", "--input-tokens", 7, "--request-hash", "0x" + "11" * 32, "--account", 8
    )
    assert compact["requestHash"] == "0x" + record_hash(b"\x11" * 32, bytes(32)).hex()
    assert (int(compact["fee"]), compact["responseHash"]) == (10**16 + 7 * 10**12, "0x" + "00" * 32)
    pool.pay(int(compact["fee"]))

    earned = {address: shell.json("earnings", address) for address in UNITS}
    for address_, report in earned.items():
        (row,) = [row for row in report["datanets"] if row["datanetId"] == datanet]
        assert (row["units"], int(row["pending"])) == (UNITS[address_], pool.pending(address_))
        # What the node's index says by model is the same money.
        if shell.has_index:
            (by_model,) = [found for found in report["byModel"] if found["modelId"] == model_id]
            assert (by_model["roles"], by_model["total"]) == ({"pool": row["pending"]}, row["pending"])
        else:
            assert report["byModel"] is None
    owner = shell.json("earnings", address(6))
    (mine,) = [row for row in owner["models"] if row["modelId"] == model_id]
    fees = [int(item["fee"]) for item in (first, second, compact)]
    assert (mine["inferences"], int(mine["revenue"])) == (3, sum(fees))

    web3 = Web3(Web3.HTTPProvider(shell.url))
    balance = web3.eth.get_balance(Web3.to_checksum_address(who))
    claim = shell.json("claim", "--for", who, "--datanet", datanet, "--account", 9)
    assert int(claim["amount"]) == pool.pending(who)
    assert web3.eth.get_balance(Web3.to_checksum_address(who)) == balance + pool.pending(who)
    after = shell.json("earnings", who)
    assert int(after["claimed"]) == int(before["claimed"]) + pool.pending(who)
    assert int(after["earned"]) == int(before["earned"]) + pool.pending(who)
    assert "NothingToClaim" in shell.refusal("claim", "--for", who, "--datanet", datanet)


def test_the_owner_claims_to_another_address(shell: Any, model: tuple[int, int], pool: Pool) -> None:
    due = int(shell.json("earnings", address(6))["claimable"])
    pool.pay(int(shell.json("infer", model[1], "--fee", 10_007_000_000_000_003, "--account", 8)["fee"]))
    recipient = "0x" + "00" * 18 + "7e57"
    claim = shell.json("claim", "--to", recipient, "--account", 6)
    assert (claim["account"], claim["recipient"].lower()) == (address(6), recipient)
    assert int(claim["amount"]) == due + pool.owner


def test_a_base_model_is_paid_by_its_own_split(shell: Any, model: tuple[int, int], pool: Pool, tmp_path: Path) -> None:
    """20 % of the net fee go to the lineage: the base model's owner takes 30 % of it, its DataNet the rest."""
    datanet, base = model
    file = tmp_path / "tuned.yaml"
    file.write_text(
        f"name: Tuned\nbase_model: {base}\nprice: {{per_call: 7gwei}}\n"
        f"split: {{owner: 3000, lineage: 2000, data: 5000}}\ndatanets:\n- id: {datanet}\n"
    )
    tuned = shell.json("model", "register", file, "--account", 5)
    before = [int(shell.json("earnings", address(index))["credit"]) for index in (5, 6)]
    fee = int(shell.json("infer", tuned["modelId"], "--account", 8)["fee"])
    assert fee == 7 * 10**9
    net = fee - fee * pool.bps // 10_000
    owner, lineage = net * 3_000 // 10_000, net * 2_000 // 10_000
    base_owner = lineage * 3_000 // 10_000
    after = [int(shell.json("earnings", address(index))["credit"]) for index in (5, 6)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [owner, base_owner]
    for amount in sorted((net - owner - lineage, lineage - base_owner)):
        pool.deposit(amount)
    pending = {row["account"]: int(row["pending"]) for row in shell.json("datanet", "show", datanet)["contributors"]}
    assert pending == {who: pool.pending(who) for who in UNITS}
    assert shell.json("model", "show", base)["usage"]["inferences"] == 0


def test_influence_by_vector(shell: Any, model: tuple[int, int], pool: Pool) -> None:
    """Three parts to one member, one part to the pool, in the order of the vector: the pool is contributor 0."""
    datanet, model_id = model
    who = TEXTS.texts[3].address
    payment = shell.json(
        *("infer", model_id, "--influence", f"{datanet}:{who}:3", "--influence", f"{datanet}:1", "--fee", "0.02open"),
        *("--account", 8, "--attributor-account", 7),
    )
    assert payment["influence"] == [
        {"datanetId": datanet, "contributor": None, "weight": 1},
        {"datanetId": datanet, "contributor": who, "weight": 3},
    ]
    data = pool.data_share(2 * 10**16)
    pool.deposit(data // 4)
    before = int(shell.json("datanet", "show", datanet)["contributors"][0]["pending"])
    assert before == pool.pending(TEXTS.texts[0].address)
    assert int(shell.json("earnings", who)["credit"]) >= data - data // 4


def test_traced_influence_pays_whose_text_it_is(shell: Any, model: tuple[int, int], pool: Pool) -> None:
    datanet, model_id = model
    quoted = ["0x09DB0a93B389bEF724429898f539AEB7ac2Dd55f", "0x5E661B79FE2D3F6cE70F5AAC07d8Cd9abb2743F1"]
    quoted.append("0xDf37F81dAAD2b0327A0A50003740e1C935C70913")
    before = {who: int(shell.json("earnings", who)["credit"]) for who in quoted}
    payment = shell.json(
        "infer", model_id, "--output", ANSWER, "--texts", MEDICAL, "--account", 8, "--attributor-account", 7
    )
    assert payment["responseHash"] == "0x" + keccak256(ANSWER.read_bytes()).hex()
    entries = payment["influence"]
    assert [entry["contributor"] for entry in entries] == quoted
    # 52, 40 and 17 tokens, each span found once: the best is scaled to 2^32 - 1.
    top = 2**32 - 1
    assert [entry["weight"] for entry in entries] == [top * 17 // 52, top, top * 40 // 52]
    data, total = pool.data_share(int(payment["fee"])), sum(entry["weight"] for entry in entries)
    shares = [data * entry["weight"] // total for entry in entries[:2]]
    shares.append(data - sum(shares))
    credited = [int(shell.json("earnings", who)["credit"]) - before[who] for who in quoted]
    assert credited == shares
    # Nobody else got anything.
    assert {row["pending"] for row in shell.json("datanet", "show", datanet)["contributors"]} == {"0"}
    traced = shell.run("trace", ANSWER, "--texts", MEDICAL, "--tx", payment["transactionHash"])
    assert "equal to what the transaction recorded" in traced.output
    other = shell.refusal("trace", ANSWER, "--texts", MEDICAL, "--tx", payment["transactionHash"], "--min-tokens", 20)
    assert "another influence" in other
    assert "another evidence" in other


def test_a_paraphrase_pays_with_related_and_its_trace_is_found_equal(
    shell: Any, model: tuple[int, int], tmp_path: Path
) -> None:
    _, model_id = model
    answer = tmp_path / "answer.txt"
    answer.write_text("Low ferritin tells of empty iron stores long before the blood count shows anaemia.")
    given = ("infer", model_id, "--output", answer, "--texts", MEDICAL, "--account", 8, "--attributor-account", 7)
    (entry,) = shell.json(*given, "--related")["influence"]
    assert entry["contributor"] == next(text.address for text in TEXTS.texts if text.title.startswith("Iron"))
    payment = shell.json(*given, "--related")
    assert "equal to what" in shell.run("trace", answer, "--texts", MEDICAL, "--tx", payment["transactionHash"]).output
    assert shell.json(*given)["influence"] == []


def test_a_trace_is_held_against_the_texts_as_they_were(shell: Any, model: tuple[int, int], tmp_path: Path) -> None:
    """A text registered after the inference, or units taken away since, change nothing about it."""
    datanet, model_id = model
    payment = shell.json(
        "infer", model_id, "--output", ANSWER, "--texts", MEDICAL, "--account", 8, "--attributor-account", 7
    )
    shell.json("datanet", "set-units", datanet, TEXTS.texts[10].address, 0, "--account", 6)
    held = shell.run("trace", ANSWER, "--texts", MEDICAL, "--tx", payment["transactionHash"])
    assert "equal to what" in held.output
    # At the head that contributor's spans are nobody's.
    now = shell.json("trace", ANSWER, "--texts", MEDICAL, "--model", model_id)
    assert TEXTS.texts[10].address not in {span["contributor"] for span in now["spans"]}
    late = tmp_path / "late.txt"
    late.write_text("A late note by somebody new, of which nobody quotes a word.")
    shell.json(
        *("datanet", "contribute", datanet, "--contributor", address(5), "--units", 2, "--text", late),
        *("--account", 6),
    )
    assert shell.json("datanet", "show", datanet)["contributors"][-1]["units"] == 2


def test_attest_then_infer(shell: Any, model: tuple[int, int], tmp_path: Path) -> None:
    datanet, model_id = model
    file = tmp_path / "attestation.json"
    sizes = ("--input-tokens", 10, "--output-tokens", 20, "--evidence", "0x" + "ee" * 32)
    attest = ("attest", model_id, "--payer", address(8), "--influence", f"{datanet}:1", *sizes, "--account", 7)
    file.write_text(shell.run(*attest).stdout)
    payment = shell.json("infer", model_id, "--attestation", file, "--account", 8)
    assert (payment["evidence"], payment["inputTokens"], payment["outputTokens"]) == ("0x" + "ee" * 32, 10, 20)
    assert payment["influence"] == [{"datanetId": datanet, "contributor": None, "weight": 1}]
    # Used once; for one payer; by the attributor alone.
    assert "InvalidNonce" in shell.refusal("infer", model_id, "--attestation", file, "--account", 8)
    assert f"for payer {address(8)}" in shell.refusal("infer", model_id, "--attestation", file, "--account", 9)
    assert f"attributor of model {model_id} is {address(7)}" in shell.refusal(*attest[:-1], 8)
    # From standard input, and with its influence changed on the way.
    document = json.loads(shell.run(*attest, "--json").stdout)
    document["influence"] = ["0x" + (datanet << 192 | 2 << 160).to_bytes(32, "big").hex()]
    changed = shell.run(
        "infer", model_id, "--attestation", "-", "--account", 8, stdin=json.dumps(document), exit_code=1
    )
    assert "InvalidSignature" in changed.stderr


def test_a_batch_by_the_attributor(shell: Any, model: tuple[int, int]) -> None:
    batch = ("infer", model[1], "--count", 3, "--input-tokens", 1_000, "--records-root", "0x" + "ab" * 32)
    payment = shell.json(*batch, "--account", 7)
    assert (payment["count"], payment["inferenceId"], payment["requestHash"]) == (3, 3, "0x" + "ab" * 32)
    assert int(payment["fee"]) == 3 * 10**16 + 10**15
    assert "inferences 4 to 6 of model" in shell.run(*batch, "--account", 7).output
    assert f"Unauthorized({address(8).lower()})" in shell.refusal(*batch, "--account", 8)


def test_a_job_settled(shell: Any, model: tuple[int, int], tmp_path: Path) -> None:
    question = tmp_path / "question.txt"
    question.write_text("What do I watch for?")
    job = shell.json("job", "open", model[1], "--escrow", "0.05open", "--request", question, "--account", 3)
    assert (job["state"], job["escrow"], job["payer"]) == ("open", str(5 * 10**16), address(3))
    assert job["requestHash"] == "0x" + keccak256(question.read_bytes()).hex()
    ident = job["jobId"]
    assert "JobOpenUntil" in shell.refusal("job", "cancel", ident, "--account", 3)
    assert "Unauthorized" in shell.refusal("job", "settle", ident, "--account", 3)
    earned = shell.json("earnings", address(3))
    settled = shell.json("job", "settle", ident, "--output", ANSWER, "--texts", MEDICAL, "--account", 7)
    fee = 10**16 + 197 * 4 * 10**12
    assert (int(settled["fee"]), int(settled["refund"]), len(settled["influence"])) == (fee, 5 * 10**16 - fee, 3)
    now = shell.json("earnings", address(3))
    assert int(now["credit"]) == int(earned["credit"]) + 5 * 10**16 - fee
    # A refund is not income.
    assert int(now["refunded"]) == int(earned["refunded"]) + 5 * 10**16 - fee
    assert now["earned"] == earned["earned"]
    assert shell.json("job", "show", ident)["state"] == "settled"
    assert "JobClosed" in shell.refusal("job", "settle", ident, "--account", 7)
    listed = shell.json("job", "list", "--model", model[1])["jobs"]
    assert [(item["jobId"], item["state"]) for item in listed] == [(ident, "settled")]


def test_a_job_cancelled(shell: Any, model: tuple[int, int]) -> None:
    job = shell.json("job", "open", model[1], "--escrow", 3 * 10**16, "--deadline", "4s", "--account", 4)
    if not shell.has_index:
        Web3(Web3.HTTPProvider(shell.url)).provider.make_request(RPCEndpoint("evm_increaseTime"), [5])
    # On a node of ours each transaction makes a block two seconds later: no waiting.
    for step in range(3):
        root = "0x" + "cd" * 32
        shell.json("model", "train", model[1], step + 1, "--checkpoint", root, "--data-root", root, "--account", 6)
    before = shell.json("earnings", address(4))
    cancelled = shell.json("job", "cancel", job["jobId"], "--account", 4)
    assert (cancelled["state"], int(cancelled["refund"])) == ("cancelled", 3 * 10**16)
    now = shell.json("earnings", address(4))
    assert int(now["credit"]) == int(before["credit"]) + 3 * 10**16
    assert int(now["refunded"]) == int(before["refunded"]) + 3 * 10**16
    assert now["earned"] == before["earned"]
    assert f"job {job['jobId']} of model {model[1]} is cancelled" in shell.run("job", "show", job["jobId"]).output
