"""Prices of gas and data: a chain's own, or those of a named scenario. All in wei of OPEN; never a forecast."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from rollup.economics.errors import EconomicsError
from rollup.economics.units import GWEI
from rollup.l1.json_rpc import HttpEndpoint, JsonRpcClient
from rollup.protocol.fees import L1FeeParameters
from rollup.protocol.forks import Fork
from rollup.protocol.l1_attributes import (
    BEDROCK_SELECTOR,
    ECOTONE_SELECTOR,
    ISTHMUS_SELECTOR,
    JOVIAN_SELECTOR,
    L1Attributes,
    L1AttributesError,
)

OP_BASE_FEE_SCALAR, OP_BLOB_SCALAR = 1_368, 810_949  # op-deployer, state/deploy_config.go
OPEN_PER_ETH: Final = 15_000
_UINT32: Final = 2**32 - 1
_FORMS: Final = {
    BEDROCK_SELECTOR: Fork.BEDROCK,
    ECOTONE_SELECTOR: Fork.FJORD,
    ISTHMUS_SELECTOR: Fork.ISTHMUS,
    JOVIAN_SELECTOR: Fork.JOVIAN,
}


@dataclass(slots=True, frozen=True)
class Prices:
    """`gas` is base fee and tip [wei per gas]; `l1` has L1's base fees, in wei of OPEN already, and the scalars."""

    name: str
    gas: int
    l1: L1FeeParameters
    source: str
    is_assumption: bool = True
    fork: Fork = Fork.JOVIAN
    block: int = 0
    chain_id: int = 0

    def __post_init__(self) -> None:
        for name, value in (
            ("gas", self.gas),
            ("L1 base fee", self.l1.base_fee),
            ("blob base fee", self.l1.blob_base_fee),
        ):
            if value < 0:
                raise EconomicsError(f"the price {name} is negative: {value}")

    @classmethod
    def preset(cls, name: str) -> "Prices":
        """The prices of a named scenario. Raises EconomicsError for an unknown name.

        >>> Prices.preset("no such prices")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        rollup.economics.errors.EconomicsError: no prices are called 'no such prices': there are ...
        """
        if name not in PRESETS:
            raise EconomicsError(f"no prices are called {name!r}: there are {', '.join(PRESETS)}")
        return PRESETS[name]

    @classmethod
    def from_chain(cls, url: str) -> "Prices":
        """The prices at the head of the node at a URL. Raises EconomicsError, Temporary and RpcError."""
        return cls.of(JsonRpcClient(HttpEndpoint(url)))

    @classmethod
    def of(cls, rpc: JsonRpcClient) -> "Prices":
        """The prices at the head of the node that the client asks. Raises EconomicsError, Temporary and RpcError."""
        block = rpc.call("eth_getBlockByNumber", "latest", True)
        tip = int(rpc.call("eth_maxPriorityFeePerGas"), 16)
        return replace(prices_of_block(block, tip), chain_id=int(rpc.call("eth_chainId"), 16))

    def with_changes(self, gas: int | None, l1_base_fee: int | None, blob_base_fee: int | None) -> "Prices":
        """Prices with the user's values in place of some of them [wei]."""
        given = [name for name, value in _named(gas, l1_base_fee, blob_base_fee) if value is not None]
        if not given:
            return self
        l1 = replace(
            self.l1,
            base_fee=self.l1.base_fee if l1_base_fee is None else l1_base_fee,
            blob_base_fee=self.l1.blob_base_fee if blob_base_fee is None else blob_base_fee,
        )
        source = f"{self.source}; {' and '.join(given)} as given"
        return replace(self, gas=self.gas if gas is None else gas, l1=l1, source=source)

    def scalars_with(self, open_per_eth: int) -> tuple[int, int] | None:
        """The two L1 scalars if a chain expressed OPEN per ETH in them; None where 32 bits do not hold them.

        A chain with a gas token of its own would have to put the exchange rate there: at 15,000 OPEN per ETH the
        blob scalar does not fit, so that such a chain needs the operator fee for the rest, or a smaller unit.
        """
        scaled = (self.l1.base_fee_scalar * open_per_eth, self.l1.blob_base_fee_scalar * open_per_eth)
        return None if max(scaled) > _UINT32 else scaled


def _named(gas: int | None, l1_base_fee: int | None, blob: int | None) -> list[tuple[str, int | None]]:
    return [("gas price", gas), ("L1 base fee", l1_base_fee), ("blob base fee", blob)]


def _l1(base_fee: int, blob_base_fee: int) -> L1FeeParameters:
    return L1FeeParameters(
        base_fee=base_fee,
        blob_base_fee=blob_base_fee,
        base_fee_scalar=OP_BASE_FEE_SCALAR,
        blob_base_fee_scalar=OP_BLOB_SCALAR,
    )


PRESETS: Final[Mapping[str, Prices]] = {
    "local": Prices("local", GWEI, _l1(GWEI, 1), "a fresh local chain at its genesis", False),
    "op-parity": Prices(
        "op-parity",
        15 * GWEI,
        _l1(GWEI * OPEN_PER_ETH, OPEN_PER_ETH),
        "0.001 gwei on L2, 1 gwei on L1, 15,000 OPEN per ETH",
    ),
    "busy": Prices(
        "busy",
        300 * GWEI,
        _l1(20 * GWEI * OPEN_PER_ETH, GWEI * OPEN_PER_ETH),
        "0.02 gwei on L2, 20 gwei on L1, blobs 1 gwei, 15,000 OPEN per ETH",
    ),
}


def prices_of_block(block: Mapping[str, Any], tip: int = 0) -> Prices:
    """The prices in a block with whole transactions, as its L1 attributes set them, with a tip [wei per gas]."""
    number = int(block["number"], 16)
    attributes = _attributes(block)
    return Prices(
        "chain",
        int(block["baseFeePerGas"], 16) + tip,
        L1FeeParameters() if attributes is None else attributes.fee_parameters(),
        f"this chain at block {number:,}",
        False,
        fork_of_attributes(block),
        number,
    )


def fork_of_attributes(block: Mapping[str, Any]) -> Fork:
    """The oldest fork with the fee rules that the block's L1 attributes show; Jovian in a block without any."""
    data = _first_input(block)
    return _FORMS.get(data[:4], Fork.JOVIAN)


def _attributes(block: Mapping[str, Any]) -> L1Attributes | None:
    data = _first_input(block)
    try:
        return L1Attributes.decode(data) if data[:4] in _FORMS else None
    except L1AttributesError:
        return None


def _first_input(block: Mapping[str, Any]) -> bytes:
    transactions = block.get("transactions") or []
    return bytes.fromhex(transactions[0]["input"][2:]) if transactions else b""
