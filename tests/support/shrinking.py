"""A log with a shrinker on a fake disk, under a manual loop that runs callbacks in any order."""

import random
from dataclasses import dataclass, field

from tests.support.fake_disk import LOG, FakeDisk, FakeFile, FakeFolder
from tests.support.fakes import FakeClock, ManualLoop
from tile38py.interfaces.files import LoopFunctions
from tile38py.interfaces.views import ByteData
from tile38py.persistence.aof import Aof
from tile38py.persistence.shrink import AofShrinker, ShrinkDependencies

State = dict[bytes, bytes]
KEYS = (b"a", b"b", b"c")


def apply(state: State, line: bytes) -> None:
    """Run `key=value`, or `key+value`, which appends to the value."""
    name, value = line[:1], line[2:]
    state[name] = state.get(name, b"") + value if line[1:2] == b"+" else value


def load(data: bytes) -> State:
    """Replay a log and return the state, without an incomplete last line."""
    state: State = {}
    for line in data.split(b"\n")[:-1]:
        apply(state, line)
    return state


class FakeRewrite:
    """A snapshot of a state as log lines, read two at a time."""

    def __init__(self, state: State) -> None:
        self.lines = [b"%b=%b\n" % item for item in sorted(state.items())]
        self.total = len(self.lines)
        self.written = 0

    def read(self, bytes_max: int) -> bytes:
        """Return the next two lines; none at the end."""
        del bytes_max
        start, self.written = self.written, min(self.written + 2, self.total)
        return b"".join(self.lines[start : self.written])


@dataclass(slots=True)
class FakeData:
    """A fake of the engine that holds a state."""

    state: State = field(default_factory=dict)

    def rewrite(self, now_ns: int) -> FakeRewrite:
        """Return a snapshot of the state."""
        del now_ns
        return FakeRewrite(dict(self.state))

    def statistics(self) -> dict[str, int]:
        """Return the number of keys."""
        return {"num_objects": len(self.state)}


class CountingWaiter:
    """A Waiter that counts the writes that were acknowledged or refused, in order."""

    def __init__(self) -> None:
        self.acknowledged = 0
        self.refusals: list[str] = []

    def release(self, replies: ByteData, is_last: bool) -> None:
        """Record an acknowledged write."""
        del is_last
        self.acknowledged = int(replies)

    def refuse(self, replies: ByteData, reason: str) -> None:
        """Record a refused write."""
        del replies
        self.refusals.append(reason)


class ShrinkHarness:
    """A log, its shrinker and a client that writes, over fakes."""

    def __init__(
        self, *, policy: str = "everysec", before: bytes = b"a=0\nb=0\na=1\na+2\n"
    ) -> None:
        self.disk = FakeDisk()
        self.disk.put(before)
        self.loop = ManualLoop()
        self.health: list[str | None] = []
        self.data = FakeData(load(before))
        self.states = [dict(self.data.state)]  # after each write
        self.writer = CountingWaiter()
        self.infos: list[str] = []
        self.errors: list[str] = []
        loop = LoopFunctions(self.loop.call_soon, self.loop.in_thread)
        self.aof = Aof(self.disk.open(), len(before), loop, self.health.append)
        self.aof.policy = policy
        self.clock = FakeClock()
        self.shrinker = AofShrinker(
            self.aof,
            ShrinkDependencies(
                data=self.data,
                folder=FakeFolder(self.disk),
                in_thread=self.loop.in_thread,
                clock=self.clock,
                log_info=self.tell_info,
                log_error=self.tell_error,
            ),
        )

    def tell_info(self, text: str, *values: object) -> None:
        """Record an info line of the server's log."""
        self.infos.append(text % values)

    def tell_error(self, text: str, *values: object) -> None:
        """Record an error line of the server's log."""
        self.errors.append(text % values)

    @property
    def file(self) -> FakeFile:
        """The file of the log."""
        file = self.aof.file
        assert isinstance(file, FakeFile)
        return file

    def write(self, line: bytes) -> None:
        """Run and log a command of a client."""
        apply(self.data.state, line)
        self.states.append(dict(self.data.state))
        self.aof.append(line + b"\n")
        self.aof.wait(self.writer, b"%d" % (len(self.states) - 1), wrote=True)

    def end_thread(self, index: int = 0) -> None:
        """Run the work of one thread, and call back."""
        self.loop.threads.pop(index)()

    def settle(self) -> None:
        """Run the loop and its threads until both are idle."""
        while self.loop.soon or self.loop.threads:
            self.loop.turn()
            self.loop.end_threads()

    def act(self, chance: random.Random) -> None:
        """Do one random step: write, run the loop, end a thread, or tick."""
        number = len(self.states)
        action = chance.randrange(8)
        if action < 3 and self.aof.error is None:
            for _ in range(chance.choice((1, 1, 2, 5))):
                kind = chance.choice((b"%b=%d", b"%b+%d"))
                self.write(kind % (chance.choice(KEYS), number))
        elif action < 5:
            self.loop.turn()
        elif action < 7 and self.loop.threads:
            self.end_thread(chance.randrange(len(self.loop.threads)))
        else:
            self.aof.tick()

    def known(self, files: dict[str, bytes]) -> int:
        """Return the number of writes that the log in these files has."""
        state = load(files[LOG])
        found = [number for number, known in enumerate(self.states) if known == state]
        assert found, (files, self.states)
        return found[-1]
