"""Receipts and logs, in the encoding under the receipts root and in the one sent over the wire."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rollup.protocol.bloom import logs_bloom
from rollup.protocol.primitives import Address, Hash, rlp_encode, rlp_int, rlp_list_of

_BLOOM_HEAD = b"\xb9\x01\x00"  # of a string of 256 bytes (RLP)


@dataclass(slots=True, frozen=True)
class Log:
    """One event: topics are 32 bytes each, at most four."""

    address: Address
    topics: tuple[Hash, ...]
    data: bytes


@dataclass(slots=True)
class Receipt:
    """The result of one transaction: gas, logs, and for a deposit its nonce and the receipt version.

    deposit_nonce is set on deposits from Regolith, deposit_receipt_version from Canyon (specs protocol/deposits.md,
    "Deposit Receipt"); contract_address when the transaction creates. first_log is the index of the first log among
    the logs of the block (geth core/types/receipt.go: DeriveFields).
    """

    tx_type: int
    status: int  # 1 success, 0 failure
    cumulative_gas_used: int
    gas_used: int
    logs: list[Log] = field(default_factory=list)
    contract_address: Address | None = None
    deposit_nonce: int | None = None
    deposit_receipt_version: int | None = None
    effective_gas_price: int = 0
    output: bytes = b""  # return or revert data, kept in memory only
    first_log: int = field(default=0, compare=False)
    _bloom: bytes | None = None
    _logs_rlp: bytes | None = field(default=None, init=False, compare=False, repr=False)

    @property
    def bloom(self) -> bytes:
        """The 256-byte bloom of the logs."""
        if self._bloom is None:
            self._bloom = logs_bloom(self.logs)
        return self._bloom

    def encode(self, for_root: bool = True) -> bytes:
        """The EIP-2718 encoding.

        for_root: before Canyon the deposit nonce is kept on the wire but left out of the receipts trie, as op-geth
        does; from Canyon nonce and version are in both.
        """
        # spec: deposit.receipt-version
        parts = [rlp_int(self.status), rlp_int(self.cumulative_gas_used), _BLOOM_HEAD, self.bloom, self.logs_rlp()]
        if self.deposit_nonce is not None and (not for_root or self.deposit_receipt_version is not None):
            parts.append(rlp_int(self.deposit_nonce))
            if self.deposit_receipt_version is not None:
                parts.append(rlp_int(self.deposit_receipt_version))
        payload = rlp_list_of(b"".join(parts))
        return payload if self.tx_type == 0 else bytes((self.tx_type,)) + payload

    def logs_rlp(self, is_last: bool = False) -> bytes:
        """The encoding of the logs. It is kept for the next caller, unless this is the last one."""
        encoded = self._logs_rlp
        if encoded is None:
            encoded = rlp_encode([[log.address, log.topics, log.data] for log in self.logs])
        self._logs_rlp = None if is_last else encoded
        return encoded


def number_logs(receipts: Iterable[Receipt]) -> None:
    """Sets first_log of all receipts of a block."""
    index = 0
    for receipt in receipts:
        receipt.first_log = index
        index += len(receipt.logs)
