"""http:// against a small server of the tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.brokers import free_port
from tests.support.events import queued
from tests.support.sending import batch_of, delivering, enqueue, event, new_pool, until
from tests.support.strangers import certified
from tile38py.clock import SystemClock
from tile38py.endpoints.http import REQUESTS_COUNT_MAX
from tile38py.interfaces.delivery import Batch
from tile38py.limits import HOOK_RETRY_SECONDS

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


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204, 205, 206, 226, 299])
async def test_any_2xx_is_success(status: int) -> None:
    seen: list[bytes] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(await request.read())
        return web.Response(status=status)

    async with serving(handle) as server:
        pool = new_pool()
        batch = batch_of(event(1), event(2))
        assert await pool.send(f"http://127.0.0.1:{server.port}/", batch) is None
        await pool.close()
    assert batch.delivered == {0, 1}
    assert seen == [event(1), event(2)]


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 400, 404, 429, 500, 503])
async def test_any_other_status_is_a_failure_and_redirects_to_get_are_not_followed(
    status: int,
) -> None:
    seen: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=status, headers={"Location": "/there"})

    async with serving(handle) as server:
        pool = new_pool()
        batch = batch_of(event(1), event(2))
        assert await pool.send(f"http://127.0.0.1:{server.port}/", batch) is None
        await pool.close()
    assert not batch.delivered
    assert batch.refused == {0: f"status {status}"}
    assert seen == ["/"]


@pytest.mark.parametrize("status", [307, 308])
async def test_redirects_by_307_and_308_send_the_body_again(status: int) -> None:
    seen: list[tuple[str, str, str | None, str, bytes]] = []

    async def handle(request: web.Request) -> web.Response:
        body, headers = await request.read(), request.headers
        login = headers.get("Authorization")
        seen.append((request.method, request.path_qs, login, headers["Content-Type"], body))
        places = {"/": "a%20b", "/a b": f"http://127.0.0.1:{server.port}/c?d=e%2Ff"}
        place = places.get(request.path)
        if place is None:
            return web.Response()
        return web.Response(status=status, headers={"Location": place})

    async with serving(handle) as server:
        pool = new_pool()
        batch = batch_of(event(1))
        assert await pool.send(f"http://u:p@127.0.0.1:{server.port}/", batch) is None
        await pool.close()
    assert batch.delivered == {0}
    # The login goes with it: it is the same server.
    rest = ("Basic dTpw", "application/json", event(1))
    paths = ["/", "/a%20b", "/c?d=e%2Ff"]
    assert seen == [("POST", path, *rest) for path in paths]


async def test_a_login_is_not_sent_to_another_server() -> None:
    seen: list[str | None] = []

    async def redirect(_request: web.Request) -> web.Response:
        place = f"http://127.0.0.1:{other.port}/"
        return web.Response(status=307, headers={"Location": place})

    async def handle(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response()

    async with serving(handle) as other, serving(redirect) as server:
        pool = new_pool()
        batch = batch_of(event(1))
        assert await pool.send(f"http://u:p@127.0.0.1:{server.port}/", batch) is None
        await pool.close()
    assert batch.delivered == {0}
    assert seen == [None]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (None, "status 307 without a usable Location"),
        ("", "status 307 without a usable Location"),
        ("ftp://127.0.0.1/", "status 307 without a usable Location"),
        ("http://[/", "status 307 without a usable Location"),
        ("/", "more than 10 redirects"),
    ],
)
async def test_a_redirect_that_leads_nowhere_is_a_failure(place: str | None, reason: str) -> None:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(status=307, headers={} if place is None else {"Location": place})

    async with serving(handle) as server:
        pool = new_pool()
        batch = batch_of(event(1))
        assert await pool.send(f"http://127.0.0.1:{server.port}/", batch) is None
        await pool.close()
    assert batch.refused == {0: reason}


async def test_a_redirect_to_a_dead_server_is_the_fault_of_its_url_alone() -> None:
    async def handle(request: web.Request) -> web.Response:
        if request.path == "/good":
            return web.Response()
        return web.Response(status=308, headers={"Location": f"http://127.0.0.1:{dead}/"})

    dead = free_port()
    async with serving(handle) as server:
        pool = new_pool()
        url = f"http://127.0.0.1:{server.port}"
        reason = await pool.send(f"{url}/bad", batch_of(event(1)))
        assert reason is not None
        assert str(dead) in reason
        good = batch_of(event(2))
        assert pool.backoff_until_ns(f"{url}/good") == 0
        assert await pool.send(f"{url}/good", good) is None
        assert good.delivered == {0}
        await pool.close()


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "9" * 400}, 60.0),  # the events' lifetime
        ({"Retry-After": "0"}, HOOK_RETRY_SECONDS),
        (
            {
                "Date": "Sun, 29 Nov 2026 22:00:00 GMT",
                "Retry-After": "Sun, 29 Nov 2026 22:00:09 GMT",
            },
            9.0,
        ),
    ],
)
async def test_a_busy_server_gets_nothing_until_the_time_that_it_names(
    status: int, headers: Mapping[str, str], seconds: float
) -> None:
    seen: list[bytes] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(await request.read())
        if len(seen) == 1:
            return web.Response()
        return web.Response(status=status, headers=headers)

    async with serving(handle) as server:
        pool, clock = new_pool(), SystemClock()
        events = [queued(at, "h", event(at)) for at in range(3)]
        batch = Batch(events, lifetime_seconds=60.0)
        url = f"http://127.0.0.1:{server.port}/"
        began_ns = clock.monotonic_ns()
        assert await pool.send(url, batch) == f"status {status}"
        await pool.close()
    # What was taken isn't sent again, and what waits isn't refused for good.
    assert batch.delivered == {0}
    assert not batch.refused
    assert seen == [event(0), event(1)]
    assert (pool.backoff_until_ns(url) - began_ns) / 1e9 == pytest.approx(seconds, abs=0.4)
    # Other URLs of the server aren't meant.
    assert pool.backoff_until_ns(f"http://127.0.0.1:{server.port}/other") == 0


async def test_no_further_hook_is_sent_to_a_busy_server() -> None:
    seen: list[bytes] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(await request.read())
        return web.Response(status=429, headers={"Retry-After": "5"})

    async with serving(handle) as server:
        pool = new_pool()
        batch = Batch([queued(at, f"h{at}", event(at)) for at in range(500)])
        assert await pool.send(f"http://127.0.0.1:{server.port}/", batch) == "status 429"
        await pool.close()
    assert not batch.refused
    assert len(seen) <= REQUESTS_COUNT_MAX


@pytest.mark.parametrize("value", ["soon", "-1", "1e3", "Sun, 99 Nov 2026 22:00:00 GMT"])
async def test_a_retry_after_that_says_nothing_is_ignored(value: str) -> None:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": value})

    async with serving(handle) as server:
        pool = new_pool()
        batch = batch_of(event(1))
        assert await pool.send(f"http://127.0.0.1:{server.port}/", batch) is None
        await pool.close()
    assert batch.refused == {0: "status 503"}


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
