"""PPAUSEHOOK: pausing hooks by a pattern of names."""

from tests.support.embedded import EngineClient
from tests.support.hook_pauses import FENCE, paused, sethook


def test_the_reply_is_the_number_of_hooks_that_were_not_paused() -> None:
    client = EngineClient()
    for name in ("a1", "a2", "b1"):
        client.call(*sethook(name))
    client.call("SETCHAN", "a3", *FENCE)
    client.call("PAUSEHOOK", "a1")
    assert str(client.call("PPAUSEHOOK", "a*")) == ":1"
    assert paused(client.engine) == ["a1", "a2"]
    assert str(client.call("PPAUSEHOOK", "a*")) == ":0"
    assert str(client.call("PPAUSEHOOK", "*")) == ":1"
    assert paused(client.engine) == ["a1", "a2", "b1"]
