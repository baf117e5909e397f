"""`openrollup model`: models, their price, and the DataNets they learned from."""

from pathlib import Path
from typing import Any

import click
from eth_account.signers.local import LocalAccount
from rich.console import Console

from attribution_precompile.client import ZERO_HASH, Model, Price
from rollup.cli.attribution_history import History
from rollup.cli.attribution_session import (
    Session,
    hexed,
    open_amount,
    receipt_json,
    show_receipt,
    with_account,
    with_session,
)
from rollup.cli.attribution_values import ADDRESS, AMOUNT, HASH, ID, UINT64
from rollup.cli.columns import print_columns
from rollup.cli.credited import print_split, split_text
from rollup.cli.safe_text import echo
from rollup.inputs.model_file import NOBODY, ModelFile, read_model


@click.group("model")
def command() -> None:
    """Manage models: the price of an inference and the split of its fee."""


@command.command("register", short_help="Register the model of a YAML file.")
@click.argument("file", type=click.Path(path_type=Path))
@with_session
@with_account
def register(file: Path, session: Session, account: LocalAccount) -> None:
    """Register the model that FILE (YAML) describes; the sender owns it."""
    model = read_model(file)
    params = (
        model.metadata,
        model.base_model_id,
        model.attributor,
        _tuple(model.price),
        (model.split.owner_bps, model.split.lineage_bps, model.split.data_bps),
        list(model.weights),
    )
    known = _identical(session, account.address, model)
    for twin in known:
        echo(f"Warning: model {twin} is the same already; this registers another.", err=True)
    if model.base_model_id and not model.split.lineage_bps:
        note = f"Note: model {model.base_model_id}, the base model, gets nothing: the split's lineage is 0"
        echo(note, err=True)
    receipt = session.client.send(account, "registerModel", params)
    model_id = next(found for name, found in session.client.events(receipt) if name == "ModelRegistered")["modelId"]
    attributor = account.address if model.attributor == NOBODY else model.attributor

    def render(console: Console) -> None:
        name = f" ({model.name})" if model.name else ""
        console.print(f"model {model_id}{name}, owned by {account.address}, attributor {attributor}", markup=False)
        print_split(console, session, model_id)
        show_receipt(console, receipt)

    result = {"modelId": model_id, "owner": account.address, "attributor": attributor, "sameAs": known}
    session.show(result | {"metadata": hexed(model.metadata)} | receipt_json(receipt), render)


@command.command("show", short_help="Show owner, price, split, DataNets and usage.")
@click.argument("model", type=ID)
@with_session
def show(model: int, session: Session) -> None:
    """Show the owner, price, split, DataNets and earnings of a model."""
    found, usage = session.client.model(model), session.client.usage(model)
    _, _, platform = session.client.platform()

    def render(console: Console) -> None:
        console.print(f"model {model}")
        used = [
            ("inferences", f"{usage.inferences:,}"),
            ("revenue", open_amount(usage.revenue)),
            ("history", _commitment(usage.history)),
            ("training", _commitment(usage.training)),
        ]
        print_columns(console, _rows(found, platform) + used)

    result = {
        "modelId": model,
        "owner": found.owner,
        "attributor": found.signer,
        "baseModelId": found.base_model_id,
        "metadata": hexed(found.metadata),
        "price": _price_json(found.price),
        "split": {
            "ownerBps": found.split.owner_bps,
            "lineageBps": found.split.lineage_bps,
            "dataBps": found.split.data_bps,
        },
        "platformBps": platform,
        "weights": [{"datanetId": ident, "weight": weight} for ident, weight in found.weights],
        "usage": {
            "inferences": usage.inferences,
            "revenue": str(usage.revenue),
            "lastTime": usage.last_time,
            "history": hexed(usage.history),
            "training": hexed(usage.training),
        },
    }
    session.show(result, render)


