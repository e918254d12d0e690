"""EVAL and its kin on a whole server: log, MONITOR, fences, SERVER, followers, time limit."""

import pytest

from tests.support.bench import Bench
from tile38py.commands.server import publish_statistics

SET_TWICE = """
tile38.call('set', KEYS[1], 'a', 'point', 1, 2)
tile38.call('get', KEYS[1], 'a')
tile38.call('set', KEYS[1], 'b', 'point', 1, 2)
"""
SET_FOREVER = SET_TWICE + "while true do end"


def received(bench: Bench) -> bytes:
    """Run SET_FOREVER, then SET_TWICE, beside a subscriber of a fence; return its messages."""
    bench.call("SETCHAN", "zone", "WITHIN", "k", "FENCE", "DETECT", "enter", "BOUNDS", *"0099")
    client = bench.new_client()
    bench.call("SUBSCRIBE", "zone", client=client)
    client.taken()
    assert bench.call("EVAL", SET_FOREVER, "1", "k") == b"-ERR timeout\r\n"
    assert bench.call("EVAL", SET_TWICE, "1", "k") == b"$-1\r\n"
    bench.fake_journal.flush()
    bench.loop.turn()
    return client.taken()


def test_monitor_shows_what_scripts_call_before_the_script(bench: Bench) -> None:
    monitor = bench.new_client()
    bench.call("MONITOR", client=monitor)
    monitor.taken()
    bench.call("EVAL", "return tile38.call('get', 'k', 5)", "0")
    bench.fake_journal.flush()
    bench.loop.turn()
    lines = monitor.taken().decode().splitlines()
    assert [line.partition(" [0 ")[2] for line in lines] == [
        'lua] "get" "k" "5"',
        """127.0.0.1:5001] "EVAL" "return tile38.call('get', 'k', 5)" "0\"""",
    ]


def test_fences_see_the_writes_of_scripts_that_end_in_time(bench: Bench) -> None:
    bench.engine.set_script_limit(20)
    messages = received(bench)
    assert messages.count(b'"detect":"enter"') == 2
    assert messages.index(b'"id":"a"') < messages.index(b'"id":"b"')


def test_a_script_shows_the_figures_of_the_server(bench: Bench) -> None:
    script = "return tile38.call('server')[1]"
    unsupported = bench.call("EVAL", "return tile38.pcall('server')", "0")
    assert unsupported == b"-ERR command not supported in scripts\r\n"
    publish_statistics(bench.services)
    assert bench.call("EVAL", script, "0") == b"$8\r\naof_size\r\n"
    extended = bench.call("EVALRO", "return tile38.call('server', 'ext')[1]", "0")
    assert extended == b"$11\r\nalloc_bytes\r\n"


@pytest.mark.parametrize(
    ("name", "reply"), [("EVAL", b"-ERR not the leader\r\n"), ("EVALRO", b":1\r\n")]
)
def test_followers_run_scripts_that_read(bench: Bench, name: str, reply: bytes) -> None:
    bench.gates.is_following = bench.gates.caught_up_once = True
    bench.gates.apply()
    assert bench.call(name, "return 1", "0") == reply
    write = "return tile38.pcall('set', 'k', 'a', 'point', 1, 2)"
    assert bench.call("EVALNA", write, "0") == b"-ERR not the leader\r\n"


@pytest.mark.parametrize(
    ("text", "shown"), [("20", b"20"), ("", b"1000"), ("3600001", None), ("-1", None)]
)
def test_the_time_of_scripts_is_a_setting(bench: Bench, text: str, shown: bytes | None) -> None:
    reply = bench.call("CONFIG", "SET", "busy-reply-threshold", text)
    assert reply.startswith(b"+OK" if shown is not None else b"-ERR")
    if shown is not None:
        assert b"\r\n%b\r\n" % shown in bench.call("CONFIG", "GET", "busy-reply-threshold")


SEARCH_FOREVER = "return tile38.call('scan', 'k', 'whereeval', 'while true do end', 0)"


@pytest.mark.parametrize("name", ["EVAL", "EVALNA", "EVALRO"])
def test_an_endless_test_of_objects_in_a_script_ends_with_an_error(bench: Bench, name: str) -> None:
    for number in range(20):
        bench.call("SET", "k", str(number), "POINT", "1", "2")
    reply = bench.call(name, SEARCH_FOREVER, "0")
    assert reply.startswith(b"-ERR")
    assert b"timeout" in reply


def test_an_endless_test_of_objects_in_a_transaction_ends_with_an_error(bench: Bench) -> None:
    bench.call("SET", "k", "a", "POINT", "1", "2")
    bench.send(b"MULTI\r\nSCAN k WHEREEVAL 'while true do end' 0\r\nPING\r\n")
    assert bench.call("EXEC") == b"*2\r\n-ERR timeout\r\n+PONG\r\n"


MANY = "local t = {} for i = 1, 20000 do t[i] = %s end return %s"


@pytest.mark.parametrize("item", ["{'a'}", "'a' .. i", "{a = {i}}"])
@pytest.mark.parametrize("result", ["t", "json.encode(t)", "json.decode(json.encode(t))"])
def test_results_may_have_many_parts(bench: Bench, item: str, result: str) -> None:
    reply = bench.call("EVAL", MANY % (item, result), "0")
    assert reply.startswith((b"*20000\r\n", b"$"))
    bench.call("OUTPUT", "json")
    assert b'"ok":true' in bench.call("EVAL", MANY % (item, result), "0")


def test_a_search_may_return_many_objects_to_a_script(bench: Bench) -> None:
    for number in range(9000):
        bench.call("SET", "k", str(number), "POINT", "1", "2")
    reply = bench.call("EVALRO", "return tile38.call('scan', 'k', 'limit', 9000)", "0")
    assert reply.startswith(b"*2\r\n:9000\r\n*9000\r\n")


def test_a_script_that_breaks_the_machine_leaves_no_write(bench: Bench) -> None:
    words = "local t = {} for i = 1, 7980 do t[i] = 'w' .. i end "
    script = f"tile38.call('set', 'k', 'a', 'point', 1, 2) {words} return tile38.call(unpack(t))"
    assert bench.call("EVAL", script, "0").startswith(b"-ERR")
    count = bench.engine.statistics()["num_objects"]
    assert bench.fake_journal.data.count(b"set") == count
    assert bench.call("EVAL", "return 1", "0") == b":1\r\n"


def test_a_result_that_is_too_long_is_an_error(bench: Bench) -> None:
    text = "local s = string.rep('x', 3e7) return {s, s, s}"
    assert bench.call("EVAL", text, "0") in {
        b"-ERR the script's result is too long\r\n",
        b"-ERR timeout\r\n",
    }
