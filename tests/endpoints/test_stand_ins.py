"""Services that can't be had on a test machine: real clients against what speaks their protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from aiohttp import web
from google.pubsub_v1 import PublishRequest, PublishResponse

from tests.endpoints.test_http import serving
from tests.support.events import queued
from tests.support.sending import batch_of, event, new_pool
from tile38py.endpoints.pool import Pool
from tile38py.interfaces.delivery import Batch
from tile38py.limits import HOOK_BATCH_COUNT_MAX

# What Google's service takes with one request.
SERVICE_COUNT_MAX = 1000
SERVICE_BYTES_MAX = 10_000_000


class Publisher(grpc.GenericRpcHandler):
    """google.pubsub.v1.Publisher, on the wire."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, list[bytes]]] = []
        self.refusal: grpc.StatusCode | None = None

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes]":
        """Answer Publish."""

        async def answer(
            request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]"
        ) -> bytes:
            words = PublishRequest.deserialize(request)
            bodies = [message.data for message in words.messages]
            if self.refusal is not None:
                await context.abort(self.refusal, "refused")
            if len(bodies) > SERVICE_COUNT_MAX or len(request) > SERVICE_BYTES_MAX:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "too much")
            self.seen.append((str(handler_call_details.method), words.topic, bodies))
            ids = [str(number) for number in range(len(bodies))]
            return bytes(PublishResponse.serialize(PublishResponse(message_ids=ids)))

        return grpc.unary_unary_rpc_method_handler(answer)


@asynccontextmanager
async def publishing() -> AsyncIterator[tuple[Publisher, Pool]]:
    """The service, and a pool that finds it."""
    publisher = Publisher()
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 1 << 25)])
    server.add_generic_rpc_handlers((publisher,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    pool = new_pool(environment={"PUBSUB_EMULATOR_HOST": f"127.0.0.1:{port}"})
    try:
        yield publisher, pool
    finally:
        await pool.close()
        await server.stop(None)
        await asyncio.sleep(0)


# grpcio's poller wakes loops that have read its byte already, and says so when they are gone.
quiet = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@quiet
async def test_pubsub_stand_in_gets_a_batch_for_the_topic() -> None:
    async with publishing() as (publisher, pool):
        batch = batch_of(event(1), event(2))
        assert await pool.send("pubsub://proj:top", batch) is None
    assert batch.delivered == {0, 1}
    expected = ("/google.pubsub.v1.Publisher/Publish", "projects/proj/topics/top")
    assert publisher.seen == [(*expected, [event(1), event(2)])]


@quiet
async def test_pubsub_stand_in_is_asked_for_no_more_than_the_service_takes() -> None:
    async with publishing() as (publisher, pool):
        bodies = [event(number) for number in range(HOOK_BATCH_COUNT_MAX)]
        batch = batch_of(*bodies)
        assert await pool.send("pubsub://proj:top", batch) is None
        assert len(batch.delivered) == len(bodies)
        large = queued(1, "large", event(1, size=SERVICE_BYTES_MAX))
        mixed = Batch([large, queued(2, "small", event(2))])
        assert await pool.send("pubsub://proj:top", mixed) is None
        assert (mixed.delivered, set(mixed.refused)) == ({1}, {0})
    assert [body for *_, found in publisher.seen for body in found] == [*bodies, event(2)]


@quiet
async def test_pubsub_stand_in_that_knows_nobody_is_told() -> None:
    async with publishing() as (publisher, pool):
        publisher.refusal = grpc.StatusCode.UNAUTHENTICATED
        batch = batch_of(event(1))
        reason = await pool.send("pubsub://proj:top", batch)
        assert reason is not None
        assert "refused" in reason
        assert not batch.delivered


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
