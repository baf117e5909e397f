"""`openrollup inference`: one inference, and who got how much of its fee."""

from pathlib import Path

import click
from rich.console import Console

from rollup.cli.attribution_session import Session, open_amount, with_session
from rollup.cli.attribution_values import ID
from rollup.cli.credits import credits_of, print_credits
from rollup.cli.people import names_of


@click.command("inference")
@click.argument("model", type=ID)
@click.argument("number", type=ID)
@click.option("--texts", type=click.Path(path_type=Path), help="A folder with a dataset.yaml: names for its addresses.")
@with_session
def command(model: int, number: int, texts: Path | None, session: Session) -> None:
    """Inference NUMBER of MODEL: everyone who was credited, as what, and how much. It needs a node with open_."""
    credits = credits_of(session, hex(model), hex(number))
    if credits is None:
        raise click.ClickException(f"{session.url} has no index (open_getInference): it cannot say who was credited")
    names, fee = names_of(texts), sum(int(item["amount"]) for item in credits)

    def render(console: Console) -> None:
        console.print(f"inference {number} of model {model}: {open_amount(fee)}")
        print_credits(console, credits, names)

    session.show({"modelId": model, "inferenceId": number, "fee": str(fee), "credits": credits}, render)
