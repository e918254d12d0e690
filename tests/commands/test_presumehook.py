"""PRESUMEHOOK: resuming hooks by a pattern of names."""

from tests.support.embedded import EngineClient
from tests.support.hook_pauses import paused, sethook


def test_the_reply_is_the_number_of_hooks_that_were_paused() -> None:
    client = EngineClient()
    for name in ("a1", "a2", "a3", "b1"):
        client.call(*sethook(name))
    client.call("PPAUSEHOOK", "*")
    client.call("RESUMEHOOK", "a2")
    assert str(client.call("PRESUMEHOOK", "?1")) == ":0"
    assert str(client.call("PRESUMEHOOK", "a*")) == ":2"
    assert paused(client.engine) == ["b1"]
