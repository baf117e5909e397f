"""docs/running.md and docs/data-directory.md name every option, event and file; what may be deleted can be deleted."""

import importlib
import itertools
import re
import shlex
import shutil
from pathlib import Path

import click
import pytest

from rollup import events
from rollup.cli import main
from rollup.cli.run import command as run
from rollup.cli.screen import EventLines, event_line
from rollup.node import Node, NodeError, NodeParams
from rollup.protocol.blob_schedule import parse_l1_forks
from rollup.protocol.forks import ForkSchedule
from rollup.rpc.jwt_auth import read_secret
from rollup.serve import write_config_files
from tests.docs.pages import ROOT, named, page, section
from tests.node.node_process import GENESIS_TIME, transfer

TEXT = page("running.md")
DIRECTORY = page("data-directory.md")
BENCHMARKS = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    for path in (ROOT / "benchmarks").glob("*.py")
    if "Parser(" in path.read_text() and path.name != "command_line.py"
)
SCHEDULES = {"--forks": ForkSchedule.parse, "--l1-forks": parse_l1_forks}
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(group=main):
    """Every command that takes no other."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands(command)
        else:
            yield command


def options(command):
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


def lines(path):
    """The command lines in a page's blocks."""
    text = path.read_text().replace("\\\n", " ")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line.removeprefix("$ ").strip() for block in blocks for line in block.splitlines() if "openrollup " in line]


LINES = [(path.name, line) for path in PAGES for line in lines(path) if re.match(r"openrollup [a-z]", line)]


def test_every_option_of_run_is_on_the_page():
    for name in options(run):
        assert name == "--help" or name in TEXT, name
    words = set(re.findall(r"--[a-z][a-z0-9-]+(?![a-z0-9.-]*=)", TEXT))
    assert {"--jwt-secret", "--until", "--texts", "--inferences"} <= words


@pytest.fixture
def benchmark_options(capsys):
    """A function that reads the options of a benchmark from its own help."""

    def read(module):
        with pytest.raises(SystemExit):
            importlib.import_module(module).main(["--help"])
        return set(re.findall(r"--[a-z][a-z0-9-]*", capsys.readouterr().out))

    return read


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_an_option_that_a_page_names_exists(path, benchmark_options):
    """Looks in a page's prose and tables, for the options of any command. Lines of other programs are left out."""
    known = set().union(*map(options, commands()), *map(benchmark_options, BENCHMARKS)) | {"--help"}
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    others = (
        "pytest",
        "make ",
        "uv pip",
        "python -m",
        "cast ",
        "forge ",
        "anvil ",
        "solc",
        "geth",
        "pip install",
        "npm",
        "op-node",
        "op-geth",
    )
    for code in re.findall(r"`([^`]*--[a-z][^`]*)`", text):
        if not any(other in code for other in others):
            for word in re.findall(r"--[a-z][a-z0-9-]*", code):
                assert word in known, f"{path.name}: {word}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_an_option_that_a_page_gives_to_a_benchmark_exists(path, benchmark_options):
    for module, given in re.findall(r"python -m (benchmarks[.a-z_]*)([^`\n#]*)", path.read_text()):
        words = set(re.findall(r"--[a-z][a-z0-9-]*", given))
        module = "benchmarks.__main__" if module == "benchmarks" else module
        assert not words or words <= benchmark_options(module), f"{path.name}: {module}{given}"


@pytest.mark.parametrize(("name", "line"), LINES)
def test_a_command_line_of_a_page_can_be_read_by_its_command(name, line):
    words = shlex.split(line, comments=True)[1:]
    command = main
    while isinstance(command, click.Group):
        _, command, words = command.resolve_command(click.Context(main), words)
        assert command is not None, f"{name}: {line}"
    given = [word for word in words if word.startswith("--")]
    assert set(given) <= options(command), f"{name}: {line}"
    for option, value in itertools.pairwise(words):
        if option in SCHEDULES:
            SCHEDULES[option](value, 0)


def test_the_forks_in_the_text_are_schedules():
    for option, parse in SCHEDULES.items():
        values = re.findall(rf"{option} ([a-z0-9+,]+)", TEXT)
        assert values, option
        for value in values:
            parse(value, 0)


