"""The life of a server: start, periodic work, signals, clean stop. See assembly for its objects.

Order of a start: lock the directory, read the configuration, bind, serve (LOADING), replay the
log, then the periodic work. So a second server, a wrong port or a bad setting fails at once.
"""

import asyncio
import contextlib
import functools
import os
import signal
from pathlib import Path

from tile38py.clients import Clients
from tile38py.commands.server import publish_statistics
from tile38py.errors import StartError, reason_of
from tile38py.limits import (
    CLIENT_SWEEP_SECONDS,
    COLLECT_SECONDS,
    EVENT_STREAM_HEARTBEAT_SECONDS,
    EXPIRE_SECONDS,
    FOLLOWER_CHECK_SECONDS,
    HISTORY_SWEEP_SECONDS,
    HOOK_PROGRESS_SECONDS,
    MEMORY_SECONDS,
    STOP_SECONDS_MAX,
    SYNC_SECONDS,
    ZONE_SECONDS,
)
from tile38py.persistence.aof import Aof
from tile38py.persistence.data_folder import DirectoryLock
from tile38py.persistence.no_log import NoLog
from tile38py.server.access import load_users
from tile38py.server.assembly import Assembly, Start, Storage, assemble
from tile38py.server.client_sweeper import ClientSweeper
from tile38py.server.configuration import save_configuration
from tile38py.server.connection import Connection
from tile38py.server.core import make_core
from tile38py.server.listeners import Listeners
from tile38py.server.logs import Log, internal_errors, notice
from tile38py.server.metrics import MetricsServer, bind_metrics
from tile38py.server.options import Options
from tile38py.server.peers import ConnectionFilter
from tile38py.server.read_units import ReadUnits
from tile38py.server.replay import Replay
from tile38py.server.start_notices import exposure_notice, memory_notice
from tile38py.server.threads import ThreadPools
from tile38py.server.tls_contexts import TlsContexts, reload_certificates
from tile38py.server.upkeep import CycleCollector, every, memory_checker, time_zone_updater
from tile38py.version import VERSION


