"""Searches that leave the event loop in units: order, snapshots, cancellation, other work."""

from collections.abc import Sequence
from contextlib import ExitStack

import pytest

from tests.support.process import ServerProcess
from tests.support.resp import Connection, Reply, encode_words
from tests.support.waiting import wait_until

Command = Sequence[str | int]

OBJECTS_COUNT = 5000
CIRCLE: Command = ("WITHIN", "k", "LIMIT", 100_000, "COUNT", "CIRCLE", 10, 10, 5000)
ALL = f":{OBJECTS_COUNT}"
PIPELINE_COUNT = 100  # searches of CIRCLE take more than a millisecond together
FILTER: Command = ("SCAN", "k", "WHERE", "n * n >= 0", "LIMIT", 1_000_000, "COUNT")


@pytest.fixture
def filled(server: ServerProcess) -> ServerProcess:
    """A server with points within the circle."""
    with server.connect() as connection:
        rows = [
            ("SET", "k", number, "FIELD", "n", 1, "POINT", 10 + number % 7 / 1e3, 10 + number / 1e6)
            for number in range(OBJECTS_COUNT)
        ]
        assert set(map(str, connection.call_many(rows))) == {"+OK"}
    return server


def send(connection: Connection, commands: Sequence[Command]) -> None:
    """Send commands in one write."""
    packed = (encode_words(words) for words in commands)
    connection.send(b"".join(packed))


def unit_counts(server: ServerProcess) -> dict[str, int]:
    """Return the lines of INFO reads."""
    text = str(server.call("INFO", "reads"))
    lines = (line.split(":") for line in text.split("\r\n")[1:] if line)
    return {name: int(value) for name, value in lines}


def test_a_pipeline_of_searches_leaves_the_event_loop(filled: ServerProcess) -> None:
    with filled.connect() as connection:
        replies = connection.call_many([CIRCLE] * PIPELINE_COUNT)
    assert replies == [ALL] * PIPELINE_COUNT
    assert unit_counts(filled)["read_units"] > 0
    assert unit_counts(filled)["read_units_active"] == 0


def test_without_threads_searches_stay_on_the_event_loop(filled: ServerProcess) -> None:
    assert filled.call("CONFIG", "SET", "read-threads", "0") == "+OK"
    with filled.connect() as connection:
        assert connection.call_many([CIRCLE] * PIPELINE_COUNT) == [ALL] * PIPELINE_COUNT
        assert unit_counts(filled)["read_units"] == 0
        assert filled.call("CONFIG", "SET", "read-threads", "3") == "+OK"
        assert connection.call_many([CIRCLE] * PIPELINE_COUNT) == [ALL] * PIPELINE_COUNT
    assert unit_counts(filled)["read_units"] > 0


def mixed(key: str, count: int) -> tuple[list[Command], list[Reply]]:
    """Return a pipeline of writes, searches and errors, and its replies."""
    commands: list[Command] = []
    replies: list[Reply] = []
    for number in range(count):
        commands += [("SET", key, number, "POINT", 10, 10), CIRCLE, ("SCAN", key, "COUNT"), CIRCLE]
        replies += ["+OK", ALL, f":{number + 1}", ALL]
        if number % 3 == 0:
            commands += [("WITHIN",), ("GET", key, number, "POINT"), ("NEARBY", "k", "x"), CIRCLE]
            replies += ["-ERR wrong number of arguments for 'within' command", ["$ 10", "$ 10"]]
            replies += ["-ERR invalid argument 'x'", ALL]
        if number % 5 == 0:
            commands += [("TIMEOUT", 10, *CIRCLE), ("PING",), ("TIMEOUT", 0, *CIRCLE)]
            replies += [ALL, "+PONG", "-ERR timeout"]
    return commands, replies


def test_replies_keep_the_order_of_reads_and_writes(filled: ServerProcess) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(filled.connect(30)) for _ in range(8)]
        pipelines = [mixed(f"own{number}", 40) for number in range(len(connections))]
        for connection, (commands, _) in zip(connections, pipelines, strict=True):
            send(connection, commands)
        for connection, (_, replies) in zip(connections, pipelines, strict=True):
            assert [connection.read() for _ in replies] == replies
    assert unit_counts(filled)["read_units"] > len(connections)


