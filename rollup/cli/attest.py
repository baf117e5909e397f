"""`openrollup attest`: the attributor's word for one inference, to be paid by somebody else."""

from typing import Any

import click
from coincurve import PrivateKey
from eth_account.signers.local import LocalAccount

from attribution_precompile.client import Attestation, sign_attestation
from rollup.cli.answer import Answer, answer_options, take_answer
from rollup.cli.attestation_file import SignedAttestation
from rollup.cli.attribution_session import Session, with_account, with_session
from rollup.cli.attribution_values import ADDRESS, DURATION, ID, UINT64
from rollup.cli.safe_text import echo_json


@click.command("attest")
@click.argument("model", type=ID)
@click.option("--payer", type=ADDRESS, required=True, help="Account that may use the attestation and pays.")
@click.option(
    "--deadline",
    default="1h",
    show_default=True,
    type=DURATION,
    help="How long it is valid, from the time of the head.",
)
@click.option("--nonce", type=UINT64, help="Nonce of the payer; the next one by default.")
@answer_options
@with_session
@with_account
def command(
    model: int,
    payer: str,
    deadline: int,
    nonce: int | None,
    session: Session,
    account: LocalAccount,
    **options: Any,
) -> None:
    """Sign an attestation of one inference (EIP-712): JSON for `openrollup infer --attestation`.

    The account is the model's attributor. Nothing is sent to the chain.
    """
    answer = take_answer(options).resolve(session.client, model)
    signed = sign(session, account, model, payer, answer, deadline, nonce)
    echo_json(signed.to_json(), indent=None if session.as_json else 2)


def sign(
    session: Session,
    attributor: LocalAccount,
    model_id: int,
    payer: str,
    answer: Answer,
    seconds: int,
    nonce: int | None = None,
) -> SignedAttestation:
    """Signs for `payer`, valid for `seconds` from the time of the head. Only the attributor may (ClickException)."""
    expected = session.client.model(model_id).signer
    if attributor.address != expected:
        raise click.ClickException(
            f"the attributor of model {model_id} is {expected}, not {attributor.address}: its key must sign"
        )
    attestation = Attestation(
        model_id,
        payer,
        session.client.nonce(payer) if nonce is None else nonce,
        session.now() + seconds,
        answer.input_tokens,
        answer.output_tokens,
        answer.request_hash,
        answer.response_hash,
        answer.evidence,
    )
    signature = sign_attestation(PrivateKey(bytes(attributor.key)), attestation, answer.influence, session.chain_id)
    return SignedAttestation(session.chain_id, attestation, answer.influence, signature)
