"""Progress of a load: lines, or a bar on a terminal."""

import io
import logging

import pytest

from tile38py.persistence.load import LoadProgress
from tile38py.server.logs import SHOWN, make_log
from tile38py.server.progress import LogDisplay, TerminalDisplay, choose, progress_display


def test_without_a_terminal_there_are_lines() -> None:
    stream = io.StringIO()
    log = make_log(SHOWN, handlers=[logging.StreamHandler(stream)])
    with progress_display(log, is_quiet=False) as display:
        display.show(LoadProgress(100, consumed=50, commands=7, elapsed_ns=1_000_000_000))
    assert stream.getvalue().endswith("[INFO] AOF loading: 50%, 7 commands, 7/s, 50 bytes/s\n")


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    log = logging.getLogger("tests")
    display = choose(log, is_quiet=False)
    assert isinstance(display, TerminalDisplay)
    display.show(LoadProgress(100, consumed=50))
    display.close()
    assert isinstance(choose(log, is_quiet=True), LogDisplay)
