"""The handshake of a follower with its leader, word for word as Tile38's."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tile38py import errors
from tile38py.interfaces.following import LeaderAddress
from tile38py.limits import (
    FOLLOW_CHAIN_COUNT_MAX,
    LEADER_DIGEST_BYTES_RATE_MIN,
    LEADER_PROBE_SECONDS_MAX,
    LEADER_REPLY_SECONDS_MAX,
)
from tile38py.replication.dependencies import Connector, FollowerIdentity
from tile38py.replication.leader_connection import (
    LeaderConnection,
    LeaderError,
    RefusalError,
    Value,
    open_leader_connection,
)

POSITION_DIGITS_MAX = 19
PORT_DIGITS_MAX = 5


class IneligibleError(LeaderError):
    """The server can't lead us: it is ourselves, or follows a leader itself."""

    def __init__(self, refusal: errors.CommandError, leader: LeaderAddress | None = None) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
        self.leader = leader  # the leader that it follows, as it calls it


@contextlib.asynccontextmanager
async def open_authenticated_connection(
    connector: Connector, leader: LeaderAddress, identity: FollowerIdentity
) -> AsyncIterator[LeaderConnection]:
    """Open a connection for the length of a block, and authenticate."""
    async with open_leader_connection(connector, leader.host, leader.port) as connection:
        if identity.login:
            await connection.expect_ok(*identity.login)
        yield connection


async def introduce(connection: LeaderConnection, identity: FollowerIdentity) -> int:
    """Check that the server may lead us; return the size of its log."""
    facts = _pairs(await connection.call(b"server"))
    server_id = facts.get(b"id", b"")
    if not server_id:
        raise LeaderError("invalid id")
    if server_id == identity.server_id.encode("utf-8", "surrogateescape"):
        raise IneligibleError(errors.cannot_follow_self())
    if following := facts.get(b"following"):
        raise IneligibleError(errors.cannot_follow_follower(), _parse_address(following))
    size = facts.get(b"aof_size", b"")
    if not size.isdigit() or len(size) > POSITION_DIGITS_MAX:
        raise LeaderError("invalid aof_size")
    return int(size)


async def announce(connection: LeaderConnection, identity: FollowerIdentity) -> None:
    """Send our address, for the leader's list of followers."""
    await connection.expect_ok(b"replconf", b"listening-port", b"%d" % identity.port)
    if identity.ip:
        ip = identity.ip.encode("utf-8", "surrogateescape")
        await connection.expect_ok(b"replconf", b"ip-address", ip)


async def takes_acknowledgements(connection: LeaderConnection) -> bool:
    """Ask whether the leader wants to know what we have run: a Tile38 doesn't."""
    try:
        await connection.expect_ok(b"replconf", b"ack", b"0")
    except RefusalError:
        return False
    return True


async def request_log(connection: LeaderConnection, position: int) -> None:
    """Request the leader's log from a position on."""
    await connection.expect_ok(b"aof", b"%d" % position)


async def ask_digest(connection: LeaderConnection, position: int, size: int) -> bytes | None:
    """The leader's MD5 of a range of its log, None if the log ends before."""
    seconds = LEADER_REPLY_SECONDS_MAX + size / LEADER_DIGEST_BYTES_RATE_MIN
    words = (b"aofmd5", b"%d" % position, b"%d" % size)
    try:
        reply = await connection.call(*words, seconds_max=seconds)
    except RefusalError as refusal:
        if str(refusal) == "EOF":
            return None
        raise
    if isinstance(reply, str):
        return reply.encode()
    if isinstance(reply, bytes):
        return reply
    raise LeaderError("invalid reply to 'aofmd5'")


async def probe(
    connector: Connector, leader: LeaderAddress, identity: FollowerIdentity, seconds_max: float
) -> None:
    """Check that a server can lead us. Raises LeaderError if it can't."""
    async with open_leader_connection(connector, leader.host, leader.port) as connection:
        try:
            async with asyncio.timeout(seconds_max):
                if identity.login:
                    await connection.expect_ok(*identity.login)
                await introduce(connection, identity)
        except TimeoutError:
            raise LeaderError("i/o timeout") from None


async def head_of_chain(
    connector: Connector,
    identity: FollowerIdentity,
    follower: LeaderAddress,
    leader: LeaderAddress | None,
) -> LeaderAddress | None:
    """Go from a follower to its leader, and on, to a server that can lead us; None if none can."""
    asked = {follower}
    while leader is not None and leader not in asked and len(asked) <= FOLLOW_CHAIN_COUNT_MAX:
        if is_local(leader) and not is_local(follower):
            return None  # the follower means its own machine, and we would reach ours
        try:
            await probe(connector, leader, identity, LEADER_PROBE_SECONDS_MAX)
        except IneligibleError as error:
            asked.add(leader)
            follower, leader = leader, error.leader
        except LeaderError:
            return None
        else:
            return leader
    return None


def is_local(address: LeaderAddress) -> bool:
    """Whether an address is on the machine of the server that uses it."""
    return address.host in {"localhost", "::1"} or address.host.startswith("127.")


def _parse_address(text: bytes) -> LeaderAddress | None:
    host, _, port = text.decode("utf-8", "surrogateescape").rpartition(":")
    is_port = port.isascii() and port.isdigit() and len(port) <= PORT_DIGITS_MAX
    return LeaderAddress(host, int(port)) if host and is_port else None


def _pairs(reply: Value) -> dict[bytes, bytes]:
    if not isinstance(reply, list):
        raise LeaderError("invalid id")
    texts = [_text(value) for value in reply]
    return dict(zip(texts[::2], texts[1::2], strict=False))


def _text(value: Value) -> bytes:
    match value:
        case bytes():
            return value
        case str() | int():
            return str(value).encode()
    return b""
