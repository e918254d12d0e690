"""DEADLETTERS: the hooks with a URL for what expires or is dropped."""

import json

from tests.support.bench import Bench
from tile38py.interfaces.delivery import DeadLetterReport, HookCounters, HookReport

AREA = ("WITHIN", "fleet", "BOUNDS", "0", "0", "9", "9")
FIELDS = {"url": "redis://h/dead", "count": 7, "waiting": 2, "last_error": "down"}


def fill(bench: Bench) -> None:
    """Set three hooks, of which one has dead letters."""
    for name in ("h1", "h2", "other"):
        bench.call("SETHOOK", name, "http://127.0.0.1:1/", *AREA)
    letters = DeadLetterReport("redis://h/dead", 7, 2, "down")
    bench.outbox.reports["h2"] = HookReport(HookCounters(dead=7), 0, 0, dead_letter=letters)


def test_only_hooks_with_a_url_for_them_are_shown(bench: Bench) -> None:
    fill(bench)
    bench.call("OUTPUT", "json")
    for pattern in ("*", "h*", "h2"):
        reply = json.loads(bench.call("DEADLETTERS", pattern).split(b"\r\n")[1])
        assert reply["hooks"] == [{"name": "h2", **FIELDS}]
    assert b'"hooks":[]' in bench.call("DEADLETTERS", "o*")


def test_in_resp_the_fields_are_a_list(bench: Bench) -> None:
    fill(bench)
    reply = bench.call("DEADLETTERS", "*")
    assert reply.startswith(b"*1\r\n*2\r\n$2\r\nh2\r\n*8\r\n$3\r\nurl\r\n$14\r\nredis://h/dead\r\n")
    assert bench.call("DEADLETTERS", "x") == b"*0\r\n"


def test_hookstats_tells_their_number(bench: Bench) -> None:
    fill(bench)
    bench.call("OUTPUT", "json")
    hooks = json.loads(bench.call("HOOKSTATS", "h*").split(b"\r\n")[1])["hooks"]
    assert ["dead_letters" in hook for hook in hooks] == [False, True]
