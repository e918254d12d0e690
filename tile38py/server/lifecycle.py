"""From start to stop: the one place that builds the real objects and hands them round.

Order of a start: lock the directory, read the configuration, bind, serve (LOADING), replay the
log, then the periodic work. A second server, a wrong port or a bad setting is told at once.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tile38py import VERSION
from tile38py import commands as command_families
from tile38py.clients import Clients
from tile38py.commands.registry import Services
from tile38py.dispatch import Dispatcher
from tile38py.errors import StartError, reason_of
from tile38py.expiry import Sweeper
from tile38py.limits import (
    COLLECT_SECONDS,
    EXPIRE_SECONDS,
    FOLLOWER_CHECK_SECONDS,
    FOLLOWER_READ_THREADS_MAX,
    LONG_READ_THREADS_MAX,
    MEMORY_SECONDS,
    STOP_SECONDS_MAX,
    SYNC_SECONDS,
    ZONE_SECONDS,
)
from tile38py.persistence.aof import Aof, Loop, NoLog
from tile38py.persistence.data_folder import DirectoryLock
from tile38py.replication.follower import Follower
from tile38py.replication.leader import Leader
from tile38py.server.configuration import save_configuration
from tile38py.server.connection import Connection, Hub
from tile38py.server.follower import LoopThreads, Rest, follower_parts
from tile38py.server.hooks import Hooks
from tile38py.server.listener import address_text, address_url, bind_tcp, bind_unix
from tile38py.server.logs import Log, internal_errors
from tile38py.server.metrics import MetricsServer, make_metrics
from tile38py.server.options import Options
from tile38py.server.parts import Parts, make_parts
from tile38py.server.peers import Doorkeeper
from tile38py.server.replay import Replay
from tile38py.server.rewriting import Rewriting
from tile38py.server.system import ThisProcess
from tile38py.server.threads import Done, in_thread
from tile38py.server.upkeep import CycleFinder, every, follow_zone, settings_in_force
from tile38py.server.web import WebSettings
from tile38py.subscriptions import Subscriptions

assert command_families.FAMILIES


class Server:
    """One server in one process."""

    def __init__(self, options: Options, log: Log) -> None:
        self._options = options
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._pool = ThreadPoolExecutor(LONG_READ_THREADS_MAX, "read")
        self._follow_threads = LoopThreads(self._loop)
        self._log_pool = ThreadPoolExecutor(FOLLOWER_READ_THREADS_MAX, "log")
        self._listener: socket.socket | None = None
        self._metrics: MetricsServer | None = None
        self._subscriptions: Subscriptions | None = None
        self._hooks: Hooks | None = None
        self._leader: Leader | None = None
        self._rewriting: Rewriting | None = None
        self._follower: Follower | None = None

    async def run(self) -> int:
        """Serve until the end; the exit code."""
        options = self._options
        self._loop.set_exception_handler(internal_errors(self._log))
        lock = DirectoryLock(options.directory)
        try:
            parts = make_parts(self._options)
            replay = Replay(options, parts.engine, clock=parts.clock, log=self._log)
            self._listener = self._bind()
            lock.announce([address_url(self._listener)])
            self._metrics = make_metrics(options.metrics_address, log=self._log.info)
            save_configuration(parts, self._log)
            self._write_pid_file()
            self._catch_signals(replay)
            return await self._serve(parts, replay)
        finally:
            lock.release()

    def _bind(self) -> socket.socket:
        options = self._options
        if options.socket_path:
            return bind_unix(options.socket_path)
        return bind_tcp(options.host, options.port)

    def _write_pid_file(self) -> None:
        if self._options.pid_file:
            with contextlib.suppress(OSError):
                Path(self._options.pid_file).write_text(f"{os.getpid()}\n", "ascii")

    async def _serve(self, parts: Parts, replay: Replay) -> int:
        journal = self._make_journal(parts, replay)
        hub = self._make_hub(parts, journal)
        assert self._listener is not None
        listening = await self._listen(hub, self._listener)
        self._log.info("Server started, Tile38 version %s, git %s", VERSION, "0000000")
        self._log.info("Ready to accept connections at %s", address_text(self._listener))
        try:
            async with asyncio.TaskGroup() as tasks:
                working = tasks.create_task(self._work(parts, journal, replay), name="work")
                code = await self._ended
                if code == 0 and self._hooks is not None:
                    await self._hooks.stop()
                working.cancel()
        finally:
            listening.close()
        if code == 0:
            await self._stop(parts.clients, journal)
        if self._leader is not None:
            self._leader.cut_all()
        self._log_pool.shutdown()
        self._follow_threads.shutdown()
        journal.release()
        return code

    async def _listen(self, hub: Hub, listener: socket.socket) -> asyncio.Server:
        if listener.family == socket.AF_UNIX:
            return await self._loop.create_unix_server(lambda: Connection(hub), sock=listener)
        return await self._loop.create_server(lambda: Connection(hub), sock=listener)

    def _make_journal(self, parts: Parts, replay: Replay) -> Aof | NoLog:
        if replay.file is None:
            return NoLog()
        loop = Loop(self._loop.call_soon, self._in_thread)

        def on_health(error: str | None) -> None:
            parts.gates.log_error = error
            parts.gates.apply()
            if error is None:
                self._log.error("The log is written again, writes are accepted")
                if self._subscriptions is not None:
                    self._subscriptions.recovered()
            else:
                self._log.error("The log cannot be written: %s. Writes are refused", error)

        return Aof(replay.file, replay.file.size(), loop, on_health)

    def _read_in_thread(self, run: Callable[[], None], done: Done) -> None:
        self._in_thread(run, done, self._log_pool)

    def _in_thread(
        self, run: Callable[[], None], done: Done, pool: ThreadPoolExecutor | None = None
    ) -> None:
        in_thread(self._loop, pool, run, done)

    def _make_services(self, parts: Parts, journal: Aof | NoLog) -> Services:
        options, config = self._options, parts.config
        self._hooks = Hooks(
            options.queue_path or options.directory / "queue.db",
            parts.engine,
            clock=parts.clock,
            publish=self._publish,
            log=self._log.error,
        )
        leader = self._leader = Leader(
            journal, in_thread=self._read_in_thread, clock=parts.clock, warn=self._log.warning
        )
        journal.on_replaced(leader.cut_all)
        self._subscriptions = Subscriptions(
            parts.engine,
            hooks=self._hooks,
            journal=journal,
            call_soon=self._loop.call_soon,
            log=self._log.warning,
        )
        self._subscriptions.forward_to(leader.publish)
        self._rewriting = Rewriting(
            parts, options, journal, in_thread=self._in_thread, log=self._log
        )
        follower = self._follower = self._make_follower(parts, journal)
        services = Services(
            engine=parts.engine,
            clock=parts.clock,
            config=config,
            gates=parts.gates,
            journal=journal,
            clients=parts.clients,
            memory=parts.memory,
            process=ThisProcess(),
            settings_file=parts.config_file,
            broadcaster=self._subscriptions,
            following=follower,
            outbox=self._hooks,
            log_streams=leader,
            shrinker=self._rewriting.shrinker,
            backups=self._rewriting.backups,
            slow_log=parts.slow_log,
            stop=self.stop,
            log=self._log.info,
            started_ns=parts.clock.monotonic_ns(),
            is_http_enabled=options.is_http_enabled,
        )
        if self._metrics is not None:
            self._metrics.show(services)
        config.on_change(settings_in_force(parts, journal, self._hooks))
        return services

    def _make_hub(self, parts: Parts, journal: Aof | NoLog) -> Hub:
        options, config = self._options, parts.config
        services = self._make_services(parts, journal)
        return Hub(
            loop=self._loop,
            engine=parts.engine,
            dispatcher=Dispatcher(services, is_developer=options.is_developer),
            journal=journal,
            clients=parts.clients,
            clock=parts.clock,
            config=config,
            pool=self._pool,
            doorkeeper=Doorkeeper(config, parts.clients, options.host, options.is_protected),
            web=WebSettings(config, options.is_http_enabled, options.fails_with_500),
            log=self._log,
            output=options.output,
        )

    def _make_follower(self, parts: Parts, journal: Aof | NoLog) -> Follower:
        assert self._subscriptions is not None
        assert self._rewriting is not None
        rest = Rest(
            journal=journal,
            broadcaster=self._subscriptions,
            rewriting=self._rewriting,
            in_thread=self._in_thread,
            threads=self._follow_threads,
            listener=self._listener,
        )
        return Follower(*follower_parts(self._options, parts, self._log, rest))

    def _publish(self, channel: bytes, message: bytes) -> int:
        assert self._subscriptions is not None
        return self._subscriptions.publish(channel, message)

    async def _work(self, parts: Parts, journal: Aof | NoLog, replay: Replay) -> None:
        """Replay the log, then everything that happens by itself."""
        try:
            await self._loop.run_in_executor(None, replay.run)
        except StartError as error:
            self.stop(1, str(error))
            return
        if isinstance(journal, Aof):
            journal.start_at(replay.size)
        parts.gates.is_loading = False
        parts.gates.apply()
        parts.memory.check()
        assert self._subscriptions is not None
        assert self._hooks is not None
        cycles = CycleFinder(parts.clock, self._hooks)
        cycles.start()
        parts.engine.take_events()  # what the log said was told when it was written
        sweeper = Sweeper(
            engine=parts.engine,
            clock=parts.clock,
            journal=journal,
            gates=parts.gates,
            broadcaster=self._subscriptions,
            log=self._log.debug,
        )
        async with asyncio.TaskGroup() as tasks:
            assert self._leader is not None
            assert self._rewriting is not None
            assert self._follower is not None
            tasks.create_task(self._hooks.run(), name="hooks")
            tasks.create_task(self._rewriting.run(), name="rewriting")
            if self._metrics is not None:
                tasks.create_task(self._metrics.run(), name="metrics")
            self._follower.start(tasks)
            tasks.create_task(every(EXPIRE_SECONDS, sweeper.sweep), name="expiry")
            tasks.create_task(every(ZONE_SECONDS, follow_zone(parts.engine)), name="zone")
            tasks.create_task(every(FOLLOWER_CHECK_SECONDS, self._leader.check), name="followers")
            tasks.create_task(every(SYNC_SECONDS, journal.tick), name="sync")
            tasks.create_task(every(MEMORY_SECONDS, parts.memory.check), name="memory")
            tasks.create_task(every(COLLECT_SECONDS, parts.memory.tick), name="collect")
            tasks.create_task(every(COLLECT_SECONDS, cycles.tick), name="cycles")

    async def _stop(self, clients: Clients, journal: Aof | NoLog) -> None:
        """The clean stop: nothing that was promised is lost."""
        self._log.warning("Shutting down...")
        if self._rewriting is not None:
            await self._rewriting.stop()
        try:
            journal.close()
        except OSError as error:
            self._log.error("The log could not be synced: %s", reason_of(error))
        gone = asyncio.Event()
        clients.on_empty(gone.set)
        for client in clients:
            client.finish()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await gone.wait()
        self._remove_files()
        self._log.warning("Server has shutdown, bye now")

    def stop(self, code: int, reason: str) -> None:
        """End the process; an empty reason means that it was told already."""
        if reason:
            self._log.critical("%s", reason)
        if not self._ended.done():
            self._ended.set_result(code)

    def _catch_signals(self, replay: Replay) -> None:
        def terminate() -> None:
            self._log.warning("signal: terminated")
            replay.cancel()
            self.stop(0, "")

        def end_at_once(code: int, name: str) -> None:
            self._log.warning("signal: %s", name)
            self._remove_files()
            os._exit(code)

        add = self._loop.add_signal_handler
        add(signal.SIGTERM, terminate)
        if self._options.ignores_hangup:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        else:
            add(signal.SIGHUP, end_at_once, 1, "hangup")
        add(signal.SIGINT, end_at_once, 2, "interrupt")
        add(signal.SIGQUIT, end_at_once, 3, "quit")

    def _remove_files(self) -> None:
        for path in (self._options.pid_file, self._options.socket_path):
            if path:
                with contextlib.suppress(OSError):
                    Path(path).unlink()
