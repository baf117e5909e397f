"""The terms of a model as its owner writes them: the price of an inference and the split of a fee."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """Wei per call and wei per thousand tokens."""

    per_call: int = 0
    per_kilo_input: int = 0
    per_kilo_output: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """Basis points of the net fee. Their sum is 10,000."""

    owner_bps: int = 3_000
    lineage_bps: int = 0
    data_bps: int = 7_000
