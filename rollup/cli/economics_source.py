"""Where the economics read a model from: a YAML file, or a chain by its id."""

from dataclasses import dataclass
from pathlib import Path

import click

from rollup.economics.builder import Model
from rollup.economics.chain_model import model_of_chain, paid_fee
from rollup.economics.chain_terms import ChainTerms
from rollup.economics.shape import DEFAULT_PLATFORM_BPS, Level, Shape
from rollup.inputs.model_file import ModelFile, read_model
from rollup.inputs.values import parse_amount
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient


@dataclass(slots=True, frozen=True)
class Source:
    """The model, and the chain that was asked (None if none was)."""

    model: Model
    chain: ChainTerms | None


def read_source(name: str, rpc_url: str | None, default_url: str, tokens: tuple[int, int], fee: str | None) -> Source:
    """The model of a file or an id. Raises EconomicsError, FieldError or ClickException."""
    by_id = name.isascii() and name.isdigit()
    file = None if by_id else read_model(Path(name))
    url = rpc_url or (default_url if by_id else None)
    chain = None if url is None else ChainTerms(JsonRpcClient(HttpEndpoint(url)))
    if file is not None:
        return Source(_of_file(file, Path(name), chain, tokens, fee), chain)
    assert chain is not None
    return Source(model_of_chain(chain, int(name), tokens, _wei(fee)), chain)


def quoted(per_call: int, per_kilo_input: int, per_kilo_output: int, tokens: tuple[int, int]) -> int:
    """The least fee [wei] of one inference (docs/attribution.md): each product is floored by itself."""
    return per_call + per_kilo_input * tokens[0] // 1_000 + per_kilo_output * tokens[1] // 1_000


def _of_file(file: ModelFile, path: Path, chain: ChainTerms | None, tokens: tuple[int, int], fee: str | None) -> Model:
    weights = tuple(weight for _, weight in file.weights)
    first = Level(file.split.owner_bps, file.split.lineage_bps, file.split.data_bps, weights)
    if chain is not None and file.base_model_id:
        levels = (first, *chain.levels(file.base_model_id))
    elif file.split.lineage_bps:
        levels = (first, Level())  # the base model's own split is on a chain: an ordinary one is assumed
    else:
        levels = (first,)
    platform = DEFAULT_PLATFORM_BPS if chain is None else chain.platform_bps()
    price = file.price
    quote = quoted(price.per_call, price.per_kilo_input, price.per_kilo_output, tokens)
    found, source = paid_fee(_wei(fee), quote, tokens, path)
    return Model(file.name or str(path), Shape(levels, platform), found, source)


def _wei(fee: str | None) -> int | None:
    """The fee that --fee gives [wei]."""
    try:
        return None if fee is None else parse_amount(fee)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--fee") from error
