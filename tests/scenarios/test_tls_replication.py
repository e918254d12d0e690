"""FOLLOW over TLS: certificates are checked both ways, and the TLS port is announced."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.pair import CATCH_UP_SECONDS_MAX, follow, log_of
from tests.support.process import ServerProcess
from tests.support.tls import Authority, TlsOnlyServer, TlsServer
from tests.support.waiting import wait_until

REPLICATION = ("--tls-replication", "yes")


def start(stack: ExitStack, folder: Path, authority: Authority) -> TlsOnlyServer:
    """Start a server without a plain port, which needs clients' certificates."""
    folder.mkdir()
    return stack.enter_context(TlsOnlyServer(folder, authority, REPLICATION))


def wait_for_copy(leader: ServerProcess, follower: ServerProcess) -> None:
    """Wait until the follower has the leader's log."""
    wait_until(
        lambda: follower.call("HEALTHZ") == "+OK" and log_of(follower) == log_of(leader),
        seconds_max=CATCH_UP_SECONDS_MAX,
        what="a follower that caught up",
    )


def test_a_follower_follows_over_tls_and_announces_its_tls_port(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with ExitStack() as stack:
        leader = start(stack, tmp_path / "leader", authority)
        follower = start(stack, tmp_path / "follower", authority)
        follow(follower, leader)
        with leader.connect() as client:
            rows = [("SET", "fleet", number, "POINT", number % 80, 1) for number in range(2000)]
            assert set(map(str, client.call_many(rows))) == {"+OK"}
            wait_for_copy(leader, follower)
            place = f"ip=127.0.0.1,port={follower.tls_port},state=online"
            assert place in str(client.call("INFO", "replication"))
            assert f"['$ 127.0.0.1', '$ {follower.tls_port}'" in str(client.call("ROLE"))
        expected = f"['$ slave', '$ 127.0.0.1', ':{leader.tls_port}', "
        assert str(follower.call("ROLE")).startswith(expected)


def test_a_leader_with_an_unknown_authority_is_not_followed(tmp_path: Path) -> None:
    with ExitStack() as stack:
        leader = start(stack, tmp_path / "leader", Authority(tmp_path, "one"))
        follower = start(stack, tmp_path / "follower", Authority(tmp_path, "two"))
        reply = str(follower.call("FOLLOW", "127.0.0.1", leader.port))
        assert reply.startswith(
            f"-ERR cannot follow: tls 127.0.0.1:{leader.port}: certificate verify failed: "
        )
        assert follower.call("SET", "fleet", "truck", "POINT", 1, 2) == "+OK"


def test_a_leader_refuses_a_follower_without_a_good_certificate(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path, "one"), Authority(tmp_path, "two")
    with ExitStack() as stack:
        leader = start(stack, tmp_path / "leader", authority)
        folder = tmp_path / "follower"
        folder.mkdir()
        own = stranger.issue("follower")
        files = ("--tls-cert-file", str(own.certificate), "--tls-key-file", str(own.key))
        trust = ("--tls-ca-cert-file", str(authority.file))
        follower = stack.enter_context(ServerProcess(folder, [*files, *trust, *REPLICATION]))
        reply = str(follower.call("FOLLOW", "127.0.0.1", leader.port))
        assert reply == "-ERR cannot follow: tls: tlsv1 alert unknown ca"


@pytest.mark.parametrize("is_encrypted", [True, False])
def test_the_wrong_port_of_a_leader_is_told(tmp_path: Path, is_encrypted: bool) -> None:
    authority = Authority(tmp_path)
    with TlsServer(tmp_path, authority) as leader, ExitStack() as stack:
        folder = tmp_path / "follower"
        folder.mkdir()
        trust = ("--tls-ca-cert-file", str(authority.file))
        follower = stack.enter_context(ServerProcess(folder, [*trust]))
        if is_encrypted:
            own = authority.issue("own")
            files = ("tls-cert-file", str(own.certificate), "tls-key-file", str(own.key))
            assert follower.call("CONFIG", "SET", "tls-replication", "yes", *files) == "+OK"
            reply = follower.call("FOLLOW", "127.0.0.1", leader.port)
            expected = f"tls 127.0.0.1:{leader.port}: sslv3 alert handshake failure"
        else:
            reply = follower.call("FOLLOW", "127.0.0.1", leader.tls_port)
            expected = "ERR this port requires TLS"
        assert reply == f"-ERR cannot follow: {expected}"


def test_new_certificates_are_used_by_the_next_connection(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with ExitStack() as stack:
        leader = start(stack, tmp_path / "leader", authority)
        follower = start(stack, tmp_path / "follower", authority)
        follow(follower, leader)
        wait_for_copy(leader, follower)
        other = Authority(tmp_path, "other")
        own = other.issue("own")
        # The session goes on; a restarted leader has a certificate of the new authority alone.
        words = ["tls-ca-cert-file", str(other.file), "tls-cert-file", str(own.certificate)]
        assert follower.call("CONFIG", "SET", *words, "tls-key-file", str(own.key)) == "+OK"
        follower.authority, follower.own = other, own
        assert leader.call("SET", "fleet", "truck", "POINT", 1, 2) == "+OK"
        wait_for_copy(leader, follower)
        leader.stop()
        leader.use(other)
        leader.start()
        assert leader.call("SET", "fleet", "bus", "POINT", 1, 2) == "+OK"
        wait_until(lambda: follower.call("HEALTHZ") == "+OK", what="a follower that caught up")
        wait_for_copy(leader, follower)
