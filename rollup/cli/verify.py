"""`openrollup verify`: an L2 re-derived from L1 data alone."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from derivation.driver import Progress as Step
from derivation.driver import Verifier
from derivation.errors import Critical, Temporary
from rollup.cli.differences import Differences
from rollup.cli.logs import configure_logs
from rollup.cli.safe_text import echo, echo_json, safe_console
from rollup.execution.chain import Chain
from rollup.execution.config import ChainConfigError, L2Config
from rollup.execution.genesis import genesis_header
from rollup.execution.genesis_json import GenesisError, GenesisFile, parse_genesis
from rollup.l1.rpc_client import RpcL1Source
from rollup.node.assembly import open_chain, open_l2
from rollup.patches import PatchesError, load_patches
from rollup.protocol.config import ConfigError, RollupConfig
from rollup.protocol.header import Header
from rollup.protocol.json_text import parse_json
from rollup.protocol.l1_chain_config import load_l1_blob_schedule
from rollup.store.kv import StoreError

_POLL_SECONDS = 1.0


@click.command("verify")
@click.option("--l1", "l1_url", required=True, help="JSON-RPC of the L1.")
@click.option("--beacon", "beacon_url", help="Beacon API of the L1, for blobs.")
@click.option("--rollup-config", required=True, type=click.Path(path_type=Path, dir_okay=False), help="rollup.json")
@click.option(
    "--genesis", required=True, type=click.Path(path_type=Path, dir_okay=False), help="genesis.json of the L2"
)
@click.option(
    "--l1-chain-config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="l1-chain-config.json: forks and blob schedule of an L1 that is not Mainnet or Sepolia.",
)
@click.option(
    "--until", default="safe", show_default=True, help="safe: everything that is on L1 now; or an L2 block number."
)
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Keep the chain here.")
@click.option(
    "--patches",
    type=click.Path(path_type=Path, dir_okay=False),
    help="patches.json of the data directory: state that a developer changed without a transaction.",
)
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
def command(
    l1_url: str,
    beacon_url: str | None,
    rollup_config: Path,
    genesis: Path,
    l1_chain_config: Path | None,
    until: str,
    data_dir: Path | None,
    patches: Path | None,
    as_json: bool,
) -> None:
    """Derive the L2 from L1 data alone; print the number, hash and state root of its head."""
    configure_logs(as_json)
    target = _target(until)
    try:
        config = RollupConfig.load(rollup_config)
        if l1_chain_config is not None:
            schedule = load_l1_blob_schedule(l1_chain_config, config.l1_chain_id)
            config = replace(config, l1_blob_schedule=schedule)
        file, l2_config, header = _load_genesis(genesis)
        if patches is not None:
            l2_config = replace(l2_config, irregular=(load_patches(patches)["l2"],))
    except (ConfigError, GenesisError, PatchesError) as error:
        raise click.ClickException(str(error)) from error
    if header.hash != config.genesis.l2.hash:
        given = "0x" + config.genesis.l2.hash.hex()
        made = "0x" + header.hash.hex()
        raise click.ClickException(f"{genesis} makes the block {made}, {rollup_config} begins at {given}")
    if l2_config.chain_id != config.l2_chain_id:
        raise click.ClickException(
            f"{genesis} is of chain {l2_config.chain_id}, {rollup_config} of {config.l2_chain_id}"
        )
    try:
        source = RpcL1Source(l1_url, beacon_url)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    _check_l1(source, config, l1_url)
    try:
        store, chain = open_chain(data_dir, header, file.alloc)
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    verifier = open_l2(chain, l2_config, config, source, source).derivation
    differences = Differences(verifier.safe_head.number)
    verifier.journal.subscribe(differences)
    started = time.monotonic()
    try:
        _derive(verifier, source, target, quiet=as_json)
        _report(verifier, chain, target, time.monotonic() - started, as_json, differences.text)
    except (Critical, Temporary) as error:
        raise click.ClickException(str(error)) from error
    finally:
        store.close()


def _target(until: str) -> int | None:
    if until == "safe":
        return None
    if not until.isdigit():
        raise click.BadParameter("safe or a block number is expected", param_hint="--until")
    return int(until)


def _load_genesis(path: Path) -> tuple[GenesisFile, L2Config, Header]:
    try:
        file = parse_genesis(parse_json(path.read_text()))
        config = L2Config.from_genesis_json(file.config, file.attribution)
        return file, config, genesis_header(file, config.forks)
    except OSError as error:
        raise GenesisError(f"{path}: {error.strerror}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise GenesisError(f"{path}: not JSON: {error}") from error
    except (GenesisError, ChainConfigError) as error:
        raise GenesisError(f"{path}: {error}") from error


def _check_l1(source: RpcL1Source, config: RollupConfig, url: str) -> None:
    """Checks that this is the rollup's L1."""
    try:
        chain_id = source.chain_id()
        first = source.ref_by_number(config.genesis.l1.number)
    except (Critical, Temporary) as error:
        raise click.ClickException(f"L1 at {url}: {error}") from error
    if chain_id != config.l1_chain_id:
        raise click.ClickException(f"L1 at {url} is chain {chain_id}, the rollup stands on {config.l1_chain_id}")
    if first.hash != config.genesis.l1.hash:
        raise click.ClickException(
            f"L1 at {url} has block {first.number} 0x{first.hash.hex()}, "
            f"the rollup begins at 0x{config.genesis.l1.hash.hex()}"
        )


def _derive(verifier: Verifier, source: RpcL1Source, target: int | None, *, quiet: bool) -> None:
    """Reads L1 up to its head as of now, or on until the target is safe; shows where it is."""
    last = source.head().number
    columns = (TextColumn("L1 block"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    console = safe_console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=quiet, transient=True) as progress:
        task = progress.add_task("", total=last)
        while True:
            step = verifier.step()
            safe = verifier.safe_head.number
            progress.update(task, completed=verifier.current_l1.number, description=f"L2 safe {safe}")
            if target is not None and safe >= target:
                return
            if step is Step.RETRY:
                raise Temporary(verifier.waiting_for or "L1 does not answer")
            if step is not Step.IDLE:
                continue
            if target is None:
                return
            time.sleep(_POLL_SECONDS)
            progress.update(task, total=source.head().number)


def _report(
    verifier: Verifier, chain: Chain, target: int | None, seconds: float, as_json: bool, differs: str | None
) -> None:
    """The safe head, or the block asked for, which a kept chain may have passed long ago."""
    block = chain.safe if target is None else chain.block_by_number(target)
    if block is None:
        raise click.ClickException(f"block {target} is safe, and no longer kept here")
    result: dict[str, Any] = {
        "number": block.number,
        "hash": "0x" + block.hash.hex(),
        "stateRoot": "0x" + block.header.state_root.hex(),
        "l1Block": verifier.current_l1.number,
        "seconds": round(seconds, 3),
    }
    if differs is not None:
        result["differs"] = differs
    if as_json:
        echo_json(result)
        return
    name = "safe head" if target is None else "block"
    echo(f"L2 {name} {block.number}, derived from L1 up to block {result['l1Block']} in {seconds:.1f} s")
    echo(f"hash        {result['hash']}")
    echo(f"state root  {result['stateRoot']}")
    if differs is not None:
        echo(f"warning: {differs}", err=True)
