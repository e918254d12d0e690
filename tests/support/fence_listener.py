"""The messages of fences, as a client of a server in this process gets them. No tests."""

import json

from tests.support.bench import Bench

Message = dict[str, object]


class FenceListener:
    """The messages that one connection gets."""

    def __init__(self, bench: Bench, *words: str) -> None:
        """Open a connection and send a command on it."""
        self._bench = bench
        self._client = bench.new_client()
        reply = bench.call(*words, client=self._client)
        if self._client.listener is not None:
            # As a connection does: what the listener holds comes behind the reply.
            self._client.listener.send(reply, is_last=False)

    def messages(self) -> list[Message]:
        """Return the messages since the last call."""
        self._bench.fake_journal.flush()
        while self._bench.loop.soon:
            self._bench.loop.turn()
        lines = self._client.taken().split(b"\r\n")
        return [json.loads(line) for line in lines if line.startswith(b'{"command"')]

    def told(self) -> list[str]:
        """Return the detections and zones since the last call: `enter school`."""
        return [in_short(message) for message in self.messages()]


def in_short(message: Message) -> str:
    """Return the detection, or the command without one, and the zone."""
    fence = message.get("fence", {})
    assert isinstance(fence, dict)
    return f"{message.get('detect', message['command'])} {fence.get('id', '-')}"


def channel(bench: Bench, *words: str) -> FenceListener:
    """Make a channel and a subscriber of it."""
    assert bench.call("SETCHAN", "c", *words) == b":1\r\n"
    bench.fake_journal.flush()
    return FenceListener(bench, "SUBSCRIBE", "c")
