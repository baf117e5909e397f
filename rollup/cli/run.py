"""`openrollup run`: the whole chain in one process."""

import asyncio
import contextlib
import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from rollup.cli.logs import configure_logs
from rollup.cli.screen import FirstScreen, event_line, show_first_screen
from rollup.events import Event, Resumed
from rollup.node import Node, NodeError, NodeParams
from rollup.protocol.accounts import USERS
from rollup.protocol.forks import NEWEST_STABLE, ForkSchedule
from rollup.rpc.jwt_auth import JwtSecretError, read_secret
from rollup.serve import NodeServers, Ports, contract_addresses, write_config_files


class _Forks(click.ParamType[str]):
    """What ForkSchedule.parse reads."""

    name = "forks"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            ForkSchedule.parse(value, 0)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value).lower().replace(" ", "")


_PORT = click.IntRange(0, 65535)
_CHAIN_ID = click.IntRange(1, 2**53 - 1)  # tools in JavaScript read it as a number


@click.command("run")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Keep the chains here.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--l1-port", default=8545, show_default=True, type=_PORT, help="L1 JSON-RPC; 0: a free port.")
@click.option("--l2-port", default=9545, show_default=True, type=_PORT, help="L2 JSON-RPC.")
@click.option("--verifier-port", default=9546, show_default=True, type=_PORT, help="The verifier's.")
@click.option("--rollup-port", default=7545, show_default=True, type=_PORT, help="op-node RPC.")
@click.option("--beacon-port", default=5052, show_default=True, type=_PORT, help="L1's beacon API.")
@click.option("--engine-port", default=8551, show_default=True, type=_PORT, help="Engine API.")
@click.option("--block-time", default=2, show_default=True, type=click.IntRange(1, 60), help="L2, seconds.")
@click.option("--l1-block-time", default=12, show_default=True, type=click.IntRange(1, 600), help="Seconds.")
@click.option("--l1-chain-id", default=900, show_default=True, type=_CHAIN_ID, help="Not a real L1's.")
@click.option(
    "--l2-chain-id", default=901, show_default=True, type=_CHAIN_ID, help="10: tools know it as an OP Stack chain."
)
@click.option("--instant", is_flag=True, help="A block as soon as a transaction comes; the clock jumps to it.")
@click.option(
    "--da",
    type=click.Choice(["calldata", "blobs", "auto"]),
    default="auto",
    show_default=True,
    help="Where batches go; auto: what is cheaper.",
)
@click.option(
    "--batch-type",
    type=click.Choice(["singular", "span"]),
    default="span",
    show_default=True,
    help="Span batches begin with Delta.",
)
@click.option(
    "--compression",
    type=click.Choice(["zlib", "brotli"]),
    default="brotli",
    show_default=True,
    help="Of channels; brotli begins with Fjord.",
)
@click.option(
    "--forks",
    type=_Forks(),
    default=NEWEST_STABLE.name.lower(),
    show_default=True,
    help="Newest fork at genesis, then others and their seconds after it: holocene,isthmus+20.",
)
@click.option(
    "--attribution",
    "--attribution-mode",
    "attribution",
    type=click.Choice(["native", "contract"]),
    default="native",
    show_default=True,
    help="The precompile, or its Solidity twin.",
)
@click.option(
    "--attribution-time", type=click.IntRange(0, 2**64 - 1), default=0, help="Unix seconds; from genesis by default."
)
@click.option(
    "--operator-fee-scalar",
    default=0,
    show_default=True,
    type=click.IntRange(0, 2**32 - 1),
    help="Wei a unit of gas: a hundred times this from Jovian, a millionth of it before.",
)
@click.option("--operator-fee-constant", default=0, show_default=True, type=click.IntRange(0, 2**64 - 1), help="Wei.")
@click.option("--seed", default=0, show_default=True, help="Decides L1's randomness.")
@click.option(
    "--genesis-time",
    type=click.IntRange(1, 2**40),
    help="Unix seconds of both genesis blocks; by default a block time before now.",
)
@click.option("--until-block", type=click.IntRange(1), help="Stop when this L2 block is safe, and say the safe head.")
@click.option("--virtual-clock", is_flag=True, help="Do not wait: time jumps from block to block.")
@click.option("--archive", is_flag=True, help="Keep the state of every block, not of the last 256.")
@click.option("--json", "as_json", is_flag=True, help="First screen and events as JSON lines.")
def command(**options: Any) -> None:
    """Start L1, L2, sequencer, batcher and verifier in one process.

    Without --data-dir nothing is kept; the config files then go to a temporary folder that the first screen names.
    """
    as_json = options.pop("as_json")
    configure_logs(as_json)
    ports = Ports(
        l1=options.pop("l1_port"),
        l2=options.pop("l2_port"),
        verifier=options.pop("verifier_port"),
        rollup=options.pop("rollup_port"),
        beacon=options.pop("beacon_port"),
        engine=options.pop("engine_port"),
    )
    until, host = options.pop("until_block"), options.pop("host")
    params = NodeParams(l2_block_time=options.pop("block_time"), **options)
    console = Console(highlight=False, soft_wrap=True)
    try:
        asyncio.run(_run(params, ports, host, until, console, as_json))
    except (NodeError, JwtSecretError) as error:
        raise click.ClickException(str(error)) from error


