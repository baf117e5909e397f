"""Every command line that the pages show exists, with every option it names."""

import re
import shlex
from pathlib import Path

import click
import pytest

from rollup.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "docs" / "attribution-cli.md", ROOT / "examples" / "model.yaml")


def command_lines(page: Path) -> list[str]:
    text = page.read_text().replace("\\\n", " ")
    return [found[1].strip() for found in re.finditer(r"^(?:\$ |#.*?: |# +)?(openrollup [a-z].*)$", text, re.MULTILINE)]


LINES = [(page.name, line) for page in PAGES for line in command_lines(page)]


def test_lines_are_found() -> None:
    for page in PAGES:
        assert any(name == page.name for name, _ in LINES)
    assert len(LINES) > 40


@pytest.mark.parametrize(("page", "line"), LINES)
def test_the_line_is_of_a_command_and_its_options(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"{page}: no command {name}"
        command = found
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    for word in words:
        if word.startswith("--"):
            assert word in known, f"{page}: {command.name} has no {word}"
        elif word.startswith("examples/"):
            assert (ROOT / word).exists()
