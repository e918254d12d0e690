"""What fences found reaches channels, live fences and hooks, in order and after the log."""

from collections.abc import Sequence

import pytest

from tests.support.bench import Bench
from tests.support.fakes import FakeClient, FakeJournal, ManualLoop
from tile38py._engine import Engine
from tile38py.interfaces import FenceEvent, Wire
from tile38py.subscriptions import Subscriptions

EVENTS: list[FenceEvent] = [
    ("channel", b"a", b'{"n":1}'),
    ("hook", b"h", b'{"n":2}'),
    ("live", 7, b'{"n":3}'),
    ("live", 8, b'{"n":4}'),
    ("channel", b"nobody", b'{"n":5}'),
    ("hook", b"h", b'{"n":6}'),
]


class FakeHooks:
    """Remembers what it is to deliver."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []

    def enqueue(self, events: Sequence[tuple[str, bytes]]) -> None:
        """Take messages."""
        self.taken += events

    def hooks_changed(self, names: Sequence[str]) -> None:
        """Take word of changes."""
        self.taken += [(name, b"changed") for name in names]


class Stage:
    """Subscriptions with nothing behind them."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.journal = FakeJournal()
        self.loop = ManualLoop()
        self.hooks = FakeHooks()
        self.subscriptions = Subscriptions(
            self.engine,
            journal=self.journal,
            call_soon=self.loop.call_soon,
            log=lambda _line: None,
            hooks=self.hooks,
        )

    def client(self, wire: Wire = Wire.RESP) -> FakeClient:
        """One more client."""
        client = FakeClient(self.engine.session(framing="resp"))
        client.wire = wire
        return client


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_each_kind_goes_its_way(stage: Stage) -> None:
    watcher, socket = stage.client(), stage.client(Wire.WEBSOCKET)
    stage.subscriptions.watch(watcher, 7)
    stage.subscriptions.watch(socket, 8)
    stage.subscriptions.hand_on(EVENTS)
    stage.loop.turn()
    assert watcher.taken() == b'$7\r\n{"n":3}\r\n'
    assert socket.taken() == b'\x81\x07{"n":4}'
    assert stage.hooks.taken == [("h", b'{"n":2}'), ("h", b'{"n":6}')]


def test_nothing_is_handed_on_before_the_log_is_written(stage: Stage) -> None:
    stage.journal.append(b"a write")
    stage.subscriptions.hand_on(EVENTS)
    assert stage.hooks.taken == []
    stage.journal.flush("full")
    assert stage.hooks.taken == []
    stage.subscriptions.recovered()
    assert len(stage.hooks.taken) == 2


def test_a_fence_that_nobody_watches_any_more_sends_nothing(stage: Stage) -> None:
    watcher = stage.client()
    stage.subscriptions.watch(watcher, 7)
    assert watcher.listener is not None
    watcher.listener.close()
    stage.subscriptions.hand_on(EVENTS)
    stage.loop.turn()
    assert watcher.taken() == b""


def test_whatever_a_watcher_says_ends_it() -> None:
    bench = Bench()
    for words in (b"QUIT\r\n", b"PING\r\n"):
        client = bench.new_client()
        bench.subscriptions.watch(client, 7)
        assert bench.send(words, client) == b""
        assert client.is_gone


def test_changes_of_hooks_keep_their_place_among_messages() -> None:
    stage = Stage()
    events = (("hook", b"h", b"1"), ("channel", b"c", b"x"), ("hook", b"h", b"2"))
    stage.subscriptions.hand_on(events, (("deleted", b"h", 1), ("set", b"h", 1)))
    told = [("h", b"1"), ("h", b"changed"), ("h", b"changed"), ("h", b"2")]
    assert stage.hooks.taken == told