class Server:
    """One server in one process."""

    def __init__(self, options: Options, log: Log) -> None:
        self._options = options
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._running_replay: Replay | None = None

    async def run(self) -> int:
        """Serve until the end; the exit code."""
        options = self._options
        self._loop.set_exception_handler(internal_errors(self._log))
        lock = DirectoryLock(options.directory)
        try:
            core = make_core(options)
            engine, clock, budget = core.engine, core.clock, core.budget
            replay = Replay(options, engine, clock=clock, budget=budget, log=self._log)
            self._running_replay = replay
            listeners = Listeners(options, core.config, lock.announce, self._log)
            metrics_listener = bind_metrics(options.metrics_address)
            save_configuration(core, self._log)
            self._write_pid_file()
            self._catch_signals(core.tls)
            start = Start(
                options=options,
                log=self._log,
                loop=self._loop,
                threads=ThreadPools(self._loop),
                read_units=ReadUnits(self._loop, core.engine),
                core=core,
                replay=replay,
                listeners=listeners,
                stop=self.stop,
            )
            assembly = assemble(start)
            load_users(core, assembly.services.access)
            metrics = None
            if metrics_listener is not None:
                log = self._log.info
                metrics = MetricsServer(metrics_listener, assembly.services, assembly.tls, log=log)
            return await self._serve(start, assembly, metrics)
        finally:
            lock.release()

    def _write_pid_file(self) -> None:
        if self._options.pid_file:
            with contextlib.suppress(OSError):
                Path(self._options.pid_file).write_text(f"{os.getpid()}\n", "ascii")

    async def _serve(self, start: Start, assembly: Assembly, metrics: MetricsServer | None) -> int:
        listeners, connections = start.listeners, assembly.connections
        self._log.info("Server started, Tile38 version %s, git %s", VERSION, "0000000")
        try:
            async with asyncio.TaskGroup() as tasks:
                await listeners.serve(tasks, lambda: Connection(connections), assembly.tls)
                self._log_notices(start, connections.connection_filter)
                work = self._work(start, assembly, metrics)
                working = tasks.create_task(work, name="work")
                code = await self._ended
                if code == 0:
                    await assembly.messaging.hooks.stop()
                working.cancel()
        finally:
            listeners.close()
        if code == 0:
            await self._stop(start.core.clients, assembly.storage)
        assembly.messaging.leader.cut_all()
        start.threads.shutdown()
        start.read_units.shutdown()
        assembly.storage.journal.close_file()
        return code

    def _log_notices(self, start: Start, connection_filter: ConnectionFilter) -> None:
        core = start.core
        is_protected = connection_filter.is_protecting
        for text in (
            memory_notice(core.config, core.budget),
            *(
                exposure_notice(core.gates, listener, is_protected=is_protected)
                for listener in start.listeners.exposed
            ),
        ):
            if text:
                notice(self._log, "%s", text)

    async def _load_log(self, replay: Replay, journal: Aof | NoLog) -> bool:
        """Replay the log. Return whether it could be used.

        The journal is paused: a FLUSHDB is written behind the log, whose end is unknown until then.
        """
        if isinstance(journal, Aof):
            journal.pause(lambda: None)
        try:
            await self._loop.run_in_executor(None, replay.run)
        except StartError as error:
            self.stop(1, str(error))
            return False
        if isinstance(journal, Aof):
            journal.start_at(replay.size)
            journal.resume()
        return True

    async def _work(self, start: Start, assembly: Assembly, metrics: MetricsServer | None) -> None:
        """Replay the log, then run the periodic work."""
        core, storage, messaging = start.core, assembly.storage, assembly.messaging
        async with asyncio.TaskGroup() as tasks:
            assembly.follower.open(tasks)
            core.engine.begin_recovery(messaging.hooks.stored())
            if not await self._load_log(start.replay, storage.journal):
                return
            core.gates.is_loading = False
            core.gates.apply()
            core.memory.check()
            cycles = CycleCollector(core.clock, messaging.hooks)
            cycles.start()
            core.engine.take_events()  # events of the replayed log were delivered with its writes
            messaging.hooks.recover(core.engine.take_recovered())
            tasks.create_task(messaging.hooks.run(), name="hooks")
            tasks.create_task(storage.rewriting.run(), name="rewriting")
            if metrics is not None:
                tasks.create_task(metrics.run(), name="metrics")
            assembly.follower.start()
            tasks.create_task(every(EXPIRE_SECONDS, assembly.sweeper.sweep), name="expiry")
            tasks.create_task(every(ZONE_SECONDS, time_zone_updater(core.engine)), name="zone")
            check_followers = messaging.leader.check
            tasks.create_task(every(FOLLOWER_CHECK_SECONDS, check_followers), name="followers")
            clients = ClientSweeper(core.clients, core.config, core.clock)
            beat, sweep = messaging.subscriptions.send_heartbeats, messaging.hooks.histories.sweep
            tasks.create_task(every(EVENT_STREAM_HEARTBEAT_SECONDS, beat), name="heartbeats")
            tasks.create_task(every(HISTORY_SWEEP_SECONDS, sweep), name="histories")
            log_progress = messaging.hooks.log_progress
            tasks.create_task(every(HOOK_PROGRESS_SECONDS, log_progress), name="hook progress")
            tasks.create_task(every(CLIENT_SWEEP_SECONDS, clients.sweep), name="clients")
            tasks.create_task(every(SYNC_SECONDS, storage.journal.tick), name="sync")
            tasks.create_task(every(MEMORY_SECONDS, memory_checker(core, self._log)), name="memory")
            publish = functools.partial(publish_statistics, assembly.services)
            publish()
            tasks.create_task(every(MEMORY_SECONDS, publish), name="statistics")
            tasks.create_task(every(COLLECT_SECONDS, core.memory.tick), name="collect")
            tasks.create_task(every(COLLECT_SECONDS, cycles.tick), name="cycles")

    async def _stop(self, clients: Clients, storage: Storage) -> None:
        """Stop cleanly: every acknowledged write is on the disk."""
        self._log.warning("Shutting down...")
        await storage.rewriting.stop()
        try:
            storage.journal.close()
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
        """End the process, also while the log is loading. An empty reason is logged already."""
        if reason:
            self._log.critical("%s", reason)
        if self._running_replay is not None:
            self._running_replay.cancel()
        if not self._ended.done():
            self._ended.set_result(code)

    def _catch_signals(self, tls: TlsContexts) -> None:
        def terminate() -> None:
            self._log.warning("signal: terminated")
            self.stop(0, "")

        def end_at_once(code: int, name: str) -> None:
            self._log.warning("signal: %s", name)
            self._remove_files()
            os._exit(code)

        def hang_up() -> None:
            if tls.is_used:
                reload_certificates(tls, self._log)
            elif not self._options.ignores_hangup:
                end_at_once(1, "hangup")

        add = self._loop.add_signal_handler
        add(signal.SIGTERM, terminate)
        add(signal.SIGHUP, hang_up)
        add(signal.SIGINT, end_at_once, 2, "interrupt")
        add(signal.SIGQUIT, end_at_once, 3, "quit")

    def _remove_files(self) -> None:
        for path in (self._options.pid_file, self._options.socket_path):
            if path:
                with contextlib.suppress(OSError):
                    Path(path).unlink()
