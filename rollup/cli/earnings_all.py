"""`openrollup earnings --all`: all accounts that earned or could have earned, from events that any node has."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from rollup.cli.attribution_history import History
from rollup.cli.attribution_session import Session, open_amount
from rollup.cli.columns import print_columns
from rollup.cli.names import Names
from rollup.economics.units import open_float


@dataclass(slots=True)
class Party:
    """An account's parts: DataNets where it ever had units, models it owns or owned, and what went to it."""

    datanets: set[int] = field(default_factory=set)
    models: set[int] = field(default_factory=set)
    is_platform: bool = False
    claimed: int = 0
    refunded: int = 0


def everyone(session: Session, names: Names, datanet: int | None = None) -> dict[str, Any]:
    """The earnings of every party, the largest first, and their sums; amounts are wei in decimal strings.

    With a DataNet only of those who ever had units in it; what they earned elsewhere counts too.
    """
    parties = _parties(session).items()
    chosen = [(who, party) for who, party in parties if datanet is None or datanet in party.datanets]
    rows = [_row(session, account, party, names) for account, party in chosen]
    rows.sort(key=lambda row: (-int(row["earned"]), row["address"]))
    sums = {name: str(sum(int(row[name]) for row in rows)) for name in ("earned", "claimed", "claimable")}
    return {"accounts": rows, **sums}


def _parties(session: Session) -> dict[str, Party]:
    """The parties by checksummed address, from one pass over the events."""
    parties: dict[str, Party] = defaultdict(Party)
    _, treasury, _ = session.client.platform()
    parties[treasury].is_platform = True
    payer_of: dict[int, str] = {}
    for name, item in History(session.client).events(
        (
            "PlatformSet",
            "Contributed",
            "UnitsSet",
            "ModelRegistered",
            "ModelTransferred",
            "Claimed",
            "JobRequested",
            "JobSettled",
            "JobCancelled",
        )
    ):
        match name:
            case "PlatformSet":
                parties[item["treasury"]].is_platform = True
            case "Contributed" | "UnitsSet":
                parties[item["contributor"]].datanets.add(item["datanetId"])
            case "ModelRegistered":
                parties[item["owner"]].models.add(item["modelId"])
            case "ModelTransferred":
                parties[item["to"]].models.add(item["modelId"])
            case "Claimed":
                parties[item["account"]].claimed += item["amount"]
            case "JobRequested":
                payer_of[item["jobId"]] = item["payer"]
            case "JobSettled" | "JobCancelled":
                parties[payer_of[item["jobId"]]].refunded += item["refund"]
    return parties


def _row(session: Session, account: str, party: Party, names: Names) -> dict[str, Any]:
    claimable = session.client.claimable(account, sorted(party.datanets))
    return {
        "address": account,
        "name": names.get(account.lower()),
        "datanets": sorted(party.datanets),
        "models": sorted(party.models),
        "isPlatform": party.is_platform,
        "earned": str(claimable + party.claimed - party.refunded),
        "claimed": str(party.claimed),
        "claimable": str(claimable),
    }


def earned_open(result: dict[str, Any]) -> dict[str, float]:
    """The earnings of each account of `everyone` [OPEN], by its name, or by its address if it has no name."""
    return {row["name"] or row["address"]: open_float(int(row["earned"])) for row in result["accounts"]}


def print_everyone(console: Console, result: dict[str, Any]) -> None:
    """Prints one line per account, and the sums."""
    rows = [
        (row["name"] or "", row["address"], _parts(row), *(open_amount(int(row[name])) for name in _AMOUNTS))
        for row in result["accounts"]
    ]
    rows.append(("all", "", "", *(open_amount(int(result[name])) for name in _AMOUNTS)))
    print_columns(console, rows, header=("name", "account", "as", "earned", "paid out", "due now"), right=(3, 4, 5))


_AMOUNTS = ("earned", "claimed", "claimable")


def _parts(row: dict[str, Any]) -> str:
    parts = ["platform"] if row["isPlatform"] else []
    if row["models"]:
        parts.append("owner of model " + ", ".join(map(str, row["models"])))
    if row["datanets"]:
        parts.append("contributor of DataNet " + ", ".join(map(str, row["datanets"])))
    return "; ".join(parts) or "payer of jobs"
