"""Replay of the log at the start of the server. Cuts an incomplete last command off the log."""

from pathlib import Path

from tile38py._engine import Engine
from tile38py.clock import stamp_text
from tile38py.errors import StartError, reason_of
from tile38py.interfaces import Clock
from tile38py.persistence import legacy
from tile38py.persistence.files import AppendFile, open_log, sync_directory
from tile38py.persistence.load import Loader, LoadProgress
from tile38py.server.logs import Log
from tile38py.server.memory_budget import MemoryBudget
from tile38py.server.options import Options
from tile38py.server.progress import progress_display


class Replay:
    """Opens the log when constructed. run() replays it, on another thread."""

    def __init__(
        self, options: Options, engine: Engine, *, clock: Clock, budget: MemoryBudget, log: Log
    ) -> None:
        self._options = options
        self._engine = engine
        self._budget = budget
        self._clock = clock
        self._log = log
        self._loader: Loader | None = None
        self._is_cancelled = False
        self.file: AppendFile | None = None
        self.size = 0  # bytes of the log, once it is replayed
        try:
            if legacy.is_needed(options.directory):
                log.warning("Migrating aof to new format")
                legacy.migrate(options.directory)
            if options.keeps_log:
                self.file = open_log(options.append_path)
        except OSError as error:
            raise _start_error(options.append_path, error) from error

    def cancel(self) -> None:
        """End run() at its next chance."""
        self._is_cancelled = True
        if self._loader is not None:
            self._loader.cancel()

    def close(self) -> None:
        """Close the log's file."""
        if self.file is not None:
            self.file.close()

    def run(self) -> None:
        """Replay the log. Raises StartError if it can't be used."""
        if self.file is None:
            return
        with progress_display(self._log, is_quiet=self._options.is_quiet) as display:
            self._loader = Loader(
                self._engine,
                self._clock,
                display.show,
                check=self._budget.check_load,
                chunk_bytes=self._budget.load_chunk_bytes,
            )
            if self._is_cancelled:
                self._loader.cancel()
            try:
                progress = self._loader.load(self.file)
            except OSError as error:
                raise _start_error(self.file.path, error) from error
        self._log.info("%s", progress.summary_text())
        if progress.error is not None:
            self._log.error(
                "From byte %d on the log isn't understood. It stays as it is", progress.consumed
            )
            raise StartError(progress.error)
        self._report_skipped(progress)
        if progress.torn:
            self._cut(self.file, progress)
        self._secure(self.file)
        self.size = progress.consumed

    def _secure(self, file: AppendFile) -> None:
        """Sync the log, before clients see what was replayed.

        A server that was killed may have left bytes in the page cache that are not on the disk.
        """
        try:
            file.sync()
            sync_directory(file.path.parent)
        except OSError as error:
            raise _start_error(file.path, error) from error

    def _report_skipped(self, progress: LoadProgress) -> None:
        if progress.skipped:
            counts = ", ".join(f"{name} {count}" for name, count in progress.skipped.items())
            self._log.error(
                "Commands in the log that this version cannot run (they stay there): %s", counts
            )

    def _cut(self, file: AppendFile, progress: LoadProgress) -> None:
        """Move an incomplete last command from the log to a file beside it."""
        self._log.warning("Truncating %d bytes due to an incomplete command", progress.torn)
        stamp = stamp_text(self._clock.now_ns())
        kept = file.path.with_name(f"{file.path.name}.cut-{stamp}")
        try:
            file.cut(progress.consumed, kept)
        except OSError as error:
            raise _start_error(kept, error) from error
        self._log.info(
            "Cut %d bytes at %d of the log, kept in %s", progress.torn, progress.consumed, kept
        )


def _start_error(path: Path, error: OSError) -> StartError:
    return StartError(f"open {path}: {reason_of(error).lower()}")
