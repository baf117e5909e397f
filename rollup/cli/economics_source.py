"""Where the economics read a model from: a YAML file, or a chain by its id."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from rollup.cli.attribution_session import Session, connect, explained
from rollup.cli.attribution_values import parse_amount
from rollup.cli.model_file import ModelFile, read_model
from rollup.economics.builder import Model
from rollup.economics.errors import EconomicsError
from rollup.economics.shape import DEFAULT_PLATFORM_BPS, MAX_ANCESTORS, Level, Shape
from rollup.economics.units import open_text


@dataclass(slots=True, frozen=True)
class Source:
    """The model, and the chain that was asked (None if none was)."""

    model: Model
    session: Session | None


def read_source(name: str, rpc_url: str | None, default_url: str, tokens: tuple[int, int], fee: str | None) -> Source:
    """The model of a file or an id. Raises EconomicsError, FieldError or ClickException."""
    by_id = name.isascii() and name.isdigit()
    file = None if by_id else read_model(Path(name))
    url = rpc_url or (default_url if by_id else None)
    with explained(url):
        session = None if url is None else connect(url, None, False)
        if file is not None:
            return Source(_of_file(file, Path(name), session, tokens, fee), session)
        assert session is not None
        return Source(_of_chain(session, int(name), tokens, fee), session)


def quoted(per_call: int, per_kilo_input: int, per_kilo_output: int, tokens: tuple[int, int]) -> int:
    """The least fee [wei] of one inference (docs/attribution.md): each product is floored by itself."""
    return per_call + per_kilo_input * tokens[0] // 1_000 + per_kilo_output * tokens[1] // 1_000


def _of_file(file: ModelFile, path: Path, session: Session | None, tokens: tuple[int, int], fee: str | None) -> Model:
    weights = tuple(weight for _, weight in file.weights)
    first = Level(file.split.owner_bps, file.split.lineage_bps, file.split.data_bps, weights)
    if session is not None and file.base_model_id:
        levels = (first, *_levels(session, file.base_model_id))
    elif file.split.lineage_bps:
        levels = (first, Level())  # the base model's own split is on a chain: an ordinary one is assumed
    else:
        levels = (first,)
    platform = DEFAULT_PLATFORM_BPS if session is None else session.client.platform()[2]
    price = file.price
    found, source = _fee(fee, quoted(price.per_call, price.per_kilo_input, price.per_kilo_output, tokens), tokens, path)
    return Model(file.name or str(path), Shape(levels, platform), found, source)


def _of_chain(session: Session, ident: int, tokens: tuple[int, int], fee: str | None) -> Model:
    levels = tuple(_levels(session, ident))
    quote = session.client.quote(ident, *tokens)
    found, source = _fee(fee, quote, tokens, f"model {ident} of chain {session.chain_id}")
    return Model(f"model {ident}", Shape(levels, session.client.platform()[2]), found, source)


def _levels(session: Session, ident: int) -> Iterator[Level]:
    for _ in range(1 + MAX_ANCESTORS):
        model = session.client.model(ident)
        split = model.split
        weights = tuple(weight for _, weight in model.weights)
        yield Level(split.owner_bps, split.lineage_bps, split.data_bps, weights)
        ident = model.base_model_id
        if not ident or not split.lineage_bps:
            return


def _fee(given: str | None, quote: int, tokens: tuple[int, int], where: object) -> tuple[int, str]:
    if given is None:
        if not quote:
            raise EconomicsError(f"{where} has no price: give one per query with --fee, such as --fee 0.05open")
        return quote, f"the quote of {where} for {tokens[0]:,} tokens in and {tokens[1]:,} out"
    try:
        fee = parse_amount(given)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--fee") from error
    if fee < quote:
        raise EconomicsError(
            f"a fee of {open_text(fee)} OPEN is below the quote of {where}, {open_text(quote)} OPEN: "
            "the precompile would refuse it"
        )
    return fee, "given with --fee"