def test_no_unit_is_forgotten_between_the_threads_and_the_loop(filled: ServerProcess) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(filled.connect()) for _ in range(10)]
        for _ in range(10):
            for connection in connections:
                send(connection, [FILTER, FILTER])
            assert [connection.read() for connection in connections * 2] == [ALL] * 20


def test_a_unit_sees_the_data_of_its_start(filled: ServerProcess) -> None:
    with filled.connect() as reader, filled.connect() as writer:
        for command in (("FLUSHDB",), ("SET", "k", "new", "POINT", 10, 10)):
            send(reader, [CIRCLE] * PIPELINE_COUNT)
            assert writer.call(*command) == "+OK"
            counts = [reader.read() for _ in range(PIPELINE_COUNT)]
            # Each unit has one snapshot, and later units have later ones.
            assert set(map(str, counts)) <= {ALL, ":0", ":1"}
            assert counts == sorted(counts, reverse=command[0] == "FLUSHDB")
        assert reader.call(*CIRCLE) == ":1"


def test_a_lost_client_ends_its_unit(filled: ServerProcess) -> None:
    with filled.connect() as connection:
        send(connection, [FILTER] * 20_000)
        wait_until(
            lambda: unit_counts(filled)["read_units_active"] > 0, seconds_max=30, what="a unit"
        )
    wait_until(
        lambda: unit_counts(filled)["read_units_active"] == 0, seconds_max=30, what="its end"
    )


def test_slow_searches_and_durations_are_recorded(filled: ServerProcess) -> None:
    assert filled.call("CONFIG", "SET", "slowlog-log-slower-than", "0") == "+OK"
    with filled.connect() as connection:
        assert connection.call_many([FILTER] * PIPELINE_COUNT) == [ALL] * PIPELINE_COUNT
    assert unit_counts(filled)["read_units"] > 0
    entries = filled.call("SLOWLOG", "GET", "128")
    assert isinstance(entries, list)
    searches = [entry for entry in entries if entry[3] == [f"$ {word}" for word in FILTER]]
    assert len(searches) == PIPELINE_COUNT


def test_the_server_stops_with_units_in_flight(filled: ServerProcess) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            send(stack.enter_context(filled.connect()), [FILTER] * PIPELINE_COUNT)
        assert filled.stop() == 0


def test_a_search_over_much_is_split_among_threads(filled: ServerProcess) -> None:
    searches: list[Command] = [
        ("SCAN", "k", "WHERE", "n > 0", "LIMIT", 20_000, "IDS"),
        ("WITHIN", "k", "WHERE", "n > 0", "LIMIT", 20_000, "IDS", "BOUNDS", 0, 0, 90, 90),
        ("WITHIN", "k", "WHERE", "n > 0", "LIMIT", 100_000, "IDS", "CIRCLE", 10, 10, 500_000),
    ]
    with filled.connect(60) as connection:
        rows = [
            ("SET", "k", f"more{number}", "FIELD", "n", number % 2, "POINT", number / 1e4, 10)
            for number in range(100_000)
        ]
        assert set(map(str, connection.call_many(rows))) == {"+OK"}
        alone = connection.call_many(searches)
        assert filled.call("CONFIG", "SET", "read-threads", "4") == "+OK"
        assert connection.call_many(searches) == alone
        assert filled.call("CONFIG", "SET", "read-threads", "1") == "+OK"
        assert connection.call_many(searches) == alone


def test_units_run_after_their_threads_have_ended(filled: ServerProcess) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(filled.connect(60)) for _ in range(16)]
        for threads in ("0", "2", "0"):
            for connection in connections:
                send(connection, [FILTER] * 20)
            assert filled.call("CONFIG", "SET", "read-threads", threads) == "+OK"
            assert [connection.read() for connection in connections * 20] == [ALL] * 320
