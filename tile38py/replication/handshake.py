"""What a follower says to a leader before the leader's log arrives, word for word as Tile38."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tile38py import errors
from tile38py.interfaces.following import Target
from tile38py.limits import (
    FOLLOW_CHAIN_COUNT_MAX,
    LINK_DIGEST_BYTES_RATE_MIN,
    LINK_PROBE_SECONDS_MAX,
    LINK_REPLY_SECONDS_MAX,
)
from tile38py.replication.dependencies import Dial, Us
from tile38py.replication.link import Link, LinkError, RefusalError, Value, opened

POSITION_DIGITS_MAX = 19
PORT_DIGITS_MAX = 5


class IneligibleError(LinkError):
    """A server that can't lead us, since it is us or follows somebody itself."""

    def __init__(self, refusal: errors.CommandError, leader: Target | None = None) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
        self.leader = leader  # whom it follows, in its words


@contextlib.asynccontextmanager
async def authenticated(dial: Dial, target: Target, us: Us) -> AsyncIterator[Link]:
    """A connection that may ask."""
    async with opened(dial, target.host, target.port) as link:
        if us.password:
            await link.expect_ok(b"auth", us.password)
        yield link


async def introduce(link: Link, us: Us) -> int:
    """Find out who the leader is; the size of its log."""
    facts = _pairs(await link.call(b"server"))
    server_id = facts.get(b"id", b"")
    if not server_id:
        raise LinkError("invalid id")
    if server_id == us.server_id.encode("utf-8", "surrogateescape"):
        raise IneligibleError(errors.cannot_follow_self())
    if following := facts.get(b"following"):
        raise IneligibleError(errors.cannot_follow_follower(), _place(following))
    size = facts.get(b"aof_size", b"")
    if not size.isdigit() or len(size) > POSITION_DIGITS_MAX:
        raise LinkError("invalid aof_size")
    return int(size)


async def announce(link: Link, us: Us) -> None:
    """Say where we are, for the leader's list of followers."""
    await link.expect_ok(b"replconf", b"listening-port", b"%d" % us.port)
    if us.ip:
        await link.expect_ok(b"replconf", b"ip-address", us.ip.encode("utf-8", "surrogateescape"))


async def request_log(link: Link, position: int) -> None:
    """Have the leader's log sent from a position on."""
    await link.expect_ok(b"aof", b"%d" % position)


async def ask_digest(link: Link, position: int, size: int) -> bytes | None:
    """The leader's sum of a range, None if its log ends before."""
    seconds = LINK_REPLY_SECONDS_MAX + size / LINK_DIGEST_BYTES_RATE_MIN
    words = (b"aofmd5", b"%d" % position, b"%d" % size)
    try:
        reply = await link.call(*words, seconds_max=seconds)
    except RefusalError as refusal:
        if str(refusal) == "EOF":
            return None
        raise
    if isinstance(reply, str):
        return reply.encode()
    if isinstance(reply, bytes):
        return reply
    raise LinkError("invalid reply to 'aofmd5'")


async def probe(dial: Dial, target: Target, us: Us, seconds_max: float) -> None:
    """Find out whether a leader would do. Raises LinkError."""
    async with opened(dial, target.host, target.port) as link:
        try:
            async with asyncio.timeout(seconds_max):
                if us.password:
                    await link.expect_ok(b"auth", us.password)
                await introduce(link, us)
        except TimeoutError:
            raise LinkError("i/o timeout") from None


async def head_of_chain(dial: Dial, us: Us, teller: Target, leader: Target | None) -> Target | None:
    """The head of the chain that a follower's words lead to; None if nobody there could lead us."""
    told = {teller}
    while leader is not None and leader not in told and len(told) <= FOLLOW_CHAIN_COUNT_MAX:
        if is_local(leader) and not is_local(teller):
            return None  # the teller means its own machine, which isn't what we would reach
        try:
            await probe(dial, leader, us, LINK_PROBE_SECONDS_MAX)
        except IneligibleError as error:
            told.add(leader)
            teller, leader = leader, error.leader
        except LinkError:
            return None
        else:
            return leader
    return None


def is_local(target: Target) -> bool:
    """Whether a place is on the machine of whoever names it."""
    return target.host in {"localhost", "::1"} or target.host.startswith("127.")


def _place(text: bytes) -> Target | None:
    host, _, port = text.decode("utf-8", "surrogateescape").rpartition(":")
    is_port = port.isascii() and port.isdigit() and len(port) <= PORT_DIGITS_MAX
    return Target(host, int(port)) if host and is_port else None


def _pairs(reply: Value) -> dict[bytes, bytes]:
    if not isinstance(reply, list):
        raise LinkError("invalid id")
    texts = [_text(value) for value in reply]
    return dict(zip(texts[::2], texts[1::2], strict=False))


def _text(value: Value) -> bytes:
    match value:
        case bytes():
            return value
        case str() | int():
            return str(value).encode()
    return b""
