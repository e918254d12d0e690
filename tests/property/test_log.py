"""Loading the log gives the state that was live, however the log is cut into pieces."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.embedded import EngineClient, new_engine
from tests.support.resp import Reply
from tile38py._engine import Engine

KEYS = st.sampled_from(["a", "b", "c d", "é"])
IDS = st.sampled_from(["1", "2", "3", "x\r\ny", ""])
NAMES = st.sampled_from(["speed", "name", "j", "props.x"])
VALUES = st.sampled_from(["0", "1", "-0", "1.50", "nan", "abc", '{"a":1}', "true", "", "1e5"])
PATHS = st.sampled_from(["a", "a.b", "list.0", "list.-1", "coordinates.0"])
SHAPES = st.sampled_from(
    [
        ("POINT", "1", "2"),
        ("POINT", "1", "2", "3"),
        ("BOUNDS", "1", "2", "3", "4"),
        ("HASH", "9my5x"),
        ("STRING", "text\r\n"),
        ("STRING", '{"a":{"b":1},"list":[1,2]}'),
        ("OBJECT", '{"type":"Point","coordinates":[1,2]}'),
        ("OBJECT", '{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,0]]]}'),
        ("OBJECT", '{"type":"Feature","geometry":null,"properties":{"x":1}}'),
    ]
)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=3).map(
    lambda pairs: tuple(word for pair in pairs for word in ("FIELD", *pair))
)
EXPIRY = st.sampled_from([(), ("EX", "100"), ("NX",), ("XX",)])

SET = st.builds(
    lambda key, name, fields, expiry, shape: ("SET", key, name, *fields, *expiry, *shape),
    *(KEYS, IDS, FIELDS, EXPIRY, SHAPES),
)
OTHERS = st.one_of(
    st.tuples(st.just("FSET"), KEYS, IDS, NAMES, VALUES),
    st.tuples(st.just("DEL"), KEYS, IDS),
    st.tuples(st.just("PDEL"), KEYS, st.sampled_from(["*", "1*", "?", "[12]"])),
    st.tuples(st.just("DROP"), KEYS),
    st.tuples(st.sampled_from(["RENAME", "RENAMENX"]), KEYS, KEYS),
    st.tuples(st.just("EXPIRE"), KEYS, IDS, st.sampled_from(["1", "50", "0", "-1"])),
    st.tuples(st.just("PERSIST"), KEYS, IDS),
    st.tuples(st.just("JSET"), KEYS, IDS, PATHS, VALUES),
    st.tuples(st.just("JDEL"), KEYS, IDS, PATHS),
    st.tuples(st.just("FLUSHDB")),
)
COMMANDS = st.lists(st.one_of(SET, SET, SET, OTHERS), max_size=40)


def state(client: EngineClient) -> dict[str, list[Reply]]:
    """Everything that can be seen of the data."""
    keys = client.call("KEYS", "*")
    assert isinstance(keys, list)
    seen = {}
    for key in (str(item).removeprefix("$ ") for item in keys):
        objects = client.call("SCAN", key, "LIMIT", 1000)
        assert isinstance(objects, list)
        ids = [str(item[0]).removeprefix("$ ") for item in objects[1]]
        lifetimes = [client.call("TTL", key, name) for name in ids]
        seen[key] = [objects, lifetimes, client.call("STATS", key), client.call("BOUNDS", key)]
    return seen


def run(commands: list[tuple[str, ...]]) -> EngineClient:
    client = EngineClient()
    for words in commands:
        client.call(*words)
    return client


def load(engine: Engine, data: bytes, now_ns: int) -> int:
    """Load bytes; how many were used."""
    result = engine.load(data, now_ns)
    assert result.error is None, result.error
    return result.consumed


@given(COMMANDS)
def test_a_loaded_log_gives_the_live_state(commands: list[tuple[str, ...]]) -> None:
    client = run(commands)
    engine = new_engine()
    assert load(engine, client.log, client.now_ns) == len(client.log)
    assert state(EngineClient(engine)) == state(client)


@given(COMMANDS, st.integers(1, 50))
def test_a_log_may_be_loaded_in_pieces(commands: list[tuple[str, ...]], size: int) -> None:
    client = run(commands)
    engine = new_engine()
    waiting = b""
    for start in range(0, len(client.log), size):
        waiting += client.log[start : start + size]
        waiting = waiting[load(engine, waiting, client.now_ns) :]
    assert waiting == b""
    assert state(EngineClient(engine)) == state(client)


@given(COMMANDS)
def test_commands_that_only_read_or_fail_log_nothing(commands: list[tuple[str, ...]]) -> None:
    client = run(commands)
    size = len(client.log)
    state(client)
    client.call("SET", "a")
    client.call("NEARBY", "a", "POINT", 1, 2)
    assert len(client.log) == size


@given(COMMANDS)
def test_an_expiry_is_logged_as_a_deletion(commands: list[tuple[str, ...]]) -> None:
    client = run([*commands, ("SET", "a", "short", "EX", "1", "POINT", "1", "2")])
    later = client.now_ns + 200_000_000_000
    removed, count = client.engine.expire(later, 1_000_000)
    assert count >= 1
    engine = new_engine()
    assert load(engine, client.log + removed, later) == len(client.log + removed)
    assert state(EngineClient(engine)).keys() == state(client).keys()
    assert str(client.call("GET", "a", "short")) == "$-1"


@given(COMMANDS, st.integers(1, 2000))
def test_a_rewritten_log_gives_the_live_state(commands: list[tuple[str, ...]], size: int) -> None:
    client = run(commands)
    rewrite = client.engine.rewrite(client.now_ns)
    log = b"".join(iter(lambda: rewrite.read(size), b""))
    engine = new_engine()
    assert load(engine, log, client.now_ns) == len(log)
    # Boxes are written as polygons, which STATS counts differently.
    seen, expected = state(EngineClient(engine)), state(client)
    assert {key: found[:2] for key, found in seen.items()} == {
        key: found[:2] for key, found in expected.items()
    }
