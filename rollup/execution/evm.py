"""The environment of a block's transactions, and the outcome of one of them."""

from dataclasses import dataclass, field
from typing import Any

from eth.exceptions import VMError

from rollup.execution.known_message import KnownMessage
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.vms.base import EvmContext
from rollup.execution.vms.rules import EvmRules
from rollup.protocol import predeploys
from rollup.protocol.fees import ALWAYS_MINIMUM_SIZE, L1FeeParameters, l1_cost, operator_fee
from rollup.protocol.forks import Fork
from rollup.protocol.primitives import Address
from rollup.protocol.receipt import Log
from rollup.protocol.transaction import Transaction


@dataclass(slots=True)
class Outcome:
    """The result of a transaction: gas in units, logs in order, return or revert data, the reason of a failure.

    max_gas_used: before the refund; only set by the slow path.
    """

    status: int
    gas_used: int
    output: bytes = b""
    logs: list[Log] = field(default_factory=list)
    contract_address: Address | None = None
    error: VMError | None = None
    deposit_nonce: int | None = None
    gas_price: int = 0  # effective, wei
    max_gas_used: int = 0


class Evm:
    """Everything a transaction of one block runs against.

    fees: the parameters in this block's L1Block, zeros on L1. base_fee_recipient: on L2 only. state: py-evm's.
    """

    __slots__ = (
        "_small_l1_fee",
        "accounts",
        "base_fee_recipient",
        "context",
        "fees",
        "has_operator_fee",
        "known",
        "rules",
        "state",
    )

    def __init__(
        self,
        rules: EvmRules,
        context: EvmContext,
        accounts: AccountDatabase,
        fees: L1FeeParameters,
        base_fee_recipient: Address = predeploys.BASE_FEE_VAULT,
    ) -> None:
        self.rules = rules
        self.context = context
        self.accounts = accounts
        self.known: KnownMessage | None = None
        self.base_fee_recipient = base_fee_recipient
        self.state: Any = rules.state_class(accounts, context)
        self.use_fees(fees)

    def use_fees(self, fees: L1FeeParameters) -> None:
        """Sets the parameters of the fees that transactions pay from now on."""
        fork = self.rules.fork
        self.fees = fees
        self.has_operator_fee = bool(fees.operator_fee_scalar or fees.operator_fee_constant)
        # Up to ALWAYS_MINIMUM_SIZE Fjord's size estimate is its minimum: the fee is a constant of the block.
        self._small_l1_fee = l1_cost(b"", fork, fees) if fork is not None and fork >= Fork.FJORD else None

    def l1_fee(self, transaction: Transaction) -> int:
        """The L1 data fee of a transaction, wei; 0 on L1."""
        fork = self.rules.fork
        if fork is None:
            return 0
        raw = transaction.encode()
        small = self._small_l1_fee
        return small if small is not None and len(raw) <= ALWAYS_MINIMUM_SIZE else l1_cost(raw, fork, self.fees)

    def operator_fee(self, gas: int) -> int:
        """The operator fee for some gas, wei; 0 on L1."""
        fork = self.rules.fork
        return operator_fee(gas, fork, self.fees) if fork is not None and self.has_operator_fee else 0
