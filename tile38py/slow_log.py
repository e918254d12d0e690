"""The slow log: a bounded list of the latest slow commands, which SLOWLOG shows."""

from collections import deque
from dataclasses import dataclass

from tile38py._engine import Engine
from tile38py.interfaces import Client
from tile38py.limits import SLOWLOG_COUNT, SLOWLOG_MICROSECONDS


@dataclass(frozen=True, slots=True)
class SlowCommand:
    """An entry of the slow log."""

    number: int  # from 0 on, unique
    ended_ns: int  # since 1970
    took_ns: int
    waited_ns: int  # for a thread, or for earlier commands of the same batch
    args: list[bytes]  # long ones are cut
    address: str
    name: bytes  # of the client


class SlowLog:
    """A bounded list of slow commands, the newest first."""

    def __init__(self, engine: Engine) -> None:
        self.commands: deque[SlowCommand] = deque(maxlen=SLOWLOG_COUNT)
        self._engine = engine
        self._count = 0
        self._slow_ns: int | None = None
        self.configure(microseconds=SLOWLOG_MICROSECONDS, count_max=SLOWLOG_COUNT)

    @property
    def count(self) -> int:
        """The number of slow commands since the start."""
        return self._count

    def configure(self, *, microseconds: int, count_max: int) -> None:
        """Set the duration from which commands are slow, below 0 none, and the list's length."""
        self._slow_ns = None if microseconds < 0 else microseconds * 1000
        self._engine.set_slow_threshold(self._slow_ns)
        if count_max != self.commands.maxlen:
            self.commands = deque(list(self.commands)[:count_max], count_max)

    def is_slow(self, took_ns: int) -> bool:
        """Whether a command of this duration belongs in the list."""
        return self._slow_ns is not None and took_ns >= self._slow_ns

    def add(
        self, client: Client, args: list[bytes], *, ended_ns: int, took_ns: int, waited_ns: int
    ) -> None:
        """Add a command. The oldest one is dropped if the list is full."""
        number, self._count = self._count, self._count + 1
        self.commands.appendleft(
            SlowCommand(
                number, ended_ns, took_ns, max(waited_ns, 0), args, client.address, client.name
            )
        )
