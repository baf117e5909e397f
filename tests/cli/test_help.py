"""Every command says what it does, and an option nobody knows is an error with a hint."""

import gc
from importlib.metadata import version

import click
import pytest
from click.testing import CliRunner

from rollup.cli import main
from tests.cli.command import openrollup


def commands(group=main, path=()):
    """The path of every command, groups too."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = dict(commands())


def test_the_commands_the_readme_names_are_there():
    assert {("run",), ("verify",), ("demo",), ("replay",), ("engine",), ("db",), ("db", "stat")} <= set(ALL)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_says_what_a_command_does_and_every_option(path):
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")
    assert ALL[path].help
    for parameter in ALL[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.opts[0] in result.output
            assert parameter.help, parameter.opts[0]


@pytest.mark.parametrize("path", [(), *ALL], ids=lambda path: " ".join(path) or "openrollup")
def test_an_unknown_option_is_a_usage_error(path):
    result = CliRunner().invoke(main, [*path, "--no-such-option"])
    assert result.exit_code == 2
    assert "No such option" in result.output
    assert "Traceback" not in result.output


def test_the_installed_program_lists_its_commands():
    result = openrollup("--help")
    assert result.status == 0
    for (name, *rest), _ in commands():
        if not rest:
            assert f"\n  {name} " in result.output
    assert openrollup("--version").output.strip().endswith(f"version {version('openrollup')}")


def test_an_unknown_command_is_named():
    openrollup("rum").must_fail("No such command 'rum'", status=2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--l2-port", "70000"], "--l2-port"),
        (["run", "--l2-port", "http"], "--l2-port"),
        (["run", "--block-time", "0"], "--block-time"),
        (["run", "--da", "celestia"], "'calldata', 'blobs', 'auto'"),
        (["run", "--forks", "london"], "--forks"),
        (["run", "--forks", "holocene,isthmus"], "+SECONDS"),
        (["run", "--operator-fee-scalar", str(2**32)], "--operator-fee-scalar"),
        (["run", "--operator-fee-constant", "-1"], "--operator-fee-constant"),
        (["run", "--until-block", "0"], "--until-block"),
        (["run", "--genesis-time", "tomorrow"], "--genesis-time"),
        (["run", "--genesis-time", "0"], "--genesis-time"),
        (["run", "--genesis-time", str(2**64)], "--genesis-time"),
        (["run", "--data-dir", __file__], "--data-dir"),
        (["verify"], "--l1"),
        (["demo", "--inferences", "0"], "--inferences"),
        (["db", "stat", "/nowhere/at/all"], "does not exist"),
    ],
)
def test_a_value_out_of_range_is_a_usage_error_that_names_the_option(arguments, words):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert words in result.output
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("is_on", [True, False])
def test_loading_a_command_leaves_the_collector_as_it_was(is_on):
    was_on = gc.isenabled()
    (gc.enable if is_on else gc.disable)()
    try:
        main.get_command(click.Context(main), "run")
        assert gc.isenabled() == is_on
    finally:
        (gc.enable if was_on else gc.disable)()
