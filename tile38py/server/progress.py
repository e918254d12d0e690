"""Progress of the log's replay: lines in the server's log, or a bar on a terminal with rich."""

import contextlib
import importlib
import sys
from collections.abc import Iterator
from typing import Protocol

from tile38py.persistence.load import LoadProgress
from tile38py.server.logs import Log


class Display(Protocol):
    """Shows progress. It is called on the thread that replays the log."""

    def show(self, progress: LoadProgress) -> None:
        """Show how far the replay is."""

    def close(self) -> None:
        """Clean up after the replay."""


class LogDisplay:
    """Writes a line to the server's log at each report."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def show(self, progress: LoadProgress) -> None:
        """Show how far the replay is."""
        self._log.info("%s", progress.progress_text())

    def close(self) -> None:
        """Nothing to clean up."""


class TerminalDisplay:
    """Draws a progress bar on the terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("AOF loading"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("load", rate="")
        self._bar.start()

    def show(self, progress: LoadProgress) -> None:
        """Show how far the replay is."""
        self._bar.update(
            self._task,
            total=progress.size,
            completed=progress.consumed,
            rate=progress.rate_text(),
        )

    def close(self) -> None:
        """Remove the bar."""
        self._bar.stop()


@contextlib.contextmanager
def progress_display(log: Log, *, is_quiet: bool) -> Iterator[Display]:
    """A display for the length of a block."""
    display = choose(log, is_quiet=is_quiet)
    try:
        yield display
    finally:
        display.close()


def choose(log: Log, *, is_quiet: bool) -> Display:
    """A bar if stderr is a terminal and rich is installed, else lines."""
    if sys.stderr.isatty() and not is_quiet:
        try:
            importlib.import_module("rich.progress")
        except ImportError:
            return LogDisplay(log)
        return TerminalDisplay()
    return LogDisplay(log)
