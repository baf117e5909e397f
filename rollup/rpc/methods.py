"""Which handlers an endpoint has, and how each is run.

A handler is every public method of a namespace object that is named like an RPC method. `takes_long` and
`changes_chain` mark those that run in turns with the building of blocks (rollup/cooperative.py).
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

_CHAIN = ("debug", "erigon", "eth", "net", "ots", "personal", "trace", "txpool", "web3")
_NODE = ("admin", "anvil", "engine", "evm", "hardhat", "miner", "open", "openrollup", "optimism")
NAMESPACES = frozenset((*_CHAIN, *_NODE))


Method = Callable[..., Any]


class Duration(Enum):
    """How a handler is run."""

    SHORT = "at once"
    LONG = "in turns with others"
    INDEX = "in turns with others, one after another of those that read an attribution index"
    CHANGE = "alone among what changes chain state"
    CHANGE_ALL = "while nothing else changes any chain"


def takes_long(method: Method) -> Method:
    """Marks a handler that may run for more than some milliseconds and only reads. It should call `pause` meanwhile."""
    method.duration = Duration.LONG  # type: ignore[attr-defined]
    return method


def reads_index(method: Method) -> Method:
    """Marks a handler that reads an attribution index, which must not move meanwhile."""
    method.duration = Duration.INDEX  # type: ignore[attr-defined]
    return method


def changes_chain(method: Method) -> Method:
    """Marks a handler that changes chain state: it waits until no other change is under way."""
    method.duration = Duration.CHANGE  # type: ignore[attr-defined]
    return method


def changes_all(method: Method) -> Method:
    """Marks a handler that changes several chains or the clock: it waits until no change is under way in any lane."""
    method.duration = Duration.CHANGE_ALL  # type: ignore[attr-defined]
    return method


def for_local_callers(method: Method) -> Method:
    """Marks a handler that answers only callers from this machine."""
    method.is_for_local_callers = True  # type: ignore[attr-defined]
    return method


def is_for_local_callers(handler: Method) -> bool:
    """True for a handler that answers only callers from this machine."""
    return getattr(handler, "is_for_local_callers", False)


class Choice:
    """A method that one of several handlers answers; which one, and so how it runs, depends on the parameters."""

    def __init__(self, choose: Callable[[Sequence[Any]], Method], usual: Method) -> None:
        """usual: the handler of most parameters; all of them take the same ones."""
        self.choose = choose
        self.required: int = usual.required  # type: ignore[attr-defined]
        self.__func__ = usual.__func__  # type: ignore[attr-defined]

    def __call__(self, given: Sequence[Any]) -> Any:
        return self.choose(given)(given)


def chosen(handler: Method, given: Sequence[Any]) -> Method:
    """The handler that answers these parameters."""
    return handler.choose(given) if isinstance(handler, Choice) else handler


def duration_of(handler: Method) -> Duration:
    """How this handler is to be run."""
    return getattr(handler, "duration", Duration.SHORT)


def collect(*namespaces: object) -> dict[str, Callable[..., Any]]:
    """Handlers by method name."""
    found: dict[str, Callable[..., Any]] = {}
    for namespace in namespaces:
        for name in dir(type(namespace)):
            if name.split("_")[0] in NAMESPACES and "_" in name:
                found[name] = getattr(namespace, name)
    return found
