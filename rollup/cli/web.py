"""`openrollup web`: the pages for any chain, by the URLs of its nodes."""

import asyncio
import contextlib
import signal

import click

from rollup.cli.logs import configure_logs
from rollup.cli.safe_text import echo
from rollup.rpc.errors import RpcCannotListen
from rollup.rpc.hosts import Hosts
from rollup.rpc.origins import Origins
from rollup.serve import url_of
from rollup.web.attach import forwarding_server


@click.command("web")
@click.option("--l2", required=True, metavar="URL", help="JSON-RPC of the L2.")
@click.option("--l1", metavar="URL", help="JSON-RPC of its L1.")
@click.option("--node", metavar="URL", help="op-node RPC of the L2: heads, batches.")
@click.option("--verifier", metavar="URL", help="JSON-RPC of a second L2 node, whose hashes are compared.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=9595,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port of the pages; 0: any free port.",
)
@click.option(
    "--allow-host", "allowed_hosts", multiple=True, metavar="NAME", help="Also answer requests with this Host name."
)
def command(
    l2: str,
    l1: str | None,
    node: str | None,
    verifier: str | None,
    host: str,
    port: int,
    allowed_hosts: tuple[str, ...],
) -> None:
    """Serve the pages for a chain that runs elsewhere, such as op-geth with op-node.

    Parts whose methods those nodes lack are left out of the pages, with a sentence that says why.
    """
    configure_logs(False)
    given = {"l1": l1, "node": node, "verifier": verifier}
    others = {name: url for name, url in given.items() if url is not None}
    try:
        asyncio.run(_serve(l2, others, host, port, Hosts(allowed_hosts)))
    except RpcCannotListen as error:
        raise click.ClickException(str(error)) from error


async def _serve(l2: str, others: dict[str, str], host: str, port: int, hosts: Hosts) -> None:
    server, endpoints = forwarding_server(l2, others)
    server.allow(hosts, Origins())
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with contextlib.suppress(NotImplementedError, AttributeError):  # not on Windows
            loop.add_signal_handler(getattr(signal, name), stopped.set)
    bound = await server.start(host, port)
    try:
        echo(f"pages at {url_of(host, bound)}/ for {l2}; Ctrl-C stops them")
        await stopped.wait()
    finally:
        await asyncio.gather(server.stop(), *(endpoint.stop() for endpoint in endpoints))
