"""A model as a running chain states it, with the fee that an inference pays."""

from rollup.economics.builder import Model
from rollup.economics.chain_terms import ChainTerms
from rollup.economics.errors import EconomicsError
from rollup.economics.shape import Shape
from rollup.economics.units import open_text


def model_of_chain(chain: ChainTerms, ident: int, tokens: tuple[int, int], fee: int | None) -> Model:
    """The model `ident`, paid with its quote unless a fee [wei] is given. Raises EconomicsError."""
    shape = Shape(tuple(chain.levels(ident)), chain.platform_bps())
    found, source = paid_fee(fee, chain.quote(ident, tokens), tokens, f"model {ident} of chain {chain.chain_id}")
    return Model(f"model {ident}", shape, found, source)


def paid_fee(given: int | None, quote: int, tokens: tuple[int, int], where: object) -> tuple[int, str]:
    """The fee of an inference [wei], and its origin as text. EconomicsError for a fee below the quote, or for none."""
    if given is None and not quote:
        raise EconomicsError(f"{where} has no price: give a fee per query, such as 0.05 OPEN")
    if given is None:
        return quote, f"the quote of {where} for {tokens[0]:,} tokens in and {tokens[1]:,} out"
    if given < quote:
        raise EconomicsError(
            f"a fee of {open_text(given)} OPEN is below the quote of {where}, {open_text(quote)} OPEN: "
            "the precompile would refuse it"
        )
    return given, "given by the user"
