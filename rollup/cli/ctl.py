"""`openrollup ctl`: operating a running node by hand, over the op-node port (rollup/control.py)."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from time import sleep
from typing import Any, Final, TypeVar

import click

from derivation.errors import Temporary
from rollup.cli.counted import counted
from rollup.cli.safe_text import echo, echo_json, safe_console
from rollup.files import write_file
from rollup.inputs.values import SECONDS_PER_UNIT
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient, RpcError
from rollup.l1.reorgs import CONTENTS

_Command = TypeVar("_Command", bound=Callable[..., Any])
_URL: Final = "http://127.0.0.1:7545"
_TIME: Final = re.compile(r"\+?(\d{1,9})([smhd]?)")
_POLL: Final = 0.5  # seconds between two questions for events
_VERDICTS: Final = {True: "the verifier is equal", False: "THE VERIFIER DIFFERS", None: "no verifier runs"}
_TIMEOUT: Final = 600.0  # seconds: moving the time builds every L2 block of that time


def _options(command: _Command) -> _Command:
    url = click.option(
        "--rollup-url",
        metavar="URL",
        default=_URL,
        show_default=True,
        help="op-node RPC of the running node.",
    )
    return click.option("--json", "as_json", is_flag=True, help="The answer as JSON.")(url(command))


def _ask(rollup_url: str, method: str, *params: Any) -> Any:
    try:
        return JsonRpcClient(HttpEndpoint(rollup_url, timeout=_TIMEOUT, tries=1)).call(method, *params)
    except RpcError as error:
        raise click.ClickException(error.message) from error
    except (Temporary, ValueError) as error:
        raise click.ClickException(str(error)) from error


def _show(answer: Any, as_json: bool) -> None:
    if as_json:
        echo_json(answer)
        return
    console = safe_console()
    for line in lines_of(answer):
        console.print(line, markup=False, highlight=False)


def _change(blocks: int) -> str:
    """The blocks by which a head moved: `+1 block`, `-3 blocks`."""
    return f"{'-' if blocks < 0 else '+'}{counted(abs(blocks), 'block')}"


def lines_of(answer: dict[str, Any]) -> list[str]:
    """The changes and the status, as lines for people."""
    lines = []
    if "snapshot" in answer:
        lines.append(f"snapshot {answer['snapshot']}")
    if "l1Blocks" in answer:
        changes = [f"{name} {_change(answer[key])}" for name, key in (("L1", "l1Blocks"), ("L2", "l2Blocks"))]
        lines.append(f"{', '.join(changes)}, time {answer['seconds']:+} s")
    if "healedIn" in answer:
        healed = answer["healedIn"]
        lines.append(
            f"not healed: the safe head was {answer['safeBefore']}"
            if healed is None
            else f"healed in {counted(healed, 'L1 block')}: the safe head is {answer['safeBefore']} or later again"
        )
    if "dropped" in answer:
        lines.append(f"posted {answer['text']} in L1 block {answer['l1Block']}, {answer['l1Transaction']}")
        lines += [f"dropped by {item['rule']}: {item['reason']} ({item['section']})" for item in answer["dropped"]]
    status = answer.get("status", answer)
    for name, heads in status["chains"].items():
        numbers = ", ".join(f"{label} {heads[label]['number']}" for label in ("unsafe", "safe", "finalized"))
        lines.append(f"{name}: {numbers}")
    stopped = [name for name, is_active in status["isActive"].items() if not is_active]
    lines += [f"{name}: stopped" for name in stopped]
    if not status["isMining"]:
        lines.append("l1: paused")
    lines += [f"{name} waits: {reason}" for name, reason in status["waitingFor"].items()]
    lines.append(_VERDICTS[status["isVerifierEqual"]])
    return lines


def seconds_of(value: str) -> int:
    """+90, 90s, +5m, +1h or +1d in seconds; raises ValueError."""
    match = _TIME.fullmatch(value)
    if match is None:
        raise ValueError(f"+90s, +5m, +1h or +1d is expected, got {value[:40]}")
    return int(match[1]) * SECONDS_PER_UNIT[match[2]]


def unix_time(value: str) -> int:
    """Unix seconds, or an ISO 8601 time with its zone, in Unix seconds; raises ValueError."""
    if re.fullmatch(r"[0-9]{1,12}", value):
        return int(value)
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValueError(f"Unix seconds, or a time such as 2026-11-27T10:00:00Z is expected, got {value[:40]}")
    return int(found.timestamp())


@click.group("ctl")
def command() -> None:
    """Operate a running node: its L1, its actors, its time, snapshots.

    Each command answers when its effect is complete, and says what has changed.
    """


def _verb(group: click.Group, name: str, method: str, summary: str, *fixed: str) -> None:
    """A command without arguments."""

    @group.command(name, help=summary)
    @_options
    def run(rollup_url: str, as_json: bool) -> None:
        _show(_ask(rollup_url, method, *fixed), as_json)


@command.command("events")
@click.option("--count", default=20, show_default=True, type=click.IntRange(1, 1_000), help="Number of events.")
@click.option("--follow", is_flag=True, help="Continue with each new event, until Ctrl-C.")
@_options
def events(count: int, follow: bool, rollup_url: str, as_json: bool) -> None:
    """Show the newest events, oldest first, as JSON lines."""
    del as_json  # they are JSON in any case
    seen = _ask(rollup_url, "openrollup_eventsSince", 2**53)["next"] if follow else 0
    for event in _ask(rollup_url, "openrollup_events", count):
        echo_json(event)
    while follow:
        found = _ask(rollup_url, "openrollup_eventsSince", seen)
        for event in found["events"]:
            echo_json(event)
        seen = found["next"]
        sleep(_POLL)


@command.command("time")
@click.argument("step", metavar="+TIME|to TIME", nargs=-1, required=True)
@_options
def time(step: tuple[str, ...], rollup_url: str, as_json: bool) -> None:
    """Move the time of both layers forward.

    By +90s, +5m, +1h or +1d; or `to` Unix seconds or a time such as 2026-11-27T10:00:00Z.
    """
    try:
        if step[0] == "to" and len(step) == 2:
            answer = _ask(rollup_url, "openrollup_setTime", unix_time(step[1]))
        else:
            answer = _ask(rollup_url, "openrollup_increaseTime", seconds_of(" ".join(step)))
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    _show(answer, as_json)


@command.command("dump")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--rollup-url", metavar="URL", default=_URL, show_default=True, help="op-node RPC of the running node.")
def dump(file: Path, rollup_url: str) -> None:
    """Write the whole node to FILE, from which `openrollup run --load FILE` starts."""
    content = bytes.fromhex(_ask(rollup_url, "openrollup_dump")[2:])
    try:
        write_file(file, content)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}") from error
    safe_console().print(f"{file}: {len(content):,} bytes", markup=False, highlight=False)


@command.command("revert")
@click.argument("number", type=click.IntRange(1, 2**53))
@_options
def revert(number: int, rollup_url: str, as_json: bool) -> None:
    """Restore a snapshot of both layers, and delete it and all later ones."""
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
@click.option(
    "--with",
    "contents",
    type=click.Choice(CONTENTS),
    default="empty",
    show_default=True,
    help="Contents of the new blocks: nothing, the same transactions, or the same without batches.",
)
@click.option("--no-heal", is_flag=True, help="Answer at once, without mining until the safe head is back.")
@_options
def reorg(depth: int, contents: str, no_heal: bool, rollup_url: str, as_json: bool) -> None:
    """Replace L1's newest DEPTH blocks, then mine until the L2 safe head is where it was."""
    _show(_ask(rollup_url, "openrollup_reorgL1", depth, contents, not no_heal), as_json)


