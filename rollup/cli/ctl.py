"""`openrollup ctl`: operating a running node by hand, over the op-node port (rollup/control.py)."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from derivation.errors import Temporary
from rollup.cli.safe_text import echo_json, safe_console
from rollup.inputs.values import SECONDS_PER_UNIT
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient, RpcError

_Command = TypeVar("_Command", bound=Callable[..., Any])
_TIME: Final = re.compile(r"\+?(\d{1,9})([smhd]?)")
_TIMEOUT: Final = 600.0  # seconds: moving the time builds every L2 block of that time


def _options(command: _Command) -> _Command:
    url = click.option(
        "--rollup-url",
        metavar="URL",
        default="http://127.0.0.1:7545",
        show_default=True,
        help="op-node RPC of the running node.",
    )
    return click.option("--json", "as_json", is_flag=True, help="The answer as JSON.")(url(command))


def _ask(rollup_url: str, method: str, *params: Any) -> Any:
    try:
        return JsonRpcClient(HttpEndpoint(rollup_url, timeout=_TIMEOUT, tries=1)).call(method, *params)
    except (RpcError, Temporary, ValueError) as error:
        raise click.ClickException(str(error)) from error


def _show(answer: Any, as_json: bool) -> None:
    if as_json:
        echo_json(answer)
        return
    console = safe_console()
    for line in lines_of(answer):
        console.print(line, markup=False, highlight=False)


def lines_of(answer: dict[str, Any]) -> list[str]:
    """What has changed, and the status, for a person."""
    lines = []
    if "snapshot" in answer:
        lines.append(f"snapshot {answer['snapshot']}")
    if "l1Blocks" in answer:
        lines.append(
            f"L1 {answer['l1Blocks']:+} blocks, L2 {answer['l2Blocks']:+} blocks, time {answer['seconds']:+} s"
        )
    status = answer.get("status", answer)
    for name, heads in status["chains"].items():
        numbers = ", ".join(f"{label} {heads[label]['number']}" for label in ("unsafe", "safe", "finalized"))
        lines.append(f"{name}: {numbers}")
    stopped = [name for name, is_active in status["isActive"].items() if not is_active]
    lines += [f"{name}: stopped" for name in stopped]
    if not status["isMining"]:
        lines.append("l1: paused")
    lines += [f"{name} waits: {reason}" for name, reason in status["waitingFor"].items()]
    lines.append("the verifier is equal" if status["isVerifierEqual"] else "THE VERIFIER DIFFERS")
    return lines


def seconds_of(value: str) -> int:
    """+90, 90s, +5m, +1h or +1d in seconds; raises ValueError."""
    match = _TIME.fullmatch(value)
    if match is None:
        raise ValueError(f"+90s, +5m, +1h or +1d is expected, got {value[:40]}")
    return int(match[1]) * SECONDS_PER_UNIT[match[2]]


@click.group("ctl")
def command() -> None:
    """Operate a running node: its L1, its actors, its time, snapshots.

    Each command answers when its effect is there, and says what has changed.
    """


def _verb(group: click.Group, name: str, method: str, summary: str, *fixed: str) -> None:
    """A command without arguments."""

    @group.command(name, help=summary)
    @_options
    def run(rollup_url: str, as_json: bool) -> None:
        _show(_ask(rollup_url, method, *fixed), as_json)


@command.command("events")
@click.option("--count", default=20, show_default=True, type=click.IntRange(1, 1_000), help="How many.")
@_options
def events(count: int, rollup_url: str, as_json: bool) -> None:
    """Show the newest events, oldest first, as JSON lines."""
    del as_json  # they are JSON in any case
    for event in _ask(rollup_url, "openrollup_events", count):
        echo_json(event)


@command.command("time")
@click.argument("step", metavar="+TIME")
@_options
def time(step: str, rollup_url: str, as_json: bool) -> None:
    """Move the time of both layers forward, by +90s, +5m, +1h or +1d."""
    try:
        seconds = seconds_of(step)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    _show(_ask(rollup_url, "openrollup_increaseTime", seconds), as_json)


@command.command("revert")
@click.argument("number", type=click.IntRange(1, 2**53))
@_options
def revert(number: int, rollup_url: str, as_json: bool) -> None:
    """Restore a snapshot of both layers; it and later ones are gone then."""
    _show(_ask(rollup_url, "openrollup_revert", number), as_json)


@command.group("l1")
def l1() -> None:
    """Mine, reorganise or pause L1."""


@l1.command("mine")
@click.argument("count", default=1, type=click.IntRange(1, 2_000))
@_options
def mine(count: int, rollup_url: str, as_json: bool) -> None:
    """Mine COUNT L1 blocks, with the L2 blocks of that time."""
    _show(_ask(rollup_url, "openrollup_mineL1", count), as_json)


@l1.command("reorg")
@click.argument("depth", type=click.IntRange(1, 2_000))
@_options
def reorg(depth: int, rollup_url: str, as_json: bool) -> None:
    """Replace L1's newest DEPTH blocks by empty ones."""
    _show(_ask(rollup_url, "openrollup_reorgL1", depth), as_json)


_verb(command, "status", "openrollup_status", "Show heads, stopped actors and what others wait for.")
_verb(command, "snapshot", "openrollup_snapshot", "Take a snapshot of both layers.")
_verb(l1, "pause", "openrollup_pauseL1", "Pause L1: blocks come only by `l1 mine`.")
_verb(l1, "resume", "openrollup_resumeL1", "Let L1 mine a block in each slot again.")
for _actor in ("sequencer", "batcher", "proposer"):
    _group = click.Group(_actor, help=f"Start or stop the {_actor}.")
    command.add_command(_group)
    _verb(_group, "start", "openrollup_start", f"Start the {_actor}.", _actor)
    _verb(_group, "stop", "openrollup_stop", f"Stop the {_actor}.", _actor)
    if _actor == "batcher":
        _verb(_group, "flush", "openrollup_flushBatcher", "Post to L1 what the batcher has.")
