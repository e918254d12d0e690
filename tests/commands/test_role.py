"""ROLE, INFO and REPLCONF with replicas."""

from tests.support.bench import Bench


def test_replicas_are_listed_once_they_announced_themselves(bench: Bench) -> None:
    replica, other = bench.new_client(), bench.new_client()
    assert bench.call("REPLCONF", "listening-port", "7777", client=replica) == b"+OK\r\n"
    bench.call("REPLCONF", "listening-port", "8888", client=other)
    bench.call("REPLCONF", "ip-address", "10.1.2.3", client=other)
    assert bench.call("INFO", "replication").split(b"\r\n")[1:6] == [
        b"# Replication",
        b"role:master",
        b"slave0:ip=127.0.0.1,port=7777,state=online",
        b"slave1:ip=10.1.2.3,port=8888,state=online",
        b"connected_slaves:0",
    ]
    bench.fake_journal.append(b"x" * 52)
    bench.call("OUTPUT", "json")
    assert b'"role":{"role":"master","offset":52,"slaves":[{"ip":"127.0.0.1",' in bench.call("ROLE")


def test_a_local_ipv6_replica_shows_as_localhost(bench: Bench) -> None:
    bench.client.address = "[::1]:5000"
    bench.call("REPLCONF", "listening-port", "1")
    assert b"ip=localhost,port=1" in bench.call("INFO", "replication")


def test_option_names_are_lower_case(bench: Bench) -> None:
    assert bench.call("REPLCONF", "LISTENING-PORT", "1") == b"-ERR cannot find follower\r\n"


def test_an_announced_address_is_shown_whole(bench: Bench) -> None:
    bench.call("REPLCONF", "ip-address", "::1")
    bench.call("REPLCONF", "listening-port", "-1")
    assert b"slave0:ip=::1,port=-1,state=online\r\n" in bench.call("INFO", "replication")
    assert bench.call("ROLE").endswith(b"$3\r\n::1\r\n$2\r\n-1\r\n$1\r\n0\r\n")


def test_a_replica_that_reads_the_log_shows_how_far_it_is(bench: Bench) -> None:
    replica = bench.new_client()
    bench.call("REPLCONF", "listening-port", "7", client=replica)
    bench.fake_journal.append(b"x" * 52)
    bench.fake_journal.flush()
    bench.call("AOF", "10", client=replica)
    assert b"port=7,state=online,offset=10,lag=0\r\n" in bench.call("INFO", "replication")
    assert bench.call("ROLE").endswith(b"$1\r\n7\r\n$2\r\n10\r\n")
