"""Which Python methods answer which JSON-RPC methods, and how each is run.

    class Net:
        @rpc("net_listening")
        def listening(self) -> bool: ...

`rpc` leaves the method as it is: other code calls it with typed values. `collect` makes the handlers of namespace
objects, which take a params list. `takes_long`, `reads_index`, `changes_chain` and `changes_all` mark the methods that
run in turns with the building of blocks (rollup/cooperative.py).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar, overload

from rollup.rpc.absent import ABSENT
from rollup.rpc.params import Optional, Parameter, read

_CHAIN = ("debug", "erigon", "eth", "net", "ots", "personal", "trace", "txpool", "web3")
_NODE = ("admin", "anvil", "engine", "evm", "hardhat", "miner", "open", "openrollup", "optimism", "rpc")
NAMESPACES = frozenset((*_CHAIN, *_NODE))
_DECLARATION, _DURATION, _IS_LOCAL = "rpc", "duration", "is_for_local_callers"

Method = Callable[..., Any]
Marked = TypeVar("Marked", bound=Method)
Self = TypeVar("Self")
Answer = TypeVar("Answer")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")


class Duration(Enum):
    """How a handler is run."""

    SHORT = "at once"
    LONG = "in turns with others"
    INDEX = "in turns with others, one after another of those that read an attribution index"
    CHANGE = "alone among what changes chain state"
    CHANGE_ALL = "while nothing else changes any chain"


@dataclass(slots=True, frozen=True)
class Declaration:
    """The names under which a method answers, and how its parameters are read."""

    names: tuple[str, ...]
    parameters: tuple[Parameter[Any], ...]

    def __post_init__(self) -> None:
        for name in self.names:
            if name.split("_")[0] not in NAMESPACES:
                raise ValueError(f"{name} is in no namespace of this node")
            if name in ABSENT:
                raise ValueError(f"{name} is listed as absent in rollup/rpc/absent.py")


class Handler:
    """A method of a namespace object as a server calls it: with a params list."""

    def __init__(self, method: Method, parameters: Sequence[Parameter[Any]]) -> None:
        self.method = method
        self.parameters = parameters
        self.required = sum(not isinstance(parameter, Optional) for parameter in parameters)
        self.duration = duration_of(method)
        self.is_for_local_callers = is_for_local_callers(method)

    def __call__(self, given: Sequence[Any]) -> Any:
        return self.method(*read(self.parameters, given))


class Choice:
    """A method that one of several handlers answers; which one, and so how it runs, depends on the parameters."""

    def __init__(self, choose: Callable[[Sequence[Any]], Handler], usual: Handler) -> None:
        """usual: the handler of most parameters; all of them take the same ones."""
        self.choose = choose
        self.method = usual.method
        self.required = usual.required

    def __call__(self, given: Sequence[Any]) -> Any:
        return self.choose(given)(given)


Names = str | tuple[str, ...]


# mypy holds the types of the method's parameters to those of its parsers.
@overload
def rpc(names: Names, /) -> Callable[[Callable[[Self], Answer]], Callable[[Self], Answer]]: ...
@overload
def rpc(names: Names, a: Parameter[A], /) -> Callable[[Callable[[Self, A], Answer]], Callable[[Self, A], Answer]]: ...
@overload
def rpc(
    names: Names, a: Parameter[A], b: Parameter[B], /
) -> Callable[[Callable[[Self, A, B], Answer]], Callable[[Self, A, B], Answer]]: ...
@overload
def rpc(
    names: Names, a: Parameter[A], b: Parameter[B], c: Parameter[C], /
) -> Callable[[Callable[[Self, A, B, C], Answer]], Callable[[Self, A, B, C], Answer]]: ...
@overload
def rpc(
    names: Names, a: Parameter[A], b: Parameter[B], c: Parameter[C], d: Parameter[D], /
) -> Callable[[Callable[[Self, A, B, C, D], Answer]], Callable[[Self, A, B, C, D], Answer]]: ...
@overload
def rpc(
    names: Names, a: Parameter[A], b: Parameter[B], c: Parameter[C], d: Parameter[D], e: Parameter[E], /
) -> Callable[[Callable[[Self, A, B, C, D, E], Answer]], Callable[[Self, A, B, C, D, E], Answer]]: ...
@overload
def rpc(
    names: Names,
    a: Parameter[A],
    b: Parameter[B],
    c: Parameter[C],
    d: Parameter[D],
    e: Parameter[E],
    f: Parameter[F],
    /,
) -> Callable[[Callable[[Self, A, B, C, D, E, F], Answer]], Callable[[Self, A, B, C, D, E, F], Answer]]: ...
def rpc(names: Names, /, *parameters: Parameter[Any]) -> Callable[[Method], Method]:
    """Declares that a method answers JSON-RPC requests under these names, with parameters that are read like this."""
    declaration = Declaration((names,) if isinstance(names, str) else names, parameters)

    def declare(method: Method) -> Method:
        setattr(method, _DECLARATION, declaration)
        return method

    return declare


def takes_long(method: Marked) -> Marked:
    """Marks a method that may run for more than some milliseconds and only reads. It should call `pause` meanwhile."""
    setattr(method, _DURATION, Duration.LONG)
    return method


def reads_index(method: Marked) -> Marked:
    """Marks a method that reads an attribution index, which must not move meanwhile."""
    setattr(method, _DURATION, Duration.INDEX)
    return method


def changes_chain(method: Marked) -> Marked:
    """Marks a method that changes chain state: it waits until no other change is under way."""
    setattr(method, _DURATION, Duration.CHANGE)
    return method


def changes_all(method: Marked) -> Marked:
    """Marks a method that changes several chains or the clock: it waits until no change is under way in any lane."""
    setattr(method, _DURATION, Duration.CHANGE_ALL)
    return method


def for_local_callers(method: Marked) -> Marked:
    """Marks a method that answers only callers from this machine."""
    setattr(method, _IS_LOCAL, True)
    return method


def is_for_local_callers(handler: Method) -> bool:
    """True for a handler that answers only callers from this machine."""
    return getattr(handler, _IS_LOCAL, False)


def chosen(handler: Method, given: Sequence[Any]) -> Method:
    """The handler that answers these parameters."""
    return handler.choose(given) if isinstance(handler, Choice) else handler


def duration_of(handler: Method) -> Duration:
    """How this handler is to be run."""
    return getattr(handler, _DURATION, Duration.SHORT)


def declarations(kind: type) -> Iterator[tuple[str, Declaration]]:
    """The declared methods of a class: the Python name and the declaration, in the order of the class."""
    for base in reversed(kind.__mro__):
        for attribute, value in vars(base).items():
            declaration = getattr(value, _DECLARATION, None)
            if isinstance(declaration, Declaration):
                yield attribute, declaration


def collect(*namespaces: object) -> dict[str, Handler]:
    """The handlers of all declared methods of some objects, by the names of the JSON-RPC methods."""
    found: dict[str, Handler] = {}
    for namespace in namespaces:
        for attribute, declaration in declarations(type(namespace)):
            handler = Handler(getattr(namespace, attribute), declaration.parameters)
            found.update(dict.fromkeys(declaration.names, handler))
    return found
