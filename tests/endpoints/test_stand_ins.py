"""Services that can't be had on a test machine: real clients against what speaks their protocol."""

import asyncio

import grpc
import pytest
from aiohttp import web
from google.pubsub_v1 import PublishRequest, PublishResponse

from tests.endpoints.test_http import serving
from tests.support.sending import batch_of, event, new_pool


class Publisher(grpc.GenericRpcHandler):
    """google.pubsub.v1.Publisher, on the wire."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, list[bytes]]] = []

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes]":
        """Answer Publish."""

        async def answer(request: bytes, _context: object) -> bytes:
            words = PublishRequest.deserialize(request)
            bodies = [message.data for message in words.messages]
            self.seen.append((str(handler_call_details.method), words.topic, bodies))
            ids = [str(number) for number in range(len(bodies))]
            return bytes(PublishResponse.serialize(PublishResponse(message_ids=ids)))

        return grpc.unary_unary_rpc_method_handler(answer)


# grpcio's poller wakes loops that have read its byte already, and says so when they are gone.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_pubsub_stand_in_gets_a_batch_for_the_topic() -> None:
    publisher = Publisher()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((publisher,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    pool = new_pool(environment={"PUBSUB_EMULATOR_HOST": f"127.0.0.1:{port}"})
    batch = batch_of(event(1), event(2))
    assert await pool.send("pubsub://proj:top", batch) is None
    assert batch.delivered == {0, 1}
    expected = ("/google.pubsub.v1.Publisher/Publish", "projects/proj/topics/top")
    assert publisher.seen == [(*expected, [event(1), event(2)])]
    await pool.close()
    await server.stop(None)
    await asyncio.sleep(0)


async def test_cloudflare_stand_in_gets_events_as_json_texts() -> None:
    seen: list[tuple[str, str, dict[str, str]]] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append((request.path, request.headers["Authorization"], await request.json()))
        return web.json_response({"success": False})

    async with serving(handle) as server:
        base = f"http://127.0.0.1:{server.port}/client/v4"
        pool = new_pool(environment={"CLOUDFLARE_BASE_URL": base})
        assert await pool.send("cf-queue://acc/q1?token=tok%2B1", batch_of(event(1))) is None
        await pool.close()
    body = {"body": event(1).decode(), "content_type": "text"}
    path = "/client/v4/accounts/acc/queues/q1/messages"
    assert seen == [(path, "Bearer tok+1", body)]


@pytest.mark.parametrize(("status", "tries"), [(500, 3), (429, 3), (403, 1), (204, 1)])
async def test_cloudflare_stand_in_is_asked_again_where_that_may_help(
    status: int, tries: int
) -> None:
    count = 0

    async def handle(_request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        return web.Response(status=status)

    async with serving(handle) as server:
        pool = new_pool(environment={"CLOUDFLARE_BASE_URL": f"http://127.0.0.1:{server.port}"})
        batch = batch_of(event(1))
        assert await pool.send("cf-queue://acc/q1?token=geheim", batch) is None
        assert f"status {status}" in batch.refused[0]
        await pool.close()
    assert count == tries
