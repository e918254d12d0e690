"""http:// against a small server of the tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.events import queued
from tests.support.sending import batch_of, delivering, enqueue, event, new_pool, until
from tests.support.strangers import certified
from tile38py.interfaces.delivery import Batch

Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def serving(handler: Handler, port: int | None = None) -> AsyncIterator[TestServer]:
    """A server that hands each request to a function."""
    application = web.Application(client_max_size=1 << 24)
    application.router.add_route("*", "/{path:.*}", handler)
    server = TestServer(application, port=port)
    await server.start_server()
    try:
        yield server
    finally:
        await server.close()


async def test_events_are_posted_as_tile38_does_and_in_order() -> None:
    seen: list[tuple[str, str, str, str, bytes]] = []

    async def handle(request: web.Request) -> web.Response:
        headers = request.headers
        kind, login = headers["Content-Type"], headers["Authorization"]
        seen.append((request.method, request.path_qs, kind, login, await request.read()))
        return web.Response(status=202)

    async with serving(handle) as server:
        pool = new_pool()
        batch = batch_of(*(event(number) for number in range(50)))
        url = f"http://u:p%40x@127.0.0.1:{server.port}/a/b?x=1&y=2"
        assert await pool.send(url, batch) is None
        await pool.close()
    assert [row[4] for row in seen] == [event(number) for number in range(50)]
    assert seen[0][:4] == ("POST", "/a/b?x=1&y=2", "application/json", "Basic dTpwQHg=")


@pytest.mark.parametrize(
    ("status", "is_success"),
    [(200, True), (201, True), (202, True)]
    + [(status, False) for status in (203, 204, 301, 400, 404, 500, 503)],
)
async def test_only_200_201_and_202_are_success(status: int, is_success: bool) -> None:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with serving(handle) as server:
        pool = new_pool()
        batch = batch_of(event(1))
        assert await pool.send(f"http://127.0.0.1:{server.port}/", batch) is None
        assert (batch.delivered == {0}) is is_success
        await pool.close()


@pytest.mark.parametrize(
    ("status", "expected"),
    [(307, ("POST", event(1))), (308, ("POST", event(1))), (303, ("GET", b""))],
)
async def test_redirects_are_followed(status: int, expected: tuple[str, bytes]) -> None:
    seen: list[tuple[str, bytes]] = []

    async def handle(request: web.Request) -> web.Response:
        if request.path == "/":
            return web.Response(status=status, headers={"Location": "/there"})
        seen.append((request.method, await request.read()))
        return web.Response()

    async with serving(handle) as server:
        pool = new_pool()
        batch = batch_of(event(1))
        assert await pool.send(f"http://127.0.0.1:{server.port}/", batch) is None
        await pool.close()
    assert batch.delivered == {0}
    assert seen == [expected]


async def test_a_hook_that_is_answered_late_does_not_hold_up_others_of_its_endpoint() -> None:
    async def handle(request: web.Request) -> web.Response:
        if b'"slow"' in await request.read():
            await asyncio.sleep(30)
        return web.Response()

    async with serving(handle) as server:
        pool = new_pool()
        bodies = [event(1, "slow"), event(2), event(3)]
        batch = Batch([queued(at, f"h{at}", body) for at, body in enumerate(bodies)])
        reason = await pool.send(f"http://127.0.0.1:{server.port}/", batch)
        assert reason == "no answer in time"
        assert batch.delivered == {1, 2}
        await pool.close()


async def test_nothing_is_lost_while_the_server_is_away(tmp_path: Path) -> None:
    seen: list[bytes] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(await request.read())
        return web.Response()

    async with serving(handle) as first:
        port = first.port
    assert port is not None
    async with delivering(tmp_path, {"h": [f"http://127.0.0.1:{port}/"]}) as deliveries:
        enqueue(deliveries, [("h", event(number)) for number in range(20)])
        await until(lambda: deliveries.counters.total.failed > 0)
        async with serving(handle, port):
            await until(lambda: deliveries.counters.total.sent == 20)
    assert seen == [event(number) for number in range(20)]


async def test_a_certificate_that_nobody_trusts_is_refused(tmp_path: Path) -> None:
    pool = new_pool()
    async with certified(tmp_path) as port:
        url = f"https://u:geheim@localhost:{port}/?token=t0p"
        reason = await pool.send(url, batch_of(event(1)))
    assert reason is not None
    assert "certificate" in reason.lower()
    assert "geheim" not in reason
    assert "t0p" not in reason
    await pool.close()