def test_every_event_has_its_row():
    said = {named(row[1])[0]: named(row[0]) for row in section(TEXT, "Output").rows if named(row[1])}
    kinds = {kind.__name__ for kind in events.Event.__args__}
    assert set(said) == kinds | {"Started"}
    silent = events.L1BlockMined(1, bytes(32), 0, 7)
    lines = EventLines(0)
    assert lines.line(silent) is None
    empty = [lines.line(events.L2BlockBuilt(number, bytes(32), 0, 0, 0.1)) for number in range(1, 6)]
    assert [line is not None for line in empty] == [True, True, True, False, False]
    examples = [
        silent,
        events.L2BlockBuilt(1, bytes(32), 1, 21_000, 0.1),
        events.BatchPosted(1, bytes(32), "blobs", 10, 1, 7, 4, 9, 30, 10),
        events.SafeHeadMoved(1, bytes(32), 1, 1, True),
        events.DepositIncluded(bytes(32), bytes(32), bytes(20), None, 0, 0),
        events.OutputProposed(30, bytes(32), bytes(32)),
        events.Reorged("L1", 1, 5),
        events.Resumed("L2", 7, bytes(32), 5, 1),
        events.Recovering("L2", 300, 900, 1_500),
        events.WentBack("L2", 9, 3, 7, "the state of the head, block 9, is missing"),
        events.Waiting("batcher", "L1"),
        events.Switched("batcher", False),
        events.ConfigChanged(5, "gas limit"),
        events.DataDropped(7, "data", 9, "data-version", "the version byte is not 0", "derivation.md", 2),
        events.Stalled("safe head", "block 5 is 100 blocks (200 s) behind the head"),
    ]
    assert {type(item).__name__ for item in examples} == kinds
    for item in examples:
        (words,) = said[type(item).__name__]
        line = re.sub(r"\[/?[a-z ]*\]", "", event_line(item))
        for word in words.replace("…", " ").split():
            assert word in line, (word, line)


# ---------------------------------------------------------------- the data directory
PARAMS = {"genesis_time": GENESIS_TIME, "virtual_clock": True, "da": "calldata"}  # blobs cost seconds


@pytest.fixture
def chain(tmp_path):
    """A stopped node's directory, and the hashes that are safe."""
    node = Node.open(NodeParams(data_dir=tmp_path / "chain", **PARAMS))
    write_config_files(node, tmp_path / "chain")
    node.l2.pool.add(transfer(901, 0, 0).encode())
    node.run_until_safe(12)
    hashes = [node.l2.chain.canonical_hash(number) for number in range(node.safe_head.number + 1)]
    node.close()
    return tmp_path / "chain", hashes


def goes_on(directory, hashes):
    """Both nodes come back to the safe blocks and continue."""
    node = Node.open(NodeParams(data_dir=directory, **PARAMS))
    try:
        node.run_until_safe(len(hashes) + 5)
        for layer in (node.l2, node.verifier):
            assert [layer.chain.canonical_hash(number) for number in range(len(hashes))] == hashes
        assert node.safe_head.hash == node.verifier.chain.canonical_hash(node.safe_head.number)
    finally:
        node.close()


def test_the_files_are_those_of_the_table(chain):
    directory, _ = chain
    found = {path.name + "/" if path.is_dir() else path.name for path in directory.iterdir()}
    said = {name for row in section(DIRECTORY, "Files").rows for name in named(row[0])}
    assert {name for name in said if "*" not in name} == found


@pytest.mark.parametrize("layer", ["l2", "verifier"])
def test_an_l2_that_was_deleted_is_derived_again(chain, layer):
    directory, hashes = chain
    shutil.rmtree(directory / layer)
    goes_on(directory, hashes)


def test_files_that_are_written_at_each_start(chain):
    directory, hashes = chain
    before = {path.name: path.read_bytes() for path in directory.glob("*.*") if path.name != "openrollup.json"}
    assert len(before) == 5
    for name in before:
        (directory / name).unlink()
    goes_on(directory, hashes)
    node = Node.open(NodeParams(data_dir=directory, **PARAMS))
    written = write_config_files(node, directory)
    node.close()
    assert {name: Path(path).read_bytes() for name, path in written.items() if name != "jwt.hex"} == {
        name: content for name, content in before.items() if name != "jwt.hex"
    }
    assert len(read_secret(directory / "jwt.hex")) == 32
    assert (directory / "jwt.hex").stat().st_mode & 0o077 == 0


def test_a_directory_without_its_parameters_is_refused(chain):
    directory, _ = chain
    (directory / "openrollup.json").unlink()
    with pytest.raises(NodeError, match="not a data directory of openrollup"):
        Node.open(NodeParams(data_dir=directory, **PARAMS))
