"""INFO beyond what the golden cases show."""

import json

from tests.support.bench import Bench


def test_everything_ends_with_two_line_ends(bench: Bench) -> None:
    text = bench.call("INFO")
    assert text.endswith(b"cluster_enabled:0\r\n\r\n\r\n")
    assert len(bench.call("INFO", "all")) == len(bench.call("INFO", "default")) == len(text)
    assert text.count(b"# ") == 8


def test_values_keep_their_types_in_json(bench: Bench) -> None:
    bench.call("OUTPUT", "json")
    info = json.loads(bench.call("INFO").split(b"\r\n")[1])["info"]
    assert list(info) == sorted(info)
    assert (info["used_memory"], info["role"], info["used_cpu_user"]) == (1000, "master", 2.0)
    assert info["uptime_in_seconds"] == 5


def test_unknown_sections_only(bench: Bench) -> None:
    bench.call("OUTPUT", "json")
    assert b'"info":{}' in bench.call("INFO", "nope")
