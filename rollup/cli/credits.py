"""Who got how much of an inference's fee, from a node with an index (open_getInference)."""

from collections.abc import Mapping
from typing import Any, Final

import click
from eth_utils.address import to_checksum_address
from rich.console import Console
from web3.types import RPCEndpoint

from rollup.cli.attribution_session import Session, open_amount
from rollup.cli.columns import print_columns

_ROLES: Final = {
    "platform": "platform",
    "owner": "owner of model {model}",
    "member": "quoted, DataNet {datanet}",
    "pool": "pool of DataNet {datanet}, {members} by units",
    "emptyPool": "owner, for DataNet {datanet} without units",
}


def credits_of(session: Session, *which: str) -> list[dict[str, Any]] | None:
    """The credits of an inference, by model and id or by transaction hash: who, as what, how much [wei].

    None from a node without an index. ClickException when there is no such inference.
    """
    answer = session.web3.provider.make_request(RPCEndpoint("open_getInference"), list(which))
    if "error" in answer:
        error = answer["error"]
        if isinstance(error, dict) and error.get("code") == -32601:
            return None
        raise click.ClickException(str(error.get("message", error) if isinstance(error, dict) else error))
    return [_credit(item) for item in answer["result"]["credits"]]


def _credit(item: Mapping[str, Any]) -> dict[str, Any]:
    number = {name: int(item[name], 16) if item.get(name) else None for name in ("modelId", "datanetId", "members")}
    return {
        "role": item["role"],
        "modelId": number["modelId"],
        "datanetId": number["datanetId"],
        "account": None if item["account"] is None else to_checksum_address(item["account"]),
        "amount": str(int(item["amount"], 16)),
        "members": number["members"],
        "shares": [
            {"account": to_checksum_address(share["account"]), "amount": str(int(share["amount"], 16))}
            for share in item.get("shares", ())
        ],
    }


def print_credits(console: Console, credits: list[dict[str, Any]], names: Mapping[str, str]) -> None:
    """A line for each credit, and for each member of a pool; `names` are people's, by address."""
    rows = []
    for item in credits:
        role = _ROLES.get(item["role"], item["role"]).format(
            model=item["modelId"], datanet=item["datanetId"], members=item["members"]
        )
        rows.append((open_amount(int(item["amount"])), role, _named(item["account"], names)))
        rows += [
            (open_amount(int(share["amount"])), "  of it", _named(share["account"], names)) for share in item["shares"]
        ]
    print_columns(console, rows, right=(0,))


def _named(account: str | None, names: Mapping[str, str]) -> str:
    if account is None:
        return ""
    return f"{names[account]} {account}" if account in names else account
