"""Logs of engines: made by commands, rewritten, and loaded."""

from collections.abc import Sequence

from tests.support.embedded import EngineClient, accept_commands, new_engine
from tile38py._engine import Engine


def log_of(*commands: Sequence[str | float]) -> bytes:
    """Return the log of commands."""
    client = EngineClient()
    for words in commands:
        client.call(*words)
    return client.log


def loaded(log: bytes) -> Engine:
    """Return an engine that has loaded a log."""
    engine = new_engine()
    load = engine.load(log, EngineClient().now_ns)
    assert (load.error, load.consumed) == (None, len(log))
    engine.take_events()
    accept_commands(engine)
    return engine


def rewritten(engine: Engine) -> bytes:
    """Return the rewritten log."""
    rewrite = engine.rewrite(EngineClient().now_ns)
    return b"".join(iter(lambda: rewrite.read(1 << 20), b""))
