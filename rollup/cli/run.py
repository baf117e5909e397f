"""`openrollup run`: the whole chain."""

import asyncio
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from rollup.cli.logs import configure_logs
from rollup.cli.run_values import Forks, OnOff, Processes
from rollup.cli.safe_text import echo_json, safe_console
from rollup.cli.screen import EventLines, FirstScreen, show_first_screen
from rollup.event_loop import HasInput, run_watched
from rollup.events import Event, Resumed, event_json
from rollup.l1.devnet import (
    DEFAULT_GAS_LIMIT,
    MAX_L1_GAS_LIMIT,
    MAX_L2_GAS_LIMIT,
    MIN_L1_GAS_LIMIT,
    MIN_L2_GAS_LIMIT,
)
from rollup.node import Node, NodeError, NodeParams
from rollup.pool.limits import PoolLimits
from rollup.protocol.accounts import USERS
from rollup.protocol.blob_schedule import parse_l1_forks
from rollup.protocol.blockref import L2BlockRef
from rollup.protocol.forks import NEWEST_STABLE, ForkSchedule, L1Fork
from rollup.rpc.hosts import Hosts
from rollup.rpc.jwt_auth import JwtSecretError, read_secret
from rollup.rpc.origins import Origins
from rollup.serve import PORTS, NodeServers, contract_addresses, write_config_files
from rollup.studio.attach import attach_studio
from rollup.studio.language_model import LanguageModel
from rollup.studio.local_model import LocalModel, ModelMissing
from rollup.studio.remote_model import RemoteModel
from rollup.web.attach import attach_pages
from sequencer.batcher.throttle import ThrottleConfig

_PORT = click.IntRange(0, 65535)
_CHAIN_ID = click.IntRange(1, 2**53 - 1)  # tools in JavaScript read it as a number


