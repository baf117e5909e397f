"""Access to the Engine API by a JSON Web Token over a shared secret (execution-apis, src/engine/authentication.md)."""

import math
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rollup.files import write_file

if TYPE_CHECKING:
    from jwt.types import Options

SECRET_BYTES = 32
_FAR = 2**62  # seconds
MAX_DRIFT = 60  # seconds a token's iat may differ from the machine's clock


# Only the signature: this module says which claims count, and how (geth: WithoutClaimsValidation).
_OPTIONS: "Options" = {
    "verify_iat": False,
    "verify_aud": False,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


class JwtSecretError(ValueError):
    """The secret file cannot be used; the message names it."""


class JwtAuth:
    """Checks a request's Authorization header. now: the machine's clock in seconds, which clients use too."""

    def __init__(self, secret: bytes, now: Callable[[], float]) -> None:
        self._secret = secret
        self._now = now

    def __call__(self, headers: Mapping[str, str]) -> str | None:
        """None for a valid token, otherwise the reason for the refusal (geth node/jwt_handler.go)."""
        given = headers.get("Authorization", "")
        token = given.removeprefix("Bearer ") if given.startswith("Bearer ") else ""
        if not token:
            return "missing token"
        import jwt  # it loads cryptography: a fifteenth of a start's time, which most nodes do not need

        try:
            claims = jwt.decode(token, self._secret, algorithms=["HS256"], options=_OPTIONS)
        except jwt.InvalidSignatureError:
            return "signature is invalid"
        except jwt.InvalidAlgorithmError:
            return "signing method is invalid: HS256 is expected"
        except jwt.InvalidTokenError as error:
            return f"token is malformed: {error}"
        issued, now = claims.get("iat"), self._now()
        if isinstance(issued, int):  # of any size: what is far enough away is stale, or in the future
            issued = max(-_FAR, min(issued, _FAR))
        # A claim may be NaN, which Python's JSON reads and which no comparison refuses.
        if isinstance(issued, bool) or not isinstance(issued, int | float) or not math.isfinite(issued):
            return "missing issued-at"
        if now - issued > MAX_DRIFT:
            return "stale token"
        if issued - now > MAX_DRIFT:
            return "future token"
        expiry = claims.get("exp")
        if isinstance(expiry, int | float) and now > expiry:
            return "token is expired"
        return None


def read_secret(path: Path) -> bytes:
    """The 32 bytes in a file as hexadecimal digits, 0x or not; raises JwtSecretError, also if others may write it."""
    try:
        if path.stat().st_mode & 0o022:
            raise JwtSecretError(f"{path}: others may write the secret (chmod 600 it, or delete it for a new one)")
        digits = path.read_text().strip().removeprefix("0x")
    except (OSError, UnicodeDecodeError) as error:
        raise JwtSecretError(f"{path}: the secret cannot be read: {error}") from error
    try:
        secret = bytes.fromhex(digits)
    except ValueError as error:
        raise JwtSecretError(f"{path}: hexadecimal digits are expected") from error
    if len(secret) != SECRET_BYTES:
        raise JwtSecretError(f"{path}: a secret of {SECRET_BYTES} bytes is expected, this one has {len(secret)}")
    return secret


def read_or_make_secret(path: Path) -> bytes:
    """The file's secret; a missing file is written, for its owner's eyes only. Raises JwtSecretError."""
    try:
        # An empty file is what a kill between making and writing it left behind.
        if not path.exists() or path.stat().st_size == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, "0x" + secrets.token_hex(SECRET_BYTES) + "\n", mode=0o600)
    except OSError as error:
        raise JwtSecretError(f"{path}: the secret cannot be written: {error.strerror}") from error
    return read_secret(path)
