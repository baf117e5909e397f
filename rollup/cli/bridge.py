"""The common parts of `openrollup deposit` and `openrollup withdraw`: both layers, the contracts, and waiting."""

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import click
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress, HexStr
from rich.console import Console
from web3 import Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.exceptions import TransactionNotFound
from web3.types import TxParams, TxReceipt, Wei

from rollup.cli.attribution_session import explained, hexed, make_console, with_account
from rollup.cli.attribution_values import ADDRESS
from rollup.cli.node_url import rpc_url_option
from rollup.cli.safe_text import echo_json, safe_console
from rollup.cli.web3_client import web3_client
from rollup.l1 import contracts

_Command = Callable[..., Any]
_Found = TypeVar("_Found")
_POLL_SECONDS: Final = 0.5


@dataclass(slots=True, frozen=True)
class Bridge:
    """Both layers of a chain, and the account that acts. Errors of the chains are click's, in one sentence."""

    l1: Web3
    l2: Web3
    portal: Contract
    oracle: Contract
    account: LocalAccount
    is_waiting: bool
    as_json: bool
    console: Console
    notes: Console

    def send(self, web3: Web3, call: ContractFunction, value: int = 0) -> TxReceipt:
        """Signs and sends a call, and waits for its receipt; ClickException when it failed."""
        sender = self.account.address
        nonce = web3.eth.get_transaction_count(sender, "pending")
        request: TxParams = call.build_transaction({"from": sender, "value": Wei(value), "nonce": nonce})
        signed = self.account.sign_transaction(cast("dict[str, Any]", request))
        sent = hexed(web3.eth.send_raw_transaction(signed.raw_transaction))
        name = "L1" if web3 is self.l1 else "L2"
        receipt = self.until(f"{name} to include transaction {sent}", lambda: find_receipt(web3, sent))
        if receipt["status"] != 1:
            raise click.ClickException(f"transaction {sent} failed on {name}")
        return receipt

    def until(self, what: str, find: Callable[[], _Found | None], *, detail: Callable[[], str] = str) -> _Found:
        """Asks until there is an answer, and says once what it waits for. With --no-wait, ClickException instead.

        detail: how far it is, said at the beginning. A transaction of this command is always waited for.
        """
        started, is_said = time.monotonic(), False
        while (found := find()) is None:
            if not is_said:
                self.notes.print(f"waiting for {what}" + (f": {text}" if (text := detail()) else ""), soft_wrap=True)
                is_said = True
            time.sleep(_POLL_SECONDS)
        if is_said:
            self.notes.print(f"  done after {time.monotonic() - started:.0f} s")
        return found

    def step(self, what: str, find: Callable[[], _Found | None], *, detail: Callable[[], str] = str) -> _Found:
        """Waits for a step of others, unless --no-wait: then ClickException says what is missing."""
        if self.is_waiting:
            return self.until(what, find, detail=detail)
        found = find()
        if found is None:
            text = detail()
            raise click.ClickException(f"not yet: this needs {what}" + (f": {text}" if text else ""))
        return found

    def show(self, result: Mapping[str, Any], lines: list[str]) -> None:
        """The result as JSON if asked for, else these lines."""
        if self.as_json:
            echo_json(result)
        else:
            self.console.print("\n".join(lines), soft_wrap=True)


def with_bridge(command: _Command) -> _Command:
    """Adds the options of a bridge. The command gets them as `bridge`, connected. Errors become messages."""

    @with_account
    @click.option(
        "--l1-url",
        metavar="URL",
        default="http://127.0.0.1:8545",
        envvar="OPENROLLUP_L1_URL",
        show_envvar=True,
        show_default=True,
        help="JSON-RPC of the L1.",
    )
    @rpc_url_option
    @click.option("--portal", type=ADDRESS, help="OptimismPortal on L1.  [default: that of `openrollup run`]")
    @click.option("--oracle", type=ADDRESS, help="L2OutputOracle on L1.  [default: that of `openrollup run`]")
    @click.option("--no-wait", is_flag=True, help="Say what a step still needs instead of waiting for it.")
    @click.option("--json", "as_json", is_flag=True, help="The result as JSON; amounts are wei in decimal strings.")
    @functools.wraps(command)
    def wrapped(
        *,
        account: LocalAccount,
        l1_url: str,
        rpc_url: str,
        portal: str | None,
        oracle: str | None,
        no_wait: bool,
        as_json: bool,
        **options: Any,
    ) -> Any:
        with explained(f"{l1_url} or {rpc_url}"):
            l1, l2 = _connect(l1_url, "--l1-url"), _connect(rpc_url, "--rpc-url")
            bridge = Bridge(
                l1,
                l2,
                _contract(l1, "OptimismPortal", portal or Web3.to_checksum_address(contracts.OPTIMISM_PORTAL), l1_url),
                _contract(l1, "L2OutputOracle", oracle or Web3.to_checksum_address(contracts.L2_OUTPUT_ORACLE), l1_url),
                account,
                not no_wait,
                as_json,
                make_console(),
                safe_console(stderr=True),
            )
            return command(bridge=bridge, **options)

    return wrapped


def find_receipt(web3: Web3, tx_hash: str) -> TxReceipt | None:
    """A transaction's receipt; None as long as no block has it."""
    try:
        return web3.eth.get_transaction_receipt(HexStr(tx_hash))
    except TransactionNotFound:
        return None


@contextmanager
def interrupted_note(bridge: Bridge, resume: str) -> Iterator[None]:
    """If the user stops the wait, prints how to continue."""
    try:
        yield
    except KeyboardInterrupt:
        bridge.notes.print(f"stopped; nothing is lost, continue with: {resume}", soft_wrap=True)
        raise


def _connect(url: str, option: str) -> Web3:
    if not url.startswith(("http://", "https://")):
        raise click.ClickException(f"{option} {url!r} is not an http:// or https:// address")
    return web3_client(url)


def _contract(web3: Web3, name: str, address: str, url: str) -> Contract:
    checksummed: ChecksumAddress = Web3.to_checksum_address(address)
    if not web3.eth.get_code(checksummed):
        raise click.ClickException(f"{url} has no {name} at {address}: is it the L1 of this chain?")
    return web3.eth.contract(checksummed, abi=contracts.abi(name))
