"""The common parts of the attribution commands: options, the connection, and error messages."""

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import click
from click.core import ParameterSource
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.exceptions import ValidationError
from hexbytes import HexBytes
from requests.exceptions import RequestException, Timeout
from rich.console import Console
from web3 import Web3
from web3.exceptions import BadResponseFormat, Web3Exception, Web3RPCError
from web3.types import TxReceipt

from attribution_precompile.client import AttributionClient, AttributionError
from rollup.cli.attribution_values import INDEX, POSITIVE
from rollup.cli.node_url import DEFAULT_URL, rpc_url_option
from rollup.cli.safe_text import echo_json, safe_console
from rollup.cli.screen import amount
from rollup.cli.web3_client import web3_client
from rollup.inputs.yaml_fields import FieldError
from rollup.protocol.accounts import MNEMONIC

_Command = Callable[..., Any]

_WORDS: Final = {
    "UnknownDatanet": "there is no such DataNet",
    "UnknownModel": "there is no such model",
    "UnknownJob": "there is no such job",
    "Unauthorized": "this account may not do that",
    "DuplicateContent": "this text is registered in the DataNet already",
    "InvalidSplit": "the shares must sum to 10,000 basis points, lineage 0 without a base model",
    "InvalidWeights": "DataNets of the model only, each entry once, contributors with units only, not all weights 0",
    "LineageTooDeep": "a model has at most 4 ancestors",
    "TooMany": "given, limit",
    "FeeTooLow": "given, required (wei)",
    "InvalidSignature": "not signed by the model's attributor for this payer, chain and influence",
    "InvalidNonce": "given, expected; this attestation was used, or another was used before it",
    "Expired": "the deadline, unix seconds, has passed",
    "JobOpenUntil": "a job can be cancelled after its deadline, unix seconds",
    "JobClosed": "the job is settled or cancelled, or its deadline has passed",
    "NothingToClaim": "nothing is due to this account in the DataNets named",
    "PayoutFailed": "the recipient does not accept the payment",
}


def chain_options(command: _Command) -> _Command:
    """--rpc-url, --chain-id and --json, as the arguments of `connect`."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="The result as JSON; amounts are wei in decimal strings."),
        click.option("--chain-id", type=POSITIVE, help="Refuse any other chain."),
        rpc_url_option,
    ):
        command = option(command)
    return command


def with_session(command: _Command) -> _Command:
    """Adds the options of a chain. The command gets them as `session`, connected. Errors become messages."""

    @chain_options
    @functools.wraps(command)
    def wrapped(*, rpc_url: str, chain_id: int | None, as_json: bool, **options: Any) -> Any:
        with explained(rpc_url):
            return command(session=connect(rpc_url, chain_id, as_json), **options)

    return wrapped


def with_account(command: _Command) -> _Command:
    """Adds --account and --private-key. The command gets `account`, which signs."""

    @click.option("--account", type=INDEX, help="Sign as this development account (public keys).  [default: 0]")
    @click.option(
        "--private-key",
        metavar="KEY",
        envvar="OPENROLLUP_PRIVATE_KEY",
        show_envvar=True,
        help="Sign with this key, 32 bytes in hex; safer in the environment, because others may read the command line.",
    )
    @functools.wraps(command)
    def wrapped(*, account: int | None, private_key: str | None, **options: Any) -> Any:
        chosen = _signer("private_key", account, private_key) or development_account(0)
        return command(account=chosen, **options)

    return wrapped


def with_attributor(command: _Command) -> _Command:
    """Adds --attributor-account and --attributor-key. The command gets `attributor`, which attests, or None."""

    @click.option(
        "--attributor-account",
        type=INDEX,
        help="Attest as this development account, if the attributor is not the payer.",
    )
    @click.option(
        "--attributor-key", metavar="KEY", envvar="OPENROLLUP_ATTRIBUTOR_KEY", show_envvar=True, help="32 bytes in hex."
    )
    @functools.wraps(command)
    def wrapped(*, attributor_account: int | None, attributor_key: str | None, **options: Any) -> Any:
        return command(attributor=_signer("attributor_key", attributor_account, attributor_key), **options)

    return wrapped


def development_account(index: int) -> LocalAccount:
    """The account at m/44'/60'/0'/0/index of the mnemonic that development tools share: its key is public."""
    Account.enable_unaudited_hdwallet_features()
    account: LocalAccount = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
    return account


def _signer(key_option: str, account: int | None, private_key: str | None) -> LocalAccount | None:
    if private_key is not None and account is not None:
        # An account named on the command line takes precedence over a key in the environment.
        source = click.get_current_context().get_parameter_source(key_option)
        if source is not ParameterSource.ENVIRONMENT:
            raise click.UsageError("give an account or a key, not both")
        private_key = None
    if private_key is not None:
        try:
            signing: LocalAccount = Account.from_key(HexBytes(private_key))
        except (ValueError, ValidationError) as error:
            # The key itself must not be shown.
            raise click.ClickException("the key is not 32 bytes in hex, below the order of the curve") from error
        return signing
    return None if account is None else development_account(account)


