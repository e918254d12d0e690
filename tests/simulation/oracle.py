"""What must be true: of a state, of a client's writes in it, of a log, of two servers."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.simulation.client import History
from tests.simulation.words import TIMED
from tile38py._engine import Engine

NOW_NS = 1_700_000_000_000_000_000
MANY = b"1000000"
SHOWN = 10  # writes in a failure's text


@dataclass(slots=True)
class State:
    """All that a server holds, as far as commands show it."""

    lasting: dict[str, object] = field(default_factory=dict)
    timed: dict[str, object] = field(default_factory=dict)  # what expires, or could


def read_state(engine: Engine, client: str = "") -> State:
    """The state, or a client's part of it. Keys and names begin with the client's name."""
    state = State()
    prefix = client.encode()
    for key in _list(engine, b"KEYS", prefix + (b":*" if prefix else b"*")):
        _, objects = _list(engine, b"SCAN", str(key).encode(), b"LIMIT", MANY)
        assert isinstance(objects, list)
        part = state.timed if str(key).endswith(TIMED.decode()) else state.lasting
        for item in objects:
            assert isinstance(item, list)
            part[f"{key} {item[0]}"] = item[1:]
    for listing in (b"CHANS", b"HOOKS"):
        for item in _list(engine, listing, prefix + (b".*" if prefix else b"*")):
            assert isinstance(item, list)
            part = state.timed if str(item[0]).endswith("timed") else state.lasting
            part[str(item[0])] = item[1:]
    return state


def _list(engine: Engine, *words: bytes) -> list[object]:
    reply, _ = engine.execute(words, NOW_NS)
    assert isinstance(reply, list)
    return list(reply)


def replayed(log: bytes) -> Engine:
    """What a server would make of a log."""
    engine = Engine()
    load = engine.load(log, NOW_NS)
    assert load.error is None, f"the log can't be loaded: {load.error}"
    assert load.consumed == len(log), f"the log ends with {log[load.consumed :]!r}"
    return engine


def settle(history: History, client: str, engine: Engine, count_min: int) -> None:
    """Find how many of a client's writes the state has, and forget the rest.

    Fails unless the state is that after the first n of the writes, for some n >= count_min. Of
    several it is the largest: a server that loses power may go back to any state before it.
    """
    found = read_state(engine, client).lasting
    model = Engine()
    writes = history.writes
    fitting = -1
    for count in range(len(writes) + 1):
        if count:
            _run(model, writes[count - 1].words)
        if count >= count_min and read_state(model, client).lasting == found:
            fitting = count
    if fitting < 0:
        raise AssertionError(_lost(history, client, found, count_min))
    del writes[fitting:]


def _lost(history: History, client: str, found: dict[str, object], count_min: int) -> str:
    model = Engine()
    for write in history.writes[:count_min]:
        _run(model, write.words)
    expected = read_state(model, client).lasting
    return (
        f"client {client}: the state is none that its writes went through after the first "
        f"{count_min} of {len(history.writes)}, which are promised:\n"
        + "\n".join(differences(expected, found))
        + "\nits last promised writes:\n"
        + "\n".join(
            f"  {write.acknowledged_at} {b' '.join(write.words)[:100]!r}"
            for write in history.writes[max(0, count_min - SHOWN) : count_min]
        )
    )


def _run(engine: Engine, words: Sequence[bytes]) -> None:
    # Errors, of an id that isn't there say, are what the server found, too.
    with contextlib.suppress(ValueError):
        engine.execute(words, NOW_NS)


def differences(expected: dict[str, object], found: dict[str, object]) -> list[str]:
    """What isn't equal, a line each."""
    return [
        f"  {name}: expected {expected.get(name)}, found {found.get(name)}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]


def must_equal(what: str, expected: State, found: State, *, may_expire: bool = False) -> None:
    """Compare two states; with may_expire, what has a time may be missing."""
    wrong = differences(expected.lasting, found.lasting)
    for line in differences(expected.timed, found.timed):
        if not may_expire or not line.endswith("found None"):
            wrong.append(line)
    assert not wrong, f"{what}:\n" + "\n".join(wrong)
