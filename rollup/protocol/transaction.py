"""Transactions of every type: legacy, EIP-2930, 1559, 4844, 7702, and the OP deposit 0x7E.

One plain class serves all of them. Fields that a type lacks keep their defaults, so code that reads a transaction need
not check its class. Wire format: EIP-2718; deposits: specs protocol/deposits.md.
"""

from dataclasses import dataclass, field
from typing import Any

from coincurve import PrivateKey, PublicKey

from rollup.protocol.keys import address_of_public_key
from rollup.protocol.primitives import (
    ZERO_ADDRESS,
    Address,
    Hash,
    RlpError,
    RlpItem,
    from_int_bytes,
    keccak256,
    rlp_decode,
    rlp_encode,
    rlp_without_last,
    to_int_bytes,
)

LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, SET_CODE, DEPOSIT = 0, 1, 2, 3, 4, 0x7E
SECP256K1_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_SET_CODE_MAGIC = b"\x05"  # EIP-7702
_NO_SIGNATURE = 1 << 160  # with the sender added, the r of a transaction that nobody signed

AccessList = tuple[tuple[Address, tuple[Hash, ...]], ...]


class TransactionError(ValueError):
    """Bytes that are not a transaction, or an invalid signature."""


class UnsupportedType(TransactionError):
    """A transaction type that this node does not know (EIP-2718)."""


@dataclass(slots=True, frozen=True)
class Authorization:
    """One EIP-7702 authorization tuple."""

    chain_id: int
    address: Address
    nonce: int
    y_parity: int
    r: int
    s: int

    def authority(self) -> Address:
        """The signer. Raises TransactionError if the signature is invalid."""
        if self.y_parity > 1 or self.s > SECP256K1_N // 2:
            raise TransactionError("authorization: not a valid signature")
        message = keccak256(
            _SET_CODE_MAGIC + rlp_encode([to_int_bytes(self.chain_id), self.address, to_int_bytes(self.nonce)])
        )
        return recover_address(message, self.y_parity, self.r, self.s)


