"""grpc:// against a server of grpcio's; disque:// and local:// beside it."""

import asyncio

import grpc
import pytest

from tests.support.sending import batch_of, event, new_pool


class Service(grpc.GenericRpcHandler):
    """hservice.HookService, on the wire."""

    def __init__(self, reply: bytes) -> None:
        self.reply = reply
        self.seen: list[tuple[str, bytes]] = []

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes]":
        """Answer any method."""

        async def answer(request: bytes, _context: object) -> bytes:
            self.seen.append((handler_call_details.method, request))
            return self.reply

        return grpc.unary_unary_rpc_method_handler(answer)


# grpcio's poller wakes loops that have read its byte already, and says so when they are gone.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_events_are_sent_in_order_and_an_answer_without_ok_is_a_failure() -> None:
    service = Service(b"\x08\x01")
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((service,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    pool = new_pool()
    url = f"grpc://127.0.0.1:{port}/ignored"
    expected = [event(number, size=100) for number in range(50)]
    batch = batch_of(*expected)
    assert await pool.send(url, batch) is None
    assert len(batch.delivered) == 50
    size = len(expected[0])
    prefix = bytes([0x0A, size & 127 | 128, size >> 7])
    assert service.seen[0] == ("/hservice.HookService/Send", prefix + expected[0])
    assert [request[3:] for _, request in service.seen] == expected
    service.reply = b""
    assert await pool.send(url, batch_of(event(1))) == "invalid grpc reply"
    await pool.close()
    await server.stop(None)


async def test_disque_stand_in_gets_addjob() -> None:
    seen = b""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        while data := await reader.read(65536):
            seen += data
            writer.write(b"+D-1\r\n" * data.count(b"ADDJOB"))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pool = new_pool()
    batch = batch_of(b"M", b"N")
    assert await pool.send(f"disque://127.0.0.1:{port}/q%20x?replicate=3", batch) is None
    assert batch.delivered == {0, 1}
    wanted = b"$6\r\nADDJOB\r\n$3\r\nq x\r\n$1\r\nM\r\n$1\r\n0\r\n$9\r\nREPLICATE\r\n$1\r\n3\r\n"
    assert seen.startswith(b"*6\r\n" + wanted)
    await pool.close()
    server.close()


async def test_local_publishes_to_the_channel() -> None:
    published: list[tuple[bytes, bytes]] = []
    pool = new_pool(published)
    assert await pool.send("local://l%20c/more", batch_of(b"1", b"2")) is None
    assert published == [(b"l%20c", b"1"), (b"l%20c", b"2")]
