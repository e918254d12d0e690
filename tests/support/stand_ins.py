"""Stand-ins for brokers, within the test process. They keep received events when restarted.

Each implements the receiving part of its broker's wire protocol.
"""

import asyncio
import contextlib
import json
from abc import ABC, abstractmethod

import grpc
from aiohttp import web
from google.pubsub_v1 import PublishRequest, PublishResponse

from tests.support.brokers import free_port

VALUE_TAG = 0x0A
MORE = 0x80


class StandIn(ABC):
    """A stand-in for a broker, on a free port."""

    url = ""  # of an endpoint, with {port}
    environment = ""  # NAME=value that clients need, with {port}; may be empty

    def __init__(self) -> None:
        """Choose a port; start() listens."""
        self.port = free_port()
        self.received: list[bytes] = []

    @abstractmethod
    async def start(self) -> None:
        """Accept connections."""

    @abstractmethod
    async def kill(self) -> None:
        """Abort all connections and stop listening."""


class GrpcStandIn(StandIn, grpc.GenericRpcHandler):
    """A receiver of Tile38's gRPC hooks: hservice.HookService."""

    url = "grpc://127.0.0.1:{port}"
    method = "/hservice.HookService/Send"
    options: tuple[tuple[str, int], ...] = ()

    async def start(self) -> None:
        """Listen."""
        self.server = grpc.aio.server(options=[("grpc.so_reuseport", 0), *self.options])
        self.server.add_generic_rpc_handlers((self,))
        assert self.server.add_insecure_port(f"127.0.0.1:{self.port}") == self.port
        await self.server.start()

    async def kill(self) -> None:
        """Cut all connections."""
        await self.server.stop(None)

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes]":
        """Return the handler of the one method."""
        assert handler_call_details.method == self.method

        async def answer(request: bytes, _context: object) -> bytes:
            return self.take(request)

        return grpc.unary_unary_rpc_method_handler(answer)

    def take(self, request: bytes) -> bytes:
        """Record the event in field 1; return a reply with ok = true."""
        assert request[0] == VALUE_TAG
        start = next(at for at in range(1, len(request)) if request[at] < MORE) + 1
        self.received.append(request[start:])
        return b"\x08\x01"


class PubsubStandIn(GrpcStandIn):
    """A stand-in for Google Pub/Sub: google.pubsub.v1.Publisher."""

    url = "pubsub://project:topic"
    environment = "PUBSUB_EMULATOR_HOST=127.0.0.1:{port}"
    method = "/google.pubsub.v1.Publisher/Publish"

    def take(self, request: bytes) -> bytes:
        """Record the messages; return an id for each."""
        messages = PublishRequest.deserialize(request).messages
        self.received += [message.data for message in messages]
        ids = [str(number) for number in range(len(messages))]
        return bytes(PublishResponse.serialize(PublishResponse(message_ids=ids)))


class CloudflareStandIn(StandIn):
    """A stand-in for Cloudflare Queues: its REST interface."""

    url = "cf-queue://account/queue?token=geheim"
    environment = "CLOUDFLARE_BASE_URL=http://127.0.0.1:{port}"

    async def start(self) -> None:
        """Listen."""
        application = web.Application()
        application.router.add_post("/accounts/account/queues/queue/messages", self._take)
        self.runner = web.AppRunner(application, shutdown_timeout=0)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.port).start()

    async def _take(self, request: web.Request) -> web.Response:
        if request.headers["Authorization"] != "Bearer geheim":
            return web.json_response({"success": False}, status=401)
        self.received.append(json.loads(await request.read())["body"].encode())
        return web.json_response({"success": True})

    async def kill(self) -> None:
        """Cut all connections."""
        await self.runner.cleanup()


class DisqueStandIn(StandIn):
    """A stand-in for Disque: its ADDJOB."""

    url = "disque://127.0.0.1:{port}/queue"
    password = b""

    async def start(self) -> None:
        """Listen."""
        self.writers: list[asyncio.StreamWriter] = []
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                count = int((await reader.readuntil(b"\r\n"))[1:])
                words = []
                for _ in range(count):
                    size = int((await reader.readuntil(b"\r\n"))[1:])
                    words.append((await reader.readexactly(size + 2))[:-2])
                assert words[:2] == [b"ADDJOB", b"queue"]
                if self.password:
                    writer.write(b"-NOAUTH Authentication required.\r\n")
                    continue
                self.received.append(words[2])
                writer.write(b"+D-1\r\n")

    async def kill(self) -> None:
        """Cut all connections."""
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.sleep(0)


def environment_of(stand_in: StandIn) -> dict[str, str]:
    """Return the environment variables that clients of a stand-in need."""
    name, _, value = stand_in.environment.format(port=stand_in.port).partition("=")
    return {name: value} if name else {}
