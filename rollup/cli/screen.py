"""The output of `openrollup run`: the first screen, then one line per event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rollup.cli.counted import counted
from rollup.events import (
    BatchPosted,
    ConfigChanged,
    DataDropped,
    DepositIncluded,
    Event,
    L1BlockMined,
    L2BlockBuilt,
    OutputProposed,
    Recovering,
    Reorged,
    Resumed,
    SafeHeadMoved,
    Stalled,
    Switched,
    Waiting,
    WentBack,
)
from rollup.protocol.accounts import MNEMONIC

OPEN = 10**18


@dataclass(slots=True, frozen=True)
class FirstScreen:
    """Everything a user needs to begin; addresses are 20 bytes, keys 32."""

    urls: Sequence[tuple[str, str]]
    chains: Sequence[tuple[str, int, int]]  # name, chain id, block time in seconds
    accounts: Sequence[tuple[bytes, bytes, int]]  # address, private key, balance in wei
    contracts: Sequence[tuple[str, str, bytes]]  # layer, name, address
    files: Sequence[tuple[str, str]]
    gas_limits: Sequence[tuple[str, int]]  # layer, gas of a block
    is_kept: bool  # whether a data directory keeps the chains
    is_posted: bool = True  # whether batches are posted, so that blocks become safe
    is_verified: bool = True  # whether a verifier runs

    def to_json(self) -> dict[str, Any]:
        """The first screen as one JSON object."""
        return {
            "urls": dict(self.urls),
            "chains": {name: {"chainId": ident, "blockTime": time} for name, ident, time in self.chains},
            "accounts": [
                {"address": to_checksum_address(address), "privateKey": "0x" + key.hex(), "balance": str(balance)}
                for address, key, balance in self.accounts
            ],
            "contracts": {f"{layer} {name}": to_checksum_address(at) for layer, name, at in self.contracts},
            "files": dict(self.files),
            "mnemonic": MNEMONIC,
            "gasLimits": dict(self.gas_limits),
            "kept": self.is_kept,
            "posted": self.is_posted,
            "verified": self.is_verified,
        }


def amount(wei: int) -> str:
    """Wei as OPEN with as many digits as it takes, at most 18.

    >>> amount(1_500_000_000_000_000_000), amount(-60_951_240_000_000_000)
    ('1.5', '-0.06095124')
    """
    whole, part = divmod(abs(wei), OPEN)
    return ("-" if wei < 0 else "") + f"{whole:,}" + (f".{part:018d}".rstrip("0") if part else "")


def about(wei: int) -> str:
    """Wei as OPEN to nine digits after the point, for a line that is read and not computed with."""
    nano = round(abs(wei) / 10**9)
    return amount((-nano if wei < 0 else nano) * 10**9)


def short(value: bytes) -> str:
    """The first and last bytes of a hash."""
    text = value.hex()
    return f"0x{text[:8]}…{text[-4:]}"


def show_first_screen(console: Console, screen: FirstScreen) -> None:
    """Prints contracts, files, accounts, chains and URLs. The part that a newcomer needs first comes last."""
    console.print("[bold]openrollup[/]: an Ethereum rollup on your computer, with on-chain attribution\n")
    _table(console, "Contracts", [(f"{layer} {name}", to_checksum_address(a)) for layer, name, a in screen.contracts])
    _table(console, "Files", screen.files)
    balances = {balance for _, _, balance in screen.accounts}
    each = f"{amount(min(balances))} OPEN each" if len(balances) == 1 else "funded"
    console.print(f"[bold]Accounts and their private keys[/] ({each}, on both layers)")
    for index, (address, key, _) in enumerate(screen.accounts):
        # Two lines, so that they fit 100 columns: an address or key that is cut short is of no use to anyone.
        console.print(f"  {index}  {to_checksum_address(address)}\n     0x{key.hex()}")
    console.print(f"  mnemonic   {MNEMONIC}\n  path       m/44'/60'/0'/0/INDEX")
    console.print("[yellow]These keys are public. Never send anything of value to them.[/]\n")
    limits = dict(screen.gas_limits)
    chains = [
        (name, f"chain id {ident}, a block every {time} s, {limits[name]:,} gas per block")
        for name, ident, time in screen.chains
    ]
    _table(console, "Chains", chains)
    _table(console, "Serving", screen.urls)
    _next_steps(console, screen)


def _next_steps(console: Console, screen: FirstScreen) -> None:
    url = dict(screen.urls)["L2 JSON-RPC"]
    option = "" if url.endswith("//127.0.0.1:9545") else f" --rpc-url {url}"
    url, option = escape(url), escape(option)
    console.print("[bold]What next[/] (in a second terminal)")
    console.print(f'  openrollup datanet create --name "My texts"{option}')
    console.print(f"  openrollup demo --l2 {url} --inferences 20")
    console.print(f"  or point any Ethereum tool (Foundry, Hardhat, web3.py, a wallet) at {url}\n")
    if not screen.is_posted:
        stays = ", and the verifier stays at genesis" if screen.is_verified else ""
        console.print(f"[yellow]No batch is posted (--da none): blocks stay unsafe{stays}.[/]\n")
    if not screen.is_verified:
        console.print("[yellow]No verifier runs (--verifier off): nothing derives the chain a second time.[/]\n")
    kept = "Everything is kept in the data directory." if screen.is_kept else "Nothing is kept without --data-dir."
    console.print(f"Running; Ctrl-C stops. {kept}\n")


def _table(console: Console, title: str, rows: Sequence[tuple[str, str]]) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2), title=title, title_justify="left", title_style="bold")
    for name, value in rows:
        table.add_row(escape(name), escape(value))
    console.print(table)
    console.print()


def _built(event: L2BlockBuilt) -> str:
    what = f"{counted(event.transactions, 'transaction')}, {event.gas_used:,} gas" if event.transactions else "empty"
    return f"[cyan]L2[/] block {event.number} {short(event.hash)}  {what}, built in {event.seconds * 1000:.0f} ms"


def _posted(event: BatchPosted) -> str:
    data = f"{event.data_bytes:,} bytes"
    what = f"{counted(event.blobs, 'blob')}, {data}" if event.blobs else f"{data} calldata"
    blocks = f"{event.first_block} to {event.last_block}" if event.first_block < event.last_block else event.first_block
    ratio = f"compressed to {event.compressed_bytes / max(event.raw_bytes, 1):.0%}"
    return (
        f"[magenta]batch[/] of L2 blocks {blocks} in L1 block {event.l1_block}: {what}, {ratio}, "
        f"cost {about(event.cost)} OPEN, tx {short(event.transaction_hash)}"
    )


def _safe(event: SafeHeadMoved) -> str:
    if event.verifier_equal is None:
        word = "not verified"
    else:
        word = "[green]verifier equal[/]" if event.verifier_equal else f"verifier at {event.verifier_number}"
    return f"[green]safe[/]  L2 block {event.number} {short(event.hash)} from L1 block {event.l1_block}, {word}"


def _deposit(event: DepositIncluded) -> str:
    return (
        f"[blue]deposit[/] of {about(event.minted)} OPEN from {short(event.sender)}: "
        f"L1 tx {short(event.l1_transaction)} is L2 tx {short(event.l2_transaction)}"
    )


def _proposed(event: OutputProposed) -> str:
    return f"[magenta]output[/] of L2 block {event.l2_block} proposed: {short(event.output_root)}"


def _reorged(event: Reorged) -> str:
    return f"[red]reorg[/] {event.layer} by {counted(event.depth, 'block')}, head is now {event.new_head}"


def _waiting(event: Waiting) -> str:
    return f"[yellow]{event.actor} waits[/]: {escape(event.reason)}"


def _dropped(event: DataDropped) -> str:
    before = f"; {event.left_out:,} more before" if event.left_out else ""
    return (
        f"[yellow]dropped[/] {event.what} in L1 block {event.l1_block} ({event.size:,} bytes): "
        f"{escape(event.reason)} ({escape(event.section)}){before}"
    )


def _stalled(event: Stalled) -> str:
    return f"[red]{event.what} behind[/]: {escape(event.advice)}"


def _resumed(event: Resumed) -> str:
    waiting = f", {counted(event.waiting, 'transaction')} waiting" if event.waiting else ""
    return f"[green]resumed[/] {event.chain} at block {event.head} {short(event.hash)}, safe {event.safe}{waiting}"


def _went_back(event: WentBack) -> str:
    return (
        f"[yellow]went back[/] {event.chain} from block {event.head_before} to block {event.number}, and derived it "
        f"again from L1 to block {event.head}: {escape(event.reason)}"
    )


def _recovering(event: Recovering) -> str:
    return (
        f"[yellow]recovering[/] {event.chain}: read L1 to block {event.l1_block} of {event.l1_head}, safe {event.safe}"
    )


def _switched(event: Switched) -> str:
    return f"[yellow]{event.actor}[/] " + ("started" if event.active else "stopped (admin_ methods start it again)")


def _config_changed(event: ConfigChanged) -> str:
    return f"[blue]config[/] {event.what} changed in L1 block {event.l1_block}"


def _mined(event: L1BlockMined) -> str:
    return f"L1 block {event.number} {short(event.hash)}  {counted(event.transactions, 'transaction')}"


_LINES: dict[type[Any], Callable[[Any], str]] = {
    L1BlockMined: _mined,
    L2BlockBuilt: _built,
    BatchPosted: _posted,
    SafeHeadMoved: _safe,
    DepositIncluded: _deposit,
    OutputProposed: _proposed,
    Reorged: _reorged,
    Resumed: _resumed,
    WentBack: _went_back,
    Recovering: _recovering,
    Switched: _switched,
    ConfigChanged: _config_changed,
    Waiting: _waiting,
    DataDropped: _dropped,
    Stalled: _stalled,
}
_ALWAYS = (Recovering, Reorged, Resumed, Stalled, Switched, Waiting, WentBack)  # shown with --quiet too
_FIRST_BLOCKS = 3


def event_line(event: Event) -> str:
    """The event as one line of rich markup."""
    return _LINES[type(event)](event)


class EventLines:
    """Chooses the events that get a line. Empty blocks get one only at the start, to show that the chain moves."""

    def __init__(self, verbosity: int) -> None:
        """verbosity: -1 for --quiet, 1 for --verbose, otherwise 0."""
        self._verbosity = verbosity
        self._empty_blocks = 0

    def line(self, event: Event) -> str | None:
        """The event's line, or None."""
        if self._verbosity > 0:
            return event_line(event)
        if self._verbosity < 0:
            return event_line(event) if isinstance(event, _ALWAYS) else None
        if isinstance(event, L1BlockMined):
            return None
        if isinstance(event, L2BlockBuilt) and not event.transactions:
            self._empty_blocks += 1
            if self._empty_blocks > _FIRST_BLOCKS:
                return None
            last = self._empty_blocks == _FIRST_BLOCKS
            return event_line(event) + ("; empty blocks are not shown from now on (--verbose)" if last else "")
        return event_line(event)
