"""Command lines of the benchmarks: what cannot be measured is refused in one line, and committed figures are kept."""

import argparse
import importlib
from pathlib import Path

import pytest

from benchmarks.command_line import DEFAULT_OUT, TRACKED, Parser

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("execution", ["--only", "nothing"]),
        ("execution", ["--size", "0"]),
        ("execution", ["--rounds", "-1"]),
        ("spine", ["--inferences", "0"]),
        ("spine", ["--inferences", "many"]),
        ("spine", ["--out", "x", "--save"]),
        ("state", ["--sizes", "x"]),
        ("state", ["--sizes", "10,,20"]),
        ("state", ["--sizes", "10", "--lmdb", "/nowhere"]),
        ("open_index", ["--inferences", "0"]),
        ("attribution", ["--out", "/dev/null/x"]),
    ],
)
def test_options_that_cannot_be_measured_are_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], module: str, arguments: list[str]
) -> None:
    monkeypatch.setattr("sys.argv", [module, *arguments])
    with pytest.raises(SystemExit) as stopped:
        importlib.import_module(f"benchmarks.{module}").main()
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: ")


def test_only_save_writes_over_the_committed_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    parser = Parser()
    parser.add_output()
    assert parser.output_folder(parser.parse_args([])) == DEFAULT_OUT
    assert (tmp_path / DEFAULT_OUT).is_dir()
    assert parser.output_folder(parser.parse_args(["--save"])) == TRACKED


def test_every_benchmark_with_a_command_line_uses_this_parser() -> None:
    for path in (ROOT / "benchmarks").glob("*.py"):
        if path.name != "command_line.py":
            assert f"{argparse.__name__}." not in path.read_text(), path.name
