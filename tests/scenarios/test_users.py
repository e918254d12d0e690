"""Users over sockets and restarts: the file of users, followers, HTTP, slowed-down logins."""

import base64
import contextlib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import ServerProcess
from tests.support.resp import CLOSED, Connection
from tests.support.waiting import wait_until
from tile38py.limits import LOGIN_FAILURES_COUNT_FREE

FOLLOWER_RIGHTS = ("~*", "+server", "+aof", "+aofmd5", "+replconf", "+ping", "+quit")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of users with one that may read."""
    path = tmp_path / "users.acl"
    path.write_text("user reader on >geheim ~* +@read\n", "utf-8")
    return path


@pytest.fixture
def server(tmp_path: Path, file: Path) -> Iterator[ServerProcess]:
    """A server with that file."""
    with ServerProcess(tmp_path, ["--aclfile", str(file)]) as process:
        yield process


def login(server: ServerProcess, user: str, password: str) -> Connection:
    """Return a connection of a user."""
    connection = server.connect()
    assert connection.call("AUTH", user, password) == "+OK"
    return connection


def test_users_are_loaded_saved_and_loaded_again(server: ServerProcess, file: Path) -> None:
    with login(server, "reader", "geheim") as reader:
        assert reader.call("GET", "fleet", "a") == "$-1"
        assert str(reader.call("DROP", "fleet")).startswith("-NOPERM ")
        server.call("ACL", "SETUSER", "writer", "on", ">pw", "~*", "+@write")
        assert server.call("ACL", "SAVE") == "+OK"
        assert "user writer on #" in file.read_text("utf-8")
        file.write_text(file.read_text("utf-8").replace("user reader", "user other"), "utf-8")
        assert server.call("ACL", "LOAD") == "+OK"
        assert reader.read() == CLOSED
    server.kill()
    server.start()
    with login(server, "writer", "pw"), login(server, "other", "geheim") as other:
        assert other.call("GET", "fleet", "a") == "$-1"


def test_a_bad_file_changes_nothing_and_keeps_the_server_from_starting(
    server: ServerProcess, file: Path
) -> None:
    file.write_text("user reader on >geheim ~* +@read\n\nuser other +nope\n", "utf-8")
    reply = str(server.call("ACL", "LOAD"))
    assert f"{file}:3: Error in applying operation '+nope'" in reply
    assert "no change to the previously active ACL rules" in reply
    with login(server, "reader", "geheim"):
        pass
    server.kill()
    server.launch()
    assert server.wait() == 1
    assert f"{file}:3: Error in applying operation '+nope'" in server.log_file.read_text("utf-8")


def test_a_thousand_users_with_many_rules_each_keep_to_their_own_keys(
    server: ServerProcess, file: Path
) -> None:
    patterns = [[f"~depot{number}:{key}:*" for key in range(100)] for number in range(1000)]
    lines = [
        f"user u{number} on >pw{number} {' '.join(keys)} +@read +@write"
        for number, keys in enumerate(patterns)
    ]
    file.write_text("\n".join(lines), "utf-8")
    assert server.call("ACL", "LOAD") == "+OK"
    with contextlib.ExitStack() as stack:
        users = {
            number: stack.enter_context(login(server, f"u{number}", f"pw{number}"))
            for number in range(0, 1000, 37)
        }
        server.call("ACL", "SETUSER", "u37", "resetkeys")
        for number, user in users.items():
            reply = user.call("SET", f"depot{number}:99:x", "t", "POINT", "1", "2")
            assert (reply == "+OK") == (number != 37)
            assert str(user.call("GET", "depot1:99:x", "t")).startswith("-NOPERM ")
    assert server.call("ACL", "DELUSER", *(f"u{number}" for number in range(1000))) == ":1000"


def test_without_a_file_config_rewrite_keeps_the_users(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        server.call("ACL", "SETUSER", "ann", "on", ">pw", "~*", "+@read")
        assert str(server.call("ACL", "SAVE")).startswith("-ERR This Redis instance is not")
        assert server.call("CONFIG", "REWRITE") == "+OK"
        server.call("ACL", "SETUSER", "ben", "on", ">pw", "~*", "+@read")
        server.kill()
        server.start()
        with login(server, "ann", "pw") as ann, server.connect() as other:
            assert ann.call("GET", "fleet", "a") == "$-1"
            assert str(other.call("AUTH", "ben", "pw")).startswith("-WRONGPASS ")
        server.call("ACL", "DELUSER", "ann")
        server.call("CONFIG", "REWRITE")
        server.kill()
        assert "users" not in (server.data / "config").read_text("utf-8")


def test_a_follower_follows_as_a_user_with_the_rights_that_it_needs(tmp_path: Path) -> None:
    for name in ("leader", "follower"):
        (tmp_path / name).mkdir()
    with (
        ServerProcess(tmp_path / "leader") as leader,
        ServerProcess(tmp_path / "follower") as follower,
    ):
        leader.call("ACL", "SETUSER", "replica", "on", ">pw", *FOLLOWER_RIGHTS)
        leader.call("ACL", "SETUSER", "admin", "on", ">pw", "allkeys", "allchannels", "+@all")
        leader.call("ACL", "SETUSER", "default", "off")
        with login(leader, "admin", "pw") as admin:
            admin.call("SET", "fleet", "a", "STRING", "x")
            follower.call("CONFIG", "SET", "leaderuser", "replica", "leaderauth", "pw")
            assert follower.call("FOLLOW", "127.0.0.1", leader.port) == "+OK"
            wait_until(
                lambda: follower.call("GET", "fleet", "a") == "$ x",
                seconds_max=10,
                what="a copied object",
            )
            # The rights are lost at once, the stream, too.
            admin.call("ACL", "SETUSER", "replica", "-aof")
            wait_until(
                lambda: "connected_slaves:0" in str(admin.call("INFO", "replication")),
                seconds_max=10,
                what="the end of the stream",
            )


def test_http_knows_users(server: ServerProcess) -> None:
    def ask(path: str, login: bytes) -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{server.port}/{path}")
        request.add_header("Authorization", f"Basic {base64.b64encode(login).decode()}")
        with urllib.request.urlopen(request, timeout=10) as response:
            return bytes(response.read())

    assert b'"keys":[]' in ask("keys+*", b"reader:geheim")
    assert b"NOPERM this user has no permissions to run the 'drop'" in ask(
        "drop+fleet", b"reader:geheim"
    )
    assert b"invalid password" in ask("keys+*", b"reader:wrong")


def test_failed_logins_of_an_address_are_slowed_down_and_nobody_else(
    server: ServerProcess,
) -> None:
    with server.connect() as attacker, server.connect() as other:
        count = LOGIN_FAILURES_COUNT_FREE + 4
        attacker.send(b"AUTH reader wrong\r\n" * count)
        with login(server, "reader", "geheim") as reader:
            assert reader.call("GET", "fleet", "a") == "$-1"
        assert other.call("PING") == "+PONG"
        replies = [attacker.read() for _ in range(count)]
        assert all(str(reply).startswith("-WRONGPASS ") for reply in replies)
        info = str(other.call("INFO", "acl"))
        assert f"acl_access_denied_auth:{count}" in info
        assert "acl_delayed_logins:4" in info
