"""What live connections are sent unasked, in each form. Knows no command, opens no socket.

A form is made of the framing and the output of a connection. All connections of one form get the
same bytes.
"""

from dataclasses import dataclass
from typing import Final

from tile38py._engine import json_text
from tile38py.interfaces import Client, Wire
from tile38py.protocol import event_stream, http, websocket

RESP2: Final = 2
EVENT_STREAMS: Final = frozenset({Wire.EVENT_STREAM, Wire.CHUNKED_EVENT_STREAM})


@dataclass(frozen=True, slots=True)
class Form:
    """How messages look on a connection."""

    wire: Wire
    is_json: bool
    is_push: bool = False  # RESP3, where messages are told apart from replies

    def message(self, channel: bytes, text: bytes, number: int = 0) -> bytes:
        """A message of a channel that is subscribed; the number of an event, if it has one."""
        if self.wire in EVENT_STREAMS:
            is_chunked = self.wire is Wire.CHUNKED_EVENT_STREAM
            return event_stream.event(json_text(text), number=number, is_chunked=is_chunked)
        if self.is_json and not self.is_push:
            return self.framed(json_text(text))
        return self._array(b"message", channel, text)

    def matched(self, pattern: bytes, channel: bytes, text: bytes) -> bytes:
        """A message of a channel that matches a subscribed pattern; JSON doesn't show it."""
        if self.is_json and not self.is_push:
            return self.framed(json_text(text))
        return self._array(b"pmessage", pattern, channel, text)

    def event(self, payload: bytes) -> bytes:
        """An event of a live fence."""
        return self._array(b"fence", payload) if self.is_push else self.framed(payload)

    def reply(self, payload: bytes) -> bytes:
        """A reply to a command, between messages."""
        if self.wire not in EVENT_STREAMS:
            return self.framed(payload)
        is_chunked = self.wire is Wire.CHUNKED_EVENT_STREAM
        return event_stream.event(payload, kind=event_stream.REPLY, is_chunked=is_chunked)

    def framed(self, payload: bytes) -> bytes:
        """A payload of its own: an event of a live fence is one in both outputs."""
        match self.wire:
            case Wire.NATIVE:
                return b"$%d %b\r\n" % (len(payload), payload)
            case Wire.WEBSOCKET:
                return websocket.text_frame(payload)
            case Wire.EVENT_STREAM | Wire.CHUNKED_EVENT_STREAM:
                is_chunked = self.wire is Wire.CHUNKED_EVENT_STREAM
                return event_stream.event(payload, is_chunked=is_chunked)
            case Wire.HTTP | Wire.CHUNKED_HTTP:
                is_chunked = self.wire is Wire.CHUNKED_HTTP
                return http.stream_line(payload, is_chunked=is_chunked)
            case _:
                return b"$%d\r\n%b\r\n" % (len(payload), payload)

    @property
    def end(self) -> bytes:
        """What follows the last message, so that a client can tell a clean end from a cut."""
        is_chunked = self.wire in {Wire.CHUNKED_HTTP, Wire.CHUNKED_EVENT_STREAM}
        return http.LAST_CHUNK if is_chunked else b""

    @property
    def heartbeat(self) -> bytes:
        """A comment that keeps an idle event stream open; empty for other connections."""
        if self.wire not in EVENT_STREAMS:
            return b""
        return event_stream.comment(is_chunked=self.wire is Wire.CHUNKED_EVENT_STREAM)

    def line(self, text: bytes) -> bytes:
        """A line of MONITOR, which has no frame."""
        return websocket.text_frame(text) if self.wire is Wire.WEBSOCKET else text + b"\r\n"

    def _array(self, *words: bytes) -> bytes:
        parts = [b"%b%d\r\n" % (b">" if self.is_push else b"*", len(words))]
        parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
        reply = b"".join(parts)
        return self.framed(reply) if self.wire is Wire.NATIVE else reply


def forwarded(channel: bytes, text: bytes) -> bytes:
    """A message as followers get it, between the commands of their leader's log."""
    words = (channel, text)
    parts = [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"*3\r\n$7\r\nPUBLISH\r\n" + b"".join(parts)


def form_of(client: Client) -> Form:
    """The form that a connection has chosen with its request."""
    session, wire = client.session, client.wire
    is_push = session.protocol > RESP2 and wire is Wire.RESP
    return Form(wire, session.output == "json", is_push)
