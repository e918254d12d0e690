"""Logging in, which AUTH, HELLO and HTTP have in common. Its failures are noted and slowed down."""

from collections.abc import Sequence

from tile38py.access.refusals import LOGIN, AccessRefusal
from tile38py.access.user import DEFAULT_USER
from tile38py.clients import client_line
from tile38py.commands.registry import Call, Services, TaskReply
from tile38py.errors import CommandError
from tile38py.interfaces import Client
from tile38py.protocol.http import Login


def log_in(call: Call, name: bytes, password: bytes, error: CommandError) -> TaskReply | None:
    """Make a client the user of this name; an empty name is that of the default user.

    Returns a reply with the error if the password is wrong, delayed after many failures of the
    address. The client stays the user that it was.
    """
    delay_seconds = attempt(call.server, call.client, name or DEFAULT_USER, password)
    if delay_seconds is None:
        return None
    return TaskReply(lambda: call.server.access.pause(delay_seconds, error))


def attempt(server: Services, client: Client, name: bytes, password: bytes) -> float | None:
    """Log a client in. Returns None, or after a failure the seconds by which to delay the reply."""
    access = server.access
    if access.users.authenticate(name, password):
        if client.session.user != name:
            server.clients.admit(name)
        client.session.log_in(name)
        return None
    now_ns = server.clock.now_ns()
    access.refusals.add(
        AccessRefusal(LOGIN, "toplevel", b"AUTH", name), client_line(client, now_ns), now_ns
    )
    return access.failed_logins.fail(client.address)


def attempt_any(server: Services, client: Client, logins: Sequence[Login]) -> float | None:
    """Log an HTTP client in with the login that its header means. Returns the same as attempt().

    A user that doesn't exist stands for the default user, as any name does in Tile38.
    """
    users = server.access.users
    known = [login for login in logins if login[0] and users.find(login[0]) is not None]
    if known:
        user, password = known[-1]
        return attempt(server, client, user or DEFAULT_USER, password)
    if users.default.is_open or not logins:
        return None  # the header means nothing
    for _, password in logins:
        if users.authenticate(DEFAULT_USER, password):
            client.session.log_in(DEFAULT_USER)
            return None
    return attempt(server, client, DEFAULT_USER, logins[-1][1])
