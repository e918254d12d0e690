"""Numbered events after a start or a full copy: which ones come from the log.

A kill leaves events that only the log has, a replay that was interrupted leaves some that only the
history has.
"""

from collections.abc import Callable, Sequence

from tile38py._engine import Events, HookEvent
from tile38py.delivery.history import Histories
from tile38py.delivery.hook_queue import HookQueue
from tile38py.delivery.replays import Replays
from tile38py.delivery.store import bytes_of, name_of
from tile38py.interfaces.delivery import HookDirectory


class EventRecovery:
    """Compares the queue and the histories with a log that was loaded or adopted."""

    def __init__(
        self,
        queue: HookQueue,
        histories: Histories,
        replays: Replays,
        *,
        hooks: HookDirectory,
        take: Callable[[Sequence[HookEvent]], None],
    ) -> None:
        self._queue = queue
        self._histories = histories
        self._replays = replays
        self._hooks = hooks
        self._take = take

    def stored(self) -> list[tuple[bytes, int, int]]:
        """Return the hooks and channels with stored events: name, last number, time of the first.

        Both the queue and the history, of those that have both, have the events up to there.
        """
        found: dict[str, tuple[int, int]] = {}
        for name in self._queue.sequences.names():
            progress = self._queue.sequences.get(name)
            if progress is not None:
                found[name] = (progress.stored, progress.began_ns)
        for name in self._histories.names():
            history = self._histories.stored(name)
            if history is not None and found.get(name, (history.last, 0))[0] >= history.last:
                found[name] = (history.last, history.began_ns)
        return [(bytes_of(name), *values) for name, values in found.items()]

    def recover(self, events: Events | None) -> None:
        """Take the events that the loaded log has and the file lacks. Before run()."""
        sequences = self._queue.sequences
        for name in sequences.names():
            progress, present = sequences.get(name), self._hooks.sequence(name)
            if progress is None or present is None or progress.began_ns != present[1]:
                self._queue.drop(name)
        for name in self._histories.names():
            self._histories.changed(name)
        if events is not None:
            self._take_recovered(events)
        for name in sequences.names():
            progress, history = sequences.get(name), self._histories.stored(name)
            if progress is not None and history is not None and progress.stored < history.last:
                self._replays.resume(name, progress.stored + 1)

    def _take_recovered(self, events: Events) -> None:
        """Take events of the log, of which the queue or the histories may have some."""
        for event in events.hooks:
            if isinstance(event, HookEvent):
                progress = self._queue.sequences.get(event.hook)
                history = self._histories.stored(event.hook)
                self._histories.add(event.hook, event)
                is_interrupted = (
                    progress is not None and history is not None and progress.stored < history.last
                )
                is_next = progress is None or event.sequence > progress.stored
                if is_next and not is_interrupted:
                    self._take([event])
        for told in events.channels:
            self._histories.add(name_of(told.channel), told)

    def replace(self, events: Events | None) -> None:
        """Drop all numbered events and take these, which an adopted log has."""
        waiting = (hook for hook in self._queue.hooks() if self._is_numbered(hook))
        for name in {*self._queue.sequences.names(), *waiting}:
            self._queue.drop(name)
        for name in self._histories.names():
            self._histories.clear(name)
        if events is not None:
            self._take_recovered(events)

    def _is_numbered(self, hook: str) -> bool:
        record = self._hooks.find(hook)
        return record is not None and record.options is not None and record.options.is_numbered
