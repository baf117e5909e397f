"""The program of the KZG process: answers calls of ckzg on the trusted setup, until its input ends.

It is run as a file by kzg_worker.py and imports nothing of this package, so that it is ready soon. Its input and output
are one socket. A message is its length in four bytes and a marshalled value: a call is (function, arguments), an answer
is (True, result) or (False, text of the error).
"""

import marshal
import os
import socket
import sys
from typing import Any

import ckzg

LENGTH_SIZE = 4
_NICENESS = 5  # what it does delays the safe head; building must not wait for it where cores are few


def frame(value: Any) -> bytes:
    """A message with its length."""
    body = marshal.dumps(value)
    return len(body).to_bytes(LENGTH_SIZE, "big") + body


def answer(function: str, arguments: tuple[Any, ...], setup: Any) -> tuple[bool, Any]:
    """The result of a call, or the text of its error."""
    try:
        return True, getattr(ckzg, function)(*arguments, setup)
    except (RuntimeError, ValueError) as error:
        return False, str(error)


def serve(connection: socket.socket, setup: Any) -> None:
    """Answers until the other end is closed."""
    with connection, connection.makefile("rb") as incoming:
        while len(head := incoming.read(LENGTH_SIZE)) == LENGTH_SIZE:
            size = int.from_bytes(head, "big")
            body = incoming.read(size)
            if len(body) < size:
                return
            function, arguments = marshal.loads(body)
            connection.sendall(frame(answer(function, arguments, setup)))


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    serve(socket.socket(fileno=0), ckzg.load_trusted_setup(sys.argv[1], 0))
