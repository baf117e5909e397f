"""`openrollup inference`: one inference of a model, the accounts it paid, and its place in the chain."""

from typing import Any

import click
from eth_utils.address import to_checksum_address
from rich.console import Console

from rollup.cli.attribution_session import Session, open_amount, with_session
from rollup.cli.attribution_values import ID
from rollup.cli.counted import counted
from rollup.cli.credited import credits_json, print_credits, read_inference
from rollup.cli.names import Names, with_names


@click.command("inference")
@click.argument("model", type=ID)
@click.argument("number", type=ID)
@with_names("--texts")
@with_session
def command(model: int, number: int, names: Names, session: Session) -> None:
    """Show inference NUMBER of MODEL: payer, fee, gas, all credited accounts, and the batch that carried it to L1.

    The node must have an index (open_getInference), such as `openrollup run`.
    """
    found = read_inference(session, hex(model), hex(number))
    if found is None:
        used = session.client.usage(model).inferences
        if number > used:
            raise click.ClickException(
                f"model {model} has {counted(used, 'inference')}: there is no inference {number:,}"
            )
        raise click.ClickException(f"{session.url} does not answer open_getInference: it has no index, or builds it")
    result = _result(found, names)
    session.show(result, lambda console: _render(console, result, names))


def _result(found: dict[str, Any], names: Names) -> dict[str, Any]:
    """The answer for programs: ids and counts as numbers, wei in decimal strings."""
    numbers = ("modelId", "inferenceId", "count", "inputTokens", "outputTokens", "timestamp", "blockNumber")
    hashes = ("requestHash", "responseHash", "evidence", "transactionHash", "blockHash")
    return {
        **{name: int(found[name], 16) for name in numbers},
        "payer": to_checksum_address(found["payer"]),
        "fee": str(int(found["fee"], 16)),
        "isSelfPaid": found["isSelfPaid"],
        **{name: found[name] for name in hashes},
        "gas": {name: str(int(value, 16)) for name, value in found["gas"].items()},
        "credits": credits_json(found, names),
        "safety": found["safety"],
        "batch": found["batch"] and found["batch"]["transactionHash"],
    }


def _render(console: Console, result: dict[str, Any], names: Names) -> None:
    first = result["inferenceId"] - result["count"] + 1
    which = f"inference {first}" if result["count"] == 1 else f"inferences {first} to {result['inferenceId']}"
    console.print(f"{which} of model {result['modelId']}, paid by {result['payer']}: {open_amount(int(result['fee']))}")
    if result["isSelfPaid"]:
        console.print("the payer is among those who were credited")
    console.print(f"{result['inputTokens']:,} tokens in, {result['outputTokens']:,} out")
    print_credits(console, result["credits"], int(result["fee"]), names)
    console.print(f"gas in addition to the fee {open_amount(int(result['gas']['total']))}")
    console.print(f"transaction {result['transactionHash']} in block {result['blockNumber']}, {result['safety']}")
    batch = "no batch yet" if result["batch"] is None else f"batch {result['batch']} on L1"
    console.print(batch)