@click.command("post-garbage")
@click.argument("kind", required=False)
@click.option("--list", "lists", is_flag=True, help="List the kinds and the rule that drops each.")
@_options
def post_garbage(kind: str | None, lists: bool, rollup_url: str, as_json: bool) -> None:
    """Post garbage to the batch inbox, and show the rule of the specifications by which derivation drops it."""
    if lists or kind is None:
        kinds = _ask(rollup_url, "openrollup_garbageKinds")
        if as_json:
            echo_json(kinds)
            return
        for name, found in kinds.items():
            echo(f"{name:24} {found['text']} [{found['rule']}]")
        return
    _show(_ask(rollup_url, "openrollup_postGarbage", kind), as_json)


_verb(l1, "finalize", "openrollup_finalizeL1", "Make L1's head final, and with it the L2 blocks that it holds.")
_verb(command, "status", "openrollup_status", "Show the heads, the stopped actors, and what the other actors wait for.")
_verb(command, "snapshot", "openrollup_snapshot", "Take a snapshot of both layers.")
_verb(l1, "pause", "openrollup_pauseL1", "Pause L1: blocks come only by `l1 mine`.")
_verb(l1, "resume", "openrollup_resumeL1", "Let L1 mine a block in each slot again.")
for _actor in ("sequencer", "batcher", "proposer"):
    _group = click.Group(_actor, help=f"Start or stop the {_actor}.")
    command.add_command(_group)
    _verb(_group, "start", "openrollup_start", f"Start the {_actor}.", _actor)
    _verb(_group, "stop", "openrollup_stop", f"Stop the {_actor}.", _actor)
    if _actor == "batcher":
        _verb(_group, "flush", "openrollup_flushBatcher", "Make the batcher post everything that it has.")
        _group.add_command(post_garbage)
