"""The parameters of a market: users on one side, models on the other. All amounts in OPEN, all rates per month."""

from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Any, Final

from rollup.economics.errors import EconomicsError

MAX_MODELS, MAX_MONTHS = 10_000, 600


@dataclass(slots=True, frozen=True)
class Market:
    """Defaults are assumptions (docs/economics-simulations.md, Parameters) but for what a caller takes from a chain:
    fee, gas, platform and owner share."""

    fee: float = 0.0125  # OPEN per query
    gas: float = 0.00098  # OPEN per query, in addition to the fee, paid by the user
    platform: float = 0.05  # of the fee
    owner: float = 0.30  # of the rest
    cost_per_query: float = 0.0  # OPEN, the owner's
    hosting: float = 10.0  # OPEN per month and model
    users: float = 1_000.0
    max_users: float = 20_000.0
    queries_per_user: float = 10.0  # per month, at the reference price
    growth: float = 0.30  # of users, at full coverage and a price of 0
    churn: float = 0.05
    coverage_models: float = 50.0  # models with which a user finds 63 % of what is wanted
    max_price: float = 0.25  # OPEN per query at which nobody joins
    reference_price: float = 0.01348  # OPEN per query at which queries_per_user holds
    elasticity: float = -1.11
    zipf: float = 1.0
    dispersion: float = 0.0  # 0: Poisson; else the variance of a gamma factor of mean 1
    models: int = 100
    max_models: int = 400
    entry: float = 0.02  # new models per month and per OPEN of mean profit over hosting
    exit: float = 0.5  # chance to leave after `patience` losing months
    patience: int = 3
    queries_per_month: float = 0.0  # above 0: the whole market's demand, whatever its users

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
                raise EconomicsError(f"{field.name} is not a number: {value!r}")
            if value < 0 and field.name != "elasticity":
                raise EconomicsError(f"{field.name} is negative: {value!r}")
        for name in ("platform", "owner", "exit"):
            if getattr(self, name) > 1:
                raise EconomicsError(f"{name} is a share, from 0 to 1: {getattr(self, name)!r}")
        if not 0 < self.models <= self.max_models <= MAX_MODELS:
            raise EconomicsError(f"a market has 1 to {MAX_MODELS:,} models, and not more than max_models")
        if min(self.reference_price, self.max_price, self.max_users, self.coverage_models) <= 0:
            raise EconomicsError("reference_price, max_price, max_users and coverage_models are above 0")

    def with_values(self, values: dict[str, Any]) -> "Market":
        """A market with some parameters changed; EconomicsError for an unknown parameter."""
        unknown = sorted(set(values) - set(PARAMETERS))
        if unknown:
            raise EconomicsError(f"a market has no parameter {unknown[0]!r}; it has {', '.join(PARAMETERS)}")
        kinds = {field.name: field.type for field in fields(self)}
        for name, value in values.items():
            if kinds[name] is int and not (isinstance(value, int) and not isinstance(value, bool)):
                raise EconomicsError(f"{name} is a whole number, not {value!r}")
        return replace(self, **values)

    @property
    def price(self) -> float:
        """The price of a query for its user, gas included [OPEN]."""
        return self.fee + self.gas

    @property
    def margin(self) -> float:
        """The amount that a query leaves the owner [OPEN]."""
        return (1 - self.platform) * self.owner * self.fee - self.cost_per_query


PARAMETERS: Final = tuple(field.name for field in fields(Market))
