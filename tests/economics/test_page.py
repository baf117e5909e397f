"""V20 and V21: docs/economics.md prints the numbers that the code computes, and functions name their units."""

import ast
import re
from pathlib import Path

import pytest

from rollup.cli.economics import COMMANDS
from rollup.economics import (
    Absorption,
    GasProfile,
    Level,
    Market,
    Model,
    Prices,
    Schedule,
    Shape,
    answer,
    best_rule,
    chain_run,
    living_models,
)
from rollup.economics.claims import accrual
from rollup.economics.fees import gas_share, row_cost
from rollup.economics.market import PARAMETERS
from rollup.economics.noise import CLASSES, RULES, VERSION
from rollup.economics.route import routes
from tests.docs.pages import named, page, section

TEXT, SIMULATIONS = page("economics.md"), page("economics-simulations.md")
SHAPE = Shape()
FEE = 125 * 10**14
FIFTY = answer(Model("m", SHAPE, FEE, ""), Prices.preset("op-parity"), (50,))


@pytest.mark.parametrize("route", ["infer", "inferCompact", "inferAttested", "inferBatch", "claim"])
def test_v21_the_gas_of_the_page_is_the_profiles(route):
    rows = {row[0].split("`")[1]: row for row in section(TEXT, "Where gas comes from").rows}
    profile = GasProfile.packaged()
    said = [int(cell.replace(",", "")) for cell in rows[route][2:]]
    assert said == [profile.row(route, 1).gas, profile.row(route, 1, "first").gas, profile.row(route, 4).gas]


def test_v21_the_shares_of_gas_are_the_codes():
    for row in section(TEXT, "The essay's four questions").rows:
        found = {way.name: way for way in routes(FIFTY.profile, 1, Prices.preset(row[0].rstrip("*")))}
        for cell, name in ((row[1], "infer"), (row[2], "inferBatch of 50")):
            way = found[name]
            assert cell == f"{100 * gas_share(way.cost.total, way.count * FEE):.3g} %"


def test_v21_the_answer_of_fifty_queries():
    (month,) = FIFTY.months
    best = month.of("infer")
    for words in (
        f"{month.shares.owner / 1e18:.3f} OPEN ($0.04*) of {month.shares.fee / 1e18:.3f} OPEN paid",
        f"of {-best.owner_net / 1e18:.2f} OPEN*",
        f"pays from {best.breakeven_queries:,} queries per month*",
        f"{best.breakeven_fee / 1e18:.2f} OPEN* ($0.14) per query",
    ):
        assert words in TEXT.replace("\n", " ")


def test_v21_claims_unlocks_and_zipf():
    text = TEXT.replace("\n", " ")
    cost = row_cost(GasProfile.packaged().row("claim", 1), Prices.preset("op-parity")).total / 1e18
    income = accrual(50, 0.0125, 0.05, 0.70, 1, 0.01)
    rule = best_rule(cost, income, 0.2 / 12)
    assert f"earns {income:.4f} OPEN per month, claims best every {rule.interval:.1f} months*" in text
    assert f"loses {100 * rule.lost:.1f} %* in all at op-parity" in text
    assert f"every month would lose {100 * cost / income:.0f} %*" in text
    unlock = float(Schedule().unlock(13))
    assert f"Month 13 unlocks {unlock:.2f} million OPEN after {float(Schedule().unlock(12)):.2f} million" in text
    assert f"grow by {Absorption().needed_growth(unlock):.2f} million OPEN" in text
    assert f"{living_models(10_000, 50, 1_000, 1.0)} of 1,000 models" in text
    assert f"{living_models(200_000, 50, 1_000, 1.0)} in one of 200,000" in text
    assert Level().owner_bps * 9_500 / 10_000 == 2_850  # 28.5 % of what an owner pays itself


def test_every_parameter_of_a_scenario_is_on_the_page_with_its_default():
    rows = {named(row[0])[0]: row for row in section(SIMULATIONS, "Parameters").rows if named(row[0])}
    assert list(rows) == [*PARAMETERS, *chain_run.DEFAULTS]
    market = Market()
    for name in PARAMETERS:
        assert float(rows[name][1].replace(",", "")) == getattr(market, name), name
    for name, default in chain_run.DEFAULTS.items():
        assert int(rows[name][1].replace(",", "")) == default, name
        assert tuple(int(limit.replace(",", "")) for limit in rows[name][2].split(", ")) == chain_run.LIMITS[name]


def test_every_rule_and_class_of_the_noise_is_on_the_page():
    found = section(SIMULATIONS, "Real or noise")
    assert tuple(row[0] for row in found.rows) == RULES
    text = SIMULATIONS.replace("\n", " ")
    assert f"Labels are rules (version {VERSION})" in text
    assert all(name in text for name in CLASSES)


def test_every_command_is_on_a_page():
    for name in COMMANDS:
        assert f"openrollup economics {'examples/model.yaml' if name == 'model' else name}" in TEXT + SIMULATIONS


def test_the_figures_of_the_page_are_there():
    for name in re.findall(r"\]\((images/[^)]+)\)", TEXT):
        assert (Path("docs") / name).read_bytes().startswith(b"<?xml")


# Modules whose functions take or give money, gas or time as plain numbers.
MODULES = ("units", "fees", "split", "breakeven", "claims", "critical", "demand", "health", "liquidity", "supply")
DOCUMENTED = re.compile(
    r"\[(wei|OPEN|\$|gas|bytes|months|per month|million OPEN)[^]]*\]|wei|OPEN|month|queries|w_m|0 to 1"
)


@pytest.mark.parametrize("module", MODULES)
def test_v20_a_public_function_of_numbers_says_their_unit(module):
    tree = ast.parse((Path("rollup/economics") / f"{module}.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            kinds = [ast.unparse(item.annotation) for item in node.args.args if item.annotation]
            numeric = {"int", "float", "Fraction", "Floats"} & {*kinds, ast.unparse(node.returns or ast.Name("None"))}
            if numeric and node.name not in ("ceil_div", "living_models", "seeds_of", "transactions"):
                assert DOCUMENTED.search(ast.get_docstring(node) or ""), f"{module}.{node.name}"
