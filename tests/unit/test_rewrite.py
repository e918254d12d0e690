"""The log written anew by the engine."""

from concurrent.futures import ThreadPoolExecutor

from tests.support.embedded import EngineClient, new_engine
from tile38py._engine import Engine, Rewrite

PIECE_BYTES = 1000


def read_all(rewrite: Rewrite) -> bytes:
    pieces = []
    while piece := rewrite.read(PIECE_BYTES):
        assert len(piece) < 2 * PIECE_BYTES
        pieces.append(piece)
    return b"".join(pieces)


def filled() -> EngineClient:
    client = EngineClient()
    for number in range(100):
        client.call("SET", "fleet", number, "FIELD", "speed", number, "POINT", number / 2, 1)
    client.call("SET", "zones", "a", "BOUNDS", 0, 0, 1, 1)
    client.call("SETHOOK", "h", "http://x/y", "WITHIN", "fleet", "FENCE", "GET", "zones", "a")
    client.call("SETCHAN", "c", "META", "m", "1", "NEARBY", "fleet", "FENCE", "POINT", 1, 1, 5)
    return client


def load(log: bytes, now_ns: int) -> EngineClient:
    engine: Engine = new_engine()
    loaded = engine.load(log, now_ns)
    assert (loaded.error, loaded.consumed) == (None, len(log))
    return EngineClient(engine)


def test_a_rewritten_log_makes_everything_again() -> None:
    client = filled()
    rewrite = client.engine.rewrite(client.now_ns)
    assert (rewrite.written, rewrite.total) == (0, 103)
    log = read_all(rewrite)
    assert (rewrite.written, rewrite.total) == (103, 103)
    again = load(log, client.now_ns)
    for words in (("SCAN", "fleet"), ("SCAN", "zones"), ("HOOKS", "*"), ("CHANS", "*")):
        assert again.call(*words) == client.call(*words)


def test_a_hook_lists_the_words_it_was_set_with_after_its_area_changed() -> None:
    client = filled()
    client.call("SET", "zones", "a", "POINT", 50, 50)
    before = client.call("HOOKS", "*")
    log = read_all(client.engine.rewrite(client.now_ns))
    again = load(log, client.now_ns)
    assert again.call("HOOKS", "*") == before
    assert again.call("GET", "zones", "a") == client.call("GET", "zones", "a")
    assert read_all(again.engine.rewrite(client.now_ns)) == log
    again.session.feed(b"set fleet x point 0.5 0.5\r\n", client.now_ns)
    batch = again.session.feed(b"set fleet x point 0.6 0.5\r\n", client.now_ns)
    assert batch.events is not None
    assert [event.channel for event in batch.events.channels] == [b"c"]
    assert [event.hook for event in batch.events.hooks] == ["h"]


def test_writes_go_on_while_another_thread_reads() -> None:
    client = filled()
    expected = read_all(client.engine.rewrite(client.now_ns))
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_all, client.engine.rewrite(client.now_ns))
        client.call("DROP", "fleet")
        client.call("PDELHOOK", "*")
        assert reading.result(timeout=20) == expected
    assert len(read_all(client.engine.rewrite(client.now_ns))) < len(expected)
