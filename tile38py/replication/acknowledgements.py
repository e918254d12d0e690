"""Acknowledgements of followers: sent by a follower, and awaited by clients of its leader."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tile38py.interfaces import Client
from tile38py.limits import ACKNOWLEDGE_SECONDS


class Acknowledger:
    """Tells a leader what was run and logged, once in ACKNOWLEDGE_SECONDS at most."""

    def __init__(self, send: Callable[[int], None]) -> None:
        self._send = send
        self._position = 0
        self._timer: asyncio.TimerHandle | None = None

    def note(self, position: int) -> None:
        """Note that everything before a position was run and logged."""
        self._position = position
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(ACKNOWLEDGE_SECONDS, self._acknowledge)

    def close(self) -> None:
        """Send nothing more: the connection ends."""
        if self._timer is not None:
            self._timer.cancel()

    def _acknowledge(self) -> None:
        self._timer = None
        self._send(self._position)


@dataclass(slots=True, eq=False)
class AcknowledgementWait:
    """The wait of a client."""

    client: Client
    position: int  # of the log
    count_min: int  # of followers
    end: Callable[[int], None]  # gets the number of followers that have it
    timer: asyncio.TimerHandle | None = None


class AcknowledgementWaits:
    """The waits of all clients: at most one each."""

    def __init__(self, positions: Callable[[], Iterable[int]]) -> None:
        """positions returns what each follower has acknowledged."""
        self._positions = positions
        self._waits: list[AcknowledgementWait] = []

    def count(self, position: int) -> int:
        """The number of followers that have acknowledged a position."""
        return sum(acknowledged >= position for acknowledged in self._positions())

    def start(self, wait: AcknowledgementWait, seconds_max: float | None) -> None:
        """Start a wait; None: for as long as the client stays connected."""
        self._waits.append(wait)
        if seconds_max is not None:
            wait.timer = asyncio.get_running_loop().call_later(seconds_max, self._end, wait)

    def settle(self) -> None:
        """End the waits for which enough followers have acknowledged."""
        for wait in list(self._waits):
            if self.count(wait.position) >= wait.count_min:
                self._end(wait)

    def end_abandoned(self) -> None:
        """End the waits of clients that are gone, or have closed their sending side."""
        for wait in [wait for wait in self._waits if wait.client.is_input_ended]:
            self._end(wait)

    def _end(self, wait: AcknowledgementWait) -> None:
        if wait in self._waits:
            self._waits.remove(wait)
            if wait.timer is not None:
                wait.timer.cancel()
            wait.end(self.count(wait.position))
