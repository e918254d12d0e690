"""The commands that took long, the last of them. Knows no command; they are shown by SLOWLOG."""

from collections import deque
from dataclasses import dataclass

from tile38py._engine import Engine
from tile38py.interfaces import Client
from tile38py.limits import SLOWLOG_COUNT, SLOWLOG_MICROSECONDS


@dataclass(frozen=True, slots=True)
class SlowCommand:
    """One of them."""

    number: int  # from 0 on, never given twice
    ended_ns: int  # since 1970
    took_ns: int
    waited_ns: int  # for a thread, or for commands before it that came together with it
    args: list[bytes]  # long ones cut
    address: str
    name: bytes  # of the client


class SlowLog:
    """A bounded list, the newest first."""

    def __init__(self, engine: Engine) -> None:
        self.commands: deque[SlowCommand] = deque(maxlen=SLOWLOG_COUNT)
        self._engine = engine
        self._count = 0
        self._slow_ns: int | None = None
        self.configure(microseconds=SLOWLOG_MICROSECONDS, count_max=SLOWLOG_COUNT)

    def configure(self, *, microseconds: int, count_max: int) -> None:
        """From how long on commands are slow, below 0 none, and how many are kept."""
        self._slow_ns = None if microseconds < 0 else microseconds * 1000
        self._engine.tell_slow(self._slow_ns)
        if count_max != self.commands.maxlen:
            self.commands = deque(list(self.commands)[:count_max], count_max)

    def is_slow(self, took_ns: int) -> bool:
        """Whether a command that takes so long is one for the list."""
        return self._slow_ns is not None and took_ns >= self._slow_ns

    def add(
        self, client: Client, args: list[bytes], *, ended_ns: int, took_ns: int, waited_ns: int
    ) -> None:
        """One more; the oldest goes if there are too many."""
        number, self._count = self._count, self._count + 1
        self.commands.appendleft(
            SlowCommand(
                number, ended_ns, took_ns, max(waited_ns, 0), args, client.address, client.name
            )
        )
