"""A follower with all that surrounds it, on a loop whose time jumps, and a scripted leader."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable

from tests.support.bench import Bench
from tests.support.fake_disk import LOG, FakeDisk, FakeFolder
from tests.support.fake_leader import FakeLeader, LoopThreads, NoRewriting
from tests.support.fake_time import fake_clock
from tile38py._engine import Engine
from tile38py.commands.replication import keep_leader
from tile38py.config.properties import LEADERAUTH
from tile38py.interfaces.following import LeaderAddress
from tile38py.persistence.aof import Aof, LoopFunctions
from tile38py.persistence.resync import ResyncDisk
from tile38py.replication.dependencies import FollowerDependencies
from tile38py.replication.follower import Follower

LEADER = LeaderAddress("leader", 9851)
STEP_SECONDS = 0.01
STEPS_MAX = 10_000


class FollowerWorld:
    """One follower and one leader."""

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
        self.follower = Follower(self._surroundings(), None)

    @contextlib.asynccontextmanager
    async def running(self, *, follows: bool = True) -> AsyncIterator["FollowerWorld"]:
        """It runs, and follows the leader."""
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
        """What the log's file has."""
        return self.disk.names[LOG].data

    def set_password(self, text: str) -> None:
        """The leader's password, as we know it."""
        self.bench.config.set(LEADERAUTH.name, text)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let time pass until something is so."""
        for _ in range(STEPS_MAX):
            if condition():
                return
            await asyncio.sleep(STEP_SECONDS)
        raise TimeoutError

    async def caught_up(self) -> None:
        """Let time pass until it has all that the leader has."""
        await self.until(lambda: self.follower.is_caught_up and self.log == self.leader.log)

    def said(self) -> list[list[bytes]]:
        """What it said, by connection."""
        return [stream.said for stream in self.leader.streams]

    def _surroundings(self) -> FollowerDependencies:
        bench = self.bench
        return FollowerDependencies(
            engine=bench.engine,
            new_engine=Engine,
            clock=fake_clock(),
            config=bench.config,
            gates=bench.gates,
            journal=self.aof,
            router=bench.router,
            connector=self.leader,
            threads=LoopThreads(),
            disk=ResyncDisk(self.aof, FakeFolder(self.disk), NoRewriting(), self._in_thread),
            port=7777,
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
