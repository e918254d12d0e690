"""A truck whose positions have event times, and the messages of a channel about them."""

import json

from tests.support.embedded import START_NS, EngineClient
from tests.support.resp import encode_words

SECOND = 1_000_000_000
INSIDE, OUTSIDE = (5, 5), (50, 5)
CHANNEL = ("SETCHAN", "gate", "WITHIN", "fleet", "FENCE", "DETECT", "enter,exit", "IDS")
AREA = ("BOUNDS", 0, 0, 9, 9)
WINDOW_MILLISECONDS = 10_000
COUNT_MAX = 1000


class Track:
    """An engine whose fences wait for ten seconds, and the messages of its channels."""

    def __init__(self) -> None:
        self.client = EngineClient()
        self.told: list[str] = []
        self.client.engine.set_event_window(WINDOW_MILLISECONDS)
        self.run(*CHANNEL, *AREA)

    def run(self, *words: str | float) -> bytes:
        """Run a command; return the reply."""
        batch = self.client.session.feed(encode_words(words), self.client.now_ns)
        self.client.log += batch.log
        for event in batch.events.channels if batch.events else []:
            self._note(event.body)
        return batch.replies

    def put(self, second: float, place: tuple[int, int], *options: str) -> bytes:
        """Set the truck's position at a second after the start."""
        return self.run("SET", "fleet", "truck", *options, "AT", at(second), "POINT", *place)

    def wait(self, seconds: float) -> None:
        """Let time pass, and decide about what is due."""
        self.client.now_ns += int(seconds * SECOND)
        log, _ = self.client.engine.expire(self.client.now_ns, COUNT_MAX)
        self.client.log += log
        events = self.client.engine.take_events()
        for event in events.channels if events else []:
            self._note(event.body)

    def taken(self) -> list[str]:
        """Return the messages since the last call, as `detect second`."""
        told, self.told = self.told, []
        return told

    def _note(self, body: bytes) -> None:
        message = json.loads(body)
        second = message["at"].split(":")[2].rstrip("Z") if "at" in message else "-"
        self.told.append(f"{message.get('detect', message['command'])} {second}")


def at(second: float) -> str:
    """Return an event time. The minute begins 20 seconds before the start."""
    return f"{START_NS // SECOND - 20 + second}"
