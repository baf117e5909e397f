"""The commands. Each lives in a module of its own, imported only when it is called: a start must stay fast."""

import gc
import importlib
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from rollup.cli.safe_text import write_uncaught
from rollup.printable_text import printable

# command: (module, what `openrollup --help` says of it)
_COMMANDS = {
    "run": ("rollup.cli.run", "Start L1, L2, sequencer, batcher and verifier."),
    "ctl": ("rollup.cli.ctl", "Operate a running chain: mine, reorganise, move time, snapshots."),
    "bench": ("rollup.cli.bench", "Send a load to a running node and measure it."),
    "verify": ("rollup.cli.verify", "Derive an L2 from L1 data alone."),
    "demo": ("rollup.cli.demo", "Pay for 200 inferences and show who was paid."),
    "replay": ("rollup.cli.replay", "Execute recorded real blocks and compare their hashes."),
    "engine": ("rollup.cli.engine", "Run the execution engine alone (Engine API)."),
    "db": ("rollup.cli.db", "Show what is in a data directory."),
    "datanet": ("rollup.cli.datanet", "Create, fill and show DataNets."),
    "model": ("rollup.cli.model", "Register, price and show models."),
    "infer": ("rollup.cli.infer", "Pay for one inference."),
    "inference": ("rollup.cli.inference", "Show an inference and who was paid for it."),
    "attest": ("rollup.cli.attest", "Sign an attestation of one inference (EIP-712)."),
    "job": ("rollup.cli.job", "Request, settle, cancel and show jobs."),
    "claim": ("rollup.cli.claim", "Pay out an account's earnings."),
    "earnings": ("rollup.cli.earnings", "Show an account's earnings, by DataNet and model."),
    "economics": ("rollup.cli.economics", "Forecast whether a model pays: gas, break-even, simulations."),
    "web": ("rollup.cli.web", "Serve the pages for a chain that runs elsewhere."),
    "export": ("rollup.cli.export", "Write the chain's data as Parquet, CSV or JSON lines."),
    "account": ("rollup.cli.account", "Make a key for a contributor or a payer."),
    "explain": ("rollup.cli.explain", "Show what is in L1 data, and what was dropped."),
    "deposit": ("rollup.cli.deposit", "Move OPEN from L1 to L2."),
    "withdraw": ("rollup.cli.withdraw", "Move OPEN from L2 to L1, step by step."),
    "trace": ("rollup.cli.trace", "Show whose texts an output repeats."),
}


@contextmanager
def _interrupted_by(*names: str) -> Iterator[None]:
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []  # only the main thread may set handlers
    kept = [(number, signal.signal(number, signal.default_int_handler)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in kept:
            signal.signal(number, handler)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Loads modules without the garbage collector, which would walk through what stays: a tenth of a start."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _made_printable(error: click.ClickException) -> click.ClickException:
    text = error.format_message()
    if printable(text) == text:
        return error
    return click.UsageError(printable(text)) if error.exit_code == 2 else click.ClickException(printable(text))


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, summary = _COMMANDS[cmd_name]
        with _without_collector():
            command: click.Command = importlib.import_module(module).command
        command.short_help = summary
        return command

    def main(self, *args: Any, **options: Any) -> Any:
        """Runs the whole program."""
        sys.excepthook = write_uncaught
        return super().main(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; an error may quote a file or a node, so its text is made safe for the terminal.

        SIGTERM and a closed terminal end a command like Ctrl-C, from its first moment on, so that it cleans up.
        """
        try:
            with _interrupted_by("SIGTERM", "SIGHUP"):
                return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(0 if ctx.invoked_subcommand in ("run", "engine") else 130)
        except click.ClickException as error:
            raise _made_printable(error) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="openrollup")
def main() -> None:
    """Run a local OP Stack rollup that pays contributors on every inference."""
