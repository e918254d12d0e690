"""A leader with its log over fakes, and followers whose write buffers a test controls."""

from tests.support.fake_log_file import FakeLogFile
from tests.support.fakes import SECOND, FakeClient, FakeClock, ManualLoop, command
from tile38py._engine import Engine
from tile38py.interfaces import Listener, StreamProgress
from tile38py.interfaces.files import LoopFunctions
from tile38py.persistence.aof import EVERYSEC, Aof
from tile38py.replication.leader import Leader

SOCKET_BYTES_HIGH = 1000
TURNS_MAX = 10_000


class StreamClient(FakeClient):
    """A client that pauses its listener above the high-water mark of its write buffer."""

    takes = True

    @property
    def listening(self) -> Listener:
        """The listener, which is attached."""
        assert self.listener is not None
        return self.listener

    def write(self, data: bytes) -> None:
        """Record bytes, and buffer them while the socket takes nothing."""
        assert not self.is_gone
        super().write(data)
        if not self.takes:
            self.unsent += len(data)
            if self.unsent > SOCKET_BYTES_HIGH:
                self.listening.pause()

    def kill(self) -> None:
        """Close."""
        self.shut()

    def shut(self) -> None:
        """Close once."""
        if not self.is_gone:
            self.is_gone = True
            self.listening.close()


class FollowerConnection:
    """The connection of a follower, as a test controls it."""

    def __init__(self, client: StreamClient) -> None:
        self.client = client

    @property
    def takes(self) -> bool:
        """Whether the socket takes bytes."""
        return self.client.takes

    @takes.setter
    def takes(self, value: bool) -> None:
        self.client.takes = value

    @property
    def received(self) -> bytes:
        """All bytes that were written to the socket."""
        return b"".join(self.client.pushed)

    def is_cut(self) -> bool:
        """Whether the connection is closed."""
        return self.client.is_gone

    def take(self, size: int) -> None:
        """Take some bytes out of the write buffer."""
        self.client.unsent = max(self.client.unsent - size, 0)

    def drain(self) -> None:
        """Empty the write buffer and resume the listener."""
        self.client.unsent = 0
        self.client.listening.resume()


class LeaderHarness:
    """A leader with its log on a fake disk and a manual loop."""

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
        """Append pieces to the log and write them, as far as they fit on the disk."""
        for piece in pieces:
            self.aof.append(piece)
        self.loop.turn()

    def follow(self, position: int) -> FollowerConnection:
        """Attach a follower that reads from a position."""
        self._count += 1
        client = StreamClient(Engine().session(), self._count)
        self.leader.attach(client, position)
        if self.aof.is_dirty:
            self.settle()
        client.listening.send(b"+OK\r\n", is_last=False)
        return FollowerConnection(client)

    def progress(self, follower: FollowerConnection) -> StreamProgress:
        """Return the progress of a follower."""
        progress = self.leader.progress(follower.client)
        assert progress is not None
        return progress

    def settle(self) -> None:
        """Run the loop and its threads until both are idle."""
        for _ in range(TURNS_MAX):
            if not self.loop.soon and not self.loop.threads:
                return
            self.loop.turn()
            self.loop.end_threads()
        raise TimeoutError

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass and check the followers each second."""
        for _ in range(int(seconds)):
            self.clock.time_ns += SECOND
            self.leader.check()


def message(text: bytes) -> bytes:
    """Return a message of channel c as followers get it."""
    return command(b"PUBLISH", b"c", text)
