"""V1 and V2: the gas of the economics is the gas of real receipts, and the fees are theirs to the wei."""

import pytest

from rollup.economics import calls
from rollup.economics.errors import EconomicsError
from rollup.economics.fees import cost, row_cost
from rollup.economics.ledger import ChainLedger, DryLedger
from rollup.economics.measure import FEE, FIRST, ROUTES, STEADY, build_scene, measure, shapes_of, warm_treasury
from rollup.economics.prices import Prices, prices_of_block
from rollup.economics.profile import GasProfile
from rollup.economics.shape import DEFAULT_PLATFORM_BPS, Level, Shape
from rollup.economics.units import GWEI
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient
from rollup.protocol.fees import MIN_TRANSACTION_SIZE, fjord_size_scaled

TIP = GWEI


@pytest.fixture(scope="module")
def rpc(node_urls):
    return JsonRpcClient(HttpEndpoint(node_urls["L2 JSON-RPC"]))


def test_v1_fifty_real_inferences_cost_what_the_profile_says_to_the_wei(rpc):
    ledger, shape = ChainLedger(rpc), Shape((Level(weights=(1, 2)),))
    warm_treasury(ledger)
    scene = build_scene(ledger, shape, "fifty")
    profile = GasProfile.dry(shape, tokens=(812, 640))
    predicted = paid = 0
    for number in range(50):
        sent = ledger.send(scene.payer, calls.infer(scene.model, (812, 640)), FEE)
        receipt = rpc.call("eth_getTransactionReceipt", sent.transaction_hash)
        prices = prices_of_block(rpc.call("eth_getBlockByNumber", receipt["blockNumber"], True), TIP)
        gas = profile.row("infer", 2, STEADY if number else FIRST).gas
        assert gas == int(receipt["gasUsed"], 16)
        own = cost(gas, fjord_size_scaled(sent.raw), prices)
        execution = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
        assert (own.execution, own.l1) == (execution, int(receipt["l1Fee"], 16))
        recorded = rpc.call("open_getInference", sent.transaction_hash)["gas"]
        assert own.operator == int(recorded["operatorFee"], 16)
        predicted += own.total
        paid += int(recorded["total"], 16)
    assert predicted == paid > 0


def test_every_row_measured_again_on_a_chain_is_the_dry_one(rpc):
    shapes = shapes_of([3], DEFAULT_PLATFORM_BPS)
    on_chain = list(measure(ChainLedger(rpc), shapes, batch=7))
    dry = list(measure(DryLedger(DEFAULT_PLATFORM_BPS), shapes, batch=7))
    assert [key(row) for row in on_chain] == [key(row) for row in dry]


def test_a_lineage_costs_on_a_chain_what_it_costs_dry(rpc):
    base = Level(4_000, 0, 6_000, (1, 1))
    shapes = [Shape((Level(2_000, 3_000, 5_000, (1, 2, 3)), Level(5_000, 1_000, 4_000), base))]
    routes = ["infer", "settle", "request"]
    on_chain = list(measure(ChainLedger(rpc), shapes, routes=routes))
    dry = list(measure(DryLedger(DEFAULT_PLATFORM_BPS), shapes, routes=routes))
    assert [key(row) for row in on_chain] == [key(row) for row in dry]


@pytest.mark.parametrize("entries", sorted({row.entries for row in GasProfile.packaged().rows}))
def test_the_packaged_rows_are_the_dry_ones(entries):
    packaged = [row for row in GasProfile.packaged().rows if row.entries == entries]
    dry = GasProfile.dry(shapes_of([entries], DEFAULT_PLATFORM_BPS)[0]).rows
    assert [key(row) for row in packaged] == [key(row) for row in dry]


def key(row):
    """The columns of a row that do not depend on the signature: a zero byte in it costs less calldata gas."""
    return (row.route, row.entries, row.count, row.state, row.execution, row.calldata_bytes)


def test_the_packaged_profile_names_its_chain_and_its_transactions():
    profile = GasProfile.packaged()
    assert profile.mode == "native"
    assert {row.route for row in profile.rows} == set(ROUTES)
    assert all(row.transaction_hash.startswith("0x") and row.block > 0 for row in profile.rows)


def test_v2_the_smallest_transaction_is_charged_for_a_hundred_bytes():
    compact = GasProfile.dry(Shape()).row("inferCompact", 1)
    assert compact.fjord_size_scaled == MIN_TRANSACTION_SIZE * 10**6
    assert compact.calldata_bytes == 48


def test_v2_each_fee_is_floored_after_its_own_product():
    prices = Prices.preset("op-parity")
    l1 = prices.l1
    for row in GasProfile.packaged().rows:
        size = max(100_000_000, -42_585_600 + 836_500 * row.fastlz_bytes)
        scaled = size * (16 * l1.base_fee_scalar * l1.base_fee + l1.blob_base_fee_scalar * l1.blob_base_fee)
        assert row_cost(row, prices).l1 == scaled // 10**12


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "not a gas profile"),
        ("{", "not JSON"),
        ('{"rows": [{}], "chain_id": 1}', "a row has the fields"),
        ('{"rows": [], "chain_id": -1, "fork": "", "mode": "", "commit": "", "source": ""}', "chain_id: -1"),
    ],
)
def test_a_broken_profile_is_one_sentence(tmp_path, content, words):
    path = tmp_path / "profile.json"
    path.write_text(content)
    with pytest.raises(EconomicsError, match=words):
        GasProfile.load(path)


def test_a_saved_profile_is_read_back(tmp_path):
    profile = GasProfile.dry(Shape())
    profile.save(tmp_path / "profile.json")
    assert GasProfile.load(tmp_path / "profile.json") == profile


def test_a_profile_of_another_chain_is_refused():
    with pytest.raises(EconomicsError, match="of chain 901, not of chain 10"):
        GasProfile.packaged().check_chain(10)


@pytest.mark.slow
def test_a_chain_with_the_twin_is_recognised_by_its_gas(contract_shell):
    profile = GasProfile.from_chain(contract_shell.url, [1])
    assert profile.mode == "contract"
    assert profile.row("infer", 1).gas > GasProfile.packaged().row("infer", 1).gas
