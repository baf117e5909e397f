"""The execution layer's parameters of a chain: the `config` object of geth's genesis.json."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rollup.protocol.blob_schedule import PRAGUE_FROM_GENESIS, L1Forks, l1_fork_at
from rollup.protocol.forks import Fork, ForkSchedule, L1Fork
from rollup.protocol.predeploys import BASE_FEE_VAULT
from rollup.protocol.primitives import Address

if TYPE_CHECKING:  # it needs a block's context, which has a config
    from rollup.execution.irregular import IrregularChange


class ChainConfigError(ValueError):
    """A chain config that is malformed or not supported; the message names the key."""


@dataclass(slots=True, frozen=True)
class AttributionConfig:
    """How the attribution account is run: natively or as the Solidity twin's code, from a time in seconds."""

    mode: str = "native"
    time: int = 0


@dataclass(slots=True, frozen=True)
class L1Config:
    """An L1, with Prague's rules from genesis by default.

    forks: forks with their activation times in seconds, oldest first, one of them active at genesis.
    irregular: what some blocks change in the state before their transactions.
    """

    chain_id: int
    gas_limit: int = 60_000_000
    forks: L1Forks = PRAGUE_FROM_GENESIS
    irregular: "tuple[IrregularChange, ...]" = ()

    def fork_at(self, timestamp: int) -> L1Fork:
        """The newest fork active at a time."""
        return l1_fork_at(self.forks, timestamp)


@dataclass(slots=True, frozen=True)
class ChainVariant:
    """Settings by which other OP Stack chains differ: where base fees go, the least base fee in wei before
    Jovian, whether there is an L1 data fee."""

    base_fee_recipient: Address = BASE_FEE_VAULT
    base_fee_floor: int = 0
    has_l1_fee: bool = True


@dataclass(slots=True, frozen=True)
class L2Config:
    """An OP chain: its forks, its EIP-1559 constants, its attribution."""

    chain_id: int
    forks: ForkSchedule
    eip1559_elasticity: int = 6
    eip1559_denominator: int = 50
    eip1559_denominator_canyon: int = 250
    attribution: AttributionConfig | None = None
    variant: ChainVariant = ChainVariant()
    irregular: "tuple[IrregularChange, ...]" = ()  # in addition to those of every OP chain (irregular.CHAIN_CHANGES)

    def fork_at(self, timestamp: int) -> Fork:
        """The newest fork active at a time."""
        return self.forks.at(timestamp)

    def is_native_attribution(self, timestamp: int) -> bool:
        """The attribution precompile runs natively in a block of this time."""
        attribution = self.attribution
        return attribution is not None and attribution.mode == "native" and timestamp >= attribution.time

    def denominator_at(self, timestamp: int) -> int:
        """The base fee change denominator before Holocene, and where the SystemConfig leaves it at 0."""
        # spec: canyon.denominator
        return self.eip1559_denominator_canyon if self.fork_at(timestamp) >= Fork.CANYON else self.eip1559_denominator

    @classmethod
    def from_genesis_json(cls, config: Mapping[str, Any], attribution: Any = None) -> "L2Config":
        """Reads genesis.json's `config` and `attribution` next to it; raises ChainConfigError naming the key."""
        # spec: fees.chain-parameters
        optimism = config.get("optimism")
        if not isinstance(optimism, Mapping):
            raise ChainConfigError("optimism: an object is expected (is this an OP chain's genesis?)")
        times = {}
        for fork in Fork:
            value = config.get(f"{fork.name.lower()}Time")
            if fork != Fork.BEDROCK and value is not None:
                times[fork.name.lower()] = _number(config, f"{fork.name.lower()}Time")
        if "canyon" in times and "delta" not in times:
            times["delta"] = times["canyon"]  # geth knows no Delta: it is derivation's alone
        return cls(
            chain_id=_number(config, "chainId"),
            forks=ForkSchedule(**times),
            eip1559_elasticity=_number(optimism, "eip1559Elasticity"),
            eip1559_denominator=_number(optimism, "eip1559Denominator"),
            eip1559_denominator_canyon=_number(optimism, "eip1559DenominatorCanyon", 250),
            attribution=None if attribution is None else _attribution(attribution),
        )


def _attribution(value: Any) -> AttributionConfig:
    if not isinstance(value, Mapping):
        raise ChainConfigError("attribution: an object is expected")
    mode = value.get("mode", "native")
    if mode not in ("native", "contract"):
        raise ChainConfigError("attribution.mode: native or contract is expected")
    return AttributionConfig(mode, _number(value, "time", 0))


def _number(data: Mapping[str, Any], key: str, default: int | None = None) -> int:
    value = data.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ChainConfigError(f"{key}: a number of at least 0 is expected")
    return value
