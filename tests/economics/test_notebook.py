"""The notebook runs from top to bottom, its names are there, and the figures of docs/economics.md are its data's."""

import ast
import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

import rollup.economics
from rollup.economics import Market, one_at_a_time

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "examples" / "economics" / "four-questions.ipynb"


@pytest.mark.parametrize("name", rollup.economics.__all__)
def test_every_name_of_the_package_is_there(name):
    assert getattr(rollup.economics, name) is not None


def test_another_name_is_not():
    with pytest.raises(AttributeError, match="no attribute 'price_forecast'"):
        rollup.economics.price_forecast  # noqa: B018


def test_the_cells_of_the_notebook_run_in_order_and_draw_a_figure_for_each_question():
    """The cells run in this process. The next test runs them in a Jupyter kernel, as a reader does."""
    pytest.importorskip("matplotlib", reason="NO MATPLOTLIB: pip install 'openrollup[plots]'")
    from matplotlib.figure import Figure

    notebook, names, said = json.loads(NOTEBOOK.read_text()), {}, io.StringIO()
    last = []
    with contextlib.redirect_stdout(said):
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                assert not cell["outputs"]
                source = "".join(line for line in cell["source"] if not line.startswith("%"))
                *lines, shown = ast.parse(source).body
                exec(compile(ast.Module(lines, []), "cell", "exec"), names)
                if isinstance(shown, ast.Expr):
                    last.append(eval(compile(ast.Expression(shown.value), "cell", "eval"), names))
                else:
                    exec(compile(ast.Module([shown], []), "cell", "exec"), names)
    _check(said.getvalue())
    assert sum(isinstance(value, Figure) for value in last) == 7


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom():
    pytest.importorskip("matplotlib", reason="NO MATPLOTLIB: pip install 'openrollup[plots]'")
    nbformat = pytest.importorskip("nbformat", reason="NO NBFORMAT: pip install nbclient ipykernel")
    nbclient = pytest.importorskip("nbclient", reason="NO NBCLIENT: pip install nbclient ipykernel")
    pytest.importorskip("ipykernel", reason="NO IPYKERNEL: pip install nbclient ipykernel")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(ROOT)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    _check("".join(output.get("text", "") for output in outputs))
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 7


def _check(text):
    assert "owner gets 0.1781 OPEN" in text
    assert "290.77M circulate" in text
    assert "0xowner self-paid" in text
    assert "0xfunded linked" in text
    assert "careful wallets through an exchange: 0 % found" in text


def test_the_widest_swing_comes_first_and_no_change_is_none():
    base, swings = one_at_a_time(
        Market(models=20, max_models=40), {"fee": (0.0125, 0.0125), "users": (100.0, 5_000.0)}, "fees", months=3, runs=4
    )
    assert [swing.name for swing in swings] == ["users", "fee"]
    assert swings[1].low == swings[1].high == base
    assert np.isfinite(base)
