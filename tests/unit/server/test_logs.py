"""The log's lines."""

import asyncio
import io
import json
import logging
import re

import pytest

from tile38py.server.logs import (
    NOTHING,
    SHOWN,
    VERBOSE,
    VERY_VERBOSE,
    JsonStyle,
    Thinning,
    internal_errors,
    make_log,
    notice,
)


def log_to(
    stream: io.StringIO, levels: frozenset[int], style: JsonStyle | None = None
) -> logging.Logger:
    return make_log(levels, style=style, handlers=[logging.StreamHandler(stream)])


def written(levels: frozenset[int], style: JsonStyle | None = None) -> list[str]:
    stream = io.StringIO()
    log = log_to(stream, levels, style)
    log.debug("one")
    log.info("two %d", 2)
    log.warning("three")
    log.error("four")
    log.critical("five")
    return stream.getvalue().splitlines()


@pytest.mark.parametrize(
    ("levels", "tags"),
    [
        (SHOWN, "INFO ERRO FATA"),
        (VERBOSE, "INFO WARN ERRO FATA"),
        (VERY_VERBOSE, "DEBU INFO WARN ERRO FATA"),
        (NOTHING, ""),
    ],
)
def test_levels(levels: frozenset[int], tags: str) -> None:
    assert [line.split()[2] for line in written(levels)] == [f"[{tag}]" for tag in tags.split()]


@pytest.mark.parametrize(
    ("levels", "is_shown"),
    [(SHOWN, True), (VERBOSE, True), (NOTHING, False), (frozenset({logging.ERROR}), False)],
)
def test_a_notice_is_a_warning_that_the_default_shows(
    levels: frozenset[int], is_shown: bool
) -> None:
    stream = io.StringIO()
    log = log_to(stream, levels)
    notice(log, "no %s", "password")
    log.warning("hidden or not")
    assert ("[WARN] no password" in stream.getvalue()) is is_shown
    assert ("hidden or not" in stream.getvalue()) is (levels == VERBOSE)


def test_a_line_of_text() -> None:
    pattern = r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[INFO\] two 2"
    assert re.fullmatch(pattern, written(SHOWN)[0])


def test_a_terminal_gets_colours() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    log_to(stream, SHOWN).info("x")
    assert "\x1b[36m[INFO]\x1b[0m x" in stream.getvalue()


def test_lines_of_json() -> None:
    info, error, _ = (json.loads(line) for line in written(SHOWN, JsonStyle()))
    assert (info["level"], info["msg"], type(info["ts"])) == ("info", "two 2", float)
    assert "stacktrace" in error
    assert "stacktrace" not in info


def test_identical_messages_are_thinned_within_a_second() -> None:
    thinning = Thinning()
    assert sum(thinning.passes("x", 1) for _ in range(1000)) == 100 + 9
    assert thinning.passes("y", 1)
    assert sum(thinning.passes("x", 2) for _ in range(100)) == 100


async def test_errors_that_nobody_handled_are_lines_of_the_log() -> None:
    stream = io.StringIO()
    tell = internal_errors(log_to(stream, SHOWN, JsonStyle()))
    tell(asyncio.get_running_loop(), {"message": "Odd", "exception": ValueError("why")})
    tell(asyncio.get_running_loop(), {})
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["level"] == second["level"] == "error"
    assert first["msg"].startswith("Internal error: Odd\nValueError: why")
