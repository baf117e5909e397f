"""open_ over a world with L1, batches and fees, and over random lives: every number against an independent account."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution_precompile import ADDRESS_BYTES
from rollup.index.index import Index, genesis_platform
from rollup.rpc.formats import receipts_json
from rollup.rpc.methods import collect
from rollup.rpc.open import Open
from rollup.rpc.open_batches import BatchFinder
from rollup.rpc.server import RpcServer
from sequencer.batcher.config import BatcherConfig
from tests.attribution import calls
from tests.index.chains import PEOPLE, RELAY, TREASURY, Lab, Life
from tests.scenarios.actors import World

FEE = 10**15


class Rpc:
    """Calls by name through the server, as a client does: JSON in, JSON out."""

    def __init__(self, namespace):
        self._server = RpcServer("test", collect(namespace))

    def answer(self, method, *arguments):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(arguments)}).encode()
        return json.loads(asyncio.run(self._server.handle(body)))

    def __call__(self, method, *arguments):
        answer = self.answer(method, *arguments)
        assert "error" not in answer, answer
        return answer["result"]

    def error(self, method, *arguments):
        answer = self.answer(method, *arguments)
        assert "error" in answer, answer
        return answer["error"]["code"], answer["error"]["message"]


def number(value):
    assert isinstance(value, str)
    assert value.startswith("0x")
    return int(value, 16)


def hexed(value):
    return "0x" + value.hex()


# ---------------------------------------------------------------- a world with an L1
class Story:
    """A base model and one tuned from it, two DataNets, members, inferences of each kind; posted to L1."""

    def __init__(self, mode="native", **options):
        self.world = World(attribution=mode, operator_fee_scalar=1000, operator_fee_constant=7, **options)
        world = self.world
        self.curator, self.alice, self.bob, self.owner, self.payer, self.other = world.users[:6]
        node = world.sequencer
        entry = world.devnet.l2.alloc[ADDRESS_BYTES]
        self.index = Index(node.chain, node.engine.config, genesis_platform(entry.storage))
        self.rpc = Rpc(Open(self.index, BatchFinder(world.config, world.l1.source, world.l1.source)))
        self.treasury = world.devnet.l2.alloc[ADDRESS_BYTES].storage[1].to_bytes(32, "big")[12:]

    def sends(self, user, name, *arguments, value=0, data=None):
        return user.sends(ADDRESS_BYTES, value, data or calls.call(name, *arguments), gas=1_500_000)

    def register(self):
        a, b = self.alice.address, self.bob.address
        self.sends(self.curator, "createDatanet", b"\x01" * 32)
        self.sends(self.curator, "createDatanet", b"\x02" * 32)
        self.world.run_epochs()
        self.sends(self.curator, "contribute", 1, [(a, 30, b"\x11" * 32), (b, 70, b"\x12" * 32)])
        self.sends(self.curator, "contribute", 2, [(b, 5, b"\x21" * 32)])
        base = calls.model_params([(2, 1)], split=(4000, 0, 6000), price=(FEE, 0, 0), metadata=b"\xaa" * 32)
        self.sends(self.owner, "registerModel", base)
        self.world.run_epochs()
        tuned = calls.model_params([(1, 1)], split=(1000, 2000, 7000), price=(FEE, 10**9, 0), base=1)
        self.sends(self.curator, "registerModel", tuned)
        self.world.run_epochs()

    def post(self):
        self.world.batcher.post()
        self.world.l1.mine(2)
        self.world.sequencer.derive()


@pytest.fixture(scope="module", params=["calldata", "blobs"])
def story(request):
    story = Story(batcher=BatcherConfig(da=request.param))
    story.register()
    hashes = b"\x31" * 32, b"\x32" * 32
    story.paid = [
        story.sends(story.payer, "infer", 2, 1000, 20, *hashes, value=FEE + 10**9),
        story.sends(story.other, "", data=calls.compact(2, 0, 9, b"\x33" * 32), value=3 * FEE + 1),
        story.sends(story.bob, "infer", 1, 0, 0, *hashes, value=FEE),
        story.sends(
            story.curator,
            "inferBatch",
            2,
            5,
            10,
            20,
            hashes[0],
            [calls.influence_word(1, 3), calls.influence_word(1, 1, int.from_bytes(story.alice.address, "big"))],
            value=6 * FEE,
        ),
    ]
    story.world.run_epochs(2)
    story.sends(story.alice, "claim", [1], hexed(story.alice.address))
    story.world.run_epochs()
    story.post()
    return story


def test_an_inference_says_every_credit_down_the_lineage(story):
    fee = FEE + 10**9
    found = story.rpc("open_getInference", "0x2", "0x1")
    assert found == story.rpc("open_getInference", 2, 1) == story.rpc("open_getInference", hexed(story.paid[0]))
    platform = fee * 5 // 100
    net = fee - platform
    owner, lineage = net * 1000 // 10_000, net * 2000 // 10_000
    base_owner = lineage * 4000 // 10_000
    data = net - owner - lineage
    rows = [
        (c["role"], number(c["modelId"]), number(c["depth"]), c["account"], number(c["amount"]))
        for c in found["credits"]
    ]
    assert rows == [
        ("platform", 2, 0, hexed(story.treasury), platform),
        ("owner", 2, 0, hexed(story.curator.address), owner),
        ("pool", 2, 0, None, data),
        ("owner", 1, 1, hexed(story.owner.address), base_owner),
        ("pool", 1, 1, None, lineage - base_owner),
    ]
    assert sum(row[-1] for row in rows) == number(found["fee"]) == fee
    shares = {share["account"]: number(share["amount"]) for share in found["credits"][2]["shares"]}
    assert shares == {hexed(story.alice.address): data * 30 // 100, hexed(story.bob.address): data * 70 // 100}
    assert found["payer"] == hexed(story.payer.address)
    assert found["inputTokens"] == hex(1000)
    assert not found["isSelfPaid"]


def test_its_gas_is_what_the_receipt_says_and_the_payer_paid(story):
    chain = story.world.sequencer.chain
    for tx_hash in story.paid:
        found = story.rpc("open_getInference", hexed(tx_hash))
        block = chain.block_by_number(number(found["blockNumber"]))
        assert found["blockHash"] == hexed(block.hash)
        place = number(found["transactionIndex"])
        receipt = receipts_json(story.world.sequencer.engine.config, block, chain.receipts(block.hash))[place]
        gas = found["gas"]
        assert receipt["transactionHash"] == found["transactionHash"] == hexed(tx_hash)
        assert number(gas["execution"]) == number(receipt["gasUsed"]) * number(receipt["effectiveGasPrice"]) > 0
        assert gas["l1Data"] == receipt["l1Fee"] != "0x0"
        assert number(gas["operatorFee"]) > 0
        account = lambda at, who: chain.state_at(at).account(who).balance  # noqa: E731
        payer = bytes.fromhex(found["payer"][2:])
        sent = [t for t in block.transactions if not t.is_deposit and t.sender == payer]
        if len(sent) == 1:
            spent = account(block.header.parent_hash, payer) - account(block.hash, payer)
            assert spent == number(found["fee"]) + number(gas["total"])


def test_it_names_the_l1_transaction_that_carried_it(story):
    world = story.world
    inbox = {
        transaction.hash: at
        for at, transaction in world.l1.transactions()
        if transaction.to == world.config.batch_inbox_address
    }
    for tx_hash in story.paid:
        found = story.rpc("open_getInference", hexed(tx_hash))
        origin = world.sequencer.origin(number(found["blockNumber"]))
        assert found["l1Origin"] == {"hash": hexed(origin.hash), "number": hex(origin.number)}
        carried = found["batch"]
        assert inbox[bytes.fromhex(carried["transactionHash"][2:])] == number(carried["l1Block"]["number"])
        assert number(carried["l1Block"]["number"]) > origin.number
        reports = {hexed(r.transaction_hash): r for r in world.batcher.reports + world.batcher.process.step()}
        if carried["transactionHash"] in reports:
            report = reports[carried["transactionHash"]]
            assert report.first_block <= number(found["blockNumber"]) <= report.last_block
        assert found["safety"] == "safe"


def test_models_and_datanets_equal_the_views(story):
    models = story.rpc("open_listModels")
    assert [number(model["modelId"]) for model in models["models"]] == [1, 2]
    assert models["cursor"] is None
    assert models["models"][1] == story.rpc("open_getModel", "0x2")
    page = story.rpc("open_listModels", "0x0", "0x1")
    assert (len(page["models"]), page["cursor"]) == (1, "0x1")
    assert [number(m["modelId"]) for m in story.rpc("open_listModels", page["cursor"], 1)["models"]] == [2]
    tuned = models["models"][1]
    assert tuned["lineage"] == ["0x1"]
    assert tuned["price"] == {"perCall": hex(FEE), "perKiloInput": hex(10**9), "perKiloOutput": "0x0"}
    assert tuned["weights"] == [{"datanetId": "0x1", "weight": "0x1"}]
    assert tuned["attributor"] == tuned["owner"] == hexed(story.curator.address)
    assert number(tuned["inferences"]) == 7
    assert number(tuned["revenue"]) == FEE + 10**9 + 3 * FEE + 1 + 6 * FEE
    net = story.rpc("open_getDatanet", 1)
    assert (number(net["totalUnits"]), number(net["members"]), number(net["contributions"])) == (100, 2, 2)
    assert [model["modelId"] for model in net["models"]] == ["0x2"]
    people = story.rpc("open_listContributors", 1)["contributors"]
    assert {p["account"] for p in people} == {hexed(story.alice.address), hexed(story.bob.address)}
    assert sum(number(p["pending"]) + number(p["settled"]) for p in people) <= number(net["paid"])
    first = story.rpc("open_listContributors", 1, None, 1)
    second = story.rpc("open_listContributors", 1, first["cursor"], 1)
    assert [*first["contributors"], *second["contributors"]] == people


def test_lists_by_model_payer_and_contributor(story):
    def ids(*arguments):
        return [
            (number(i["modelId"]), number(i["inferenceId"]))
            for i in story.rpc("open_listInferences", *arguments)["inferences"]
        ]

    everything = ids()
    assert sorted(everything) == [(1, 1), (2, 1), (2, 2), (2, 7)]
    assert sorted(ids({"modelId": "0x2"})) == [(2, 1), (2, 2), (2, 7)]
    assert ids({"payer": hexed(story.bob.address)}) == [(1, 1)]
    # Alice is in DataNet 1 only, which the base model knows nothing of; Bob is in both.
    assert sorted(ids({"contributor": hexed(story.alice.address)})) == [(2, 1), (2, 2), (2, 7)]
    assert ids({"contributor": hexed(story.bob.address)}) == everything
    assert ids({"contributor": hexed(story.bob.address), "modelId": 1}) == [(1, 1)]
    assert ids({"contributor": hexed(story.payer.address)}) == []
    found, cursor = [], None
    while True:
        page = story.rpc("open_listInferences", {}, cursor, 1)
        found += [(number(i["modelId"]), number(i["inferenceId"])) for i in page["inferences"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert found == everything


def test_a_batch_of_inferences_answers_to_each_of_its_ids(story):
    found = {number(story.rpc("open_getInference", 2, i)["inferenceId"]) for i in (3, 4, 5, 6, 7)}
    assert found == {7}
    batch = story.rpc("open_getInference", 2, 5)
    assert number(batch["count"]) == 5
    assert [(e["datanetId"], e["weight"], e["contributor"]) for e in batch["influence"]] == [
        ("0x1", "0x3", None),
        ("0x1", "0x1", hexed(story.alice.address)),
    ]
    assert [credit["role"] for credit in batch["credits"]] == ["platform", "owner", "pool", "member", "owner", "pool"]
    assert batch["isSelfPaid"], "the curator sent it and owns the model"


def test_earnings_say_where_it_came_from_and_what_was_paid_out(story):
    alice = story.rpc("open_earnings", hexed(story.alice.address))
    assert number(alice["claimed"]) > 0
    assert alice["credit"] == "0x0"
    (net,) = alice["byDatanet"]
    assert number(alice["credited"]) == number(net["direct"]) + number(net["settled"]) == number(alice["claimed"])
    (model,) = alice["byModel"]
    assert number(model["roles"]["member"]) == number(net["direct"])
    assert 0 <= number(net["settled"]) + number(net["pending"]) - number(model["roles"]["pool"]) <= 1
    treasury = story.rpc("open_earnings", hexed(story.treasury))
    assert {m["modelId"]: list(m["roles"]) for m in treasury["byModel"]} == {"0x1": ["platform"], "0x2": ["platform"]}
    nobody = story.rpc("open_earnings", "0x" + "99" * 20)
    assert (nobody["credited"], nobody["byModel"], nobody["byDatanet"]) == ("0x0", [], [])


def test_usage_adds_up_in_steps(story):
    every = [story.rpc("open_getInference", hexed(tx)) for tx in story.paid]
    ours = [found for found in every if found["modelId"] == "0x2"]
    start, end = 1_700_000_000, story.world.sequencer.chain.head.timestamp + 1
    (whole,) = story.rpc("open_usage", 2, start, end)["steps"]
    assert number(whole["inferences"]) == sum(number(found["count"]) for found in ours) == 7
    assert number(whole["payers"]) == 3
    assert number(whole["revenue"]) == sum(number(found["fee"]) for found in ours)
    assert number(whole["gas"]["total"]) == sum(number(found["gas"]["total"]) for found in ours)
    assert (number(whole["selfPaid"]), number(whole["selfPaidInferences"])) == (6 * FEE, 5)
    assert number(whole["selfPaidBps"]) == 10_000 * 6 * FEE // number(whole["revenue"])
    steps = story.rpc("open_usage", 2, start, end, 7)["steps"]
    for name in ("inferences", "revenue", "selfPaid"):
        assert sum(number(step[name]) for step in steps) == number(whole[name])
    for step in steps:
        inside = [f for f in ours if number(step["from"]) <= number(f["timestamp"]) < number(step["to"])]
        assert number(step["revenue"]) == sum(number(f["fee"]) for f in inside)


def test_audit_and_history(story):
    books = story.rpc("open_audit")
    assert books["isConserved"]
    assert books["isIndexEqual"], books["differences"]
    assert books["unowned"] == "0x0"
    for model_id in (1, 2):
        replay = story.rpc("open_verifyHistory", model_id)
        assert replay["isVerified"]
        assert replay["history"]["replayed"] == story.rpc("open_getModel", model_id)["history"]


def test_safety_follows_the_chain_and_l1_reorgs():
    story = Story()
    story.register()
    tx_hash = story.sends(story.payer, "infer", 2, 0, 0, bytes(32), bytes(32), value=FEE)
    story.world.l1.mine()
    story.world.sequencer.build_to_l1_head()
    before = story.rpc("open_getInference", hexed(tx_hash))
    assert (before["safety"], before["batch"]) == ("unsafe", None)
    story.post()
    posted = story.rpc("open_getInference", hexed(tx_hash))
    assert posted["safety"] == "safe"
    depth = story.world.l1.head.number - number(posted["batch"]["l1Block"]["number"]) + 1
    story.world.l1.reorg(depth)
    assert story.rpc("open_getInference", hexed(tx_hash))["batch"] is None
    story.world.l1.mine(2)
    again = story.rpc("open_getInference", hexed(tx_hash))["batch"]
    assert again["l1Block"] != posted["batch"]["l1Block"]


@pytest.mark.parametrize("batch_type", ["singular", "span"])
def test_a_channel_of_several_transactions_names_them_all(batch_type):
    story = Story(
        batcher=BatcherConfig(da="calldata", batch_type=batch_type, max_calldata_frame=400, target_size=2_000)
    )
    story.register()
    for number_sent in range(8):
        story.sends(story.payer, "infer", 2, 0, 0, number_sent.to_bytes(32, "big"), bytes(32), value=FEE)
    story.world.run_epochs()
    story.post()
    story.world.l1.mine(4)
    story.world.sequencer.derive()
    found = story.rpc("open_getInference", 2, 8)["batch"]
    names = [item["transactionHash"] for item in found["transactions"]]
    assert len(names) > 1
    assert names[-1] == found["transactionHash"]
    assert set(names) <= {hexed(transaction.hash) for transaction in story.world.l1.batches()}


def test_the_verifiers_index_says_the_same(story):
    verifier = story.world.new_verifier()
    verifier.derive()
    entry = story.world.devnet.l2.alloc[ADDRESS_BYTES]
    finder = BatchFinder(story.world.config, story.world.l1.source, story.world.l1.source)
    rpc = Rpc(Open(Index(verifier.chain, verifier.engine.config, genesis_platform(entry.storage)), finder))
    for tx_hash in story.paid:
        assert rpc("open_getInference", hexed(tx_hash)) == story.rpc("open_getInference", hexed(tx_hash))


# ---------------------------------------------------------------- random lives
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), relayed=st.booleans())
def test_any_life_is_conserved_verified_and_equal_to_claimable(seed, relayed):
    lab = Lab()
    life = Life(lab, seed)
    rpc = Rpc(Open(lab.index))
    for _ in range(10):
        lab.block(life.calls(6, relayed))
    books = rpc("open_audit")
    assert books["isConserved"]
    # A contract's harvest shows in storage only.
    assert relayed or books["isIndexEqual"], books["differences"]
    ids = [number(key) for key in map(hex, range(1, lab.view("datanet", 1) and 1 + _datanets(lab)))]
    for model in rpc("open_listModels")["models"]:
        replay = rpc("open_verifyHistory", model["modelId"])
        assert replay["isVerified"]
        inferences, revenue, _, history, training = lab.view("usage", number(model["modelId"]))
        assert (number(model["inferences"]), number(model["revenue"])) == (inferences, revenue)
        assert (model["history"], model["training"]) == (hexed(history), hexed(training))
    for person in [*PEOPLE, TREASURY]:
        earned = rpc("open_earnings", calls.hexed(person))
        assert number(earned["claimable"]) == lab.view("claimable", calls.hexed(person), ids)
        total = number(earned["credited"]) + number(earned["refunded"])
        assert total == number(earned["credit"]) + number(earned["claimed"])
        by_role = sum(
            number(amount) for m in earned["byModel"] for role, amount in m["roles"].items() if role != "pool"
        )
        settled = sum(number(item["settled"]) for item in earned["byDatanet"])
        slack = len(lab.receipts) * 10 if relayed else 0
        assert abs(number(earned["credited"]) - by_role - settled) <= slack
        for item in earned["byDatanet"]:
            units, pending = lab.view("member", number(item["datanetId"]), calls.hexed(person))
            assert (number(item["units"]), number(item["pending"])) == (units, pending)


def _datanets(lab):
    return lab.storage(2) & (2**64 - 1)


def test_a_contracts_claim_and_harvest_are_accounted_for():
    lab = Lab()
    who, relay = PEOPLE[0], calls.hexed(RELAY)
    lab.must((who, calls.call("createDatanet", bytes(32)), 0), (who, calls.call("createDatanet", bytes(32)), 0))
    lab.must(
        (who, calls.call("contribute", 1, [(relay, 3, b"\x01" * 32), (calls.hexed(who), 4, b"\x02" * 32)]), 0),
        (who, calls.call("contribute", 2, [(relay, 5, b"\x01" * 32)]), 0),
        (who, calls.call("registerModel", calls.model_params([(1, 1), (2, 1)])), 0),
    )
    infer = calls.call("infer", 1, 1, 1, bytes(32), bytes(32))
    lab.must((who, infer, 10_007))
    lab.must((who, calls.call("claim", [2], calls.hexed(0xF00)), 0, RELAY))
    rpc = Rpc(Open(lab.index))
    earned = rpc("open_earnings", relay)
    assert [number(item["settled"]) > 0 for item in earned["byDatanet"]] == [False, True]
    assert rpc("open_audit")["isIndexEqual"]
    lab.must((who, infer, 10_007), (who, calls.call("harvest", [1], calls.hexed(who)), 0, RELAY))
    earned = rpc("open_earnings", calls.hexed(who))
    (item,) = earned["byDatanet"]
    assert (number(item["settled"]) > 0, item["pending"]) == (True, "0x0")
    books = rpc("open_audit")
    assert books["isConserved"]
    assert not books["isIndexEqual"], "it says so"


def test_a_transaction_with_several_inferences():
    # Two at once need a contract that calls twice; deposits of one block are transactions of their own.
    lab = Lab()
    rpc = Rpc(Open(lab.index))
    who = PEOPLE[0]
    lab.must((who, calls.call("createDatanet", bytes(32)), 0))
    lab.must((who, calls.call("registerModel", calls.model_params([(1, 1)])), 0))
    block = lab.must((who, calls.call("infer", 1, 1, 1, bytes(32), bytes(32)), 10**6))
    tx_hash = hexed(block.transactions[-1].hash)
    assert rpc("open_getInference", tx_hash, 0)["credits"][-1]["role"] == "emptyPool"
    assert "made 1 inferences: there is no 1" in rpc.error("open_getInference", tx_hash, 1)[1]


# ---------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("method", "arguments", "code", "text"),
    [
        ("open_getModel", [], -32602, "missing value for required argument 0"),
        ("open_getModel", ["0x9"], -32000, "unknown model 9"),
        ("open_getModel", ["nine"], -32602, "invalid argument 0: hex string without 0x prefix"),
        ("open_getModel", [-1], -32602, "invalid argument 0: a hex quantity is expected"),
        ("open_getModel", [hex(2**64 - 1)], -32602, "invalid argument 0: a quantity below 2^63 is expected"),
        ("open_getModel", [True], -32602, "invalid argument 0: a hex quantity is expected"),
        ("open_getDatanet", ["0x0"], -32000, "unknown DataNet 0"),
        ("open_listContributors", ["0x77"], -32000, "unknown DataNet 119"),
        ("open_listContributors", [1, "0x12"], -32602, "invalid argument 1: hex string has length 2, want 40"),
        ("open_listModels", [0, 0], -32602, "invalid argument 1: a limit of 1 to 1000 is expected"),
        ("open_listModels", [0, 1001], -32602, "invalid argument 1: a limit of 1 to 1000 is expected"),
        ("open_listModels", [0, 1, 2], -32602, "too many arguments, want at most 2"),
        ("open_getInference", [1], -32602, "missing value for required argument 1"),
        ("open_getInference", [2, 0], -32000, "no inference 0 of model 2: it has 7"),
        ("open_getInference", [2, 8], -32000, "no inference 8 of model 2: it has 7"),
        ("open_getInference", ["0x" + "12" * 32], -32000, "no inference in transaction 0x" + "12" * 32),
        ("open_getInference", ["0x12345", {}], -32602, "invalid argument 1: a hex quantity is expected"),
        ("open_listInferences", [[]], -32602, "invalid argument 0: an object is expected"),
        ("open_listInferences", [{"model": 1}], -32602, "unknown field model"),
        ("open_listInferences", [{"payer": "0x"}], -32602, "invalid argument 0: payer: hex string has length 0"),
        (
            "open_earnings",
            ["0x" + "gg" * 20],
            -32602,
            "invalid argument 0: json: cannot unmarshal invalid hex string into Go value of type common.Address",
        ),
        ("open_usage", [2, 5, 5], -32602, "an end after the start"),
        ("open_usage", [2, 0, 10, 0], -32602, "a step of at least one second"),
        ("open_usage", [2, 0, 2**62, 1], -32602, "at most 1000 steps"),
        ("open_usage", [3, 0, 1], -32000, "unknown model 3"),
        ("open_verifyHistory", [99], -32000, "unknown model 99"),
        ("open_audit", [1], -32602, "too many arguments, want at most 0"),
    ],
)
def test_bad_input_gets_a_clear_error(story, method, arguments, code, text):
    found = story.rpc.error(method, *arguments)
    assert found[0] == code
    assert text in found[1]


def test_an_index_far_behind_says_so_and_goes_on(monkeypatch):
    lab = Lab()
    life = Life(lab, 1)
    for _ in range(3):
        lab.block(life.calls(3))
    monkeypatch.setattr("rollup.rpc.open._PATIENCE", 0)
    rpc = Rpc(Open(lab.index))
    for number_read in (1, 2):
        code, text = rpc.error("open_listModels")
        assert (code, text) == (-32010, f"the attribution index is at block {number_read} of 3: ask again later")
    assert "models" in rpc("open_listModels")


def test_the_page_names_every_method_and_every_field(story):
    page = (Path(__file__).resolve().parents[2] / "docs" / "open.md").read_text()
    named = set(re.findall(r"^\| `(open_\w+)` \|", page, re.MULTILINE))
    assert named == set(collect(Open(story.index)))
    answers = [
        story.rpc("open_listModels"),
        story.rpc("open_getDatanet", 1),
        story.rpc("open_listContributors", 1),
        story.rpc("open_getInference", 2, 7),
        story.rpc("open_listInferences"),
        story.rpc("open_earnings", hexed(story.alice.address)),
        story.rpc("open_usage", 2, 0, 2**40),
        story.rpc("open_audit"),
        story.rpc("open_verifyHistory", 2),
    ]
    words = set(re.findall(r"\w+", page))
    missing = {name for answer in answers for name in fields(answer)} - words
    # Where a question says for which block it was answered, and what it was asked.
    assert missing <= {"accounts", "memberships", "datanets", "jobs"}, missing


def fields(value):
    """Names of an answer's fields, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from fields(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from fields(inner)


def test_names_of_the_methods():
    found = set(collect(Open(Lab().index)))
    assert found == {
        "open_listModels",
        "open_getModel",
        "open_getDatanet",
        "open_listContributors",
        "open_getInference",
        "open_listInferences",
        "open_earnings",
        "open_usage",
        "open_audit",
        "open_verifyHistory",
    }
