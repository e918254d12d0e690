"""A stand-in for Azure Event Hubs: receives events over AMQP 1.0 and TLS, with logins.

The codec of the real client parses and writes the frames.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs
from uuid import UUID

from azure.eventhub._pyamqp import endpoints, message, outcomes, performatives
from azure.eventhub._pyamqp._decode import decode_frame, decode_payload
from azure.eventhub._pyamqp._encode import encode_frame, encode_payload
from azure.eventhub._pyamqp.error import AMQPError

from tests.support.brokers import make_certificates

if TYPE_CHECKING:
    from collections.abc import Callable

PORT = 5671  # the client accepts no other port
KEY = "c2VocmdlaGVpbQ=="
URL = f"Endpoint=sb://localhost/;SharedAccessKeyName=n;SharedAccessKey={KEY};EntityPath=hub"
SASL_HEADER, AMQP_HEADER = b"AMQP\x03\x01\x00\x00", b"AMQP\x00\x01\x00\x00"
OPEN, BEGIN, ATTACH, TRANSFER, DETACH, END, CLOSE = 0x10, 0x11, 0x12, 0x14, 0x16, 0x17, 0x18
FRAME_BYTES_MAX = 16_384
BATCHED_FORMAT = 0x80013700
LOGIN_NODE = b"$cbs"
WINDOW = CREDIT = 1 << 20  # more than any test sends
Fields = list[object]


class AmqpLink(NamedTuple):
    """A link that a client attached."""

    node: bytes
    is_sending: bool  # from the client to the hub


class EventHub:
    """A hub that keeps its events when it is killed and restarted."""

    def __init__(self, folder: Path, *, event_bytes_max: int = 1 << 20) -> None:
        """Create a certificate; start() listens."""
        self.certificate, key = make_certificates(folder)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(self.certificate, key)
        self.event_bytes_max = event_bytes_max
        self.received: list[tuple[bytes, bytes]] = []  # partition key and body
        self.message_ids: list[object] = []
        self.connection_count = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        """Accept connections."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", PORT, ssl=self._context)

    async def kill(self) -> None:
        """Abort all connections and stop listening."""
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self.connection_count += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await AmqpConnection(self, reader, writer).run()
        writer.close()

    def take(self, payload: bytes, message_format: object) -> None:
        """Store the events of a message."""
        found = decode_payload(memoryview(payload))
        parts = data_of(payload)
        if message_format == BATCHED_FORMAT:
            inner = [decode_payload(memoryview(part)).properties for part in parts]
            self.message_ids += [properties and properties.message_id for properties in inner]
            parts = [b"".join(data_of(part)) for part in parts]
        key = (found.message_annotations or {}).get(b"x-opt-partition-key", b"")
        self.received += [(key, part) for part in parts]


