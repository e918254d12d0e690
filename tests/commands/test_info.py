"""INFO beyond what the golden cases show."""

import json

from tests.support.bench import Bench


def test_everything_ends_with_the_keyspace(bench: Bench) -> None:
    text = bench.call("INFO")
    assert text.endswith(b"cluster_enabled:0\r\n\r\n# Keyspace\r\n\r\n")
    assert len(bench.call("INFO", "all")) == len(bench.call("INFO", "default")) == len(text)
    assert text.count(b"# ") == 9


def test_values_keep_their_types_in_json(bench: Bench) -> None:
    bench.call("OUTPUT", "json")
    info = json.loads(bench.call("INFO").split(b"\r\n")[1])["info"]
    assert list(info) == sorted(info)
    assert (info["used_memory"], info["role"], info["used_cpu_user"]) == (1000, "master", 2.0)
    assert info["uptime_in_seconds"] == 5


def test_unknown_sections_only(bench: Bench) -> None:
    bench.call("OUTPUT", "json")
    assert b'"info":{}' in bench.call("INFO", "nope")


def test_memory_by_cause_is_shown_only_by_name(bench: Bench) -> None:
    assert b"memory_objects" not in bench.call("INFO")
    assert b"memory_objects" in bench.call("INFO", "everything")
    bench.outbox.memory_bytes = 300
    bench.outbox.connection_count = 2
    bench.client.unsent = 40
    bench.new_client().session.feed(b"*2\r\n$3\r\nGET", 0)
    lines = bench.call("INFO", "memory-usage").split(b"\r\n")
    assert lines[1:-1] == [
        b"# Memory-usage",
        b"memory_objects:0",
        b"memory_indexes:989",
        b"memory_fences:0",
        b"memory_hook_queue:300",
        b"memory_clients:51",
        b"memory_rest:48660",
        b"producers:2",
        b"",
    ]


def test_fences_give_their_memory_back(bench: Bench) -> None:
    def fences() -> int:
        return bench.engine.statistics()["fence_bytes"]

    bench.call("SETCHAN", "one", "WITHIN", "fleet", "FENCE", "BOUNDS", "1", "1", "2", "2")
    one = fences()
    assert one > 200
    bench.call(
        "SETCHAN", "two", "META", "a", "b", "NEARBY", "fleet", "FENCE", "POINT", "1", "2", "3"
    )
    assert fences() > 2 * one
    bench.call("SETCHAN", "two", "WITHIN", "fleet", "FENCE", "BOUNDS", "1", "1", "2", "2")
    assert fences() == 2 * one
    bench.call(
        "NEARBY", "fleet", "FENCE", "POINT", "1", "2", "3", client=(live := bench.new_client())
    )
    alive = fences() - 2 * one
    bench.call("FLUSHDB")
    assert fences() == alive > 0
    assert live.listener is not None
    live.listener.close()
    assert fences() == 0


def test_limits_are_shown_on_request(bench: Bench) -> None:
    lines = bench.call("INFO", "limits").split(b"\r\n")
    assert b"# Limits" in lines
    assert b"maxclients:100" in lines
    assert b"rejected_connections:0" in lines
    assert b"maxclients" not in bench.call("INFO")
