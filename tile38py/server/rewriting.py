"""AOFSHRINK and BACKUP of a server, rewrites that start by themselves, and their clean stop."""

import asyncio
import contextlib
from collections.abc import Callable

from tile38py.config.properties import AOFSHRINK_GROWTH_PERCENTAGE, AOFSHRINK_MIN_SIZE
from tile38py.interfaces.files import InThread
from tile38py.limits import SHRINK_CHECK_SECONDS, SHRINK_STOP_SECONDS_MAX
from tile38py.persistence.aof import Aof
from tile38py.persistence.backup import BackupMaker
from tile38py.persistence.files import DiskBackupFolder, DiskLogFolder
from tile38py.persistence.no_log import NoLog
from tile38py.persistence.shrink import (
    AofShrinker,
    End,
    LogGrowth,
    NoShrinker,
    ShrinkDependencies,
    ShrinkRule,
    should_shrink,
)
from tile38py.server.core import Core
from tile38py.server.logs import Log
from tile38py.server.options import Options
from tile38py.server.upkeep import every


class Rewriting:
    """The shrinker and the backup maker of a server, and the timer of automatic rewrites."""

    def __init__(
        self, core: Core, options: Options, journal: Aof | NoLog, *, in_thread: InThread, log: Log
    ) -> None:
        self._config = core.config
        self._clock = core.clock
        self._log = log
        self._started_ns: int | None = None  # monotonic start of the last automatic rewrite
        folder = DiskBackupFolder(options.directory / "backups")
        self.backups = BackupMaker(core.engine, folder, core.clock)
        self._aof_shrinker: AofShrinker | None = None
        if isinstance(journal, Aof):
            around = ShrinkDependencies(
                data=core.engine,
                folder=DiskLogFolder(options.append_path),
                in_thread=in_thread,
                clock=core.clock,
                log_info=log.info,
                log_error=log.error,
            )
            self._aof_shrinker = AofShrinker(journal, around)
        self.shrinker = self._aof_shrinker or NoShrinker()

    async def run(self) -> None:
        """Start rewrites automatically, from when the log is loaded. Never returns."""
        if self._aof_shrinker is not None:
            self.shrinker.figures.size_base = self._aof_shrinker.journal.size
            await every(SHRINK_CHECK_SECONDS, self.start_if_due)

    def start_if_due(self) -> None:
        """Start a rewrite if the log has grown enough."""
        shrinker = self._aof_shrinker
        assert shrinker is not None
        figures, size, now_ns = shrinker.figures, shrinker.journal.size, self._clock.monotonic_ns()
        size_min = self._config.get(AOFSHRINK_MIN_SIZE)
        rule = ShrinkRule(size_min, self._config.get(AOFSHRINK_GROWTH_PERCENTAGE))
        growth = LogGrowth(
            size=size,
            size_base=figures.size_base,
            is_rewritten=figures.count > figures.failed_count,
            is_running=figures.is_running,
            failed_count=figures.failed_in_a_row,
            since_start_ns=None if self._started_ns is None else now_ns - self._started_ns,
        )
        if should_shrink(rule, growth):
            self._started_ns = now_ns
            self._log.info("The log has %d bytes, it is rewritten", size)
            shrinker.start()

    def store_events_by(self, store: Callable[[End], None]) -> None:
        """Store numbered events by a function before the log loses them."""
        if self._aof_shrinker is not None:
            self._aof_shrinker.store_events = store

    def cancel(self, then: Callable[[], None]) -> None:
        """Cancel a running rewrite, then call a function."""
        if self._aof_shrinker is None:
            then()
        else:
            self._aof_shrinker.cancel(then)

    async def stop(self) -> None:
        """Cancel a running rewrite, before the log is closed, and refuse new backups."""
        self.backups.is_closed = True
        if self._aof_shrinker is not None:
            ended = asyncio.Event()
            self._aof_shrinker.close(ended.set)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SHRINK_STOP_SECONDS_MAX):
                    await ended.wait()