@click.command("run")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Keep the chains here.")
@click.option(
    "--load",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Start from a dump (openrollup ctl dump FILE), which has the chain's options.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--l1-port", default=8545, show_default=True, type=_PORT, help="Port of the L1 JSON-RPC; 0: any free port."
)
@click.option("--l2-port", default=9545, show_default=True, type=_PORT, help="Port of the L2 JSON-RPC.")
@click.option("--verifier-port", default=9546, show_default=True, type=_PORT, help="Port of the verifier's JSON-RPC.")
@click.option("--rollup-port", default=7545, show_default=True, type=_PORT, help="Port of the op-node RPC.")
@click.option("--beacon-port", default=5052, show_default=True, type=_PORT, help="Port of L1's beacon API.")
@click.option("--engine-port", default=8551, show_default=True, type=_PORT, help="Port of the Engine API.")
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Also answer requests with this Host name; * is every name. Repeatable.",
)
@click.option(
    "--allow-origin",
    "allowed_origins",
    multiple=True,
    metavar="ORIGIN",
    help="Also answer web pages of this origin, e.g. https://remix.ethereum.org; * is every origin. Repeatable.",
)
@click.option(
    "--block-time", default=2, show_default=True, type=click.IntRange(1, 60), help="Seconds between L2 blocks."
)
@click.option(
    "--l1-block-time", default=12, show_default=True, type=click.IntRange(1, 600), help="Seconds between L1 blocks."
)
@click.option(
    "--l1-chain-id", default=900, show_default=True, type=_CHAIN_ID, help="Chain id of L1; do not use a real L1's."
)
@click.option(
    "--l2-chain-id",
    default=901,
    show_default=True,
    type=_CHAIN_ID,
    help="Chain id of L2; tools treat 10 as an OP Stack chain.",
)
@click.option(
    "--gas-limit",
    "l2_gas_limit",
    default=DEFAULT_GAS_LIMIT,
    show_default=True,
    type=click.IntRange(MIN_L2_GAS_LIMIT, MAX_L2_GAS_LIMIT),
    help="Gas limit of an L2 block.",
)
@click.option(
    "--l1-gas-limit",
    default=DEFAULT_GAS_LIMIT,
    show_default=True,
    type=click.IntRange(MIN_L1_GAS_LIMIT, MAX_L1_GAS_LIMIT),
    help="Gas limit of an L1 block.",
)
@click.option(
    "--instant", is_flag=True, help="Build a block at once for each transaction; block times run ahead of the clock."
)
@click.option(
    "--da",
    type=click.Choice(["calldata", "blobs", "auto", "none"]),
    default="auto",
    show_default=True,
    help="Where batches are posted; auto: wherever it is cheaper; none: nowhere, and no block becomes safe.",
)
@click.option(
    "--batch-type",
    type=click.Choice(["singular", "span"]),
    default="span",
    show_default=True,
    help="How blocks are packed (span from Delta on).",
)
@click.option(
    "--compression",
    type=click.Choice(["zlib", "brotli"]),
    default="brotli",
    show_default=True,
    help="How batches are compressed (brotli from Fjord on).",
)
@click.option(
    "--forks",
    type=Forks(ForkSchedule.parse),
    default=NEWEST_STABLE.name.lower(),
    show_default=True,
    help="L2 forks: the newest one at genesis, then later ones with their seconds after genesis: holocene,isthmus+20.",
)
@click.option(
    "--l1-forks",
    type=Forks(parse_l1_forks),
    default=L1Fork.PRAGUE.name.lower(),
    show_default=True,
    help="L1 forks: the newest one at genesis, then later ones: osaka, or prague,osaka+60,bpo1+120.",
)
@click.option(
    "--attribution",
    "--attribution-mode",
    "attribution",
    type=click.Choice(["native", "contract"]),
    default="native",
    show_default=True,
    help="Run the native precompile, or its Solidity twin.",
)
@click.option(
    "--attribution-time",
    type=click.IntRange(0, 2**64 - 1),
    default=0,
    help="Unix seconds at which attribution begins; genesis by default.",
)
@click.option(
    "--sequencing-window",
    type=click.IntRange(8, 2**32 - 1),
    help="L1 blocks within which the batch of an L2 block must be on L1; 3,600 by default, no end with --da none.",
)
@click.option(
    "--operator-fee-scalar",
    default=0,
    show_default=True,
    type=click.IntRange(0, 2**32 - 1),
    help="Operator fee per unit of gas: N × 100 wei from Jovian on, N / 1,000,000 wei before.",
)
@click.option(
    "--operator-fee-constant",
    default=0,
    show_default=True,
    type=click.IntRange(0, 2**64 - 1),
    help="Operator fee per transaction, wei.",
)
@click.option(
    "--proposer", type=OnOff(), default="on", show_default=True, help="Post output roots; off: another proposer does."
)
@click.option(
    "--verifier", type=OnOff(), default="on", show_default=True, help="Derive the chain a second time, from L1 alone."
)
@click.option(
    "--throttle-threshold",
    type=click.IntRange(0),
    default=ThrottleConfig().lower_threshold,
    show_default=True,
    help="Limit new blocks while L2 blocks that are not safe yet have more than this many compressed bytes; 0: never.",
)
@click.option(
    "--pool-limit",
    default=PoolLimits().total,
    show_default=True,
    type=click.IntRange(1, 10**7),
    help="Transactions in L2's pool.",
)
@click.option(
    "--pool-sender-limit",
    default=PoolLimits().account_pending,
    show_default=True,
    type=click.IntRange(1, 10**7),
    help="Transactions of one sender in L2's pool that can run.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of L1's prevRandao: another seed gives other hashes.")
