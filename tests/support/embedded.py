"""The engine in process, driven by commands in RESP. Has no clock: tests pass the time in."""

from collections.abc import Sequence

from tests.support.resp import Reply, encode_words, parse_reply
from tile38py._engine import Engine, ReadUnit, Session, Yield

START_NS = 1_700_000_000_000_000_000


class EngineClient:
    """A session with an engine; collects the log."""

    def __init__(self, engine: Engine | None = None) -> None:
        """Open a session with an engine, by default a new one."""
        self.engine = engine or new_engine()
        self.session = self.engine.session()
        self.now_ns = START_NS
        self.log = b""

    def feed(self, data: bytes) -> bytes:
        """Run received bytes and return the replies. Read units run at once."""
        replies = b""
        batch = self.session.feed(data, self.now_ns)
        while True:
            replies += batch.replies
            self.log += batch.log
            if isinstance(batch.stop, ReadUnit):
                replies += run_unit(self.session, batch.stop)
            elif batch.stop is None:
                return replies
            elif not isinstance(batch.stop, Yield):
                raise AssertionError(f"not the engine's: {batch.stop}")
            batch = self.session.feed(b"", self.now_ns)

    def call(self, *words: str | bytes | float) -> Reply:
        """Run a command and return its reply."""
        return self.call_many([words])[0]

    def call_many(self, commands: Sequence[Sequence[str | bytes | float]]) -> list[Reply]:
        """Run commands that arrive in one read; return their replies."""
        data = b"".join(encode_words(words) for words in commands)
        return parse_replies(self.feed(data))


def run_unit(session: Session, unit: ReadUnit) -> bytes:
    """Run a read unit; return its replies."""
    unit.run()
    return bytes(session.finish_reads(unit)[0])


def new_engine() -> Engine:
    """Create an engine that accepts all commands."""
    engine = Engine()
    accept_commands(engine)
    return engine


def accept_commands(engine: Engine) -> None:
    """Set the state in which an engine accepts all commands."""
    engine.set_state(
        loading=False,
        requires_password=False,
        following=False,
        caught_up_once=False,
        read_only=False,
    )


def parse_replies(data: bytes) -> list[Reply]:
    """Parse complete replies."""
    replies: list[Reply] = []
    position = 0
    while position < len(data):
        parsed = parse_reply(data, position, is_resp3=True)
        assert parsed is not None, f"an incomplete reply: {data[position:]!r}"
        reply, position = parsed
        replies.append(reply)
    return replies


def rewritten_log(engine: Engine, now_ns: int) -> bytes:
    """Return the log that AOFSHRINK writes, read in small chunks."""
    rewrite = engine.rewrite(now_ns)
    log = b""
    while chunk := rewrite.read(64):
        log += chunk
    assert rewrite.written == rewrite.total
    return log
