"""Checks of a simulation: of states, of clients' writes in them, and of logs."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.simulation.client import History
from tests.simulation.random_commands import TIMED
from tests.support.embedded import parse_replies
from tests.support.engine_logs import rewritten
from tile38py._engine import Engine

NOW_NS = 1_700_000_000_000_000_000
LIMIT = b"1000000"  # of objects; more than any state has
SHOWN_COUNT = 10  # writes in the text of a failure


@dataclass(slots=True)
class VisibleState:
    """The data of a server, as commands show it: objects, hooks and channels by name."""

    lasting: dict[str, object] = field(default_factory=dict)  # never expire
    timed: dict[str, object] = field(default_factory=dict)  # may expire


def read_state(engine: Engine, client: str = "") -> VisibleState:
    """Return the state, or a client's part of it: keys and names begin with the client's name."""
    state = VisibleState()
    prefix = client.encode()
    for key in _list(engine, b"KEYS", prefix + (b":*" if prefix else b"*")):
        _, objects = _list(engine, b"SCAN", str(key).encode(), b"LIMIT", LIMIT)
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
    """Return an engine that loaded a log."""
    engine = Engine()
    load = engine.load(log, NOW_NS)
    assert load.error is None, f"the log can't be loaded: {load.error}"
    assert load.consumed == len(log), f"the log ends with {log[load.consumed :]!r}"
    return engine


def read_visits(engine: Engine) -> dict[str, object]:
    """Return which objects the fences remember to be inside, with the times, by fence and id."""
    found: dict[str, object] = {}
    for words in parse_replies(rewritten(engine)):
        assert isinstance(words, list)
        name, *visitor = [str(word).removeprefix("$ ") for word in words[1:]]
        if words[0] == "$ setvisits" and visitor:
            # Without times, the groups are made anew.
            states = [text.partition(":")[2] for text in visitor[2::2]]
            found[f"{name} {visitor[0]}"] = states
    return found


def settle(history: History, client: str, engine: Engine, count_min: int) -> None:
    """Find how many of a client's writes the state has, and remove the others from the history.

    Fails unless the state is that after the first n writes, for some n >= count_min. The largest
    such n is taken, since a later power loss may restore any state before it.
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
        f"client {client}: the state matches no prefix of its {len(history.writes)} writes that "
        f"has the first {count_min}, which must survive; compared with these:\n"
        + "\n".join(differences(expected, found))
        + "\nthe last writes that must survive:\n"
        + "\n".join(
            f"  {write.acknowledged_at} {b' '.join(write.words)[:100]!r}"
            for write in history.writes[max(0, count_min - SHOWN_COUNT) : count_min]
        )
    )


def _run(engine: Engine, words: Sequence[bytes]) -> None:
    # The server got the same errors, for example for an id that doesn't exist.
    with contextlib.suppress(ValueError):
        engine.execute(words, NOW_NS)


def differences(expected: dict[str, object], found: dict[str, object]) -> list[str]:
    """Return a line for each name whose values differ."""
    return [
        f"  {name}: expected {expected.get(name)}, found {found.get(name)}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]


def must_equal(
    what: str, expected: VisibleState, found: VisibleState, *, may_expire: bool = False
) -> None:
    """Fail unless two states are equal. With may_expire, timed values may be missing."""
    wrong = differences(expected.lasting, found.lasting)
    for line in differences(expected.timed, found.timed):
        if not may_expire or not line.endswith("found None"):
            wrong.append(line)
    assert not wrong, f"{what}:\n" + "\n".join(wrong)
