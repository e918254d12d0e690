"""The database in process."""

import pytest
from shapely.geometry import shape

from tile38py import Engine, GeoJSON
from tile38py.errors import CommandError


class FixedClock:
    now = 1_000_000_000

    def now_ns(self) -> int:
        return self.now


@pytest.fixture
def engine() -> Engine:
    engine = Engine()
    engine.execute("SET", "fleet", "truck1", "FIELD", "speed", 90, "POINT", 33.5, -112.2)
    return engine


def test_replies_are_python_values(engine: Engine) -> None:
    assert engine.execute("GET", "fleet", "truck1", "POINT") == ["33.5", "-112.2"]
    assert engine.execute("GET", "fleet", "nobody") is None
    assert engine.execute("DEL", "fleet", "nobody") == 0
    found = engine.execute("NEARBY", "fleet", "LIMIT", 1, "POINT", 33, -112)
    text = '{"type":"Point","coordinates":[-112.2,33.5]}'
    assert found == [1, [["truck1", text, ["speed", "90"]]]]


def test_geometries_are_taken_by_shapely(engine: Engine) -> None:
    geometry = engine.execute("GET", "fleet", "truck1")
    assert isinstance(geometry, GeoJSON)
    assert shape(geometry).equals(shape({"type": "Point", "coordinates": (-112.2, 33.5)}))


def test_errors_carry_the_servers_text(engine: Engine) -> None:
    with pytest.raises(CommandError, match=r"^invalid argument 'x'$"):
        engine.execute("SET", "fleet", "a", "POINT", "x", 1)
    with pytest.raises(CommandError, match=r"^wrong number of arguments for 'get' command$"):
        engine.execute("GET")


def test_a_snapshot_stays_as_it_was_and_refuses_writes(engine: Engine) -> None:
    snapshot = engine.snapshot()
    engine.execute("DROP", "fleet")
    assert engine.execute("KEYS", "*") == []
    assert snapshot.execute("KEYS", "*") == ["fleet"]
    with pytest.raises(CommandError, match=r"^read only$"):
        snapshot.execute("DROP", "fleet")


def test_text_that_is_not_utf8_comes_as_bytes(engine: Engine) -> None:
    engine.execute("SET", "fleet", b"\xff", "STRING", b"\x00\xfe")
    assert engine.execute("GET", "fleet", b"\xff") == b"\x00\xfe"


def test_objects_expire_when_asked() -> None:
    clock = FixedClock()
    engine = Engine(clock=clock)
    engine.execute("SET", "fleet", "a", "EX", 5, "POINT", 1, 2)
    assert engine.expire() == 0
    clock.now += 5_000_000_000
    assert engine.expire() == 1
    assert engine.execute("KEYS", "*") == []


def test_a_log_is_loaded_across_the_edges_of_its_pieces() -> None:
    log = b"*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\na\r\n$6\r\nSTRING\r\n$1\r\nx\r\nset k b string y\n"
    engine = Engine()
    assert engine.load([log[:7], log[7:30], log[30:]]) == 2
    assert engine.execute("SCAN", "k", "IDS") == [0, ["a", "b"]]
    with pytest.raises(CommandError, match=r"^unknown command 'bogus'$"):
        engine.load([b"bogus\r\n"])
