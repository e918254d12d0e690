"""A follower with its dependencies in fake time, and a fake leader."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable

from tests.support.bench import Bench
from tests.support.fake_disk import LOG, FakeDisk, FakeFolder
from tests.support.fake_leader import FakeLeader, LoopThreads, NoRewriting
from tests.support.fake_time import fake_clock
from tile38py._engine import Engine, Events
from tile38py.commands.replication import keep_leader
from tile38py.config.properties import LEADERAUTH
from tile38py.interfaces.files import LoopFunctions
from tile38py.interfaces.following import LeaderAddress
from tile38py.persistence.aof import Aof
from tile38py.persistence.resync import ResyncDisk
from tile38py.replication.dependencies import FollowerDependencies
from tile38py.replication.follower import Follower

LEADER = LeaderAddress("leader", 9851)
STEP_SECONDS = 0.01
STEPS_MAX = 10_000


class FakeNumberedEvents:
    """Numbered events of hooks: what a follower does with them is counted."""

    def __init__(self) -> None:
        self.replaced = 0
        self.changes = 0

    def replace(self, events: Events | None) -> None:
        """Count a replacement."""
        del events
        self.replaced += 1

    def follow_changed(self) -> None:
        """Count a change."""
        self.changes += 1


class FollowerWorld:
    """A follower and its fake leader."""

    def __init__(self, leader: FakeLeader, log: bytes = b"") -> None:
        self.leader = leader
        self.disk = FakeDisk()
        self.disk.put(log)
        self.loop = asyncio.get_running_loop()
        self.aof = Aof(
            self.disk.open(),
            len(log),
            LoopFunctions(self.loop.call_soon, self._in_thread),
            lambda _error: None,
        )
        self.bench = Bench(journal=self.aof)
        assert self.bench.engine.load(log, fake_clock().now_ns()).error is None
        self.bench.config.identity.server_id = "us"
        self.errors: list[str] = []
        self.numbered = FakeNumberedEvents()
        self.follower = Follower(self._dependencies(), None)

    @contextlib.asynccontextmanager
    async def running(self, *, follows: bool = True) -> AsyncIterator["FollowerWorld"]:
        """Run the follower for the length of a block."""
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self._run(follows))
            await asyncio.sleep(0)
            yield self
            running.cancel()

    async def _run(self, follows: bool) -> None:
        async with asyncio.TaskGroup() as tasks:
            self.follower.open(tasks)
            self.follower.start()
            if follows:
                self.follower.follow(LEADER, self.follower.next_number())

    @property
    def log(self) -> bytes:
        """The content of the log file."""
        return self.disk.names[LOG].data

    def set_password(self, text: str) -> None:
        """Set leaderauth."""
        self.bench.config.set(LEADERAUTH.name, text)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let time pass until a condition holds. Raises TimeoutError after STEPS_MAX."""
        for _ in range(STEPS_MAX):
            if condition():
                return
            await asyncio.sleep(STEP_SECONDS)
        raise TimeoutError

    async def caught_up(self) -> None:
        """Let time pass until the follower has the leader's log."""
        await self.until(lambda: self.follower.is_caught_up and self.log == self.leader.log)

    def requests(self) -> list[list[bytes]]:
        """Return the requests to the leader, by connection."""
        return [stream.requests for stream in self.leader.streams]

    def _dependencies(self) -> FollowerDependencies:
        bench = self.bench
        return FollowerDependencies(
            engine=bench.engine,
            new_engine=Engine,
            clock=fake_clock(),
            config=bench.config,
            gates=bench.gates,
            journal=self.aof,
            router=bench.router,
            numbered=self.numbered,
            connector=self.leader,
            threads=LoopThreads(),
            disk=ResyncDisk(self.aof, FakeFolder(self.disk), NoRewriting(), self._in_thread),
            port=lambda: 7777,
            log_info=lambda text, *values: self.bench.log_lines.append(text % values),
            log_error=lambda text, *values: self.errors.append(text % values),
            keep_leader=functools.partial(keep_leader, bench.config, bench.settings_file),
        )

    def _in_thread(self, run: Callable[[], None], done: Callable[[OSError | None], None]) -> None:
        def end() -> None:
            try:
                run()
            except OSError as error:
                done(error)
            else:
                done(None)

        self.loop.call_soon(end)
