"""The values that the precompile's web3.py client takes and returns, and the error of a refused call."""

from dataclasses import dataclass
from typing import Any, Protocol

from eth_typing import ChecksumAddress

from .errors import ERRORS, explain
from .terms import Price, Split


class AttributionError(Exception):
    """The precompile refused a call. `data` is the revert data, `name` the typed error's name or an empty string."""

    def __init__(self, data: bytes, message: str = "") -> None:
        super().__init__(message or explain(data))
        self.data = data

    @property
    def name(self) -> str:
        error = ERRORS.get(self.data[:4])
        return error.name if error else ""


class Account(Protocol):
    """The part of eth_account's LocalAccount that is used here."""

    @property
    def address(self) -> ChecksumAddress: ...

    def sign_transaction(self, transaction_dict: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Datanet:
    """The current state of a DataNet."""

    curator: ChecksumAddress
    metadata: bytes
    total_units: int
    members: int
    contributions: int


@dataclass(frozen=True, slots=True)
class Model:
    """The current state of a model. `weights` are pairs (datanetId, weight). `attributor` is zero if the owner is the
    attributor.
    """

    owner: ChecksumAddress
    attributor: ChecksumAddress
    base_model_id: int
    metadata: bytes
    price: Price
    split: Split
    weights: tuple[tuple[int, int], ...]

    @property
    def signer(self) -> ChecksumAddress:
        """The account that attests and settles: the attributor, or the owner if none is set."""
        return self.attributor if int(self.attributor, 16) else self.owner


@dataclass(frozen=True, slots=True)
class Usage:
    """A model's counters and commitments; revenue in wei."""

    inferences: int
    revenue: int
    last_time: int
    history: bytes
    training: bytes


@dataclass(frozen=True, slots=True)
class Job:
    """The current state of a job. Its state is 1 for open, 2 for settled, 3 for cancelled."""

    model_id: int
    payer: ChecksumAddress
    escrow: int
    request_hash: bytes
    deadline: int
    state: int
