"""AOFSHRINK and what INFO tells of it."""

import json

from tests.support.bench import Bench
from tests.support.fakes import SECOND
from tile38py.persistence.shrink import NoShrinker


def info_of(bench: Bench, section: str) -> dict[str, object]:
    bench.call("OUTPUT", "json")
    info: dict[str, object] = json.loads(bench.call("INFO", section).split(b"\r\n")[1])["info"]
    return info


def test_it_starts_a_rewrite_whatever_follows(bench: Bench) -> None:
    assert bench.call("AOFSHRINK") == b"+OK\r\n"
    assert bench.call("aofshrink", "now", "please") == b"+OK\r\n"
    assert bench.shrinker.starts == 2


def test_without_a_log_it_does_nothing() -> None:
    shrinker = NoShrinker()
    shrinker.start()
    ended: list[bool] = []
    shrinker.cancel(lambda: ended.append(True))
    assert (shrinker.figures.is_running, ended) == (False, [True])


def test_info_tells_of_the_rewrite_that_runs(bench: Bench) -> None:
    figures = bench.shrinker.figures
    figures.is_running, figures.written, figures.total = True, 30, 120
    figures.started_ns = bench.clock.monotonic_ns() - 3 * SECOND
    assert info_of(bench, "persistence") == {
        "aof_enabled": 1,
        "aof_rewrite_in_progress": 1,
        "aof_last_rewrite_time_sec": 0,
        "aof_current_rewrite_time_sec": 3,
    }
    assert info_of(bench, "aof")["aof_rewrite_percent"] == 25


def test_info_tells_of_the_last_rewrite(bench: Bench) -> None:
    figures = bench.shrinker.figures
    figures.last_ns, figures.last_error, figures.count, figures.size_base = 2 * SECOND, "x", 4, 77
    persistence = info_of(bench, "persistence")
    assert persistence["aof_last_rewrite_time_sec"] == 2
    assert persistence["aof_current_rewrite_time_sec"] == 0
    assert info_of(bench, "aof") == {
        "aof_current_size": 0,
        "aof_base_size": 77,
        "aof_rewrites": 4,
        "aof_last_rewrite_status": "err",
        "aof_rewrite_percent": 0,
    }


def test_our_own_section_is_shown_only_by_name(bench: Bench) -> None:
    assert b"aof_base_size" not in bench.call("INFO")
    assert b"aof_base_size" in bench.call("INFO", "everything")
