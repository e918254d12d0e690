"""HOOKINFO: the settings of one hook and the state of its delivery."""

import json

from tests.support.bench import Bench
from tile38py.interfaces.delivery import HookCounters, HookReport

FENCE = ("NEARBY", "fleet", "FENCE", "POINT", "0", "0", "1000")
URL = "http://127.0.0.1:1/"
SECOND_NS = 10**9


def with_report(bench: Bench) -> Bench:
    """Set a paused hook with messages that wait."""
    bench.call("SETHOOK", "h", URL, "EX", "100", *FENCE)
    bench.call("PAUSEHOOK", "h")
    counters = HookCounters(1, 2, 3, 4, 5, "connection refused", 7 * SECOND_NS)
    bench.outbox.reports["h"] = HookReport(counters, 6, 8 * SECOND_NS, retry_seconds=0.5)
    return bench


def test_json_has_an_object(bench: Bench) -> None:
    with_report(bench)
    bench.call("OUTPUT", "json")
    reply = json.loads(bench.call("HOOKINFO", "h").split(b"\r\n")[1])
    assert reply["ok"]
    assert reply["hook"] == {
        "name": "h",
        "key": "fleet",
        "ttl": 100,
        "endpoints": [URL],
        "options": [],
        "paused": True,
        "sent": 1,
        "failed": 2,
        "retried": 3,
        "expired": 4,
        "dropped": 5,
        "waiting": 6,
        "waiting_since": 8,
        "last_error": "connection refused",
        "last_error_at": 7,
        "endpoint_error": "",
        "retry_in": 0.5,
    }


def test_resp2_has_a_flat_list_and_resp3_a_map(bench: Bench) -> None:
    with_report(bench)
    pairs = b"$4\r\nname\r\n$1\r\nh\r\n$3\r\nkey\r\n$5\r\nfleet\r\n$3\r\nttl\r\n:100\r\n"
    assert bench.call("hookinfo", "h").startswith(b"*34\r\n" + pairs)
    bench.call("HELLO", "3")
    assert bench.call("hookinfo", "h").startswith(b"%17\r\n" + pairs)


def test_a_hook_that_is_not_there_is_an_error(bench: Bench) -> None:
    bench.call("SETCHAN", "c", *FENCE)
    error = b"-ERR hook not found\r\n"
    assert bench.call("HOOKINFO", "c") == bench.call("HOOKINFO", "x") == error


def test_a_name_is_needed(bench: Bench) -> None:
    error = b"-ERR wrong number of arguments for 'hookinfo' command\r\n"
    assert bench.call("HOOKINFO") == bench.call("HOOKINFO", "a", "b") == error


def test_hooks_of_keys_that_a_user_may_not_read_do_not_exist_for_it(bench: Bench) -> None:
    bench.call("SETHOOK", "h", URL, *FENCE)
    bench.call("ACL", "SETUSER", "ann", "on", ">secret", "+@all", "~other")
    ann = bench.new_client()
    bench.call("AUTH", "ann", "secret", client=ann)
    assert bench.call("HOOKINFO", "h", client=ann) == b"-ERR hook not found\r\n"


def test_options_are_shown_without_secrets(bench: Bench) -> None:
    options = ("HEADERS", "X-Key", "secret", "SIGN", "secret", "FORMAT", "cloudevents")
    bench.call("SETHOOK", "h", URL, *options, *FENCE)
    bench.call("OUTPUT", "json")
    shown = ["FORMAT", "cloudevents", "HEADERS", "X-Key", "***", "SIGN", "***"]
    for command, member in [("HOOKINFO", "hook"), ("HOOKS", "hooks")]:
        found = json.loads(bench.call(command, "h").split(b"\r\n")[1])[member]
        [hook] = found if isinstance(found, list) else [found]
        assert hook["options"] == shown
    bench.call("OUTPUT", "resp")
    flat = b"".join(b"$%d\r\n%b\r\n" % (len(word), word.encode()) for word in shown)
    hooks = bench.call("HOOKS", "h")
    assert hooks.startswith(b"*1\r\n*6\r\n")
    assert hooks.endswith(b"*0\r\n*7\r\n" + flat)
