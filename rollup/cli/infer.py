"""`openrollup infer`: pay for inferences, in each of the ways the precompile offers."""

from pathlib import Path
from typing import Any

import click
from eth_account.signers.local import LocalAccount
from web3.types import TxReceipt

from attribution_precompile.client import ZERO_HASH, record_hash
from rollup.cli.answer import Answer, AnswerOptions, answer_options, take_answer
from rollup.cli.attest import sign
from rollup.cli.attestation_file import SignedAttestation, read_attestation
from rollup.cli.attribution_session import Session, with_account, with_attributor, with_session
from rollup.cli.attribution_values import AMOUNT, DURATION, HASH, ID, POSITIVE
from rollup.cli.inferred import show_inference
from rollup.cli.names import Names, names_of, with_names

_UINT32 = 2**32


@click.command("infer")
@click.argument("model", type=ID)
@click.option("--fee", type=AMOUNT, help="Fee, such as 0.01open; the quote by default.")
@click.option("--compact", is_flag=True, help="Use 48 bytes of calldata, which cost the least on L1.")
@click.option("--attestation", type=click.Path(path_type=Path), help="File that `openrollup attest` wrote.")
@click.option(
    "--deadline", default="1h", show_default=True, type=DURATION, help="How long an attestation made here is valid."
)
@click.option("--count", type=POSITIVE, help="Record this many inferences at once; the sender must be the attributor.")
@click.option("--records-root", type=HASH, help="With --count: commitment to the single records.")
@answer_options
@with_names()
@with_session
@with_account
@with_attributor
def command(
    model: int,
    fee: int | None,
    compact: bool,
    attestation: Path | None,
    deadline: int,
    count: int | None,
    records_root: bytes | None,
    names: Names,
    session: Session,
    account: LocalAccount,
    attributor: LocalAccount | None,
    **options: Any,
) -> None:
    """Pay for one inference of MODEL, and credit everyone whose work it uses.

    \b
    plain        openrollup infer 1 --input-tokens 12 --output-tokens 340
    traced       openrollup infer 1 --request question.txt --output answer.txt --texts examples/medical
    by vector    openrollup infer 1 --influence 1:0x09DB…:3 --influence 1:1
    attested     openrollup infer 1 --attestation attestation.json
    compact      openrollup infer 1 --compact --input-tokens 12 --output-tokens 340
    a batch      openrollup infer 1 --count 100 --input-tokens 1200 --output-tokens 34000

    Influence must be signed by the model's attributor: give --attributor-account or
    --attributor-key, unless the payer is the attributor.
    """
    given = take_answer(options)
    if sum([compact, attestation is not None, count is not None]) > 1:
        raise click.UsageError("--compact, --attestation and --count exclude each other")
    if attestation is not None:
        _only_attested(given)
        receipt = _send_attested(session, account, _for_model(read_attestation(attestation), model, session), fee)
    else:
        answer = given.resolve(session.client, model)
        if count is not None:
            receipt = _send_batch(session, account, model, answer, count, records_root or answer.request_hash, fee)
        elif given.influence or given.texts is not None:
            if compact:
                raise click.UsageError("a compact inference has the model's default weights")
            signed = sign(session, attributor or account, model, account.address, answer, deadline)
            receipt = _send_attested(session, account, signed, fee)
        else:
            receipt = _send_default(session, account, model, answer, compact, fee)
    if given.texts is not None:
        names = {**names_of(given.texts), **names}
    show_inference(session, receipt, names)


def _only_attested(given: AnswerOptions) -> None:
    if any(getattr(given, name) for name in AnswerOptions.__slots__):
        raise click.UsageError("an attestation says everything about the answer: give no other options of it")


def _for_model(signed: SignedAttestation, model: int, session: Session) -> SignedAttestation:
    if signed.attestation.model_id != model:
        raise click.ClickException(f"the attestation is for model {signed.attestation.model_id}, not {model}")
    if signed.chain_id != session.chain_id:
        raise click.ClickException(f"the attestation is for chain {signed.chain_id}, this is {session.chain_id}")
    return signed


def _send_attested(session: Session, account: LocalAccount, signed: SignedAttestation, fee: int | None) -> TxReceipt:
    if signed.attestation.payer != account.address:
        raise click.ClickException(f"the attestation is for payer {signed.attestation.payer}, not {account.address}")
    return session.client.infer_attested(account, signed.attestation, signed.influence, signed.signature, fee)


def _send_batch(
    session: Session, account: LocalAccount, model: int, answer: Answer, count: int, root: bytes, fee: int | None
) -> TxReceipt:
    client = session.client
    price = client.model(model).price
    # As docs/attribution.md says: the price of a call for each inference, the token prices for the sums.
    quote = client.quote(model, answer.input_tokens, answer.output_tokens) + price.per_call * (count - 1)
    arguments = (model, count, answer.input_tokens, answer.output_tokens, root, list(answer.influence))
    return client.send(account, "inferBatch", *arguments, value=quote if fee is None else fee)


def _send_default(
    session: Session, account: LocalAccount, model: int, answer: Answer, compact: bool, fee: int | None
) -> TxReceipt:
    client, sizes = session.client, (answer.input_tokens, answer.output_tokens)
    if answer.evidence != ZERO_HASH:
        raise click.UsageError("--evidence goes with an influence; at the default weights there is nothing to prove")
    value = client.quote(model, *sizes) if fee is None else fee
    if not compact:
        hashes = (answer.request_hash, answer.response_hash)
        return client.send(account, "infer", model, *sizes, *hashes, value=value)
    if model >= _UINT32:
        raise click.UsageError("a compact inference names its model in 32 bits")
    record = record_hash(answer.request_hash, answer.response_hash)
    return client.infer_compact(account, model, input_tokens=sizes[0], output_tokens=sizes[1], record=record, fee=value)