@dataclass(slots=True)
class Transaction:
    """One transaction; amounts in wei, gas in units, chain_id None for an unprotected legacy one.

    gas_price holds the fee cap of the dynamic types as well (max_fee_per_gas is the same number); a deposit has
    source_hash, sender, mint (None = nothing minted) and is_system instead of a signature.
    """

    tx_type: int
    nonce: int = 0
    gas_limit: int = 0
    to: Address | None = None
    value: int = 0
    data: bytes = b""
    chain_id: int | None = None
    max_fee_per_gas: int = 0  # gasPrice for types 0 and 1
    max_priority_fee_per_gas: int = 0  # equal to max_fee_per_gas for types 0 and 1
    access_list: AccessList = ()
    max_fee_per_blob_gas: int = 0
    blob_versioned_hashes: tuple[Hash, ...] = ()
    authorization_list: tuple[Authorization, ...] = ()
    v: int = 0  # the legacy v as signed; y parity for typed transactions
    r: int = 0
    s: int = 0
    source_hash: Hash | None = None
    mint: int | None = None
    is_system: bool = False
    _sender: Address | None = field(default=None, compare=False)
    _raw: bytes | None = field(default=None, compare=False, repr=False)
    _hash: Hash | None = field(default=None, compare=False, repr=False)
    # The rules that it was checked against last, and its intrinsic and floor gas by them (transaction_rules.py).
    checked: tuple[object, tuple[int, int]] | None = field(default=None, init=False, compare=False, repr=False)

    @property
    def is_deposit(self) -> bool:
        """True for type 0x7E."""
        return self.tx_type == DEPOSIT

    @property
    def hash(self) -> Hash:
        """The transaction hash."""
        if self._hash is None:
            self._hash = keccak256(self.encode())
        return self._hash

    @property
    def sender(self) -> Address:
        """The sender, recovered once. Raises TransactionError if the signature is invalid."""
        if self._sender is None:
            self._sender = self._recover()
        return self._sender

    @property
    def y_parity(self) -> int:
        """The y parity, 0 or 1, for any type. Raises TransactionError for a legacy v of neither form."""
        if self.tx_type != LEGACY:
            return self.v
        if self.v in (27, 28):
            return self.v - 27
        if self.v >= 35:
            return (self.v - 35) & 1
        raise TransactionError(f"invalid signature: v is {self.v}")

    def encode(self) -> bytes:
        """The EIP-2718 bytes, as in a block and in the transactions trie."""
        if self._raw is None:
            self._raw = self._encode()
        return self._raw

    def effective_gas_price(self, base_fee: int) -> int:
        """The price in wei per unit of gas in a block with this base fee (0 for a deposit)."""
        if self.tx_type == DEPOSIT:
            return 0
        return min(self.max_fee_per_gas, base_fee + self.max_priority_fee_per_gas)

    def signing_hash(self) -> Hash:
        """The hash that the sender signs."""
        if self.tx_type == LEGACY:
            fields = self._legacy_fields()
            if self.chain_id is not None:
                fields += [to_int_bytes(self.chain_id), b"", b""]
            return keccak256(rlp_encode(fields))
        if self.tx_type == DEPOSIT:
            raise TransactionError("a deposit is not signed")
        return keccak256(bytes((self.tx_type,)) + rlp_encode(self._typed_fields()))

    def signed(self, private_key: bytes) -> "Transaction":
        """Signs in place with a 32-byte key and returns itself."""
        signature = PrivateKey(private_key).sign_recoverable(self.signing_hash(), hasher=None)
        self.r = int.from_bytes(signature[:32], "big")
        self.s = int.from_bytes(signature[32:64], "big")
        parity = signature[64]
        if self.tx_type != LEGACY:
            self.v = parity
        else:
            self.v = parity + (27 if self.chain_id is None else 35 + 2 * self.chain_id)
        self._raw = self._hash = self._sender = self.checked = None
        return self

    def impersonated(self, sender: Address) -> "Transaction":
        """Sets a sender that does not sign, in place, and returns itself. Only the mock L1 takes it, never from bytes.

        The sender is the low part of r, so that equal transactions of two senders have different hashes.
        """
        self.r, self.s = _NO_SIGNATURE | int.from_bytes(sender, "big"), 1
        self.v = (27 if self.chain_id is None else 35 + 2 * self.chain_id) if self.tx_type == LEGACY else 0
        self._raw = self._hash = None
        self._sender = sender
        return self

    @property
    def is_impersonated(self) -> bool:
        """True where `impersonated` has set the sender. A transaction from bytes recovers another sender."""
        sender = self._sender
        return self.s == 1 and sender is not None and self.r == _NO_SIGNATURE | int.from_bytes(sender, "big")

    def _recover(self) -> Address:
        if self.tx_type == DEPOSIT:
            raise TransactionError("a deposit without a sender")
        if self.s > SECP256K1_N // 2:  # EIP-2
            raise TransactionError("invalid signature: s is in the upper half")
        if self.y_parity > 1:
            raise TransactionError("invalid signature: y parity is not 0 or 1")
        return recover_address(self._signed_hash(), self.y_parity, self.r, self.s)

    def _signed_hash(self) -> Hash:
        """The signing hash, from the bytes without the signature where they are known."""
        if self._raw is None or self.tx_type == LEGACY:
            return self.signing_hash()
        return keccak256(self._raw[:1] + rlp_without_last(self._raw[1:], (self.v, self.r, self.s)))

    def _legacy_fields(self) -> list[RlpItem]:
        return [
            to_int_bytes(self.nonce),
            to_int_bytes(self.max_fee_per_gas),
            to_int_bytes(self.gas_limit),
            self.to or b"",
            to_int_bytes(self.value),
            self.data,
        ]

    def _typed_fields(self) -> list[RlpItem]:
        """The fields of types 1 to 4 up to the signature."""
        access_list: RlpItem = [[address, list(slots)] for address, slots in self.access_list]
        chain_id = to_int_bytes(self.chain_id or 0)
        if self.tx_type == ACCESS_LIST:
            return [chain_id, *self._legacy_fields(), access_list]
        fields: list[RlpItem] = [
            chain_id,
            to_int_bytes(self.nonce),
            to_int_bytes(self.max_priority_fee_per_gas),
            to_int_bytes(self.max_fee_per_gas),
            to_int_bytes(self.gas_limit),
            self.to or b"",
            to_int_bytes(self.value),
            self.data,
            access_list,
        ]
        if self.tx_type == BLOB:
            fields += [to_int_bytes(self.max_fee_per_blob_gas), list(self.blob_versioned_hashes)]
        elif self.tx_type == SET_CODE:
            fields.append([_authorization_fields(item) for item in self.authorization_list])
        return fields

    def _encode(self) -> bytes:
        if self.tx_type == DEPOSIT:
            return b"\x7e" + rlp_encode(
                [
                    self.source_hash or bytes(32),
                    self._sender or ZERO_ADDRESS,
                    self.to or b"",
                    to_int_bytes(self.mint or 0),
                    to_int_bytes(self.value),
                    to_int_bytes(self.gas_limit),
                    b"\x01" if self.is_system else b"",
                    self.data,
                ]
            )
        signature: list[RlpItem] = [to_int_bytes(self.v), to_int_bytes(self.r), to_int_bytes(self.s)]
        if self.tx_type == LEGACY:
            return rlp_encode(self._legacy_fields() + signature)
        return bytes((self.tx_type,)) + rlp_encode(self._typed_fields() + signature)