async def _run(params: NodeParams, ports: Ports, host: str, until: int | None, console: Console, as_json: bool) -> None:
    def show(event: Event) -> None:
        line = json.dumps(_event_json(event)) if as_json else event_line(event)
        if line is not None:
            print(line, flush=True) if as_json else console.print(line)

    node = Node.open(params, on_event=show)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # not on Windows
            loop.add_signal_handler(number, node.stop)
    with tempfile.TemporaryDirectory(prefix="openrollup-") as folder:
        directory = params.data_dir or Path(folder)
        files = write_config_files(node, directory)
        servers = NodeServers(node, ports, host, read_secret(files["jwt.hex"]))
        try:
            await servers.start()
            screen = _first_screen(node, servers, files)
            if as_json:
                print(json.dumps({"event": "Started", **screen.to_json()}), flush=True)
            else:
                show_first_screen(console, screen)
            for event in _resumed(node):
                show(event)
            await node.run(until_safe=until)
        finally:
            await servers.stop()
            node.close()
    head = node.safe_head
    if until is not None and not as_json:
        console.print(f"safe head {head.number} 0x{head.hash.hex()}")
    sys.stdout.flush()


def _resumed(node: Node) -> list[Event]:
    """The chains that go on from an earlier run, and where."""
    chains = (
        ("L1", node.l1.chain, node.l1.pool),
        ("L2", node.l2.chain, node.l2.pool),
        ("verifier", node.verifier.chain, None),
    )
    return [
        Resumed(name, chain.head.number, chain.head.hash, chain.safe.number, sum(pool.counts()) if pool else 0)
        for name, chain, pool in chains
        if chain.head.number
    ]


def _first_screen(node: Node, servers: NodeServers, files: dict[str, Path]) -> FirstScreen:
    params = node.devnet.params
    names = {
        "l1": "L1 JSON-RPC",
        "l2": "L2 JSON-RPC",
        "verifier": "verifier JSON-RPC",
        "rollup": "op-node RPC",
        "beacon": "beacon API",
        "engine": "Engine API (jwt.hex)",
    }
    return FirstScreen(
        urls=[(name, servers.url(key)) for key, name in names.items()],
        chains=[
            ("L1", params.l1_chain_id, params.l1_block_time),
            ("L2", params.l2_chain_id, params.l2_block_time),
        ],
        accounts=[(account.address, account.private_key, params.user_balance) for account in USERS],
        contracts=contract_addresses(),
        files=[(name, str(path)) for name, path in files.items()],
    )


def _event_json(event: Event) -> dict[str, Any]:
    fields = {name: getattr(event, name) for name in event.__slots__}
    return {
        "event": type(event).__name__,
        **{name: "0x" + value.hex() if isinstance(value, bytes) else value for name, value in fields.items()},
    }
