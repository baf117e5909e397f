"""`openrollup bench`: a load on any running node, with a live table and percentiles at the end."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import click
from rich.live import Live
from rich.table import Table

from rollup.cli.attribution_values import Parsed
from rollup.cli.counted import counted
from rollup.cli.node_url import node_url_option
from rollup.cli.safe_text import echo_json, safe_console
from rollup.load.generator import Progress
from rollup.load.job import Job, LoadError, Outcome, percentile
from rollup.load.mix import Plan, prepared
from rollup.load.process import GeneratorProcess
from rollup.load.scene import Scene, sender_keys
from rollup.load.usage import usage_of
from rollup.load.workloads import WORKLOADS, Shape
from rollup.protocol.accounts import USERS

_PERCENTS: Final = (50, 90, 99, 100)


def _mix_of(text: str) -> dict[str, int]:
    """`infer`, or `infer=3,transfer=1`; raises ValueError."""
    mix = {}
    for part in text.split(","):
        name, _, times = part.partition("=")
        if name not in WORKLOADS:
            raise ValueError(f"{name!r} is not one of {', '.join(WORKLOADS)}")
        if not (times or "1").isdecimal() or not 0 < int((times or "1")[:6]) <= 1_000:
            raise ValueError(f"{part!r}: how often is 1 to 1,000")
        mix[name] = int(times or "1")
    return mix


def _key_of(text: str) -> bytes:
    """A private key of 32 bytes in hexadecimal digits; raises ValueError, which does not repeat it."""
    digits = text.removeprefix("0x")
    if len(digits) != 64 or set(digits.lower()) - set("0123456789abcdef"):
        raise ValueError("a private key is 64 hexadecimal digits")
    return bytes.fromhex(digits)


@click.command("bench")
@node_url_option("--l2")
@click.option(
    "--workload",
    "mix",
    type=Parsed("mix", _mix_of),
    default="infer",
    show_default=True,
    help=f"What is sent: {', '.join(WORKLOADS)}; or a mix, such as infer=3,transfer=1.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0, 1e6),
    default=0.0,
    help="Transactions per second; 0: as fast as the node takes them.",
)
@click.option(
    "--count", type=click.IntRange(1, 10**6), help="Transactions; by default 6,400, or what the rate sends in 10 s."
)
@click.option("--duration", type=click.FloatRange(0, 86_400), default=0.0, help="Seconds after which sending ends.")
@click.option(
    "--contributors", type=click.IntRange(1, 10**6), default=100, show_default=True, help="Contributors of a model."
)
@click.option(
    "--k",
    "datanets",
    type=click.IntRange(1, 32),
    default=1,
    show_default=True,
    help="DataNets that share them; an inference pays into each.",
)
@click.option("--models", type=click.IntRange(1, 1_000), default=1, show_default=True, help="Models, in turn.")
@click.option("--payers", type=click.IntRange(1, 10_000), default=64, show_default=True, help="Senders.")
@click.option("--connections", type=click.IntRange(1, 1_000), default=32, show_default=True, help="HTTP connections.")
@click.option(
    "--batch",
    type=click.IntRange(1, 1_000),
    default=100,
    show_default=True,
    help="Transactions per request; 1 with --rate, unless it is given.",
)
@click.option(
    "--private-key",
    type=Parsed("key", _key_of),
    envvar="OPENROLLUP_PRIVATE_KEY",
    show_envvar=True,
    metavar="KEY",
    help="Key of the account that funds the payers and owns the models; by default development account 0.",
)
@click.option(
    "--pid", type=click.IntRange(1), help="The node's process on this machine: its CPU time is measured (Linux)."
)
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    rpc_url: str,
    private_key: bytes | None,
    payers: int,
    pid: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Send a load of signed transactions to a running node and measure it.

    The payers' keys are public and derived from their number, so use a development chain. Another process sends.
    """
    plan = _plan(ctx, options)
    try:
        scene = Scene(rpc_url, private_key or USERS[0].private_key)
        job = prepared(scene, sender_keys(payers), plan)
        outcome, cpu = _sent(job, pid, as_json)
    except LoadError as error:
        raise click.ClickException(str(error)) from error
    found = figures(outcome, cpu)
    if as_json:
        echo_json(found, indent=1)
    else:
        safe_console().print("", _summary(found), sep="\n")
    if not outcome.is_whole:
        ctx.exit(1)


