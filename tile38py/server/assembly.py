"""Builds a server's objects and hands them round. Nothing runs yet: see lifecycle."""

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass

from tile38py import commands as command_families
from tile38py._engine import Engine
from tile38py.clock import new_server_id
from tile38py.commands.registry import Services
from tile38py.commands.replication import keep_leader
from tile38py.delivery.deliveries import Deliveries
from tile38py.dispatch import Dispatcher
from tile38py.expiry import ExpirySweeper
from tile38py.gates import Gates
from tile38py.interfaces import Stopper
from tile38py.interfaces.files import LoopFunctions, SyncFigures
from tile38py.interfaces.following import LeaderAddress
from tile38py.persistence.aof import Aof
from tile38py.persistence.files import DiskLogFolder
from tile38py.persistence.no_log import NoLog
from tile38py.persistence.resync import ResyncDisk
from tile38py.replication.dependencies import FollowerDependencies
from tile38py.replication.follower import Follower
from tile38py.replication.leader import Leader
from tile38py.replication.leader_connection import TcpConnector
from tile38py.router import EventRouter
from tile38py.server.access import make_access
from tile38py.server.connection_dependencies import ConnectionDependencies
from tile38py.server.core import Core
from tile38py.server.hooks import log_delivered, open_deliveries
from tile38py.server.listeners import Listeners
from tile38py.server.logs import Log
from tile38py.server.options import Options
from tile38py.server.peers import ConnectionFilter
from tile38py.server.read_units import ReadUnits
from tile38py.server.refusals import RefusalLog
from tile38py.server.replay import Replay
from tile38py.server.rewriting import Rewriting
from tile38py.server.sync_timer import SyncTimer
from tile38py.server.system import ThisProcess
from tile38py.server.threads import ThreadPools
from tile38py.server.tls_connection import TlsDependencies
from tile38py.server.transports import TransportDependencies, WebSettings
from tile38py.server.upkeep import read_threads_in_force, settings_in_force
from tile38py.subscriptions import Subscriptions

assert command_families.FAMILIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Inputs from which a server's objects are built."""

    options: Options
    log: Log
    loop: asyncio.AbstractEventLoop
    threads: ThreadPools
    read_units: ReadUnits
    core: Core
    replay: Replay
    listeners: Listeners
    stop: Stopper


class LogHealth:
    """Refuses writes while the log cannot be written."""

    def __init__(self, gates: Gates, log: Log) -> None:
        self._gates = gates
        self._log = log
        self._on_recovery: list[Callable[[], None]] = []

    def on_recovery(self, call: Callable[[], None]) -> None:
        """Call a function each time the log can be written again."""
        self._on_recovery.append(call)

    def changed(self, error: str | None) -> None:
        """Note why the log cannot be written; None if it is written again."""
        self._gates.log_error = error
        self._gates.apply()
        if error is not None:
            self._log.error("The log cannot be written: %s. Writes are refused", error)
            return
        self._log.error("The log is written again, writes are accepted")
        for call in self._on_recovery:
            call()


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The log of a server and what rewrites it."""

    journal: Aof | NoLog
    health: LogHealth
    syncs: SyncFigures
    rewriting: Rewriting


@dataclass(frozen=True, slots=True, kw_only=True)
class Messaging:
    """Delivery of messages to hooks, live connections and followers."""

    subscriptions: Subscriptions
    hooks: Deliveries
    leader: Leader
    router: EventRouter


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """All objects of a server."""

    storage: Storage
    messaging: Messaging
    follower: Follower
    sweeper: ExpirySweeper
    services: Services
    connections: ConnectionDependencies
    tls: TlsDependencies


def assemble(start: Start) -> Assembly:
    """Build a server's objects."""
    core = start.core
    storage = make_storage(start)
    messaging = make_messaging(start, storage)
    follower = make_follower(start, storage, messaging)
    sweeper = ExpirySweeper(
        engine=core.engine,
        clock=core.clock,
        journal=storage.journal,
        gates=core.gates,
        router=messaging.router,
        log=start.log.debug,
    )
    services = make_services(start, storage, messaging, follower)
    core.config.on_change(
        settings_in_force(core, storage.journal, messaging.hooks, messaging.subscriptions)
    )
    core.config.on_change(read_threads_in_force(core.config, start.read_units))
    report = RefusalLog(core.clients.counts, core.clock, start.log)
    return Assembly(
        storage=storage,
        messaging=messaging,
        follower=follower,
        sweeper=sweeper,
        services=services,
        connections=make_connection_dependencies(start, services, report),
        tls=TlsDependencies(start.loop, core.tls, core.clients, report),
    )


