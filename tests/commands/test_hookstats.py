"""HOOKSTATS: what became of each hook's messages."""

import json

from tests.support.bench import Bench
from tile38py.interfaces.delivery import HookCounters, HookReport

FENCE = ("NEARBY", "fleet", "FENCE", "POINT", "0", "0", "1000")
SECOND_NS = 10**9


def with_hooks(bench: Bench, *names: str) -> Bench:
    """Hooks that did nothing yet, and a channel."""
    for name in names:
        bench.call("SETHOOK", name, "http://127.0.0.1:1/", *FENCE)
    bench.call("SETCHAN", "channel", *FENCE)
    return bench


def members(bench: Bench, pattern: str) -> list[dict[str, object]]:
    """The hooks that the JSON shows."""
    bench.call("OUTPUT", "json")
    reply = json.loads(bench.call("HOOKSTATS", pattern).split(b"\r\n")[1])
    assert reply["ok"]
    return list(reply["hooks"])


def test_hooks_are_shown_by_name_and_channels_are_not(bench: Bench) -> None:
    with_hooks(bench, "two", "one", "other")
    assert [row["name"] for row in members(bench, "*")] == ["one", "other", "two"]


def test_the_pattern_chooses_the_hooks(bench: Bench) -> None:
    with_hooks(bench, "two", "one", "other")
    assert [row["name"] for row in members(bench, "o?[a-f]")] == ["one"]
    assert members(bench, "x*") == members(bench, "[") == []


def test_the_counters_are_those_of_the_hook(bench: Bench) -> None:
    with_hooks(bench, "a", "b")
    counters = HookCounters(1, 2, 3, 4, 5, "connection refused", 7 * SECOND_NS)
    bench.outbox.reports["b"] = HookReport(
        counters, 6, 8 * SECOND_NS, endpoint_error="bogus://x: unknown scheme"
    )
    assert members(bench, "b") == [
        {
            "name": "b",
            "sent": 1,
            "failed": 2,
            "retried": 3,
            "expired": 4,
            "dropped": 5,
            "waiting": 6,
            "waiting_since": 8,
            "last_error": "connection refused",
            "last_error_at": 7,
            "endpoint_error": "bogus://x: unknown scheme",
        }
    ]


def test_resp_has_a_flat_map_for_each_hook(bench: Bench) -> None:
    with_hooks(bench, "h")
    reply = bench.call("hookstats", "h")
    assert reply.startswith(
        b"*1\r\n*2\r\n$1\r\nh\r\n*20\r\n$4\r\nsent\r\n:0\r\n$6\r\nfailed\r\n:0\r\n"
    )
    assert bench.call("hookstats", "x") == b"*0\r\n"


def test_a_pattern_is_needed(bench: Bench) -> None:
    wrong = b"-ERR wrong number of arguments for 'hookstats' command\r\n"
    assert bench.call("HOOKSTATS") == bench.call("HOOKSTATS", "a", "b") == wrong


def test_a_hooks_name_may_be_any_bytes(bench: Bench) -> None:
    bench.call(b"SETHOOK", b"\xff", b"http://127.0.0.1:1/", *(word.encode() for word in FENCE))
    assert b"$1\r\n\xff\r\n" in bench.call(b"HOOKSTATS", b"\xff*")
