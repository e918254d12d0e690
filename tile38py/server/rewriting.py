"""Rewriting the log and backups, put together: the parts, the settings, the clean stop."""

import asyncio
import contextlib
from collections.abc import Callable

from tile38py.config.properties import AOFSHRINK_GROWTH_PERCENTAGE, AOFSHRINK_MIN_SIZE
from tile38py.limits import SHRINK_LOOK_SECONDS, SHRINK_STOP_SECONDS_MAX
from tile38py.persistence.aof import Aof
from tile38py.persistence.backup import BackupMaker
from tile38py.persistence.edges import InThread
from tile38py.persistence.files import BackupFolder, Folder
from tile38py.persistence.growth import Growth, Rule, should_shrink
from tile38py.persistence.no_log import NoLog
from tile38py.persistence.shrink import AofShrinker, NoShrinker, Surroundings
from tile38py.server.logs import Log
from tile38py.server.options import Options
from tile38py.server.parts import Parts
from tile38py.server.upkeep import every


class Rewriting:
    """What AOFSHRINK and BACKUP are made of, and what shrinks the log by itself."""

    def __init__(
        self, parts: Parts, options: Options, journal: Aof | NoLog, *, in_thread: InThread, log: Log
    ) -> None:
        self._config = parts.config
        self._clock = parts.clock
        self._log = log
        self._started_ns: int | None = None  # the last rewrite that started by itself
        folder = BackupFolder(options.directory / "backups")
        self.backups = BackupMaker(parts.engine, folder, parts.clock)
        self._aof_shrinker: AofShrinker | None = None
        if isinstance(journal, Aof):
            around = Surroundings(
                data=parts.engine,
                folder=Folder(options.append_path),
                in_thread=in_thread,
                clock=parts.clock,
                info=log.info,
                error=log.error,
            )
            self._aof_shrinker = AofShrinker(journal, around)
        self.shrinker = self._aof_shrinker or NoShrinker()

    async def run(self) -> None:
        """Shrink the log by itself, from when it is loaded; for ever."""
        if self._aof_shrinker is not None:
            self.shrinker.figures.size_base = self._aof_shrinker.journal.size
            await every(SHRINK_LOOK_SECONDS, self.look)

    def look(self) -> None:
        """Start a rewrite if it is time."""
        shrinker = self._aof_shrinker
        assert shrinker is not None
        figures, size, now_ns = shrinker.figures, shrinker.journal.size, self._clock.monotonic_ns()
        size_min = self._config.get(AOFSHRINK_MIN_SIZE)
        rule = Rule(size_min, self._config.get(AOFSHRINK_GROWTH_PERCENTAGE))
        growth = Growth(
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

    def cancel(self, then: Callable[[], None]) -> None:
        """Give up what rewrites the log; call a function when nothing does."""
        if self._aof_shrinker is None:
            then()
        else:
            self._aof_shrinker.cancel(then)

    async def stop(self) -> None:
        """Give up what runs, before the log is closed."""
        self.backups.is_closed = True
        if self._aof_shrinker is not None:
            ended = asyncio.Event()
            self._aof_shrinker.close(ended.set)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SHRINK_STOP_SECONDS_MAX):
                    await ended.wait()
