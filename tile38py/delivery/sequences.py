"""The numbers of events in the hook queue's file: up to which they are stored and delivered.

The engine makes the numbers. A number that is stored belongs to an event that the file has, or that
needed no place in it any more: only the events behind it are taken from the log after a kill.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tile38py._engine import QueuedEvent


@dataclass(slots=True)
class Progress:
    """The progress of a hook's or channel's events."""

    began_ns: int  # the time of the first event, since 1970
    stored: int = 0  # the number of the last stored event
    delivered: int = 0  # the number of the last delivered event; 0 for channels


@dataclass(frozen=True, slots=True)
class SequenceChanges:
    """Changes that the file lacks. Names are forgotten before progress is written."""

    forgotten: tuple[str, ...] = ()
    progress: Mapping[str, Progress] | None = None


class Sequences:
    """The progress of all hooks and channels whose events have numbers."""

    def __init__(self, stored: Mapping[str, Progress]) -> None:
        self._progress = dict(stored)
        self._changed: set[str] = set()
        self._delivered: set[str] = set()  # since the last call of take_delivered()
        self._forgotten: set[str] = set()

    @property
    def is_changed(self) -> bool:
        """Whether the file lacks changes."""
        return bool(self._changed or self._forgotten)

    def names(self) -> list[str]:
        """Return the names of hooks and channels with stored events."""
        return list(self._progress)

    def get(self, name: str) -> Progress | None:
        """Return the progress of a hook or channel; None if none of its events is stored."""
        return self._progress.get(name)

    def note_stored(self, name: str, *, began_ns: int, sequence: int) -> None:
        """Note that an event is stored with the next write, or left the queue before."""
        present = self._of_life(name, began_ns)
        present.stored = max(present.stored, sequence)
        self._changed.add(name)

    def note_delivered(self, event: QueuedEvent) -> None:
        """Note that an event, and all before it, are delivered."""
        self._of_life(event.hook, event.began_ns).delivered = event.sequence
        self._changed.add(event.hook)
        self._delivered.add(event.hook)

    def _of_life(self, name: str, began_ns: int) -> Progress:
        """Return the progress of a name, empty if its events belong to a former hook."""
        present = self._progress.get(name)
        if present is None or present.began_ns != began_ns:
            present = self._progress[name] = Progress(began_ns)
        return present

    def forget(self, name: str) -> None:
        """Forget a hook or channel that was deleted."""
        if self._progress.pop(name, None) is not None:
            self._forgotten.add(name)
            self._changed.discard(name)

    def take_delivered(self) -> list[tuple[str, int]]:
        """Return the hooks with deliveries since the last call, and the last number of each."""
        names, self._delivered = self._known(self._delivered), set()
        return [(name, self._progress[name].delivered) for name in names]

    def take_changes(self) -> SequenceChanges:
        """Return the changes that the file lacks."""
        # Copied: the file must not learn of what comes after the events of its transaction.
        progress = {name: replace(self._progress[name]) for name in self._changed}
        changes = SequenceChanges(tuple(self._forgotten), progress)
        self._forgotten, self._changed = set(), set()
        return changes

    def restore(self, changes: SequenceChanges) -> None:
        """Take changes back that could not be written."""
        self._forgotten.update(changes.forgotten)
        self._changed.update(self._known(changes.progress or ()))

    def _known(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in self._progress]