class AmqpConnection:
    """A connection to the hub."""

    def __init__(
        self, hub: EventHub, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._hub = hub
        self._reader = reader
        self._writer = writer
        self._links: dict[int, AmqpLink] = {}
        self._is_authenticated = False
        self._delivery = b""
        self._sent_count = 0

    async def run(self) -> None:
        """Negotiate, then handle frames until the client closes."""
        await self._reader.readexactly(len(SASL_HEADER))
        self._writer.write(SASL_HEADER)
        self._send(performatives.SASLMechanism([b"ANONYMOUS", b"MSSBCBS"]), 0, kind=1)
        await self._frame()
        self._send(performatives.SASLOutcome(0, None), 0, kind=1)
        await self._reader.readexactly(len(AMQP_HEADER))
        self._writer.write(AMQP_HEADER)
        answers: dict[int, Callable[[int, Fields], None]] = {
            OPEN: self._open,
            BEGIN: self._begin,
            ATTACH: self._attach,
            TRANSFER: self._transfer,
            DETACH: self._detach,
            END: lambda channel, _: self._send(performatives.EndFrame(None), channel),
        }
        while True:
            channel, code, fields = await self._frame()
            if code == CLOSE:
                self._send(performatives.CloseFrame(None), 0)
                return
            if code in answers:
                answers[code](channel, fields)

    async def _frame(self) -> tuple[int, int, Fields]:
        while True:
            head = await self._reader.readexactly(8)
            body = await self._reader.readexactly(int.from_bytes(head[:4], "big") - len(head))
            if body:  # frames without a body are keep-alives
                code, fields = decode_frame(memoryview(body))
                return int.from_bytes(head[6:], "big"), code, list(fields)

    def _send(self, frame: tuple[object, ...], channel: int, *, kind: int = 0) -> None:
        head, body = encode_frame(frame, frame_type=bytes([kind]))  # type: ignore[arg-type]
        self._writer.write(head + channel.to_bytes(2, "big") + (body or b""))

    def _open(self, channel: int, _fields: Fields) -> None:
        words = ("hub", None, FRAME_BYTES_MAX, 10, None, None, None, None, None, None)
        self._send(performatives.OpenFrame(*words), channel)

    def _begin(self, channel: int, _fields: Fields) -> None:
        words = (channel, 0, WINDOW, WINDOW, 255, None, None, None)
        self._send(performatives.BeginFrame(*words), channel)

    def _attach(self, channel: int, fields: Fields) -> None:
        name, handle, is_receiving, source, target = (fields[at] for at in (0, 1, 2, 5, 6))
        assert isinstance(name, bytes)
        assert isinstance(handle, int)
        place = source if is_receiving else target
        assert isinstance(place, list)
        link = self._links[handle] = AmqpLink(place[0], not is_receiving)
        ends = (
            endpoints.Source(link.node, *[None] * (len(endpoints.Source._fields) - 1)),
            endpoints.Target(link.node, *[None] * (len(endpoints.Target._fields) - 1)),
        )
        words = (name, handle, not is_receiving, 0, 0, *ends, None, None)
        limits = (0 if is_receiving else None, self._hub.event_bytes_max, None, None, None)
        self._send(performatives.AttachFrame(*words, *limits), channel)
        if link.node != LOGIN_NODE and not self._is_authenticated:
            refusal = AMQPError(b"amqp:unauthorized-access", b"no token was shown")
            self._send(performatives.DetachFrame(handle, True, refusal), channel)
        elif link.is_sending:
            flow = (0, WINDOW, 0, WINDOW, handle, 0, CREDIT, None, False, False, None)
            self._send(performatives.FlowFrame(*flow), channel)

    def _detach(self, channel: int, fields: Fields) -> None:
        self._send(performatives.DetachFrame(fields[0], True, None), channel)

    def _transfer(self, channel: int, fields: Fields) -> None:
        handle, number, message_format, has_more = (fields[at] for at in (0, 1, 3, 5))
        assert isinstance(handle, int)
        payload = fields[-1]
        assert isinstance(payload, memoryview)
        self._delivery += bytes(payload)
        if has_more:
            return
        delivery, self._delivery = self._delivery, b""
        accepted = (True, number, number, True, outcomes.Accepted(), False)
        self._send(performatives.DispositionFrame(*accepted), channel)
        if self._links[handle].node == LOGIN_NODE:
            self._log_in(channel, delivery)
        else:
            self._hub.take(delivery, message_format)

    def _log_in(self, channel: int, delivery: bytes) -> None:
        request = decode_payload(memoryview(delivery))
        self._is_authenticated = is_valid_token(request.value)
        status = (202, b"Accepted") if self._is_authenticated else (401, b"InvalidSignature")
        words: dict[str | bytes, object] = {
            b"status-code": status[0],
            b"status-description": status[1],
        }
        assert request.properties is not None
        number = request.properties.message_id
        assert isinstance(number, UUID)
        properties = message.Properties(correlation_id=number)  # type: ignore[arg-type]
        answer = bytearray()
        encode_payload(
            answer, message.Message(properties=properties, application_properties=words, value=b"")
        )
        handle = next(at for at, link in self._links.items() if not link.is_sending)
        count = self._sent_count
        self._sent_count += 1
        tag = count.to_bytes(4, "big")
        rest = (True, False, None, None, False, False, False, bytes(answer))
        self._send(performatives.TransferFrame(handle, count, tag, 0, *rest), channel)


def data_of(payload: bytes) -> list[bytes]:
    """Return the data sections of a message."""
    found = decode_payload(memoryview(payload)).data
    assert isinstance(found, list)
    return [bytes(part) for part in found]


def is_valid_token(token: object) -> bool:
    """Whether a token is signed with the hub's key."""
    assert isinstance(token, bytes)
    parts = {name: values[0] for name, values in parse_qs(token.decode().partition(" ")[2]).items()}
    signed = f"{token.decode().partition('sr=')[2].partition('&')[0]}\n{parts['se']}"
    digest = hmac.new(KEY.encode(), signed.encode(), hashlib.sha256).digest()
    return hmac.compare_digest(base64.b64encode(digest).decode(), parts["sig"])
