"""Simulated processes, the running one of them, and the context of a simulation."""

import random
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

from tile38py._engine import Engine
from tile38py.persistence.aof import Aof


class CrashedError(BaseException):
    """The simulated process of the running code is dead. No server code catches this."""


@dataclass(slots=True)
class Trace:
    """The events of a simulation as text, in order."""

    now: Callable[[], float]
    lines: list[str] = field(default_factory=list)

    def note(self, name: str, text: str) -> None:
        """Add a line about a machine or client; the name may be empty."""
        self.lines.append(f"{self.now():10.6f} {name:>4}: {text}")


@dataclass(slots=True)
class SimulationContext:
    """The random numbers and the trace, which all parts of a simulation share."""

    chance: random.Random
    trace: Trace


@dataclass(slots=True, eq=False)
class SimulatedProcess:
    """A run of a server on a machine."""

    name: str
    is_alive: bool = True
    operations_left: int | None = None  # on files, until it crashes; None = it doesn't
    operations_left_at_swap: int | None = None  # the same, counted after the log was replaced
    on_death: Callable[["SimulatedProcess"], None] | None = None
    signals: dict[int, Callable[[], object]] = field(default_factory=dict)  # handlers
    engine: Engine | None = None  # the data of a server
    journal: Aof | None = None  # the log of a server

    def check(self) -> None:
        """Raise CrashedError if the process is dead."""
        if not self.is_alive:
            raise CrashedError

    def swapped(self) -> None:
        """Note that another file replaced the log."""
        if self.operations_left_at_swap is not None:
            self.operations_left, self.operations_left_at_swap = self.operations_left_at_swap, None

    def step(self) -> None:
        """Count an operation on files before it runs; crash if it is the last."""
        self.check()
        if self.operations_left is not None:
            self.operations_left -= 1
            if self.operations_left < 0:
                assert self.on_death is not None
                self.on_death(self)
                self.check()


CURRENT: ContextVar[SimulatedProcess] = ContextVar("CURRENT")
