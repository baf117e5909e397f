"""What `openrollup run` shows: the first screen, then a line an event that matters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address
from rich.console import Console
from rich.table import Table

from rollup.events import (
    BatchPosted,
    DepositIncluded,
    Event,
    L1BlockMined,
    L2BlockBuilt,
    OutputProposed,
    Reorged,
    Resumed,
    SafeHeadMoved,
    Waiting,
)

OPEN = 10**18


@dataclass(slots=True, frozen=True)
class FirstScreen:
    """Everything a user needs to begin; addresses are 20 bytes, keys 32."""

    urls: Sequence[tuple[str, str]]
    chains: Sequence[tuple[str, int, int]]  # name, chain id, block time in seconds
    accounts: Sequence[tuple[bytes, bytes, int]]  # address, private key, balance in wei
    contracts: Sequence[tuple[str, str, bytes]]  # layer, name, address
    files: Sequence[tuple[str, str]]

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "urls": dict(self.urls),
            "chains": {name: {"chainId": ident, "blockTime": time} for name, ident, time in self.chains},
            "accounts": [
                {"address": to_checksum_address(address), "privateKey": "0x" + key.hex(), "balance": str(balance)}
                for address, key, balance in self.accounts
            ],
            "contracts": {f"{layer} {name}": to_checksum_address(at) for layer, name, at in self.contracts},
            "files": dict(self.files),
        }


def amount(wei: int) -> str:
    """Wei as OPEN with as many digits as it takes, at most 18."""
    whole, part = divmod(wei, OPEN)
    return f"{whole:,}" + (f".{part:018d}".rstrip("0") if part else "")


def short(value: bytes) -> str:
    """The first and last bytes of a hash."""
    text = value.hex()
    return f"0x{text[:8]}…{text[-4:]}"


def show_first_screen(console: Console, screen: FirstScreen) -> None:
    """Prints URLs, chains, accounts with keys, contracts and files."""
    console.print("[bold]openrollup[/] — a local OP Stack rollup with on-chain attribution\n")
    _table(console, "Serving", screen.urls)
    _table(console, "Chains", [(name, f"chain id {ident}, {time} s blocks") for name, ident, time in screen.chains])
    console.print("[bold]Accounts, on both layers[/] (address, private key, balance)")
    for index, (address, key, balance) in enumerate(screen.accounts):
        # Not a table: an address or key that is cut short is of no use to anyone.
        console.print(f"  {index}  {to_checksum_address(address)}  0x{key.hex()}  {amount(balance)} OPEN")
    console.print("[yellow]These keys are public. Never send anything of value to them.[/]\n")
    _table(console, "Contracts", [(f"{layer} {name}", to_checksum_address(a)) for layer, name, a in screen.contracts])
    _table(console, "Files", screen.files)
    console.print("Ctrl-C stops. Waiting for the first block …\n")


def _table(console: Console, title: str, rows: Sequence[tuple[str, str]]) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2), title=title, title_justify="left", title_style="bold")
    for name, value in rows:
        table.add_row(name, value)
    console.print(table)
    console.print()


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def _built(event: L2BlockBuilt) -> str | None:
    if event.transactions == 0:
        return None
    return (
        f"[cyan]L2[/] block {event.number} {short(event.hash)}  {_count(event.transactions, 'transaction')}, "
        f"{event.gas_used:,} gas, {event.seconds * 1000:.0f} ms"
    )


def _posted(event: BatchPosted) -> str:
    data = f"{event.data_bytes:,} bytes"
    what = f"{_count(event.blobs, 'blob')}, {data}" if event.blobs else f"{data} calldata"
    return (
        f"[magenta]batch[/] {what} in L1 block {event.l1_block}, cost {amount(event.cost)} OPEN, "
        f"tx 0x{event.transaction_hash.hex()}"
    )


def _safe(event: SafeHeadMoved) -> str:
    word = "[green]verifier equal[/]" if event.verifier_equal else f"verifier at {event.verifier_number}"
    return f"[green]safe[/]  L2 block {event.number} {short(event.hash)} from L1 block {event.l1_block}, {word}"


def _deposit(event: DepositIncluded) -> str:
    return (
        f"[blue]deposit[/] of {amount(event.minted)} OPEN from {to_checksum_address(event.sender)}: "
        f"L1 tx 0x{event.l1_transaction.hex()} is L2 tx 0x{event.l2_transaction.hex()}"
    )


def _proposed(event: OutputProposed) -> str:
    return f"[magenta]output[/] of L2 block {event.l2_block} proposed: {short(event.output_root)}"


def _reorged(event: Reorged) -> str:
    return f"[red]reorg[/] {event.layer} by {_count(event.depth, 'block')}, head is now {event.new_head}"


def _waiting(event: Waiting) -> str:
    return f"[yellow]{event.actor} waits[/]: {event.reason}"


def _resumed(event: Resumed) -> str:
    waiting = f", {_count(event.waiting, 'transaction')} waiting" if event.waiting else ""
    return f"[green]resumed[/] {event.chain} at block {event.head} {short(event.hash)}, safe {event.safe}{waiting}"


def _quiet(_: L1BlockMined) -> None:
    return None


_LINES: dict[type[Any], Callable[[Any], str | None]] = {
    L1BlockMined: _quiet,
    L2BlockBuilt: _built,
    BatchPosted: _posted,
    SafeHeadMoved: _safe,
    DepositIncluded: _deposit,
    OutputProposed: _proposed,
    Reorged: _reorged,
    Resumed: _resumed,
    Waiting: _waiting,
}


def event_line(event: Event) -> str | None:
    """The event as one line of rich markup; None for what is not worth a line."""
    return _LINES[type(event)](event)
