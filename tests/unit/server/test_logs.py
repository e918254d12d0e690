"""The log's lines."""

import asyncio
import io
import json
import logging
import re
import sys
import threading
import warnings

import pytest

from tile38py.server.logs import (
    NOTHING,
    SHOWN,
    VERBOSE,
    VERY_VERBOSE,
    JsonStyle,
    Thinning,
    gather_libraries,
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


@pytest.fixture
def own_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give back what is changed for the whole process."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)


def raised(error: Exception) -> Exception:
    try:
        raise error
    except ValueError as caught:
        return caught


@pytest.mark.usefixtures("own_hooks")
@pytest.mark.filterwarnings("default")
def test_what_libraries_say_is_debugging_information() -> None:
    stream = io.StringIO()
    gather_libraries(log_to(stream, VERY_VERBOSE))
    library = logging.getLogger("library.part")
    library.warning("one\nand %s", "more")
    library.info("nothing")
    library.error("two", exc_info=raised(ValueError("why")))
    warnings.warn_explicit("three", RuntimeWarning, "module.py", 7)
    logging.captureWarnings(capture=False)
    lines = [line.partition(" [")[2] for line in stream.getvalue().splitlines()]
    assert lines == [
        "DEBU] library.part: one",
        "DEBU] library.part: two (ValueError('why'))",
        "DEBU] py.warnings: module.py:7: RuntimeWarning: three",
    ]


@pytest.mark.usefixtures("own_hooks")
@pytest.mark.filterwarnings("default")
def test_errors_of_finalizers_and_threads_are_lines_of_the_log() -> None:
    class Broken:
        def __del__(self) -> None:
            raise ValueError("in vain")

    def fail() -> None:
        raise ValueError("why")

    stream = io.StringIO()
    gather_libraries(log_to(stream, VERY_VERBOSE))
    logging.captureWarnings(capture=False)
    del_me = Broken()
    del del_me
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    first, second, *trace = stream.getvalue().splitlines()
    assert "[DEBU] Exception ignored in <function" in first
    assert first.endswith("ValueError('in vain')")
    assert "[ERRO] Internal error: a thread ended" in second
    assert trace[-1] == "ValueError: why"