@command.command("price", short_help="Show or set the price; quote an inference.")
@click.argument("model", type=ID)
@click.option("--per-call", type=AMOUNT, help="Price per call, such as 0.01open, 5gwei, 1000 (wei).")
@click.option("--per-kilo-input", type=AMOUNT, help="Price per thousand input tokens.")
@click.option("--per-kilo-output", type=AMOUNT, help="Price per thousand output tokens.")
@click.option("--input-tokens", type=UINT64, help="Quote an inference with this many input tokens.")
@click.option("--output-tokens", type=UINT64, help="Quote an inference with this many output tokens.")
@with_session
@with_account
def price(
    model: int,
    per_call: int | None,
    per_kilo_input: int | None,
    per_kilo_output: int | None,
    input_tokens: int | None,
    output_tokens: int | None,
    session: Session,
    account: LocalAccount,
) -> None:
    """Show a model's price, set it (prices that are not given stay), or quote an inference of a given size."""
    current = session.client.model(model).price
    result: dict[str, Any] = {"modelId": model}
    receipt = None
    if any(part is not None for part in (per_call, per_kilo_input, per_kilo_output)):
        current = Price(
            current.per_call if per_call is None else per_call,
            current.per_kilo_input if per_kilo_input is None else per_kilo_input,
            current.per_kilo_output if per_kilo_output is None else per_kilo_output,
        )
        if any(part >> 96 for part in _tuple(current)):
            raise click.ClickException("a price is below 2^96 wei")
        receipt = session.client.send(account, "setPrice", model, _tuple(current))
        result |= receipt_json(receipt)
    result["price"] = _price_json(current)
    if input_tokens is not None or output_tokens is not None:
        result["quote"] = str(session.client.quote(model, input_tokens or 0, output_tokens or 0))

    def render(console: Console) -> None:
        console.print(f"model {model}: {_price_text(current)}")
        if "quote" in result:
            console.print(f"{input_tokens or 0:,} tokens in, {output_tokens or 0:,} out: {_quoted(result)}")
        if receipt is not None:
            show_receipt(console, receipt)

    session.show(result, render)


@command.command("set-attributor", short_help="Set the account that signs attestations.")
@click.argument("model", type=ID)
@click.argument("attributor", type=ADDRESS)
@with_session
@with_account
def set_attributor(model: int, attributor: str, session: Session, account: LocalAccount) -> None:
    """Set the account that signs attestations and settles jobs; the zero address means the owner."""
    receipt = session.client.send(account, "setAttributor", model, attributor)
    named = session.client.model(model).signer

    def render(console: Console) -> None:
        console.print(f"attributor of model {model} is {named}")
        show_receipt(console, receipt)

    session.show({"modelId": model, "attributor": named} | receipt_json(receipt), render)


@command.command("train")
@click.argument("model", type=ID)
@click.argument("step", type=UINT64)
@click.option("--checkpoint", type=HASH, required=True, help="Commitment to the weights after the step.")
@click.option("--data-root", type=HASH, required=True, help="Commitment to the data of the step.")
@with_session
@with_account
def train(model: int, step: int, checkpoint: bytes, data_root: bytes, session: Session, account: LocalAccount) -> None:
    """Record a training step, higher than the last."""
    receipt = session.client.send(account, "recordTraining", model, step, checkpoint, data_root)
    training = session.client.usage(model).training

    def render(console: Console) -> None:
        console.print(f"step {step:,} of model {model}; training history {hexed(training)}")
        show_receipt(console, receipt)

    session.show({"modelId": model, "step": step, "training": hexed(training)} | receipt_json(receipt), render)


def _identical(session: Session, owner: str, wanted: ModelFile) -> list[int]:
    """The owner's models that are equal to the file."""
    history = History(session.client)
    named = {
        item["modelId"]
        for _, item in history.events("ModelRegistered", None, int(owner, 16))
        if bytes(item["metadata"]) == wanted.metadata and item["baseModelId"] == wanted.base_model_id
    }
    found = []
    for ident in sorted(named):
        model = session.client.model(ident)
        same = (model.price, model.split, model.weights) == (wanted.price, wanted.split, wanted.weights)
        if same and model.owner == owner and model.attributor == wanted.attributor:
            found.append(ident)
    return found


def _tuple(price: Price) -> tuple[int, int, int]:
    return price.per_call, price.per_kilo_input, price.per_kilo_output


def _price_json(price: Price) -> dict[str, str]:
    names = ("perCall", "perKiloInput", "perKiloOutput")
    return {name: str(wei) for name, wei in zip(names, _tuple(price), strict=True)}


def _price_text(price: Price) -> str:
    call, given, made = map(open_amount, _tuple(price))
    return f"{call} a call, {given} a thousand tokens in, {made} a thousand tokens out"


def _quoted(result: dict[str, Any]) -> str:
    return open_amount(int(result["quote"]))


def _rows(model: Model, platform: int) -> list[tuple[str, str]]:
    return [
        ("owner", model.owner),
        ("attributor", model.signer + (" (the owner)" if model.signer == model.owner else "")),
        ("base model", str(model.base_model_id) if model.base_model_id else "none"),
        ("metadata", hexed(model.metadata)),
        ("price", _price_text(model.price)),
        ("split", split_text(platform, model.split)),
        ("DataNets", ", ".join(f"{ident} (weight {weight})" for ident, weight in model.weights)),
    ]


def _commitment(value: bytes) -> str:
    return "nothing yet" if value == ZERO_HASH else hexed(value)