def deposit_transaction(
    *,
    source_hash: Hash,
    sender: Address,
    to: Address | None,
    mint: int | None,
    value: int,
    gas_limit: int,
    is_system: bool,
    data: bytes,
) -> Transaction:
    """A 0x7E transaction (specs protocol/deposits.md, "The Deposited Transaction Type")."""
    return Transaction(
        DEPOSIT,
        to=to,
        value=value,
        gas_limit=gas_limit,
        data=data,
        source_hash=source_hash,
        mint=mint or None,
        is_system=is_system,
        _sender=sender,
    )


def decode_transaction(raw: bytes) -> Transaction:
    """Parses EIP-2718 bytes strictly; raises TransactionError with the reason."""
    if not raw:
        raise TransactionError("empty transaction")
    try:
        if raw[0] >= 0xC0:
            transaction = _decode_legacy(rlp_decode(raw))
        else:
            decoder = _DECODERS.get(raw[0])
            if decoder is None:
                raise UnsupportedType(f"transaction type not supported: {raw[0]:#x}")
            transaction = decoder(rlp_decode(raw[1:]))
    except RlpError as error:
        raise TransactionError(f"malformed transaction: {error}") from error
    transaction._raw = raw
    return transaction


def recover_address(message_hash: Hash, y_parity: int, r: int, s: int) -> Address:
    """The signer's address; raises TransactionError when the signature is not valid."""
    if not (0 < r < SECP256K1_N and 0 < s < SECP256K1_N):
        raise TransactionError("invalid signature: r or s out of range")
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((y_parity,))
    try:
        key = PublicKey.from_signature_and_message(signature, message_hash, hasher=None)
    except ValueError as error:
        raise TransactionError(f"invalid signature: {error}") from error
    return address_of_public_key(key)


def _authorization_fields(item: Authorization) -> list[RlpItem]:
    numbers = item.nonce, item.y_parity, item.r, item.s
    return [to_int_bytes(item.chain_id), item.address, *map(to_int_bytes, numbers)]


def _fields(item: Any, count: int) -> list[Any]:
    if not isinstance(item, list) or len(item) != count:
        raise RlpError(f"a list of {count} fields is expected")
    return item


def _bytes(item: Any, size: int | None = None) -> bytes:
    if not isinstance(item, bytes) or (size is not None and len(item) != size):
        raise RlpError("bytes expected" if size is None else f"{size} bytes expected")
    return item


def _int(item: Any, max_bytes: int = 32) -> int:
    return from_int_bytes(_bytes(item), max_bytes)


def _to(item: Any) -> Address | None:
    return _bytes(item, 20) if item != b"" else None


