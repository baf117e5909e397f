"""docs/breaking-it.md is run, each experiment on a chain of its own; what it shows is what one sees."""

import json
import re
import shlex

import pytest
from click.testing import CliRunner

from rollup.cli import main
from rollup.protocol.accounts import USERS
from rollup.serve import PORTS
from tests.docs.pages import page
from tests.node.asking import answer_ctl, asking, node_with_safe
from tests.node.test_snapshots import send, settle

EXPERIMENTS = dict(re.findall(r"^## (\d+\. .*?)\n(.*?)(?=^## |\Z)", page("breaking-it.md"), re.MULTILINE | re.DOTALL))
NUMBER = re.compile(r"0x[0-9a-f]{64}|(?<![0-9a-fx])\d+(?:\.\d+)?(?![0-9a-fx])")


def steps(text):
    """The commands of an experiment, each with the lines that it shows."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def as_seen(line):
    """A pattern for a line of the page: numbers and hashes may differ, and so a plural. Those of JSON may not."""
    if line.startswith("{"):
        parts = re.split(r"0x[0-9a-f]{64}", line)
        return "0x[0-9a-f]{64}".join(map(re.escape, parts))
    shown = r"(?:0x[0-9a-f]{64}|\d+(?:\.\d+)?)".join(map(re.escape, NUMBER.split(line)))
    return re.sub(r"\bblocks?\b", "blocks?", shown)


def options(text):
    """The options with which an experiment's text starts its chain, by their names in NodeParams."""
    words = re.search(r"`openrollup run (--[^`]+)`", text)
    given = words[1].split() if words else []
    return {name[2:].replace("-", "_"): int(value) for name, value in zip(given[::2], given[1::2], strict=True)}


@pytest.fixture
def node(name):
    with node_with_safe(20, l1_block_time=12, **options(EXPERIMENTS[name])) as node:
        send(node, "l2", 1, 2)
        yield node


@pytest.fixture
def run(node, monkeypatch):
    """Runs a command line of the page against the node."""
    ask = asking(node)
    answer_ctl(ask, monkeypatch)
    names = {str(port): name for name, port in PORTS.items()}

    def run(line):
        program, *words = shlex.split(line)
        if program == "curl":
            request = json.loads(words[words.index("-d") + 1])
            port = next(re.search(r":(\d+)$", word)[1] for word in words if word.startswith("http://"))
            return json.dumps(ask(names[port], request["method"], *request["params"]), separators=(",", ":"))
        assert program == "openrollup"
        return CliRunner().invoke(main, words).output

    return run


def test_there_are_eleven_experiments():
    assert [name.split(".")[0] for name in EXPERIMENTS] == [str(number) for number in range(1, 12)]
    assert all(steps(text) for text in EXPERIMENTS.values())


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_shows_what_the_page_says(node, run, name):
    for command, lines in steps(EXPERIMENTS[name]):
        output = run(command)
        assert ("Error" in output) == any("Error" in line for line in lines), output
        for line in lines:
            assert re.search(as_seen(line), output), f"{command}\n{line}\n{output}"
    settle(node)


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if name.startswith("11.")])
def test_blocks_not_posted_in_time_are_replaced_and_their_transactions_return(node, run, name):
    chain = node.l2.chain
    (sent,) = node.l2.pool.content().pending[USERS[1].address]
    run("openrollup ctl batcher stop")
    while node.build_l2() is None:
        pass
    first, before = chain.find_transaction(sent.hash).block_number, chain.head
    safe = chain.safe.number
    run("openrollup ctl l1 mine 16")
    assert chain.canonical_hash(before.number) != before.hash
    assert chain.safe.number > safe
    assert all(len(chain.block_by_number(number).transactions) == 1 for number in range(first, chain.safe.number + 1))
    run("openrollup ctl batcher start")
    run("openrollup ctl l1 mine 3")
    settle(node)
    while node.l2.pool.get(sent.hash) is not None:
        node.build_l2()
    assert chain.find_transaction(sent.hash).block_number > first
