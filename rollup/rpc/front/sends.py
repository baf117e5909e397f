"""Request bodies that hold only `eth_sendRawTransaction`, and their answers."""

from dataclasses import dataclass
from typing import Any

from rollup.rpc.answers import failure, success
from rollup.rpc.errors import RpcError
from rollup.rpc.limits import MAX_BATCH
from rollup.rpc.request_text import parse_request

SEND_METHOD = "eth_sendRawTransaction"
Answer = bytes | tuple[int, str]  # a hash, or an error's code and message


@dataclass(slots=True, frozen=True)
class Sends:
    """The transactions of one body, with the ids of their requests."""

    idents: list[int | str | None]
    raws: list[bytes]
    is_batch: bool

    def text(self, answers: list[Answer]) -> bytes:
        """The answer's body. answers: for each transaction."""
        texts = [_text(ident, answer) for ident, answer in zip(self.idents, answers, strict=True)]
        return b"[%b]" % b",".join(texts) if self.is_batch else texts[0]


def read_sends(body: bytes) -> Sends | None:
    """The transactions of a body in which all is as it should be; None for any other, which the node reads."""
    try:
        return sends_of(parse_request(body))
    except RpcError:
        return None


def sends_of(request: Any) -> Sends | None:
    """The transactions of a request or a batch in which all is as it should be; None for any other."""
    is_batch = request.__class__ is list
    requests = request if is_batch else [request]
    if not 0 < len(requests) <= MAX_BATCH:
        return None
    idents, raws = [], []
    for one in requests:
        raw = _raw_of(one)
        if raw is None:
            return None
        idents.append(one["id"])
        raws.append(raw)
    return Sends(idents, raws, is_batch)


def _raw_of(request: Any) -> bytes | None:
    """The transaction of a request; None for a notification, parameters that are not hex, and other forms."""
    if request.__class__ is not dict or request.get("method") != SEND_METHOD or request.get("jsonrpc") != "2.0":
        return None
    params = request.get("params")
    if "id" not in request or request["id"].__class__ not in (int, str, type(None)):
        return None
    if params.__class__ is not list or len(params) != 1:
        return None
    text = params[0]
    if text.__class__ is not str or not text.startswith("0x"):
        return None
    try:
        raw = bytes.fromhex(text[2:])
    except ValueError:
        return None
    return raw if 2 * len(raw) + 2 == len(text) else None  # fromhex leaves out spaces


def _text(ident: Any, answer: Answer) -> bytes:
    if isinstance(answer, bytes):
        return success(ident, f"0x{answer.hex()}")
    code, message = answer
    return failure(ident, RpcError(message, code))
