"""Foreign text on the terminal and in pictures: no control sequence passes, whatever command shows it."""

import ast
import io
import json
import logging
import sys
import unicodedata
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from rollup.cli import main
from rollup.cli.logs import configure_logs
from rollup.cli.safe_text import PrintableFormatter, echo, echo_json, safe_console, write_uncaught
from rollup.cli.screen import EventLines
from rollup.events import Waiting
from rollup.printable_text import printable

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "\x1b]0;PWNED\x07\x1b[2J\u202e\x9b2J"


def is_harmless(text: str) -> bool:
    return not any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and character not in "\n\t" for character in text
    )


@given(st.text(alphabet=st.characters(codec=None), max_size=30))
def test_printable_text_has_no_control_characters_and_is_stable(text: str) -> None:
    shown = printable(text)
    assert is_harmless(shown)
    assert printable(shown) == shown
    shown.encode()


@given(st.text(alphabet=st.sampled_from("aé漢🙂\u200d \n"), max_size=20))
def test_ordinary_text_of_any_language_is_shown_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_the_console_keeps_its_own_colours_and_escapes_foreign_sequences() -> None:
    file = io.StringIO()
    console = safe_console(file=file, force_terminal=True, color_system="standard", _environ={})
    console.print(f"[red]{HOSTILE}[/]")
    assert file.getvalue().startswith("\x1b[31m\\x1b]0;PWNED")
    assert file.getvalue().count("\x1b") == 2


PRODUCT = ("rollup", "derivation", "sequencer", "attribution_precompile", "openrollup")
ONLY_WRITERS = {"rollup/cli/safe_text.py"}
# Its output is a pipe to the process that started it, never a terminal, and each line is JSON.
PIPE_WRITERS = {"rollup/load/lines.py"}
ONLY_LOG_SETTINGS = {"rollup/cli/logs.py", "openrollup/chain.py"}


def called(path: Path) -> set[str]:
    """The names of all functions that a file calls: as they are written, and by their last two parts."""
    calls = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    names = {ast.unparse(function) for function in calls}
    return names | {".".join(name.split(".")[-2:]) for name in names}


def test_only_the_one_module_writes_to_the_terminal() -> None:
    writers = {"print", "Console", "console.Console", "rich.print", "print_exc", "traceback.print_exc"}
    writers |= {f"click.{name}" for name in ("echo", "secho", "echo_via_pager", "prompt", "confirm", "progressbar")}
    writers |= {f"{stream}.{name}" for stream in ("stdout", "stderr", "buffer") for name in ("write", "writelines")}
    writers |= {"sys.stdout.fileno", "sys.stderr.fileno", "sys.__stdout__.fileno", "sys.__stderr__.fileno"}
    logs = {"structlog.configure", "logging.basicConfig", "logging.StreamHandler", "StreamHandler"}
    seen = set()
    for path in (path for folder in PRODUCT for path in sorted((ROOT / folder).rglob("*.py"))):
        name, names = str(path.relative_to(ROOT)), called(path)
        seen |= {name for _ in names & (writers | logs)}
        assert not names & writers or name in ONLY_WRITERS | PIPE_WRITERS, f"{name} writes by itself: {names & writers}"
        assert not names & logs or name in ONLY_LOG_SETTINGS, f"{name} sets up logs by itself: {names & logs}"
    assert seen == ONLY_WRITERS | PIPE_WRITERS | ONLY_LOG_SETTINGS


def test_lines_and_json_are_safe_and_the_json_is_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    echo(HOSTILE)
    echo(HOSTILE, err=True)
    written = capsys.readouterr()
    assert is_harmless(written.out)
    assert written.out == written.err == printable(HOSTILE) + "\n"
    value = {HOSTILE + "\x7f": "".join(map(chr, range(0xD800)))}
    echo_json(value)
    text = capsys.readouterr().out
    assert text.isascii()
    assert is_harmless(text)
    assert json.loads(text) == value


