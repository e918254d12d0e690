"""A leader's log over fakes, and followers whose sockets take as much as told. No test is here."""

from tests.support.fakes import SECOND, FakeClient, FakeClock, FakeLogFile, ManualLoop, command
from tile38py._engine import Engine
from tile38py.interfaces import Listener, StreamProgress
from tile38py.persistence.aof import EVERYSEC, Aof, LoopFunctions
from tile38py.replication.leader import Leader

SOCKET_BYTES_HIGH = 1000
TURNS_MAX = 10_000


class StreamClient(FakeClient):
    """A client whose socket pauses its listener when it has too much."""

    takes = True

    @property
    def listening(self) -> Listener:
        """Its listener, which it has."""
        assert self.listener is not None
        return self.listener

    def write(self, data: bytes) -> None:
        """Take it, or keep it waiting."""
        assert not self.is_gone
        super().write(data)
        if not self.takes:
            self.unsent += len(data)
            if self.unsent > SOCKET_BYTES_HIGH:
                self.listening.pause()

    def kill(self) -> None:
        """Be gone."""
        self.shut()

    def shut(self) -> None:
        """Be gone."""
        if not self.is_gone:
            self.is_gone = True
            self.listening.close()


class Follower:
    """A connection that follows."""

    def __init__(self, client: StreamClient) -> None:
        self.client = client

    @property
    def takes(self) -> bool:
        """Whether its socket takes bytes."""
        return self.client.takes

    @takes.setter
    def takes(self, value: bool) -> None:
        self.client.takes = value

    @property
    def received(self) -> bytes:
        """All that was ever handed to the socket."""
        return b"".join(self.client.pushed)

    def is_cut(self) -> bool:
        """Whether its connection is closed."""
        return self.client.is_gone

    def take(self, size: int) -> None:
        """Take some of what waits."""
        self.client.unsent = max(self.client.unsent - size, 0)

    def drain(self) -> None:
        """Take all that waits, after which the socket asks for more."""
        self.client.unsent = 0
        self.client.listening.resume()


class Scene:
    """A log on a fake disk with its leader, on a loop that turns when told."""

    def __init__(self, policy: str = EVERYSEC) -> None:
        self.clock = FakeClock()
        self.loop = ManualLoop()
        self.file = FakeLogFile()
        self.warnings: list[str] = []
        loop = LoopFunctions(self.loop.call_soon, self.loop.in_thread)
        self.aof = Aof(self.file, 0, loop, lambda _error: None)
        self.aof.policy = policy
        self.leader = Leader(
            self.aof, in_thread=self.loop.in_thread, clock=self.clock, warn=self.warnings.append
        )
        self._count = 0

    def write(self, *pieces: bytes) -> None:
        """Log pieces and write them, as far as the disk takes them."""
        for piece in pieces:
            self.aof.append(piece)
        self.loop.turn()

    def follow(self, position: int) -> Follower:
        """A follower from a position on."""
        self._count += 1
        client = StreamClient(Engine().session(), self._count)
        self.leader.attach(client, position)
        if self.aof.is_dirty:
            self.settle()
        client.listening.send(b"+OK\r\n", is_last=False)
        return Follower(client)

    def progress(self, follower: Follower) -> StreamProgress:
        """How far a follower is."""
        progress = self.leader.progress(follower.client)
        assert progress is not None
        return progress

    def settle(self) -> None:
        """LogWaiter until nothing more happens."""
        for _ in range(TURNS_MAX):
            if not self.loop.soon and not self.loop.threads:
                return
            self.loop.turn()
            self.loop.end_threads()
        raise TimeoutError

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass, with a look at the followers each second."""
        for _ in range(int(seconds)):
            self.clock.time_ns += SECOND
            self.leader.check()


def message(text: bytes) -> bytes:
    """A message of channel c as followers get it."""
    return command(b"PUBLISH", b"c", text)
