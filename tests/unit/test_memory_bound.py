"""The bound on the engine's heap holds within a batch, and writes resume once there is room."""

import threading
from collections.abc import Iterator

import pytest

from tests.support.embedded import EngineClient, accept_commands, new_engine
from tests.support.fakes import command
from tile38py._engine import Close, Engine, Session
from tile38py.limits import MIB

BATCH_COUNT = 1000
# A batch takes less, and what it frees at its end may leave the heap as far below the bound.
BATCH_BYTES_MAX = MIB
OOM = b"-OOM command not allowed when used memory > 'maxmemory'\r\n"


@pytest.fixture
def engine() -> Engine:
    """An engine that takes writes."""
    return new_engine()


def sets() -> Iterator[bytes]:
    """Batches of SETs, each of new objects."""
    number = 0
    while True:
        words = [b"SET fleet truck%09d POINT 33 -115\r\n" % i for i in range(number, number + 1000)]
        yield b"".join(words)
        number += BATCH_COUNT


def flood(session: Session, batches: int) -> bytes:
    """The replies to many SETs."""
    source = sets()
    return b"".join(session.feed(next(source), 1).replies for _ in range(batches))


def test_a_flood_of_writes_ends_within_a_batch_of_the_bound(engine: Engine) -> None:
    start = engine.memory()[0]
    bound = start + 10 * MIB
    assert not engine.bound_memory(bound)
    replies = flood(engine.session(), 400)
    stored = replies.count(b"+OK")
    assert stored == engine.statistics()["num_objects"]
    assert replies.endswith(OOM)
    assert abs(engine.memory()[0] - bound) < BATCH_BYTES_MAX


def test_room_that_a_command_makes_is_used_at_once(engine: Engine) -> None:
    engine.bound_memory(engine.memory()[0] + 10 * MIB)
    session = engine.session()
    assert flood(session, 400).endswith(OOM)
    assert session.feed(b"DROP fleet\r\n", 1).replies == b":1\r\n"
    assert session.feed(b"SET fleet a POINT 1 2\r\n", 1).replies == b"+OK\r\n"


def test_a_higher_bound_and_none_let_writes_in(engine: Engine) -> None:
    client = EngineClient(engine)
    words = ("SET", "fleet", "a", "POINT", 1, 2)
    for bound, reply in ((1, "-OOM"), (1 << 50, "+OK"), (1, "-OOM"), (None, "+OK")):
        assert engine.bound_memory(bound) is (reply == "-OOM")
        assert str(client.call(*words)).startswith(reply)


def test_the_bound_holds_on_every_thread(engine: Engine) -> None:
    bound = engine.memory()[0] + 10 * MIB
    engine.bound_memory(bound)
    replies = list[bytes]()
    thread = threading.Thread(target=lambda: replies.append(flood(engine.session(), 400)))
    thread.start()
    thread.join()
    assert replies[0].endswith(OOM)
    assert engine.memory()[0] < bound + BATCH_BYTES_MAX
    assert flood(engine.session(), 100).endswith(OOM)


def test_a_request_that_would_not_fit_is_refused_before_it_has_arrived(engine: Engine) -> None:
    engine.bound_memory(engine.memory()[0] + 30 * MIB)
    large = command(b"SET", b"fleet", b"a", b"STRING", b"x" * (20 * MIB))
    session = engine.session()
    batch = session.feed(large[: 64 * 1024], 1)
    assert batch.replies == OOM
    assert isinstance(batch.stop, Close)
    fitting = command(b"SET", b"fleet", b"a", b"STRING", b"x" * (2 * MIB))
    session = engine.session()
    assert session.feed(fitting[:100], 1).stop is None
    assert session.feed(fitting[100:], 1).replies == b"+OK\r\n"


def test_a_change_of_the_state_keeps_the_bound(engine: Engine) -> None:
    client = EngineClient(engine)
    engine.bound_memory(1)
    accept_commands(engine)
    assert str(client.call("SET", "fleet", "a", "POINT", 1, 2)).startswith("-OOM")