class OnATerminal(io.StringIO):
    """Standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("as_json", [False, True])
def test_log_lines_are_safe(monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    terminal = OnATerminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    old = structlog.get_config()
    try:
        configure_logs(as_json)
        log = structlog.get_logger().bind()
        try:
            raise ValueError(HOSTILE)
        except ValueError as error:
            log.exception(HOSTILE, reason=HOSTILE, other=error, lines=f"one\n{HOSTILE}", number=1)
    finally:
        structlog.configure(**old)
    text = terminal.getvalue()
    assert "PWNED" in text
    assert not set("\x07\x9b\u202e") & set(text)
    assert "\x1b[2J" not in text
    assert "\x1b]" not in text


def test_log_lines_of_libraries_and_uncaught_errors_are_printable(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        failure = (type(error), error, error.__traceback__)
    record = logging.LogRecord("aiohttp", logging.ERROR, __file__, 1, "%s", (HOSTILE,), failure)
    assert is_harmless(PrintableFormatter().format(record))
    write_uncaught(*failure)
    text = capsys.readouterr().err
    assert is_harmless(text)
    assert text.startswith("Traceback (most recent call last):\n")
    assert "PWNED" in text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set whose every text is hostile."""
    (tmp_path / "a.txt").write_text(f"one two three four five six {HOSTILE} seven")
    quoted = '"' + HOSTILE.encode("unicode_escape").decode().replace("\\x9b", "\\x9B") + ' [/red] name"'
    (tmp_path / "dataset.yaml").write_text(
        f"name: {quoted}\ncontributors:\n  - {{name: {quoted}, address: '0x{'11' * 20}'}}\n"
        f"documents:\n  - {{file: a.txt, title: {quoted}, contributor: {quoted}, units: 1}}\n"
    )
    return tmp_path


def test_trace_shows_hostile_answers_names_and_titles_safely(folder: Path) -> None:
    picture = folder / "picture.svg"
    arguments = ["trace", str(folder / "a.txt"), "--texts", str(folder), "--svg", str(picture)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert is_harmless(done.output)
    assert is_harmless(picture.read_text())
    ElementTree.fromstring(picture.read_text())


def test_an_error_that_quotes_a_file_is_safe(tmp_path: Path) -> None:
    (tmp_path / "dataset.yaml").write_text('name: x\n"\\e[2J": 1\n"\\e[2J": 2\n')
    done = CliRunner().invoke(main, ["trace", str(ROOT / "README.md"), "--texts", str(tmp_path)])
    assert done.exit_code == 1
    assert is_harmless(done.output)


def test_a_reason_from_elsewhere_is_not_read_as_markup() -> None:
    file = io.StringIO()
    line = EventLines(0).line(Waiting("batcher", f"L1: [/red] {HOSTILE}"))
    safe_console(file=file).print(line)
    assert "L1: [/red] \\x1b]0;PWNED" in file.getvalue()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../secret.txt", "outside of the folder"),
        ("/etc/passwd", "outside of the folder"),
        ("/dev/zero", "outside of the folder"),
        ("link.txt", "outside of the folder"),
        ("inner", "not a regular file"),
        ("long.txt", "longer than"),
        ("-", "No such file"),
    ],
)
def test_a_data_set_reads_only_regular_files_of_its_folder(tmp_path: Path, name: str, words: str) -> None:
    folder = tmp_path / "set"
    (folder / "inner").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    with (folder / "long.txt").open("wb") as file:
        file.truncate(2**24 + 1)
    (folder / "dataset.yaml").write_text(
        f"name: x\ncontributors: [{{name: a, address: '0x{'11' * 20}'}}]\n"
        f"documents: [{{file: '{name}', title: t, contributor: a, units: 1}}]\n"
    )
    done = CliRunner().invoke(main, ["trace", str(ROOT / "README.md"), "--texts", str(folder)])
    assert done.exit_code == 1
    assert words in done.output


def test_an_endless_answer_is_refused() -> None:
    done = CliRunner().invoke(main, ["trace", "/dev/zero", "--texts", str(ROOT / "examples" / "medical")])
    assert (done.exit_code, done.output) == (1, "Error: /dev/zero: longer than 16,777,216 bytes\n")


def test_deeply_nested_yaml_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "dataset.yaml").write_text("[" * 20_000)
    done = CliRunner().invoke(main, ["trace", str(ROOT / "README.md"), "--texts", str(tmp_path)])
    assert done.exit_code == 1
    assert "nested deeper than 32" in done.output