@click.option(
    "--genesis-time",
    type=click.IntRange(1, 2**40),
    help="Unix seconds of both genesis blocks; one block time before now by default.",
)
@click.option("--until-block", type=click.IntRange(1), help="Stop when this L2 block is safe, and print the safe head.")
@click.option("--strict", is_flag=True, help="Refuse developer cheats, such as evm_mine and evm_snapshot.")
@click.option(
    "--conditional-transactions",
    is_flag=True,
    help="Take transactions with a condition (eth_sendRawTransactionConditional) on the L2 port.",
)
@click.option(
    "--processes",
    type=Processes(),
    default="auto",
    show_default=True,
    metavar="auto|N",
    help="The node's process and N - 1 front processes, which take transactions on the L2 port; auto: one front "
    "process per two cores, and none with a virtual clock.",
)
@click.option("--virtual-clock", is_flag=True, help="Do not wait: the time jumps from block to block.")
@click.option(
    "--archive",
    is_flag=True,
    help="Keep the state of every block; without it, final states older than 256 blocks are deleted.",
)
@click.option(
    "--web/--no-web", "has_pages", default=True, show_default=True, help="Serve pages for browsers on the L2 port."
)
@click.option(
    "--inference-url",
    metavar="URL",
    help="OpenAI-compatible API of the model that answers in the Studio, e.g. http://127.0.0.1:11434/v1.",
)
@click.option("--inference-model", default="default", show_default=True, metavar="NAME", help="Name of its model.")
@click.option(
    "--inference-key",
    envvar="OPENROLLUP_INFERENCE_KEY",
    show_envvar=True,
    metavar="KEY",
    help="Its API key, if it needs one.",
)
@click.option(
    "--inference-local",
    is_flag=True,
    help="Let SmolLM2-135M on this computer answer in the Studio; needs `pip install 'openrollup[model]'`.",
)
@click.option("--verbose", "-v", is_flag=True, help="One line per block of both layers, empty ones too.")
@click.option("--quiet", "-q", is_flag=True, help="Print problems only: no first screen, no batches, no blocks.")
@click.option("--json", "as_json", is_flag=True, help="First screen and events as JSON lines.")
def command(**options: Any) -> None:
    """Start L1, L2, sequencer, batcher and verifier.

    Without --data-dir nothing is kept; the config files are then in a temporary folder that the first screen names.
    """
    as_json, verbose, quiet = options.pop("as_json"), options.pop("verbose"), options.pop("quiet")
    if verbose and quiet:
        raise click.UsageError("give --verbose or --quiet, not both")
    if options["until_block"] is not None and options["da"] == "none":
        raise click.UsageError("--until-block waits for a safe block, and no block becomes safe with --da none")
    if options["sequencing_window"] is not None and options["da"] == "none":
        raise click.UsageError("--da none posts no batches, so there is no --sequencing-window for them")
    configure_logs(as_json)
    ports = {name: options.pop(f"{name}_port") for name in PORTS}
    until, host = options.pop("until_block"), options.pop("host")
    pages = _pages_of(options)
    access = _Access(
        Hosts(options.pop("allowed_hosts")),
        Origins(options.pop("allowed_origins")),
        options.pop("strict"),
        _processes_of(options),
        options.pop("conditional_transactions"),
    )
    params = NodeParams(l2_block_time=options.pop("block_time"), **options)
    output = _Output(as_json, verbose - quiet)
    try:
        run_watched(lambda has_input: _run(params, ports, host, access, until, output, pages, has_input))
    except (NodeError, JwtSecretError) as error:
        raise click.ClickException(str(error)) from error


@dataclass(slots=True, frozen=True)
class _Pages:
    """Whether there are pages for browsers, and which language model answers in them, if one does."""

    are_served: bool
    model: LanguageModel | None


def _pages_of(options: dict[str, Any]) -> _Pages:
    """Raises UsageError for two models, ClickException for one that is not installed."""
    url, model, key, is_local = (options.pop(f"inference_{name}") for name in ("url", "model", "key", "local"))
    has_pages = options.pop("has_pages")
    if not is_local:
        return _Pages(has_pages, None if url is None else RemoteModel(url, model, key))
    if url is not None:
        raise click.UsageError("give --inference-url or --inference-local, not both")
    try:
        return _Pages(has_pages, LocalModel())
    except ModelMissing as error:
        raise click.ClickException(str(error)) from error


def _processes_of(options: dict[str, Any]) -> int | None:
    """How many processes the user wants; None leaves it to the number of cores."""
    processes: int | None = options.pop("processes")
    return 1 if processes is None and options["virtual_clock"] else processes


@dataclass(slots=True, frozen=True)
class _Access:
    """The names and the web pages that may use the ports, whether cheats are refused, how many processes serve, and
    whether transactions may come with a condition.
    """

    hosts: Hosts
    origins: Origins
    is_strict: bool
    processes: int | None
    takes_conditions: bool


