"""`openrollup job`: pay first, be answered later."""

from pathlib import Path
from typing import Any, Final

import click
from eth_account.signers.local import LocalAccount
from rich.console import Console
from web3.types import TxReceipt

from attribution_precompile.client import ZERO_HASH
from attribution_precompile.client import Job as JobRecord
from rollup.cli.answer import answer_options, read_text_file, take_answer
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
from rollup.cli.attribution_values import ADDRESS, AMOUNT, DURATION, HASH, ID
from rollup.cli.columns import print_columns
from rollup.cli.inferred import credits_of, inference_json, print_credits_of
from rollup.cli.names import Names, names_of, with_names
from rollup.protocol.primitives import keccak256

_LONGEST_SECONDS: Final = 30 * 24 * 3_600
_STATES: Final = {1: "open", 2: "settled", 3: "cancelled"}


@click.group("job")
def command() -> None:
    """Manage jobs: the fee is held until the attributor answers or the deadline passes."""


@command.command("open", short_help="Request an answer and hold the fee.")
@click.argument("model", type=ID)
@click.option("--escrow", type=AMOUNT, required=True, help="The highest fee, such as 0.05open.")
@click.option("--request", type=click.Path(path_type=Path), help="Text file with the question.")
@click.option("--request-hash", type=HASH, help="Hash of the question, instead of --request.")
@click.option(
    "--deadline",
    default="1h",
    show_default=True,
    type=DURATION,
    help="Time to answer, from the time of the head; at most 30d.",
)
@with_session
@with_account
def open_job(
    model: int,
    escrow: int,
    request: Path | None,
    request_hash: bytes | None,
    deadline: int,
    session: Session,
    account: LocalAccount,
) -> None:
    """Request an answer from MODEL and hold the fee."""
    if request is not None and request_hash is not None:
        raise click.UsageError("give --request or --request-hash, not both")
    asked = ZERO_HASH if request is None else keccak256(read_text_file(request).encode())
    if deadline > _LONGEST_SECONDS:
        raise click.ClickException("a deadline is at most 30d ahead")
    arguments = (model, request_hash or asked, session.now() + deadline)
    receipt = session.client.send(account, "request", *arguments, value=escrow)
    event = _event(session, receipt, "JobRequested")
    _show(session, event["jobId"], receipt)


@command.command("settle", short_help="Answer a job; the fee is split.")
@click.argument("job", type=ID)
@answer_options
@with_names()
@with_session
@with_account
def settle(job: int, names: Names, session: Session, account: LocalAccount, **options: Any) -> None:
    """Answer a job as the attributor: the fee is split, and the rest of the escrow becomes the payer's credit."""
    if options["request"] is not None or options["request_hash"] is not None:
        raise click.UsageError("what was asked is in the job already")
    found = session.client.job(job)
    given = take_answer(options)
    answer = given.resolve(session.client, found.model_id)
    receipt = session.client.send(
        account,
        "settle",
        job,
        answer.input_tokens,
        answer.output_tokens,
        answer.response_hash,
        answer.evidence,
        list(answer.influence),
    )
    settled, inferred = _event(session, receipt, "JobSettled"), _event(session, receipt, "Inferred")
    if given.texts is not None:
        names = {**names_of(given.texts), **names}
    credits = credits_of(session, receipt, names)

    def render(console: Console) -> None:
        console.print(f"job {job} is settled: inference {settled['inferenceId']} of model {found.model_id}")
        console.print(f"fee {open_amount(settled['fee'])}, {open_amount(settled['refund'])} back to {found.payer}")
        print_credits_of(console, session, inferred, credits, names)
        show_receipt(console, receipt)

    result = {"jobId": job, "refund": str(settled["refund"])} | inference_json(inferred) | {"credits": credits}
    session.show(result | receipt_json(receipt), render)


@command.command("cancel", short_help="Take the escrow back after the deadline.")
@click.argument("job", type=ID)
@with_session
@with_account
def cancel(job: int, session: Session, account: LocalAccount) -> None:
    """Take the escrow of an unanswered job back, after its deadline; it goes to the payer's credit (see claim)."""
    receipt = session.client.send(account, "cancel", job)
    _show(session, job, receipt, refund=_event(session, receipt, "JobCancelled")["refund"])


@command.command("show")
@click.argument("job", type=ID)
@with_session
def show(job: int, session: Session) -> None:
    """Show a job: its model, payer, escrow, deadline and state."""
    _show(session, job)


@command.command("list", short_help="List all jobs and their states.")
@click.option("--model", type=ID, help="Only jobs of this model.")
@click.option("--payer", type=ADDRESS, help="Only jobs of this payer.")
@with_session
def list_jobs(model: int | None, payer: str | None, session: Session) -> None:
    """List all jobs, including closed ones, and their states."""
    events = History(session.client).events("JobRequested", None, model, None if payer is None else int(payer, 16))
    jobs = [(event["jobId"], session.client.job(event["jobId"])) for _, event in events]

    def render(console: Console) -> None:
        if not jobs:
            console.print("no jobs")
            return
        rows = [
            (str(i), str(job.model_id), open_amount(job.escrow), str(job.deadline), _STATES[job.state], job.payer)
            for i, job in jobs
        ]
        header = ("job", "model", "escrow", "deadline", "state", "payer")
        print_columns(console, rows, header=header, right=(0, 1, 2, 3))

    session.show({"jobs": [_json(ident, found) for ident, found in jobs]}, render)


def _event(session: Session, receipt: TxReceipt, name: str) -> dict[str, Any]:
    return next(arguments for found, arguments in session.client.events(receipt) if found == name)


def _show(session: Session, job_id: int, receipt: TxReceipt | None = None, refund: int | None = None) -> None:
    found = session.client.job(job_id)

    def render(console: Console) -> None:
        console.print(f"job {job_id} of model {found.model_id} is {_STATES[found.state]}, asked by {found.payer}")
        if refund is not None:
            console.print(f"{open_amount(refund)} back to the credit of {found.payer}")
        else:
            console.print(f"escrow {open_amount(found.escrow)}, deadline {found.deadline} (unix seconds)")
        if found.request_hash != ZERO_HASH:
            console.print(f"request {hexed(found.request_hash)}")
        if receipt is not None:
            show_receipt(console, receipt)

    result = _json(job_id, found) | ({} if refund is None else {"refund": str(refund)})
    session.show(result | ({} if receipt is None else receipt_json(receipt)), render)


def _json(job_id: int, job: JobRecord) -> dict[str, Any]:
    return {
        "jobId": job_id,
        "modelId": job.model_id,
        "payer": job.payer,
        "escrow": str(job.escrow),
        "requestHash": hexed(job.request_hash),
        "deadline": job.deadline,
        "state": _STATES[job.state],
    }
