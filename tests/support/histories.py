"""A history in memory, for tests without delivery."""

from collections.abc import Coroutine, Sequence

from tile38py._engine import ChannelEvent, Engine
from tile38py.interfaces.history import HistorySpan, PastEvent


class FakeHistory:
    """An EventHistory of an engine's channels, or with the events that a test sets."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.events: dict[str, list[PastEvent]] = {}
        self.started: list[str] = []

    def fill(self, name: str, first: int, last: int) -> None:
        """Set events with these numbers."""
        self.events[name] = [
            PastEvent(number, 0, "k", "a", "enter", b'{"sequence":%d}' % number)
            for number in range(first, last + 1)
        ]

    def span(self, name: str) -> HistorySpan | None:
        """Return the numbers of the events."""
        events = self.events.get(name, [] if self._has_history(name) else None)
        if events is None:
            return None
        return HistorySpan(events[0].sequence, events[-1].sequence) if events else HistorySpan(1, 0)

    def _has_history(self, name: str) -> bool:
        found = self._engine.channel(name.encode()) or self._engine.hook(name.encode())
        return found is not None and b"HISTORY" in found.options

    def keep(self, events: Sequence[ChannelEvent]) -> None:
        """Keep the events of channels that have a history."""
        for event in events:
            name = event.channel.decode()
            if event.sequence and self._has_history(name):
                subject = (event.made_ns, event.key, event.object_id, event.detect, event.body)
                self.events.setdefault(name, []).append(PastEvent(event.sequence, *subject))

    def recent(self, name: str, position: int) -> list[PastEvent]:
        """Return the events from a number on."""
        return [event for event in self.events.get(name, ()) if event.sequence >= position]

    async def read(self, name: str, position: int) -> list[PastEvent]:
        """Return the same."""
        return self.recent(name, position)

    def start(self, work: Coroutine[object, object, None], name: str) -> bool:
        """Run a reader to its end, at once."""
        self.started.append(name)
        try:
            for _ in range(1000):
                work.send(None)
        except StopIteration:
            pass
        return True