def make_storage(start: Start) -> Storage:
    """Build the log and what rewrites it."""
    health = LogHealth(start.core.gates, start.log)
    journal: Aof | NoLog = NoLog()
    syncs = SyncTimer(start.threads.in_thread, start.core.clock)
    if start.replay.file is not None:
        file = start.replay.file
        loop = LoopFunctions(start.loop.call_soon, syncs)
        journal = Aof(file, file.size(), loop, health.changed)
    rewriting = Rewriting(
        start.core, start.options, journal, in_thread=start.threads.in_thread, log=start.log
    )
    return Storage(journal=journal, health=health, syncs=syncs.figures, rewriting=rewriting)


def make_messaging(start: Start, storage: Storage) -> Messaging:
    """Build the delivery of messages."""
    options, core, journal = start.options, start.core, storage.journal
    leader = Leader(
        journal,
        in_thread=start.threads.read_log_in_thread,
        clock=core.clock,
        warn=start.log.warning,
    )
    journal.on_replaced(leader.cut_all)

    def publish(channel: bytes, message: bytes) -> int:
        return router.publish(channel, message)

    # Hooks need publish() for local:// endpoints, and the router passes events to hooks.
    hooks = open_deliveries(
        options.queue_path or options.directory / "queue.db",
        core,
        publish=publish,
        log=start.log.error,
    )
    hooks.on_delivered = log_delivered(core, journal)
    storage.rewriting.store_events_by(hooks.store)
    subscriptions = Subscriptions(
        core.engine, call_soon=start.loop.call_soon, log=start.log.warning
    )
    subscriptions.read_from(hooks.histories)
    router = EventRouter(
        journal=journal, connections=subscriptions, hooks=hooks, forward=leader.publish
    )
    storage.health.on_recovery(router.recovered)
    return Messaging(subscriptions=subscriptions, hooks=hooks, leader=leader, router=router)


def make_follower(start: Start, storage: Storage, messaging: Messaging) -> Follower:
    """Build the follower. It starts with the leader that the configuration names, if any."""
    options, core, identity = start.options, start.core, start.core.config.identity
    leader = None
    if identity.follow_host:
        leader = LeaderAddress(identity.follow_host, identity.follow_port)
    disk = None
    if isinstance(storage.journal, Aof):
        folder = DiskLogFolder(options.append_path)
        disk = ResyncDisk(storage.journal, folder, storage.rewriting, start.threads.in_thread)
    dependencies = FollowerDependencies(
        engine=core.engine,
        new_engine=functools.partial(Engine, require_valid=options.requires_valid),
        clock=core.clock,
        config=core.config,
        gates=core.gates,
        journal=storage.journal,
        router=messaging.router,
        numbered=messaging.hooks,
        connector=TcpConnector(lambda: core.tls.leader),
        threads=start.threads,
        disk=disk,
        port=lambda: start.listeners.replication_port,
        log_info=start.log.info,
        log_error=start.log.error,
        keep_leader=functools.partial(keep_leader, core.config, core.config_file),
    )
    return Follower(dependencies, leader)


def make_services(
    start: Start, storage: Storage, messaging: Messaging, follower: Follower
) -> Services:
    """Build the dependencies of commands."""
    core = start.core
    return Services(
        engine=core.engine,
        clock=core.clock,
        config=core.config,
        gates=core.gates,
        journal=storage.journal,
        clients=core.clients,
        memory=core.memory,
        process=ThisProcess(),
        settings_file=core.config_file,
        broadcaster=messaging.subscriptions,
        following=follower,
        outbox=messaging.hooks,
        history=messaging.hooks.histories,
        router=messaging.router,
        log_streams=messaging.leader,
        syncs=storage.syncs,
        shrinker=storage.rewriting.shrinker,
        backups=storage.rewriting.backups,
        slow_log=core.slow_log,
        access=make_access(core, start.loop),
        stop=start.stop,
        log=start.log.info,
        started_ns=core.clock.monotonic_ns(),
        is_http_enabled=start.options.is_http_enabled,
    )


def make_connection_dependencies(
    start: Start, services: Services, report: RefusalLog
) -> ConnectionDependencies:
    """Build the dependencies of connections."""
    options, core = start.options, start.core
    dispatcher = Dispatcher(services, is_developer=options.is_developer)
    web = WebSettings(core.config, options.is_http_enabled, options.fails_with_500, new_server_id())
    return ConnectionDependencies(
        loop=start.loop,
        transports=TransportDependencies(core.engine, dispatcher, web),
        journal=services.journal,
        clients=core.clients,
        clock=core.clock,
        config=core.config,
        pool=start.threads.work,
        script_pool=start.threads.long_scripts,
        read_units=start.read_units,
        connection_filter=ConnectionFilter(
            core.config, core.clients, core.gates, options.host, options.is_protected
        ),
        limiter=core.limiter,
        log=start.log,
        report=report,
        output=options.output,
    )
