"""Who runs at present: simulated processes, and how code that runs finds the one it belongs to."""

import random
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

from tile38py._engine import Engine
from tile38py.persistence.aof import Aof


class CrashedError(BaseException):
    """The process of this code is no more. No server code catches it."""


@dataclass(slots=True)
class Trail:
    """What happened, in order."""

    now: Callable[[], float]
    lines: list[str] = field(default_factory=list)

    def note(self, who: str, text: str) -> None:
        """Add a line."""
        self.lines.append(f"{self.now():10.6f} {who:>4}: {text}")


@dataclass(slots=True)
class World:
    """What all parts of one simulation share."""

    chance: random.Random
    trail: Trail


@dataclass(slots=True, eq=False)
class Process:
    """One run of a server on a machine."""

    name: str
    is_alive: bool = True
    ops_left: int | None = None  # file operations until it dies, if that was arranged
    ops_left_at_swap: int | None = None  # the same, from when another file takes its log's place on
    on_death: Callable[["Process"], None] | None = None
    signals: dict[int, Callable[[], object]] = field(default_factory=dict)  # who handles them
    engine: Engine | None = None  # the data of a server
    journal: Aof | None = None  # its log

    def check(self) -> None:
        """Stop here if the process is dead."""
        if not self.is_alive:
            raise CrashedError

    def swapped(self) -> None:
        """Another file took the place of the log."""
        if self.ops_left_at_swap is not None:
            self.ops_left, self.ops_left_at_swap = self.ops_left_at_swap, None

    def step(self) -> None:
        """Called before each operation on files."""
        self.check()
        if self.ops_left is not None:
            self.ops_left -= 1
            if self.ops_left < 0:
                assert self.on_death is not None
                self.on_death(self)
                self.check()


CURRENT: ContextVar[Process] = ContextVar("CURRENT")
