"""Numbered events of an engine: what commands cause, and what a log brings back."""

import json

from tests.support.embedded import EngineClient
from tests.support.resp import encode_words
from tile38py._engine import ChannelEvent, Engine, Events, HookEvent

Words = tuple[str | float, ...]
AREA: Words = ("WITHIN", "fleet", "FENCE", "DETECT", "enter,exit", "BOUNDS", 0, 0, 9, 9)
HOOK: Words = ("SETHOOK", "h", "http://127.0.0.1:1/", "SEQUENCE", "yes", *AREA)
CHANNEL: Words = ("SETCHAN", "c", "SEQUENCE", "yes", *AREA)
ENTER: Words = ("SET", "fleet", "truck", "POINT", 5, 5)
EXIT: Words = ("SET", "fleet", "truck", "POINT", 50, 50)


def numbers_of(events: Events | None) -> list[tuple[str, int]]:
    """Return the hook or channel and the number of each event, as its message tells."""
    found: list[tuple[str, int]] = []
    for event in [*events.channels, *events.hooks] if events is not None else []:
        if isinstance(event, HookEvent | ChannelEvent):
            message = json.loads(event.body)
            assert list(message)[-1] == "sequence"
            assert message["sequence"] == event.sequence
            found.append((message["hook"], event.sequence))
    return found


class NumberedClient(EngineClient):
    """A client that collects the numbers of events, beside the log."""

    def __init__(self, engine: Engine | None = None) -> None:
        """Open a session with an engine, by default a new one."""
        super().__init__(engine)
        self.numbers: list[tuple[str, int]] = []

    def run(self, *commands: Words) -> list[tuple[str, int]]:
        """Run commands; return the numbers of their events."""
        data = b"".join(encode_words(words) for words in commands)
        batch = self.session.feed(data, self.now_ns)
        assert b"-ERR" not in batch.replies, batch.replies
        self.log += batch.log
        numbers = numbers_of(batch.events)
        self.numbers += numbers
        return numbers
