"""The log that is rewritten by itself, as the settings have it."""

import logging
from pathlib import Path

import pytest

from tests.support.fakes import ManualLoop
from tile38py.config.properties import AOFSHRINK_GROWTH_PERCENTAGE, AOFSHRINK_MIN_SIZE
from tile38py.interfaces.files import LoopFunctions
from tile38py.persistence.aof import Aof
from tile38py.persistence.files import AppendFile
from tile38py.persistence.no_log import NoLog
from tile38py.server.core import make_core
from tile38py.server.options import Options
from tile38py.server.rewriting import Rewriting

SET = b"*6\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\na\r\n$5\r\nPOINT\r\n$1\r\n1\r\n$1\r\n2\r\n"


class RewritingFixture:
    """A server's log of twice the same command, and who rewrites it."""

    def __init__(self, directory: Path) -> None:
        options = Options(directory=directory)
        self.core = make_core(options)
        self.loop = ManualLoop()
        file = AppendFile(options.append_path)
        file.write(SET * 2)
        self.aof = Aof(
            file,
            len(SET) * 2,
            LoopFunctions(self.loop.call_soon, self.loop.in_thread),
            lambda _error: None,
        )
        self.core.engine.load(SET * 2, 0)
        self.rewriting = Rewriting(
            self.core,
            options,
            self.aof,
            in_thread=self.loop.in_thread,
            log=logging.getLogger("tests"),
        )
        self.figures = self.rewriting.shrinker.figures
        self.figures.size_base = self.aof.size

    def count_after_check(self) -> int:
        """Start a rewrite if it is due, let it end, and return the count of rewrites."""
        self.rewriting.start_if_due()
        while self.loop.soon or self.loop.threads:
            self.loop.turn()
            self.loop.end_threads()
        return self.figures.count


@pytest.fixture
def log(tmp_path: Path) -> RewritingFixture:
    return RewritingFixture(tmp_path)


def test_without_a_size_nothing_starts_by_itself(log: RewritingFixture) -> None:
    assert log.count_after_check() == 0


def test_a_log_above_the_size_is_rewritten_once_in_a_minute(log: RewritingFixture) -> None:
    log.core.config.set(AOFSHRINK_MIN_SIZE.name, "1")
    assert log.count_after_check() == 1
    assert log.aof.size < 2 * len(SET)
    assert log.figures.size_base == log.aof.size
    log.aof.append(SET)
    assert log.count_after_check() == 1


def test_a_log_that_has_not_grown_enough_is_left(log: RewritingFixture) -> None:
    log.core.config.set(AOFSHRINK_MIN_SIZE.name, "1")
    log.core.config.set(AOFSHRINK_GROWTH_PERCENTAGE.name, "50")
    assert log.count_after_check() == 0
    log.aof.append(SET)
    assert log.count_after_check() == 1


def test_a_server_without_a_log_rewrites_none(tmp_path: Path) -> None:
    options = Options(directory=tmp_path)
    core = make_core(options)
    rewriting = Rewriting(
        core,
        options,
        NoLog(),
        in_thread=ManualLoop().in_thread,
        log=logging.getLogger("tests"),
    )
    rewriting.shrinker.start()
    assert rewriting.shrinker.figures.count == 0
