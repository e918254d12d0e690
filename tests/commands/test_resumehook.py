"""RESUMEHOOK: a hook that was paused is one as before."""

from tests.support.embedded import EngineClient
from tests.support.hook_pauses import paused, sethook


def test_a_resumed_hook_is_as_it_was_before_the_pause() -> None:
    client = EngineClient()
    client.call(*sethook("h"))
    client.call(*sethook("other"))
    shown = client.call("HOOKS", "*")
    client.call("PPAUSEHOOK", "*")
    assert str(client.call("RESUMEHOOK", "h")) == ":1"
    assert paused(client.engine) == ["other"]
    assert client.call("HOOKS", "*") == shown
