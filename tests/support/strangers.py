"""Servers that no endpoint can use: silent, unreachable, untrusted, or of another protocol."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from tests.support.brokers import make_certificates


@contextlib.asynccontextmanager
async def answering(
    answer: bytes, context: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[int]:
    """Run a server that replies to any input with the same bytes; yield its port."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(OSError):
            while await reader.read(65536):
                writer.write(answer)

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


def silent(port: int = 0) -> contextlib.AbstractAsyncContextManager[int]:
    """Run a server that accepts connections and never replies; yield its port."""
    return answering(b"", port=port)


def certified(folder: Path, port: int = 0) -> contextlib.AbstractAsyncContextManager[int]:
    """Run a TLS server with an untrusted certificate; yield its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*make_certificates(folder))
    return answering(b"", context, port)


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """Yield a port that drops connection attempts, because its accept queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        yield port