def _plan(ctx: click.Context, options: dict[str, Any]) -> Plan:
    rate, seconds = options["rate"], options["duration"]
    count = options["count"] or (max(1, round(rate * (seconds or 10))) if rate else 6_400)
    is_default = ctx.get_parameter_source("batch") is click.core.ParameterSource.DEFAULT
    return Plan(
        mix=options["mix"],
        shape=Shape(options["contributors"], options["datanets"]),
        models=options["models"],
        count=count,
        rate=rate,
        seconds=0.0 if rate and options["count"] is None else seconds,  # late ones of the rate are sent all the same
        connections=options["connections"],
        batch=1 if rate and is_default else options["batch"],
    )


def _sent(job: Job, pid: int | None, as_json: bool) -> tuple[Outcome, float | None]:
    """The outcome, and the CPU seconds of the node's processes until the last transaction was in a block."""
    live: AbstractContextManager[Live | None] = nullcontext() if as_json else Live(console=safe_console())
    seen: list[float] = []
    with GeneratorProcess(job) as generator, live as table:
        rows: list[Progress] = []

        def on_progress(progress: Progress) -> None:
            rows.append(progress)
            if table is not None:
                table.update(_live(rows, job.count))

        def sample() -> None:
            if pid is not None:
                seen.append(usage_of(pid).cpu)

        sample()
        outcome = generator.run(on_progress, sample)
    return outcome, seen[1] - seen[0] if pid is not None else None


def _live(rows: Sequence[Progress], count: int) -> Table:
    table = Table("s", "sent", "refused", "in blocks", "per second")
    for before, row in zip([None, *rows][-10:], rows[-10:], strict=False):
        seconds = row.seconds - (before.seconds if before else 0)
        included = row.included - (before.included if before else 0)
        rate = included / seconds if seconds else 0
        table.add_row(
            f"{row.seconds:.1f}", f"{row.sent:,} of {count:,}", f"{row.refused:,}", f"{row.included:,}", f"{rate:,.0f}"
        )
    return table


def figures(outcome: Outcome, cpu: float | None) -> dict[str, Any]:
    """The result: counts, rates per second, seconds, and CPU in µs per transaction."""
    gas = sum(gas for _, _, gas, _ in outcome.blocks)
    return {
        "sent": outcome.sent,
        "accepted": outcome.accepted,
        "refused": dict(outcome.refused),
        "included": outcome.included,
        "succeeded": outcome.succeeded,
        "seconds": round(outcome.seconds, 3),
        "perSecond": round(outcome.per_second, 1),
        "gasPerSecond": round(gas / outcome.seconds) if outcome.seconds else 0,
        "blocks": len(outcome.blocks),
        "latencySeconds": _percentiles(outcome.latencies),
        "requestSeconds": _percentiles(outcome.requests),
        "generatorShare": round(outcome.generator_share, 3),
        "cpuMicrosPerTransaction": None if cpu is None else round(cpu / max(outcome.included, 1) * 1e6, 1),
    }


def _percentiles(ordered: list[float]) -> dict[str, float]:
    return {f"p{percent}": round(percentile(ordered, percent), 4) for percent in _PERCENTS}


def _summary(found: dict[str, Any]) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_row(
        "sent, accepted, in blocks, succeeded",
        ", ".join(f"{found[name]:,}" for name in ("sent", "accepted", "included", "succeeded")),
    )
    for text, times in found["refused"].items():
        table.add_row("refused", f"{times:,}: {text}")
    table.add_row(
        "transactions per second",
        f"{found['perSecond']:,.1f} in {counted(found['blocks'], 'block')}, {found['seconds']} s",
    )
    table.add_row("million gas per second", f"{found['gasPerSecond'] / 1e6:,.1f}")
    for name, key in (("from sending to a block", "latencySeconds"), ("from request to answer", "requestSeconds")):
        table.add_row(name, ", ".join(f"{percent} {value * 1e3:,.0f} ms" for percent, value in found[key].items()))
    table.add_row("load generator", f"{found['generatorShare']:.0%} of a core")
    if found["cpuMicrosPerTransaction"] is not None:
        table.add_row("CPU of the node", f"{found['cpuMicrosPerTransaction']:,.0f} µs per transaction")
    return table
