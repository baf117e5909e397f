"""Why the pool refuses a transaction, in geth's words: wallets and libraries match on them."""

from rollup.execution.errors import InvalidTransaction, Refusal, refusal_text

SERVER_ERROR = -32000


class PoolError(ValueError):
    """A transaction the pool does not take; code is the JSON-RPC error code, the text is geth's."""

    def __init__(self, message: str, code: int = SERVER_ERROR) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class AlreadyKnown(PoolError):
    """The pool holds this very transaction: as good as accepted."""

    def __init__(self) -> None:
        super().__init__("already known")


# geth's pool words some refusals of the chain's rules in its own way (core/txpool/validation.go).
_TEXTS = {
    Refusal.INTRINSIC_GAS: "intrinsic gas too low: gas {have}, minimum needed {want}",
    Refusal.FLOOR_GAS: "insufficient gas for floor data gas cost: gas {have}, minimum needed {want}",
    Refusal.INITCODE_SIZE: "max initcode size exceeded: code size {have}, limit {want}",
    Refusal.TIP_ABOVE_CAP: "max priority fee per gas higher than max fee per gas",
    Refusal.NONCE_MAX: "nonce has max value",
    Refusal.NO_AUTHORIZATIONS: "set code tx must have at least one authorization tuple",
    Refusal.NO_BLOBS: "blobless blob transaction",
    Refusal.CHAIN_ID: "invalid sender: invalid chain id for signer: have {have} want {want}",
}


def pool_error(error: InvalidTransaction) -> PoolError:
    """The pool's error for a refusal by the rules of the chain."""
    return PoolError(refusal_text(_TEXTS.get(error.kind, error.kind.value), error.fields))


UNPROTECTED = "only replay-protected (EIP-155) transactions allowed over RPC"
GAS_LIMIT = "exceeds block gas limit"
REPLACEMENT_UNDERPRICED = "replacement transaction underpriced"
UNDERPRICED = "transaction underpriced"
FUNDS = "insufficient funds for gas * price + value: balance"
FUTURE_REPLACES_PENDING = "future transaction tries to replace pending"
NOT_STORED = "transaction could not be stored"
ACCOUNT_LIMIT = "account limit exceeded"
IN_FLIGHT_LIMIT = "in-flight transaction limit reached for delegated accounts"
OUT_OF_ORDER_DELEGATED = "gapped-nonce tx from delegated accounts"