class _Output:
    """Standard output of a run: lines for a person, or JSON lines."""

    def __init__(self, as_json: bool, verbosity: int) -> None:
        self._as_json = as_json
        self._is_quiet = verbosity < 0
        self._console = safe_console()
        self._lines = EventLines(verbosity)

    def start(self, screen: FirstScreen) -> None:
        """Shows the first screen."""
        if self._as_json:
            echo_json({"event": "Started", **screen.to_json()})
        elif not self._is_quiet:
            show_first_screen(self._console, screen)

    def show(self, event: Event) -> None:
        """Shows an event with the time of day."""
        if self._as_json:
            echo_json(event_json(event))
            return
        line = self._lines.line(event)
        if line is not None:
            self._console.print(f"[dim]{time.strftime('%H:%M:%S')}[/] {line}")

    def end(self, head: L2BlockRef) -> None:
        """Shows the safe head of a run that had an end."""
        if not self._as_json:
            self._console.print(f"safe head {head.number} 0x{head.hash.hex()}")


def _stop_on_signals(node: Node) -> None:
    """Ctrl-C, SIGTERM and a closed terminal (SIGHUP) end the run in the ordinary way."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with contextlib.suppress(NotImplementedError, AttributeError):  # not on Windows
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), node.stop)


async def _run(
    params: NodeParams,
    ports: Mapping[str, int],
    host: str,
    access: _Access,
    until: int | None,
    output: _Output,
    pages: _Pages,
    has_input: HasInput | None,
) -> None:
    node = Node.open(params, on_event=output.show)
    node.turns.watch(has_input)
    _stop_on_signals(node)
    with tempfile.TemporaryDirectory(prefix="openrollup-") as folder:
        files = write_config_files(node, params.data_dir or Path(folder))
        secret = read_secret(files["jwt.hex"])
        servers = NodeServers(
            node,
            ports,
            host,
            secret,
            access.hosts,
            access.origins,
            access.is_strict,
            access.processes,
            access.takes_conditions,
        )
        if pages.are_served:
            attach_pages(servers)
            attach_studio(servers, params.data_dir, pages.model)
        try:
            await servers.start()
            output.start(_first_screen(node, servers, files, pages.are_served))
            for event in _resumed(node):
                output.show(event)
            await node.run(until_safe=until)
        finally:
            await servers.stop()
            node.close()
    if until is not None:
        output.end(node.safe_head)
    sys.stdout.flush()


def _resumed(node: Node) -> list[Event]:
    """The chains that continue from an earlier run, and their heights."""
    view = node.view()
    chains = (("L1", "l1"), ("L2", "l2"), ("verifier", "verifier"))
    events: list[Event] = list(node.recoveries)
    for name, key in chains:
        heads, pool = view.chains[key], view.pools.get(key)
        waiting = pool.pending + pool.queued if pool is not None else 0
        if heads.unsafe.number:
            events.append(Resumed(name, heads.unsafe.number, heads.unsafe.hash, heads.safe.number, waiting))
    return events


def _first_screen(node: Node, servers: NodeServers, files: dict[str, Path], has_pages: bool) -> FirstScreen:
    params = node.devnet.params
    pages = [("pages for browsers", servers.url("l2") + "/")] if has_pages else []
    named = [(_label(key, endpoint.name), servers.url(key)) for key, endpoint in servers.endpoints.items()]
    return FirstScreen(
        urls=[*pages, *named],
        chains=[("L1", params.l1_chain_id, params.l1_block_time), ("L2", params.l2_chain_id, params.l2_block_time)],
        accounts=[(account.address, account.private_key, params.user_balance) for account in USERS],
        contracts=contract_addresses(),
        files=[(name, str(path)) for name, path in files.items()],
        gas_limits=[("L1", node.l1.chain.head.header.gas_limit), ("L2", node.l2.chain.head.header.gas_limit)],
        is_kept=node.params.data_dir is not None,
        is_posted=node.params.posts,
        is_verified=node.params.verifier,
    )


def _label(key: str, name: str) -> str:
    """The name of an endpoint on the first screen. The Engine API's is followed by the file with its secret."""
    return f"{name} (jwt.hex)" if key == "engine" else name
