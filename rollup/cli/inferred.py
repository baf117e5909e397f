"""Shows an inference as its transaction recorded it, and the accounts that were credited for it."""

from typing import Any

from rich.console import Console
from web3.types import TxReceipt

from attribution_precompile.client import decode_influence
from rollup.cli.attestation_file import influence_json
from rollup.cli.attribution_session import Session, hexed, open_amount, receipt_json, show_receipt
from rollup.cli.credited import credits_json, print_credits, print_split, read_inference
from rollup.cli.names import Names, named


def show_inference(session: Session, receipt: TxReceipt, names: Names) -> None:
    """The `Inferred` event of a receipt, and the credits of its fee where the node has an index."""
    event = next(found for name, found in session.client.events(receipt) if name == "Inferred")
    credits = credits_of(session, receipt, names)

    def render(console: Console) -> None:
        first = event["inferenceId"] - event["count"] + 1
        which = f"inference {first}" if event["count"] == 1 else f"inferences {first} to {event['inferenceId']}"
        console.print(f"{which} of model {event['modelId']}, paid by {event['payer']}: {open_amount(event['fee'])}")
        console.print(f"{event['inputTokens']:,} tokens in, {event['outputTokens']:,} out")
        _print_influence(console, event, names)
        print_credits_of(console, session, event, credits, names)
        show_receipt(console, receipt)

    session.show(inference_json(event) | {"credits": credits} | receipt_json(receipt), render)


def credits_of(session: Session, receipt: TxReceipt, names: Names) -> list[dict[str, Any]] | None:
    """The credited accounts of a transaction with one inference; None from a node without an index."""
    indexed = read_inference(session, receipt["transactionHash"].to_0x_hex())
    return None if indexed is None else credits_json(indexed, names)


def print_credits_of(
    console: Console, session: Session, event: dict[str, Any], credits: list[dict[str, Any]] | None, names: Names
) -> None:
    """The credits of an `Inferred` event, or where they are not known how the fee is split."""
    if credits is None:
        print_split(console, session, event["modelId"])
    else:
        print_credits(console, credits, event["fee"], names)


def _print_influence(console: Console, event: dict[str, Any], names: Names) -> None:
    entries = decode_influence(event["influence"])
    if not entries:
        console.print("  by the model's default weights")
    total = sum(entry.weight for entry in entries)
    for entry in entries:
        who = named(entry.contributor, names) if entry.contributor else f"the pool of DataNet {entry.datanet_id}"
        console.print(f"  {100 * entry.weight / total:6.2f} % of the data share to {who}", markup=False)


def inference_json(event: dict[str, Any]) -> dict[str, Any]:
    """The event for programs."""
    hashes = {name: hexed(event[name]) for name in ("requestHash", "responseHash", "evidence")}
    numbers = {name: event[name] for name in ("modelId", "inferenceId", "count", "inputTokens", "outputTokens")}
    return {
        **numbers,
        "payer": event["payer"],
        "fee": str(event["fee"]),
        **hashes,
        "influence": influence_json(event["influence"]),
    }
