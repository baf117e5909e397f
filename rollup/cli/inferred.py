"""An inference as its transaction recorded it, shown."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from web3.types import TxReceipt

from attribution_precompile.client import decode_influence
from rollup.cli.attestation_file import influence_json
from rollup.cli.attribution_session import Session, hexed, open_amount, receipt_json, show_receipt
from rollup.cli.credits import credits_of, print_credits


def show_inference(session: Session, receipt: TxReceipt, names: Mapping[str, str] | None = None) -> None:
    """The `Inferred` event of a receipt, and who got how much where the node has an index; `names` are by address."""
    event = next(found for name, found in session.client.events(receipt) if name == "Inferred")
    credits = credits_of(session, receipt["transactionHash"].to_0x_hex())

    def render(console: Console) -> None:
        first = event["inferenceId"] - event["count"] + 1
        which = f"inference {first}" if event["count"] == 1 else f"inferences {first} to {event['inferenceId']}"
        console.print(f"{which} of model {event['modelId']}, paid by {event['payer']}: {open_amount(event['fee'])}")
        console.print(f"{event['inputTokens']:,} tokens in, {event['outputTokens']:,} out")
        total = sum(entry.weight for entry in decode_influence(event["influence"]))
        if not event["influence"]:
            console.print("  by the model's default weights")
        for entry in decode_influence(event["influence"]):
            who = entry.contributor or f"the pool of DataNet {entry.datanet_id}"
            console.print(f"  {100 * entry.weight / total:6.2f} % of the data share to {who}")
        if credits is not None:
            print_credits(console, credits, names or {})
        show_receipt(console, receipt)

    session.show(inference_json(event) | {"credits": credits} | receipt_json(receipt), render)


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