def _access_list(item: Any) -> AccessList:
    if not isinstance(item, list):
        raise RlpError("an access list is expected")
    entries = (_fields(entry, 2) for entry in item)
    return tuple((_bytes(address, 20), _hashes(slots)) for address, slots in entries)


def _hashes(item: Any) -> tuple[Hash, ...]:
    if not isinstance(item, list):
        raise RlpError("a list of hashes is expected")
    return tuple(_bytes(entry, 32) for entry in item)


def _decode_legacy(item: Any) -> Transaction:
    nonce, gas_price, gas, to, value, data, v_raw, r, s = _fields(item, 9)
    v = _int(v_raw)
    price = _int(gas_price)
    return Transaction(
        LEGACY,
        _int(nonce, 8),
        _int(gas, 8),
        _to(to),
        _int(value),
        _bytes(data),
        (v - 35) // 2 if v >= 35 else None,
        price,
        price,
        v=v,
        r=_int(r),
        s=_int(s),
    )


def _decode_access_list(item: Any) -> Transaction:
    chain_id, nonce, gas_price, gas, to, value, data, access_list, v, r, s = _fields(item, 11)
    price = _int(gas_price)
    return Transaction(
        ACCESS_LIST,
        _int(nonce, 8),
        _int(gas, 8),
        _to(to),
        _int(value),
        _bytes(data),
        _int(chain_id),
        price,
        price,
        _access_list(access_list),
        v=_int(v, 1),
        r=_int(r),
        s=_int(s),
    )


def _decode_dynamic_fee(item: Any) -> Transaction:
    chain_id, nonce, tip, cap, gas, to, value, data, access_list, v, r, s = _fields(item, 12)
    return Transaction(
        DYNAMIC_FEE,
        _int(nonce, 8),
        _int(gas, 8),
        _to(to),
        _int(value),
        _bytes(data),
        _int(chain_id),
        _int(cap),
        _int(tip),
        _access_list(access_list),
        v=_int(v, 1),
        r=_int(r),
        s=_int(s),
    )


def _decode_blob(item: Any) -> Transaction:
    *common, blob_cap, hashes, v, r, s = _fields(item, 14)
    transaction = _decode_dynamic_fee([*common, v, r, s])
    if transaction.to is None:
        raise RlpError("a blob transaction must have a recipient")
    transaction.tx_type = BLOB
    transaction.max_fee_per_blob_gas = _int(blob_cap)
    transaction.blob_versioned_hashes = _hashes(hashes)
    return transaction


def _decode_set_code(item: Any) -> Transaction:
    *common, authorizations, v, r, s = _fields(item, 13)
    transaction = _decode_dynamic_fee([*common, v, r, s])
    if transaction.to is None:
        raise RlpError("a set-code transaction must have a recipient")
    if not isinstance(authorizations, list):
        raise RlpError("an authorization list is expected")
    transaction.tx_type = SET_CODE
    transaction.authorization_list = tuple(_authorization(entry) for entry in authorizations)
    return transaction


def _authorization(item: Any) -> Authorization:
    chain_id, address, nonce, y_parity, r, s = _fields(item, 6)
    return Authorization(_int(chain_id), _bytes(address, 20), _int(nonce, 8), _int(y_parity, 1), _int(r), _int(s))


def _decode_deposit(item: Any) -> Transaction:
    source_hash, sender, to, mint, value, gas, is_system, data = _fields(item, 8)
    if is_system not in (b"", b"\x01"):
        raise RlpError("isSystemTx is not a boolean")
    return deposit_transaction(
        source_hash=_bytes(source_hash, 32),
        sender=_bytes(sender, 20),
        to=_to(to),
        mint=_int(mint),
        value=_int(value),
        gas_limit=_int(gas, 8),
        is_system=is_system == b"\x01",
        data=_bytes(data),
    )


_DECODERS = {
    ACCESS_LIST: _decode_access_list,
    DYNAMIC_FEE: _decode_dynamic_fee,
    BLOB: _decode_blob,
    SET_CODE: _decode_set_code,
    DEPOSIT: _decode_deposit,
}
