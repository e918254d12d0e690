"""SIGN, HEADERS and FORMAT of hooks, as an HTTP server sees them."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field

from aiohttp import web

from tests.endpoints.test_http import serving
from tests.support.events import hook_event
from tests.support.sending import event, new_pool
from tile38py._engine import QueuedEvent
from tile38py.delivery.cloud_events import enveloped
from tile38py.interfaces.delivery import Batch, HookOptions

KEYS = (b"0123456789abcdefghijklmn", b"other")
QUEUED_NS = 1_700_000_000_123_456_789
SENT_SECONDS = 1_700_000_060


@dataclass
class Requests:
    """The requests that a server has received."""

    redirect: str = ""
    all: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        """Keep a request; redirect the first if there is a place."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.all.append((headers, await request.read()))
        place, self.redirect = self.redirect, ""
        return web.Response(status=307 if place else 200, headers={"Location": place})


def batch_with(options: HookOptions | None, *, hook: str = "h") -> Batch:
    """Return a batch of one event of a hook with options."""
    queued = QueuedEvent(7, QUEUED_NS, hook_event(hook, event(1)))
    if options is not None and options.is_cloud_event:
        queued = enveloped(queued)
    options_of = {hook: options} if options is not None else {}
    return Batch([queued], options=options_of, now_ns=SENT_SECONDS * 10**9 + 5)


async def sent(options: HookOptions | None, login: str = "") -> tuple[dict[str, str], bytes]:
    """Send an event and return its request."""
    requests = Requests()
    async with serving(requests.handle) as server:
        pool = new_pool()
        url = f"http://{login}127.0.0.1:{server.port}/"
        assert await pool.send(url, batch_with(options)) is None
        await pool.close()
    [request] = requests.all
    return request


async def test_a_signature_for_each_key_covers_id_time_and_body() -> None:
    headers, body = await sent(HookOptions(keys=KEYS))
    assert body == event(1)
    assert headers["webhook-id"] == f"msg_{QUEUED_NS}_7"
    assert headers["webhook-timestamp"] == str(SENT_SECONDS)
    content = b"msg_%d_7.%d." % (QUEUED_NS, SENT_SECONDS) + body
    digests = (hmac.new(key, content, hashlib.sha256).digest() for key in KEYS)
    expected = " ".join("v1," + base64.b64encode(digest).decode() for digest in digests)
    assert headers["webhook-signature"] == expected


async def test_headers_are_sent_and_take_the_place_of_the_urls_login() -> None:
    own = (("Authorization", "Bearer x y"), ("X-Region", "eu"))
    headers, _ = await sent(HookOptions(headers=own), login="u:p@")
    assert (headers["authorization"], headers["x-region"]) == ("Bearer x y", "eu")
    assert headers["content-type"] == "application/json"
    assert not any(name.startswith("webhook-") for name in headers)


async def test_a_hook_without_options_sends_the_headers_of_before() -> None:
    headers, body = await sent(None)
    assert body == event(1)
    del headers["host"], headers["content-length"]
    usual = {"accept", "accept-encoding", "content-type", "user-agent"}
    assert set(headers) == usual


async def test_a_cloud_event_is_signed_as_it_is_sent() -> None:
    headers, body = await sent(HookOptions(keys=KEYS[:1], is_cloud_event=True))
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert json.loads(body) == {
        "specversion": "1.0",
        "id": f"msg_{QUEUED_NS}_7",
        "source": "/hooks/h",
        "type": "tile38.fence.inside",
        "time": "2023-11-14T22:13:20.123456789Z",
        "datacontenttype": "application/json",
        "subject": "a",
        "data": json.loads(event(1)),
    }
    content = f"msg_{QUEUED_NS}_7.{SENT_SECONDS}.".encode() + body
    digest = hmac.new(KEYS[0], content, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


async def test_own_headers_stay_with_their_server_when_it_redirects() -> None:
    first, other = Requests(), Requests()
    options = HookOptions(keys=KEYS, headers=(("Authorization", "Bearer x"), ("X-Key", "y")))
    async with serving(first.handle) as server, serving(other.handle) as elsewhere:
        first.redirect = f"http://127.0.0.1:{elsewhere.port}/there"
        pool = new_pool()
        batch = batch_with(options)
        assert await pool.send(f"http://127.0.0.1:{server.port}/", batch) is None
        first.redirect = "/here"
        again = batch_with(options)
        assert await pool.send(f"http://127.0.0.1:{server.port}/", again) is None
        await pool.close()
    assert batch.delivered == again.delivered == {0}
    [(headers, _)] = other.all
    assert "authorization" not in headers
    assert "x-key" not in headers
    assert headers["webhook-signature"] == first.all[0][0]["webhook-signature"]
    assert [headers["x-key"] for headers, _ in first.all] == ["y", "y", "y"]
