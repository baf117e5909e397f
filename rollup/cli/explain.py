"""`openrollup explain`: the parts of a batcher transaction, of saved L1 data or of an L2 block, and drops."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from derivation.errors import Temporary
from rollup.cli.explain_files import CHAINS, known_chain, read_saved
from rollup.cli.explain_text import origin_text, row_text
from rollup.cli.node_url import rpc_url_option
from rollup.cli.safe_text import echo_json, safe_console
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient, RpcError
from rollup.protocol.blockref import L1BlockRef
from rollup.protocol.config import ConfigError, RollupConfig
from rollup.rpc.errors import METHOD_NOT_FOUND
from rollup.rpc.saved_data import explain_saved

_HASH, _CHANNEL = re.compile("0x[0-9a-fA-F]{64}"), re.compile("0x[0-9a-fA-F]{32}")
_NEWEST_RULES = 2**62  # an L1 time at which every fork that a chain plans is active


@click.command("explain")
@click.argument("targets", metavar="TX|CHANNEL|L2-BLOCK|FILE…", nargs=-1, required=True)
@click.option(
    "--rollup-config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="rollup.json of the chain that saved data belongs to.",
)
@click.option(
    "--chain", "chain_name", type=click.Choice(sorted(CHAINS)), help="A known chain instead of a rollup.json."
)
@click.option(
    "--l1-time",
    type=click.IntRange(0),
    help="L1 time of saved data, in seconds: which forks are active.  [default: all]",
)
@rpc_url_option
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
def command(
    targets: Sequence[str],
    rollup_config: Path | None,
    chain_name: str | None,
    l1_time: int | None,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Show the frames, channels, batches and blocks of L1 data, and the rule by which any of it was dropped.

    TX is the hash of a batcher transaction and CHANNEL the id of a channel on the running chain's L1. An L2 block is a
    number, or block:HASH; it leads back to the L1 transactions that carry it. A FILE holds saved L1 data, as bytes or
    as hexadecimal text: a signed transaction, a transaction's data, or a blob. Several files are read in order, as
    transactions of one L1 block.
    """
    files = [Path(target) for target in targets if Path(target).is_file()]
    if files:
        if len(files) != len(targets):
            missing = next(target for target in targets if not Path(target).is_file())
            raise click.ClickException(f"{missing} is not a file: saved data and the running chain are asked apart")
        rows = _saved(files, _config(rollup_config, chain_name), l1_time)
        _show(rows if len(rows) > 1 else rows[0], "\n".join(row_text(row) for row in rows), as_json)
        return
    if len(targets) > 1:
        raise click.ClickException("one transaction, channel or block at a time is expected")
    _ask(targets[0], rpc_url, as_json)


def _ask(target: str, rpc_url: str, as_json: bool) -> None:
    """Asks the running chain."""
    name = target.removeprefix("block:")
    if name.isascii() and name.isdigit() and len(name) < 20:
        method, argument = "openrollup_blockOrigin", hex(int(name))
    elif target.startswith("block:") and _HASH.fullmatch(name):
        method, argument = "openrollup_blockOrigin", name
    elif _HASH.fullmatch(name) or _CHANNEL.fullmatch(name):
        method, argument = "openrollup_getBatch", target
    else:
        raise click.ClickException(
            f"{target} is not a file, a transaction hash, a channel id, or the number of an L2 block"
        )
    try:
        found = JsonRpcClient(HttpEndpoint(rpc_url)).call(method, argument)
    except (Temporary, ValueError) as error:
        raise click.ClickException(str(error)) from error
    except RpcError as error:
        if error.code == METHOD_NOT_FOUND:
            raise click.ClickException(
                f"{rpc_url} does not record batches; save the transaction's data to a file and explain that"
            ) from error
        raise click.ClickException(f"{rpc_url}: {error.message}") from error
    if found is None:
        what = "L2 block" if method.endswith("Origin") else "batcher transaction or channel on L1"
        raise click.ClickException(f"there is no such {what}: {name}")
    _show(found, origin_text(found) if method.endswith("Origin") else row_text(found), as_json)


def _saved(files: Sequence[Path], config: RollupConfig, l1_time: int | None) -> list[dict[str, Any]]:
    items = [read_saved(path, index) for index, path in enumerate(files)]
    time = _NEWEST_RULES if l1_time is None else l1_time
    block = L1BlockRef(bytes(32), config.genesis.l1.number, bytes(32), time)
    rows = explain_saved(config, block, items)
    return [{"file": str(path)} | row for path, row in zip(files, rows, strict=True)]


def _config(path: Path | None, name: str | None) -> RollupConfig:
    if path is not None and name is not None:
        raise click.UsageError("give --rollup-config or --chain, not both")
    if name is not None:
        return known_chain(name)
    if path is None:
        raise click.UsageError(f"name the chain of saved data: --rollup-config FILE, or --chain {'|'.join(CHAINS)}")
    try:
        return RollupConfig.load(path)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


def _show(result: Any, text: str, as_json: bool) -> None:
    if as_json:
        echo_json(result)
    else:
        safe_console(emoji=False, highlight=False).print(text, soft_wrap=True)
