"""The engine in process."""

import re
import threading

import pytest
from shapely.geometry import shape

from tests.support.embedded import new_engine
from tests.support.process import ROOT
from tests.support.waiting import wait_until
from tile38py import Engine, GeoJSON


def test_replies_are_python_values() -> None:
    engine = Engine()
    assert engine.execute("SET", "fleet", "truck", "FIELD", "speed", 50, "POINT", 33.5, -112.2)
    assert engine.execute("GET", "fleet", "truck", "POINT") == ["33.5", "-112.2"]
    assert engine.execute("FGET", "fleet", "truck", "speed") == "50"
    assert engine.execute("SCAN", "fleet", "COUNT") == 1
    assert engine.execute("GET", "fleet", "bus") is None


def test_words_may_be_bytes_and_replies_that_are_no_text_are() -> None:
    engine = Engine()
    engine.execute(b"SET", "k", "é", "STRING", b"\xff")
    assert engine.execute("GET", "k", "é") == b"\xff"


def test_an_error_reply_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="unknown command 'NOPE'"):
        Engine().execute("NOPE")


def test_a_snapshot_stays_as_it_was_and_refuses_writes() -> None:
    engine = Engine()
    engine.execute("SET", "k", "a", "POINT", 1, 2)
    snapshot = engine.snapshot()
    engine.execute("DROP", "k")
    assert snapshot.execute("SCAN", "k", "IDS") == [0, ["a"]]
    with pytest.raises(ValueError, match="read only"):
        snapshot.execute("SET", "k", "b", "POINT", 1, 2)


def test_a_snapshot_keeps_what_expires_later() -> None:
    engine = Engine()
    engine.execute("SET", "k", "a", "EX", 0.01, "POINT", 1, 2)
    snapshot = engine.snapshot()
    wait_until(lambda: engine.execute("GET", "k", "a") is None, what="expiry")
    assert snapshot.execute("GET", "k", "a", "POINT") == ["1", "2"]


def test_a_live_fence_is_refused_and_leaves_nothing() -> None:
    engine = Engine()
    with pytest.raises(ValueError, match="a live fence needs a connection"):
        engine.execute("NEARBY", "k", "FENCE", "POINT", 1, 2, 1000)
    assert not engine._engine.remove_live(1)  # the first one's number


def test_true_and_false_are_those_of_fields() -> None:
    engine = Engine()
    engine.execute("SET", "k", "a", "FIELD", "on", True, "FIELD", "off", False, "POINT", 1, 2)
    found = engine.execute("SCAN", "k", "WHERE", "on == true && off == false", "COUNT")
    assert found == 1


def test_geometries_are_taken_by_shapely() -> None:
    engine = Engine()
    engine.execute("SET", "k", "a", "BOUNDS", 1, 2, 3, 4)
    geometry = engine.execute("GET", "k", "a")
    assert isinstance(geometry, GeoJSON)
    assert shape(geometry).bounds == (2.0, 1.0, 4.0, 3.0)


def test_other_documents_are_no_geometries() -> None:
    engine = Engine()
    engine.execute("SET", "k", "a", "STRING", '{"name":"Tom"}')
    assert engine.execute("GET", "k", "a") == '{"name":"Tom"}'
    assert not hasattr(engine.execute("GET", "k", "a"), "__geo_interface__")


def test_what_expired_is_gone_with_the_next_command() -> None:
    engine = Engine()
    engine.execute("SET", "k", "a", "EX", 0.01, "POINT", 1, 2)
    wait_until(lambda: engine.execute("GET", "k", "a") is None, what="expiry")


def test_the_example_of_the_readme_runs() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        exec(compile(example, "README.md", "exec"), {})


def test_hooks_are_set_as_a_server_would_take_them() -> None:
    engine = Engine()
    fence = ("NEARBY", "fleet", "FENCE", "POINT", 1, 2, 3)
    assert engine.execute("SETHOOK", "h", "kafka://host/topic", *fence) == 1
    with pytest.raises(ValueError, match=r"invalid argument 'bogus://host'"):
        engine.execute("SETHOOK", "h", "bogus://host", *fence)
    assert engine.snapshot().execute("HOOKS", "*") == [
        ["h", "fleet", ["kafka://host/topic"], [*map(str, fence)], []]
    ]


def test_threads_share_an_engine_while_a_url_is_checked() -> None:
    engine = new_engine()
    is_checking, may_go_on = threading.Event(), threading.Event()

    def check(_url: bytes) -> None:
        is_checking.set()
        may_go_on.wait(timeout=20)

    engine.check_endpoints(check)
    words = [b"SETHOOK", b"h", b"http://x", b"NEARBY", b"k", b"POINT", b"1", b"2", b"3"]
    setting = threading.Thread(target=engine.execute, args=(words, 0))
    setting.start()
    assert is_checking.wait(timeout=20)
    # It waits for the first one, without which it would never end.
    other = threading.Thread(target=engine.statistics)
    other.start()
    may_go_on.set()
    for thread in (setting, other):
        thread.join(timeout=20)
        assert not thread.is_alive()
