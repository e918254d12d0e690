"""A server in this process, without sockets: commands in, replies out, by the real engine."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from tests.support.executor_units import ExecutorUnits
from tests.support.fake_disk import FakeBackups, FakeShrinker
from tests.support.fake_following import FakeFollowing, FinishedTask
from tests.support.fakes import (
    SECOND,
    FakeClient,
    FakeClock,
    FakeHookDelivery,
    FakeJournal,
    FakeMemory,
    FakeOutbox,
    FakeProcess,
    FakeSettingsFile,
    FakeTransport,
    ManualLoop,
    command,
)
from tests.support.histories import FakeHistory
from tile38py import commands as families
from tile38py._engine import Close, Engine
from tile38py.access.control import AccessControl
from tile38py.access.logins import FailedLogins
from tile38py.access.refusals import Refusals
from tile38py.access.users import Users
from tile38py.clients import Clients
from tile38py.commands.registry import LastReply, Services
from tile38py.config import Config
from tile38py.config.properties import REQUIREPASS
from tile38py.dispatch import BackgroundWork, Dispatcher, WorkKind
from tile38py.endpoints.checker import EndpointChecker
from tile38py.endpoints.registry import Registry
from tile38py.gates import Gates
from tile38py.interfaces import Journal, LogSource
from tile38py.interfaces.files import SyncFigures
from tile38py.replication.leader import Leader
from tile38py.router import EventRouter
from tile38py.server.connection import Connection
from tile38py.server.connection_dependencies import ConnectionDependencies
from tile38py.server.peers import ConnectionFilter
from tile38py.server.rate_limiter import RateLimiter
from tile38py.server.transports import TransportDependencies, WebSettings
from tile38py.slow_log import SlowLog
from tile38py.subscriptions import Subscriptions
from tile38py.time_zones import utc_offset_seconds

TURNS_MAX = 5000
assert families.FAMILIES


async def turn_until(condition: Callable[[], bool]) -> None:
    """Let the event loop run until a condition holds. Raises TimeoutError after TURNS_MAX."""
    for _ in range(TURNS_MAX):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise TimeoutError


class WholeLog(Journal, LogSource, Protocol):
    """A log that can be appended to and read."""


class Bench:
    """The parts of a server without sockets, on fakes and the real engine."""

    def __init__(self, *, is_developer: bool = False, journal: WholeLog | None = None) -> None:
        self.engine = Engine()
        self.engine.check_endpoints(EndpointChecker(Registry(), requires_clients=False))
        self.engine.set_time_zones(utc_offset_seconds)
        self.clock = FakeClock()
        self.config = Config()
        self.gates = Gates(self.engine, is_loading=False)
        self.gates.apply()
        self.fake_journal = FakeJournal()
        self.journal: WholeLog = journal or self.fake_journal
        self.clients = Clients(100)
        self.limiter = RateLimiter()
        self.memory = FakeMemory()
        self.outbox = FakeOutbox()
        self.settings_file = FakeSettingsFile()
        self.stops: list[tuple[int, str]] = []
        self.log_lines: list[str] = []
        self.loop = ManualLoop()
        self.leader = Leader(
            self.journal,
            in_thread=self.loop.in_thread,
            clock=self.clock,
            warn=self.log_lines.append,
        )
        self.subscriptions = Subscriptions(
            self.engine, call_soon=self.loop.call_soon, log=self.log_lines.append
        )
        self.history = FakeHistory(self.engine)
        self.subscriptions.read_from(self.history)
        self.hooks = FakeHookDelivery(self.history.keep)
        self.router = EventRouter(
            journal=self.journal,
            connections=self.subscriptions,
            hooks=self.hooks,
            forward=self.leader.publish,
        )
        self.syncs = SyncFigures()
        self.shrinker = FakeShrinker()
        self.backups = FakeBackups(self.engine, self.clock)
        self.slow_log = SlowLog(self.engine)
        self.users = Users(self.engine, self.gates.require_password)
        self.pauses: list[float] = []
        self.access = AccessControl(self.users, Refusals(), FailedLogins(self.clock), self._pause)
        self.config.on_change(self._apply_setting)
        self.following = FakeFollowing(self.gates)
        self.services = self._services()
        self.dispatcher = Dispatcher(self.services, is_developer=is_developer)
        self.client = self.new_client()

    def _services(self) -> Services:
        return Services(
            engine=self.engine,
            clock=self.clock,
            config=self.config,
            gates=self.gates,
            journal=self.journal,
            clients=self.clients,
            memory=self.memory,
            process=FakeProcess(),
            settings_file=self.settings_file,
            broadcaster=self.subscriptions,
            following=self.following,
            outbox=self.outbox,
            history=self.history,
            router=self.router,
            log_streams=self.leader,
            syncs=self.syncs,
            shrinker=self.shrinker,
            backups=self.backups,
            slow_log=self.slow_log,
            access=self.access,
            stop=lambda code, reason: self.stops.append((code, reason)),
            log=self.log_lines.append,
            started_ns=self.clock.monotonic_ns() - 5 * SECOND,
        )

    def _pause(self, seconds: float, value: object) -> FinishedTask:
        self.pauses.append(seconds)
        return FinishedTask(value)

    def _apply_setting(self, name: str) -> None:
        if name == REQUIREPASS.name:
            self.users.set_default_password(self.config.get(REQUIREPASS))

    def new_client(self, *, framing: str = "resp") -> FakeClient:
        """Register one more client."""
        client = FakeClient(self.engine.session(framing=framing), self.clients.next_id())
        client.is_plain = framing == "plain"
        self.clients.add(client)
        return client

    def send(self, data: bytes, client: FakeClient | None = None) -> bytes:
        """Run requests and return their replies. Background work runs at once."""
        client = client or self.client
        batch = client.session.feed(data, self.clock.now_ns())
        replies = b""
        while True:
            result = self.dispatcher.drive(client, batch)
            replies += b"".join(result.replies)
            if result.stop is None and not result.has_more:
                return replies
            if isinstance(result.stop, LastReply | Close):
                client.finish()
                return replies
            if result.stop is not None:
                assert isinstance(result.stop, BackgroundWork)
                value = result.stop.run()
                match result.stop.kind:
                    case WorkKind.TASK:
                        assert isinstance(value, FinishedTask)
                        value = value.result()
                    case WorkKind.TIME_SLICES:
                        assert isinstance(value, Iterator)
                        for _ in value:
                            pass
                replies += result.stop.frame(value)
            batch = client.session.feed(b"", self.clock.now_ns())

    def call(self, *words: str | bytes, client: FakeClient | None = None) -> bytes:
        """Run a command and return its reply."""
        encoded = [word.encode() if isinstance(word, str) else word for word in words]
        return self.send(command(*encoded), client)


class FakeSocket:
    """The socket of a client, directly connected to the server's connection object."""

    def __init__(
        self,
        bench: Bench,
        *,
        address: tuple[str, int] = ("127.0.0.1", 5000),
        web: WebSettings | None = None,
    ) -> None:
        self.bench = bench
        self.pool = ThreadPoolExecutor(1)
        self.transport = FakeTransport(address)
        web = web or WebSettings(bench.config)
        self.refused: list[tuple[str, str]] = []
        refused = self.refused  # a reference to self would be a cycle
        dependencies = ConnectionDependencies(
            loop=asyncio.get_running_loop(),
            transports=TransportDependencies(bench.engine, bench.dispatcher, web),
            journal=bench.journal,
            clients=bench.clients,
            clock=bench.clock,
            config=bench.config,
            pool=self.pool,
            script_pool=self.pool,
            read_units=ExecutorUnits(asyncio.get_running_loop(), self.pool),
            connection_filter=ConnectionFilter(
                bench.config, bench.clients, bench.gates, is_protected=True
            ),
            limiter=bench.limiter,
            log=logging.getLogger("tests"),
            report=lambda host, reason: refused.append((host, reason)),
        )
        self.connection = Connection(dependencies)
        self.connection.connection_made(self.transport)

    def send(self, data: bytes) -> bytes:
        """Send bytes and return the bytes that the server sends at once."""
        self.connection.data_received(data)
        return self.transport.taken()

    def call(self, *words: bytes) -> bytes:
        """Send a command and return the bytes that the server sends at once."""
        return self.send(command(*words))
