"""Interfaces of event histories: of channels for subscribers, of hooks for REPLAYHOOK."""

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Protocol

from tile38py.limits import HISTORY_BYTES_MAX


@dataclass(frozen=True, slots=True)
class HistoryBounds:
    """The bounds of a history; the oldest events are removed."""

    count: int = 0  # 0 = no bound
    age_ns: int = 0  # 0 = no bound
    bytes: int = HISTORY_BYTES_MAX


@dataclass(frozen=True, slots=True)
class PastEvent:
    """A numbered event of a history."""

    sequence: int
    made_ns: int  # since 1970
    key: str
    object_id: str
    detect: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class HistorySpan:
    """The numbers of the events in a history. It is empty if first is above last."""

    first: int
    last: int


class EventHistory(Protocol):
    """The histories of hooks and channels."""

    def span(self, name: str) -> HistorySpan | None:
        """The numbers that can be read; None for a hook or channel without HISTORY."""

    def recent(self, name: str, position: int) -> list[PastEvent] | None:
        """All events from a number on, if they are in memory; else None."""

    def read(self, name: str, position: int) -> Coroutine[object, object, list[PastEvent]]:
        """Return a page of the file's events from a number on. Raises OSError."""

    def start(self, work: Coroutine[object, object, None], name: str) -> bool:
        """Run a reader of histories as a task of its own; return whether the delivery runs."""
