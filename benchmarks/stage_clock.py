"""Where time goes, by stage: functions and methods are wrapped while a measurement runs, each stage on its own time."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any


@dataclass(frozen=True, slots=True)
class Probe:
    """A callable by its owner (module or class) and name, and the stage its time counts for."""

    owner: Any
    name: str
    stage: str


@dataclass(slots=True)
class StageClock:
    """Seconds by stage. A stage inside another one stops the outer one's clock."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _running: list[str] = field(default_factory=list)
    _mark: float = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts what runs inside, but for inner stages."""
        self._switch()
        self._running.append(name)
        try:
            yield
        finally:
            self._switch()
            self._running.pop()

    @contextmanager
    def watching(self, probes: list[Probe]) -> Iterator[None]:
        """Wraps the probes' callables, and unwraps them."""
        originals = [(probe, getattr(probe.owner, probe.name)) for probe in probes]
        try:
            for probe, original in originals:
                setattr(probe.owner, probe.name, self._wrapped(original, probe.stage))
            yield
        finally:
            for probe, original in originals:
                setattr(probe.owner, probe.name, original)

    def _wrapped(self, original: Callable[..., Any], stage: str) -> Callable[..., Any]:
        @wraps(original)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if not self._running or self._running[-1] == stage:
                return original(*args, **kwargs)
            with self.stage(stage):
                return original(*args, **kwargs)

        return timed

    def _switch(self) -> None:
        now = time.perf_counter()
        if self._running:
            self.seconds[self._running[-1]] += now - self._mark
        self._mark = now
