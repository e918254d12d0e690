"""Builds a server's objects and hands them round. Nothing runs yet: see lifecycle."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass

from tile38py import commands as command_families
from tile38py.commands.registry import Services
from tile38py.dispatch import Dispatcher
from tile38py.expiry import Sweeper
from tile38py.gates import Gates
from tile38py.interfaces import Stopper
from tile38py.persistence.aof import Aof, Loop
from tile38py.persistence.no_log import NoLog
from tile38py.replication.follower import Follower
from tile38py.replication.leader import Leader
from tile38py.server.connection import ConnectionDependencies
from tile38py.server.follower import FollowerInputs, make_follower
from tile38py.server.hooks import Hooks
from tile38py.server.listener import port_of
from tile38py.server.logs import Log
from tile38py.server.options import Options
from tile38py.server.parts import Parts
from tile38py.server.peers import Doorkeeper
from tile38py.server.replay import Replay
from tile38py.server.rewriting import Rewriting
from tile38py.server.system import ThisProcess
from tile38py.server.threads import ThreadPools
from tile38py.server.transports import TransportDependencies, WebSettings
from tile38py.server.upkeep import settings_in_force
from tile38py.subscriptions import Subscriptions

assert command_families.FAMILIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Inputs from which a server's objects are built."""

    options: Options
    log: Log
    loop: asyncio.AbstractEventLoop
    threads: ThreadPools
    parts: Parts
    replay: Replay
    listener: socket.socket
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
    rewriting: Rewriting


@dataclass(frozen=True, slots=True, kw_only=True)
class Messaging:
    """Delivery of messages to hooks, live connections and followers."""

    subscriptions: Subscriptions
    hooks: Hooks
    leader: Leader


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """All objects of a server."""

    storage: Storage
    messaging: Messaging
    follower: Follower
    sweeper: Sweeper
    services: Services
    connections: ConnectionDependencies


def assemble(start: Start) -> Assembly:
    """Build a server's objects."""
    parts = start.parts
    storage = make_storage(start)
    messaging = make_messaging(start, storage)
    inputs = FollowerInputs(
        journal=storage.journal,
        broadcaster=messaging.subscriptions,
        rewriting=storage.rewriting,
        threads=start.threads,
        port=port_of(start.listener),
    )
    follower = make_follower(start.options, parts, start.log, inputs)
    sweeper = Sweeper(
        engine=parts.engine,
        clock=parts.clock,
        journal=storage.journal,
        gates=parts.gates,
        broadcaster=messaging.subscriptions,
        log=start.log.debug,
    )
    services = make_services(start, storage, messaging, follower)
    parts.config.on_change(settings_in_force(parts, storage.journal, messaging.hooks))
    return Assembly(
        storage=storage,
        messaging=messaging,
        follower=follower,
        sweeper=sweeper,
        services=services,
        connections=make_connection_dependencies(start, services),
    )


def make_storage(start: Start) -> Storage:
    """Build the log and what rewrites it."""
    health = LogHealth(start.parts.gates, start.log)
    journal: Aof | NoLog = NoLog()
    if start.replay.file is not None:
        file, in_thread = start.replay.file, start.threads.in_thread
        loop = Loop(start.loop.call_soon, in_thread)
        journal = Aof(file, file.size(), loop, health.changed)
    rewriting = Rewriting(
        start.parts, start.options, journal, in_thread=start.threads.in_thread, log=start.log
    )
    return Storage(journal=journal, health=health, rewriting=rewriting)


def make_messaging(start: Start, storage: Storage) -> Messaging:
    """Build the delivery of messages."""
    options, parts, journal = start.options, start.parts, storage.journal
    leader = Leader(
        journal,
        in_thread=start.threads.read_log_in_thread,
        clock=parts.clock,
        warn=start.log.warning,
    )
    journal.on_replaced(leader.cut_all)

    def publish(channel: bytes, message: bytes) -> int:
        return subscriptions.publish(channel, message)

    # Hooks need publish() for local:// endpoints, and subscriptions pass events to hooks.
    hooks = Hooks(
        options.queue_path or options.directory / "queue.db",
        parts.engine,
        clock=parts.clock,
        publish=publish,
        log=start.log.error,
    )
    subscriptions = Subscriptions(
        parts.engine,
        hooks=hooks,
        journal=journal,
        call_soon=start.loop.call_soon,
        log=start.log.warning,
    )
    subscriptions.forward_to(leader.publish)
    storage.health.on_recovery(subscriptions.recovered)
    return Messaging(subscriptions=subscriptions, hooks=hooks, leader=leader)


def make_services(
    start: Start, storage: Storage, messaging: Messaging, follower: Follower
) -> Services:
    """Build the dependencies of commands."""
    parts = start.parts
    return Services(
        engine=parts.engine,
        clock=parts.clock,
        config=parts.config,
        gates=parts.gates,
        journal=storage.journal,
        clients=parts.clients,
        memory=parts.memory,
        process=ThisProcess(),
        settings_file=parts.config_file,
        broadcaster=messaging.subscriptions,
        following=follower,
        outbox=messaging.hooks,
        log_streams=messaging.leader,
        shrinker=storage.rewriting.shrinker,
        backups=storage.rewriting.backups,
        slow_log=parts.slow_log,
        stop=start.stop,
        log=start.log.info,
        started_ns=parts.clock.monotonic_ns(),
        is_http_enabled=start.options.is_http_enabled,
    )


def make_connection_dependencies(start: Start, services: Services) -> ConnectionDependencies:
    """Build the dependencies of connections."""
    options, parts = start.options, start.parts
    dispatcher = Dispatcher(services, is_developer=options.is_developer)
    web = WebSettings(parts.config, options.is_http_enabled, options.fails_with_500)
    return ConnectionDependencies(
        loop=start.loop,
        transports=TransportDependencies(parts.engine, dispatcher, web),
        journal=services.journal,
        clients=parts.clients,
        clock=parts.clock,
        config=parts.config,
        pool=start.threads.long_reads,
        doorkeeper=Doorkeeper(parts.config, parts.clients, options.host, options.is_protected),
        log=start.log,
        output=options.output,
    )
