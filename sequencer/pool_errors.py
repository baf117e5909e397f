"""Why the pool refuses a transaction, in geth's words: wallets and libraries match on them."""

SERVER_ERROR = -32000


class PoolError(ValueError):
    """A transaction the pool does not take; code is the JSON-RPC error code, the text is geth's."""

    def __init__(self, message: str, code: int = SERVER_ERROR) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


ALREADY_KNOWN = "already known"
TYPE_NOT_SUPPORTED = "transaction type not supported"
UNPROTECTED = "only replay-protected (EIP-155) transactions allowed over RPC"
GAS_CAP = "transaction gas limit too high"  # EIP-7825
GAS_LIMIT = "exceeds block gas limit"
TIP_ABOVE_CAP = "max priority fee per gas higher than max fee per gas"
NONCE_MAX = "nonce has max value"
REPLACEMENT_UNDERPRICED = "replacement transaction underpriced"
UNDERPRICED = "transaction underpriced"
FUNDS = "insufficient funds for gas * price + value: balance"
ACCOUNT_LIMIT = "account limit exceeded"
IN_FLIGHT_LIMIT = "in-flight transaction limit reached for delegated accounts"
OUT_OF_ORDER_DELEGATED = "gapped-nonce tx from delegated accounts"
NO_AUTHORIZATIONS = "set code tx must have at least one authorization tuple"
