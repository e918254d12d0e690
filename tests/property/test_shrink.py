"""A log that was rewritten amid writes gives the state that was live, whatever was written."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.property.test_log import COMMANDS, KEYS, load
from tests.support.embedded import EngineClient, new_engine
from tests.support.fake_disk import LOG, FakeDisk, FakeFolder
from tests.support.fakes import FakeClock, ManualLoop
from tests.support.resp import Reply
from tile38py.interfaces.files import LoopFunctions
from tile38py.persistence.aof import Aof
from tile38py.persistence.shrink import AofShrinker, ShrinkDependencies

Words = tuple[str, ...]
FENCES = st.sampled_from(["h1", "h2"])
HOOKS = st.one_of(
    st.builds(
        lambda name, key, expiry: (
            *("SETCHAN", name, *expiry, "NEARBY", key, "FENCE", "POINT", "1", "1", "100"),
        ),
        *(FENCES, KEYS, st.sampled_from([(), ("EX", "100")])),
    ),
    st.builds(
        lambda name, key: (
            *("SETHOOK", name, "http://127.0.0.1:1", "META", "m", "v"),
            *("WITHIN", key, "WHERE", "speed", "1", "2", "FENCE", "BOUNDS", "0", "0", "9", "9"),
        ),
        *(FENCES, KEYS),
    ),
    st.tuples(st.just("DELCHAN"), FENCES),
    st.tuples(st.just("DELHOOK"), FENCES),
)
LISTS = st.one_of(
    st.tuples(st.just("SET"), KEYS, st.just("list"), st.just("STRING"), st.just('{"n":[]}')),
    st.tuples(st.just("JSET"), KEYS, st.just("list"), st.just("n.-1"), st.just("7")),
    st.tuples(st.just("RENAME"), KEYS, KEYS),
)
TURN, THREAD, TICK, SHRINK = 0, 1, 2, 3
STEPS = st.lists(
    st.one_of(
        st.sampled_from([TURN, THREAD, THREAD, TICK, SHRINK]),
        COMMANDS,
        st.lists(st.one_of(HOOKS, LISTS), max_size=6),
    ),
    max_size=30,
)


class ShrinkingServer:
    """An engine with a log on a fake disk."""

    def __init__(self, policy: str) -> None:
        self.client = EngineClient()
        self.disk = FakeDisk()
        self.disk.put(b"")
        self.loop = ManualLoop()
        in_thread = self.loop.in_thread
        self.aof = Aof(
            self.disk.open(), 0, LoopFunctions(self.loop.call_soon, in_thread), lambda _error: None
        )
        self.aof.policy = policy
        around = ShrinkDependencies(
            data=self.client.engine,
            folder=FakeFolder(self.disk),
            in_thread=in_thread,
            clock=FakeClock(self.client.now_ns),
            log_info=lambda *_: None,
            log_error=lambda *_: None,
        )
        self.shrinker = AofShrinker(self.aof, around)

    def run(self, commands: Sequence[Words]) -> None:
        """Run commands that arrive in one read."""
        before = len(self.client.log)
        for words in commands:
            self.client.call(*words)
        if log := self.client.log[before:]:
            self.aof.append(log)

    def step(self, step: int | Sequence[Words]) -> None:
        """One step."""
        match step:
            case int() if step == TURN:
                self.loop.turn()
            case int() if step == THREAD and self.loop.threads:
                self.loop.threads.pop(0)()
            case int() if step == TICK:
                self.aof.tick()
            case int() if step == SHRINK:
                self.shrinker.start()
            case int():
                pass
            case _:
                self.run(step)

    def settle(self) -> None:
        """Until nothing is left to do."""
        while self.loop.soon or self.loop.threads:
            self.loop.turn()
            self.loop.end_threads()


def state(client: EngineClient) -> list[Reply]:
    """All that a client can see and that a rewrite keeps: POINT and BOUNDS become objects."""
    keys = client.call("KEYS", "*")
    assert isinstance(keys, list)
    seen: list[Reply] = [client.call("CHANS", "*"), client.call("HOOKS", "*"), keys]
    for key in (str(item).removeprefix("$ ") for item in keys):
        objects = client.call("SCAN", key, "LIMIT", 1000)
        assert isinstance(objects, list)
        ids = [str(item[0]).removeprefix("$ ") for item in objects[1]]
        seen += [objects, *(client.call("TTL", key, name) for name in ids)]
    return seen


@given(st.sampled_from(["always", "everysec", "no"]), STEPS)
def test_a_log_rewritten_amid_writes_gives_the_live_state(
    policy: str, steps: list[int | list[Words]]
) -> None:
    server = ShrinkingServer(policy)
    for step in steps:
        server.step(step)
    server.settle()
    figures = server.shrinker.figures
    assert (figures.is_running, figures.failed_count) == (False, 0)
    data = server.disk.after_kill()[LOG]
    assert server.aof.size == len(data)
    engine = new_engine()
    assert load(engine, data, server.client.now_ns) == len(data)
    assert state(EngineClient(engine)) == state(server.client)
