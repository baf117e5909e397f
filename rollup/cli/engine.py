"""`openrollup engine`: the execution engine alone, driven by any rollup node over the Engine API."""

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click

from rollup.ahead import keep_executing_ahead
from rollup.cli.logs import configure_logs
from rollup.cli.safe_text import echo, echo_json
from rollup.cooperative import Turns
from rollup.execution.chain import Chain
from rollup.execution.config import ChainConfigError, L2Config
from rollup.execution.genesis import genesis_header
from rollup.execution.genesis_json import GenesisError, GenesisFile, parse_genesis
from rollup.execution.vms.kzg_worker import starting_early
from rollup.freed_memory import FreedMemory
from rollup.node.assembly import open_chain, open_engine
from rollup.node.params import HISTORY
from rollup.protocol.json_text import parse_json
from rollup.rpc.errors import RpcCannotListen
from rollup.rpc.hosts import Hosts
from rollup.rpc.jwt_auth import JwtSecretError, read_or_make_secret
from rollup.rpc.miner import Miner
from rollup.rpc.origins import Origins
from rollup.rpc.server import RpcServer
from rollup.serve import conditional_namespace, engine_server, execution_server, l2_backend, url_of
from rollup.store.kv import StoreError


@click.command("engine")
@click.option(
    "--genesis", required=True, type=click.Path(path_type=Path, dir_okay=False), help="genesis.json of the L2"
)
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Keep the chain here.")
@click.option(
    "--jwt-secret",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with 32 bytes in hex, shared with the rollup node; written if missing.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=9545,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port of the JSON-RPC; 0: any free port.",
)
@click.option(
    "--engine-port", default=8551, show_default=True, type=click.IntRange(0, 65535), help="Port of the Engine API."
)
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Also answer requests with this Host name; * is every name. Repeatable.",
)
@click.option(
    "--conditional-transactions",
    is_flag=True,
    help="Take transactions with a condition (eth_sendRawTransactionConditional).",
)
@click.option("--archive", is_flag=True, help="Keep the state of every block, not only of the last 256.")
@click.option("--json", "as_json", is_flag=True, help="Print the start as a JSON line.")
def command(
    genesis: Path,
    data_dir: Path | None,
    jwt_secret: Path,
    host: str,
    port: int,
    engine_port: int,
    allowed_hosts: tuple[str, ...],
    conditional_transactions: bool,
    archive: bool,
    as_json: bool,
) -> None:
    """Run the execution engine alone.

    A rollup node (op-node --l2=http://HOST:ENGINE_PORT --l2.jwt-secret=FILE) sends it the payloads to build and to
    import.
    """
    configure_logs(as_json)
    try:
        file = load_genesis(genesis)
        config = L2Config.from_genesis_json(file.config, file.attribution)
        secret = read_or_make_secret(jwt_secret)
        history = None if archive else HISTORY
        store, chain = open_chain(data_dir, genesis_header(file, config.forks), file.alloc, history)
    except (GenesisError, ChainConfigError, JwtSecretError, StoreError, OSError) as error:
        raise click.ClickException(str(error)) from error
    engine, pool = open_engine(chain, config, time.time, time.monotonic)
    turns = Turns()
    backend = l2_backend(engine, pool, {}, file.config)
    namespaces: list[object] = [Miner(engine)]
    if conditional_transactions:
        namespaces.append(conditional_namespace(backend, pool, turns))
    servers = {
        "rpc": (execution_server("L2 JSON-RPC", turns, backend, pool, *namespaces), port),
        "engine": (engine_server(turns, engine, backend, secret), engine_port),
    }
    for server, _ in servers.values():
        server.allow(Hosts(allowed_hosts), Origins())
    try:
        asyncio.run(_serve(servers, host, keep_executing_ahead(turns, engine), chain, as_json))
    except RpcCannotListen as error:
        raise click.ClickException(str(error)) from error
    finally:
        store.close()


def load_genesis(path: Path) -> GenesisFile:
    """Reads a genesis.json; raises GenesisError naming the file."""
    try:
        return parse_genesis(parse_json(path.read_text()))
    except OSError as error:
        raise GenesisError(f"{path}: {error.strerror}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise GenesisError(f"{path}: not JSON: {error}") from error
    except GenesisError as error:
        raise GenesisError(f"{path}: {error}") from error


async def _serve(
    servers: dict[str, tuple[RpcServer, int]], host: str, work: Coroutine[Any, Any, None], chain: Chain, as_json: bool
) -> None:
    """Serves until a signal. `work` runs next to the servers."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    working = loop.create_task(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # not on Windows
            loop.add_signal_handler(number, stop.set)
    freed_memory = FreedMemory()
    freed_memory.start()
    try:
        urls = {name: url_of(host, await server.start(host, port)) for name, (server, port) in servers.items()}
        started: dict[str, Any] = {
            "genesis": "0x" + chain.genesis.hash.hex(),
            "head": chain.head.number,
        }
        _announce(urls, started, as_json)
        stopped = loop.create_task(stop.wait())
        with starting_early(loop):
            done, _ = await asyncio.wait([stopped, working], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        working.cancel()
        for server, _ in servers.values():
            await server.stop()
        await freed_memory.stop()


def _announce(urls: dict[str, str], started: dict[str, Any], as_json: bool) -> None:
    if as_json:
        echo_json({"event": "Started", "urls": urls, **started})
        return
    echo(f"genesis      {started['genesis']}, head {started['head']}")
    echo(f"JSON-RPC     {urls['rpc']}")
    echo(f"Engine API   {urls['engine']}")
