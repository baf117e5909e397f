"""A call as a signed transaction: what loads, measurements and demonstrations send from keys that they hold."""

from dataclasses import dataclass

from rollup.protocol.primitives import Address
from rollup.protocol.transaction import DYNAMIC_FEE, Transaction


@dataclass(frozen=True, slots=True)
class Call:
    """The content of one transaction: recipient, value in wei, calldata and gas limit."""

    to: Address
    value: int = 0
    data: bytes = b""
    gas: int = 21_000

    def signed(self, key: bytes, nonce: int, chain_id: int, max_fee: int, tip: int) -> Transaction:
        """The type-2 transaction of this call (EIP-1559), signed with a private key; fee cap and tip in wei per gas."""
        return Transaction(
            DYNAMIC_FEE,
            nonce=nonce,
            gas_limit=self.gas,
            to=self.to,
            value=self.value,
            data=self.data,
            chain_id=chain_id,
            max_fee_per_gas=max_fee,
            max_priority_fee_per_gas=tip,
        ).signed(key)