@dataclass(slots=True, frozen=True)
class Session:
    """A chain with the precompile, and how to show results."""

    url: str
    web3: Web3
    client: AttributionClient
    chain_id: int
    as_json: bool
    console: Console

    def show(self, result: Mapping[str, Any], render: Callable[[Console], None]) -> None:
        """The result as JSON if asked for, else as `render` shows it."""
        if self.as_json:
            echo_json(result)
        else:
            render(self.console)

    def now(self) -> int:
        """Time of the head, unix seconds: what deadlines are held against."""
        return self.web3.eth.get_block("latest")["timestamp"]


def connect(rpc_url: str, chain_id: int | None, as_json: bool) -> Session:
    """Speaks to `rpc_url`; ClickException when it is not there, or not a chain with the precompile."""
    if not rpc_url.startswith(("http://", "https://")):
        raise click.ClickException(f"--rpc-url {rpc_url!r} is not an http:// or https:// address")
    web3 = web3_client(rpc_url)
    client = AttributionClient(web3)
    try:
        found, code = int(web3.eth.chain_id), web3.eth.get_code(client.address)
    except (TypeError, ValueError, BadResponseFormat) as error:
        # The answer is not JSON-RPC, or its result is not a number.
        raise click.ClickException(f"{rpc_url} answers, but is no Ethereum node: {error}") from error
    if chain_id is not None and found != chain_id:
        raise click.ClickException(f"{rpc_url} is chain {found}, not {chain_id}")
    if not code:
        raise click.ClickException(
            f"{rpc_url} is chain {found}, without the attribution precompile at {client.address}: "
            f"is it the L1? The L2 of `openrollup run` is {DEFAULT_URL}"
        )
    return Session(rpc_url, web3, client, found, as_json, make_console())


def make_console() -> Console:
    """Standard output."""
    return safe_console()


@contextmanager
def explained(url: str | None) -> Iterator[None]:
    """Turns the errors of a connection into one line of text and exit status 1."""
    try:
        yield
    except AttributionError as error:
        raise click.ClickException(_refusal(error)) from error
    except FieldError as error:
        raise click.ClickException(str(error)) from error
    except RequestException as error:
        raise click.ClickException(f"{url} does not answer: {_cause(error)}") from error
    except Web3RPCError as error:
        raise click.ClickException(_rpc_error(error)) from error
    except json.JSONDecodeError as error:
        raise click.ClickException(f"{url} answered with what is not JSON: {error}") from error
    except Web3Exception as error:
        raise click.ClickException(str(error)) from error


def _refusal(error: AttributionError) -> str:
    words = _WORDS.get(error.name)
    if not error.data:
        return str(error)
    return f"the precompile refused: {error}" + (f" — {words}" if words else "")


def _cause(error: RequestException) -> str:
    """The innermost reason, such as `Connection refused`."""
    text = str(error)
    if "Connection refused" in text:
        return "connection refused (is `openrollup run` running?)"
    for known in ("Name or service not known", "Temporary failure in name resolution", "No route to host"):
        if known in text:
            return known.lower()
    return "timed out" if isinstance(error, Timeout) else text


def _rpc_error(error: Web3RPCError) -> str:
    answer = error.rpc_response or {}
    details = answer.get("error", {})
    message = str(details.get("message", error)) if isinstance(details, dict) else str(details)
    if "insufficient funds" in message:
        # geth's words, and ours: have 5 want 7; balance 5, tx cost 7
        in_open = re.sub(
            r"\b(have|want|balance|tx cost|overshot) (\d+)",
            lambda found: f"{found[1]} {open_amount(int(found[2]))}",
            message,
        )
        return f"the account cannot pay fee and gas: {in_open}"
    return f"the node answered: {message}"


def receipt_json(receipt: TxReceipt) -> dict[str, Any]:
    """The hash, the block and the gas of a transaction, for JSON."""
    return {
        "transactionHash": receipt["transactionHash"].to_0x_hex(),
        "blockNumber": receipt["blockNumber"],
        "gasUsed": receipt["gasUsed"],
    }


def show_receipt(console: Console, receipt: TxReceipt) -> None:
    """Prints the hash, the block and the gas of a transaction in one line."""
    console.print(
        f"transaction {receipt['transactionHash'].to_0x_hex()} in block {receipt['blockNumber']}, "
        f"{receipt['gasUsed']:,} gas"
    )


def open_amount(wei: int) -> str:
    """Wei as `0.01 OPEN`."""
    return f"{amount(wei)} OPEN"


def hexed(value: bytes) -> str:
    """0x and hex digits."""
    return "0x" + bytes(value).hex()
