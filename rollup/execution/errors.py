"""Why a transaction or a block is refused: refusals are values with their numbers, each text is written once, here."""

from enum import Enum

from eth_utils.address import to_checksum_address


class Refusal(Enum):
    """Why a transaction may not be in a block. The value is geth's text with the names of its fields."""

    # The transaction alone, under the rules of a fork.
    TYPE = "transaction type not supported"
    NO_AUTHORIZATIONS = "EIP-7702 transaction with empty auth list"
    NO_BLOBS = "blob transaction missing blob hashes"
    TOO_MANY_BLOBS = "too many blobs in transaction: have {have}, permitted {want}"
    BLOB_VERSION = "blob {index} has invalid hash version"
    INITCODE_SIZE = "max initcode size exceeded: code size {have} limit {want}"
    GAS_CAP = "transaction gas limit too high (cap: {want}, tx: {have})"
    INTRINSIC_GAS = "intrinsic gas too low: have {have}, want {want}"
    FLOOR_GAS = "insufficient gas for floor data gas cost: have {have}, want {want}"
    TIP_ABOVE_CAP = (
        "max priority fee per gas higher than max fee per gas: address {address}, "
        "maxPriorityFeePerGas: {have}, maxFeePerGas: {want}"
    )
    NONCE_MAX = "nonce has max value: address {address}, nonce: {have}"
    SENDER = "invalid sender: {reason}"
    CHAIN_ID = "invalid chain id for signer: have {have} want {want}"
    # The sender's account.
    NONCE_LOW = "nonce too low: address {address}, tx: {have} state: {want}"
    NONCE_HIGH = "nonce too high: address {address}, tx: {have} state: {want}"
    NOT_AN_EOA = "sender not an eoa: address {address}, codehash: {code_hash}"
    FUNDS = "insufficient funds for gas * price + value: address {address} have {have} want {want}"
    # This block.
    BLOCK_GAS = "gas limit reached: {have} wanted, {want} left"
    BASE_FEE = "max fee per gas less than block base fee: address {address}, maxFeePerGas: {have}, baseFee: {want}"
    BLOB_BASE_FEE = "max fee per blob gas less than block blob gas fee: blobGasFeeCap: {have}, blobBaseFee: {want}"
    BLOCK_BLOB_GAS = "blob gas limit reached: {have} blobs wanted, {want} left"
    BLOCK_SIZE = "block size limit reached: {have} bytes wanted, {want} left"
    DA_FOOTPRINT = "DA footprint limit reached: {have} wanted, {want} left"
    ACTIVATION_BLOCK = "unexpected non-deposit transaction in an activation block"
    NO_L1_ATTRIBUTES = "missing deposit transaction: the first one must be the L1 attributes"
    NO_FOOTPRINT_SCALAR = "the L1 attributes have no DA footprint gas scalar"
    # The condition that it was sent with (conditional.py), in op-geth's words and spelling.
    CONDITION_NUMBERS = "block number minimum constraint must be less than the maximum"
    CONDITION_TIMES = "timestamp minimum constraint must be less than the maximum"
    CONDITION_NUMBER_MIN = "failed block number minimum constraint"
    CONDITION_NUMBER_MAX = "failed block number maximmum constraint"
    CONDITION_TIME_MIN = "failed timestamp minimum constraint"
    CONDITION_TIME_MAX = "failed timestamp maximum constraint"
    CONDITION_ROOT = "failed account storage root constraint. Got {found}, Expected {expected}"
    CONDITION_SLOT = "failed account storage slot key {slot} constraint. Got {found}, Expected {expected}"
    # What it does, or lacks.
    SYSTEM_DEPOSIT = "system transactions are not supported: isSystemTx is set"
    TIME = "execution takes more than {want} s"
    NO_SIDECAR = "missing sidecar"

    @property
    def is_about_block(self) -> bool:
        """True where a later block may take the transaction: a pool keeps it then, and drops it otherwise."""
        return self in _ABOUT_BLOCK


_ABOUT_BLOCK = frozenset(
    {
        Refusal.NONCE_HIGH,
        Refusal.BLOCK_GAS,
        Refusal.BASE_FEE,
        Refusal.BLOB_BASE_FEE,
        Refusal.BLOCK_BLOB_GAS,
        Refusal.BLOCK_SIZE,
        Refusal.DA_FOOTPRINT,
        Refusal.ACTIVATION_BLOCK,
    }
)


class InvalidTransaction(ValueError):
    """A transaction that may not be in this block; the state is as if it had never been tried.

    kind: which rule refuses it. fields: the numbers of the refusal by name; have is the transaction's, want the rule's.
    """

    def __init__(self, kind: Refusal, **fields: object) -> None:
        super().__init__(refusal_text(kind.value, fields))
        self.kind = kind
        self.fields = fields


class ExecutionInterrupted(InvalidTransaction):
    """Execution took longer than its caller allows, in seconds. Never raised for a block made elsewhere."""

    def __init__(self, seconds: float) -> None:
        super().__init__(Refusal.TIME, want=seconds)


class InvalidBlock(ValueError):
    """A block that differs from its header: the field, the expected value, the actual value."""

    def __init__(self, field: str, expected: object, got: object) -> None:
        super().__init__(f"invalid {field}: {_text(got)}, expected {_text(expected)}")
        self.field = field
        self.expected = expected
        self.got = got


def refusal_text(template: str, fields: dict[str, object]) -> str:
    """A refusal's text with its fields filled in: addresses with their checksum, as by geth, other bytes as 0x-hex."""
    return template.format(**{name: _refusal_field(value) for name, value in fields.items()})


def _refusal_field(value: object) -> str:
    return to_checksum_address(value) if isinstance(value, bytes) and len(value) == 20 else _text(value)


def _text(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
