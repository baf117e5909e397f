"""The shares of an inference's fee by account: the answer of open_getInference with decimal numbers and names."""

from typing import Any, Final

from eth_utils.address import to_checksum_address
from rich.console import Console
from web3.types import RPCEndpoint

from rollup.cli.attribution_session import Session, open_amount
from rollup.cli.columns import print_columns
from rollup.cli.names import Names, named

_ROLES: Final = {
    "platform": "the platform",
    "owner": "the owner of model {model}",
    "member": "quoted in the answer",
    "emptyPool": "the owner of model {model}, for DataNet {datanet} without units",
    "pool": "the pool of DataNet {datanet}",
}


def read_inference(session: Session, *which: str) -> dict[str, Any] | None:
    """open_getInference's answer; None from a node without an index, or while it is being built."""
    answer = session.web3.provider.make_request(RPCEndpoint("open_getInference"), list(which))
    found = answer.get("result")
    return found if isinstance(found, dict) else None


def credits_json(inference: dict[str, Any], names: Names) -> list[dict[str, Any]]:
    """The credits for programs: ids as numbers, wei in decimal strings, names where they are known.

    A pool has no account; its `shares` say what each of its members gets (the 100 largest).
    """
    return [
        {
            "role": credit["role"],
            "modelId": int(credit["modelId"], 16),
            "datanetId": None if credit["datanetId"] is None else int(credit["datanetId"], 16),
            **_account_json(credit["account"], names),
            "amount": str(int(credit["amount"], 16)),
            "members": int(credit["members"], 16) if "members" in credit else None,
            "shares": [
                {
                    **_account_json(share["account"], names),
                    "units": int(share["units"], 16),
                    "amount": str(int(share["amount"], 16)),
                }
                for share in credit.get("shares", [])
            ],
        }
        for credit in inference["credits"]
    ]


def _account_json(account: str | None, names: Names) -> dict[str, str | None]:
    if account is None:
        return {"account": None, "name": None}
    return {"account": to_checksum_address(account), "name": names.get(account.lower())}


def print_credits(console: Console, credits: list[dict[str, Any]], fee: int, names: Names) -> None:
    """A line per credit with its share of the fee, and under a pool a line per member."""
    rows: list[tuple[str, str, str, str]] = []
    for credit in credits:
        role = _ROLES.get(credit["role"], credit["role"]).format(model=credit["modelId"], datanet=credit["datanetId"])
        account = "" if credit["account"] is None else named(credit["account"], names)
        rows.append((role, account, *_share(credit["amount"], fee)))
        for share in credit["shares"]:
            rows.append((f"  {share['units']:,} units", named(share["account"], names), *_share(share["amount"], fee)))
        hidden = (credit["members"] or 0) - len(credit["shares"])
        if hidden > 0:
            rows.append((f"  and {hidden:,} more members", "", "", ""))
    console.print("credited")
    print_columns(console, rows, right=(2, 3))


def _share(amount: str, fee: int) -> tuple[str, str]:
    return open_amount(int(amount)), f"{100 * int(amount) / fee:.2f} %" if fee else ""


def print_split(console: Console, session: Session, model_id: int) -> None:
    """Prints how a fee is split by the model's terms, for nodes without the list of credited accounts."""
    _, _, platform = session.client.platform()
    console.print(f"split: {split_text(platform, session.client.model(model_id).split)}")


def split_text(platform_bps: int, split: Any) -> str:
    """The split of a fee as text: the platform's share comes first, the others share the rest."""
    shares = (("owner", split.owner_bps), ("lineage", split.lineage_bps), ("data", split.data_bps))
    return f"platform {platform_bps / 100:g} % of the fee; of the rest " + ", ".join(
        f"{name} {bps / 100:g} %" for name, bps in shares
    )
