"""Shows the load's progress: lines in the log, or a bar on a terminal where rich is installed."""

import importlib
import sys
from types import TracebackType
from typing import Protocol, Self

from tile38py.persistence.load import Progress
from tile38py.server.logs import Log


class Display(Protocol):
    """Used from the loading thread."""

    def show(self, progress: Progress) -> None:
        """Tell how far it is."""

    def close(self) -> None:
        """The load is over."""


class LogDisplay:
    """A line each second."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def show(self, progress: Progress) -> None:
        """Tell how far it is."""
        self._log.info("%s", progress.progress_text())

    def close(self) -> None:
        """Nothing to clean up."""


class TerminalDisplay:
    """One line that stays in its place."""

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

    def show(self, progress: Progress) -> None:
        """Tell how far it is."""
        self._bar.update(
            self._task,
            total=progress.size,
            completed=progress.consumed,
            rate=progress.rate_text(),
        )

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()


class Shown:
    """A display for as long as the load lasts."""

    def __init__(self, log: Log, *, is_quiet: bool) -> None:
        self._display = choose(log, is_quiet=is_quiet)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._display.close()

    def show(self, progress: Progress) -> None:
        """Tell how far it is."""
        self._display.show(progress)


def choose(log: Log, *, is_quiet: bool) -> Display:
    """A bar on a terminal, else lines."""
    if sys.stderr.isatty() and not is_quiet:
        try:
            importlib.import_module("rich.progress")
        except ImportError:
            return LogDisplay(log)
        return TerminalDisplay()
    return LogDisplay(log)
