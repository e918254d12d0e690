"""ACL SETUSER and its kin, and the rights that requests need."""

import pytest

from tests.support.bench import Bench
from tests.support.fakes import FakeClient

WITHOUT_COMMAND = b"-NOPERM this user has no permissions to run the '%b' command\r\n"
WITHOUT_KEY = (
    b"-NOPERM this user has no permissions to access one of the keys used as arguments\r\n"
)
WITHOUT_CHANNEL = (
    b"-NOPERM this user has no permissions to access one of the channels used as arguments\r\n"
)


def client_of(bench: Bench, rules: str, name: str = "ann") -> FakeClient:
    """Return a client that is a user with these rules."""
    assert bench.call("ACL", "SETUSER", name, "on", ">pw", *rules.split()) == b"+OK\r\n"
    client = bench.new_client()
    assert bench.call("AUTH", name, "pw", client=client) == b"+OK\r\n"
    return client


def test_a_user_begins_without_any_right(bench: Bench) -> None:
    client = client_of(bench, "")
    assert bench.call("GET", "fleet", "a", client=client) == WITHOUT_COMMAND % b"get"
    assert bench.call("CONFIG", "GET", "*", client=client) == WITHOUT_COMMAND % b"config|get"
    assert bench.call("CLIENT", "kill", "x", client=client) == WITHOUT_COMMAND % b"client|kill"
    assert bench.call("ACL", "WHOAMI", client=client) == WITHOUT_COMMAND % b"acl|whoami"


def test_keys_are_checked_by_pattern_and_access(bench: Bench) -> None:
    client = client_of(bench, "+@all ~own:* %R~shared:* %W~inbox")
    assert bench.call("SET", "own:1", "a", "POINT", "1", "2", client=client) == b"+OK\r\n"
    assert bench.call("SET", "shared:1", "a", "POINT", "1", "2", client=client) == WITHOUT_KEY
    assert bench.call("GET", "shared:1", "a", client=client) == b"$-1\r\n"
    assert bench.call("SET", "inbox", "a", "POINT", "1", "2", client=client) == b"+OK\r\n"
    assert bench.call("GET", "inbox", "a", client=client) == WITHOUT_KEY


def test_the_object_of_an_area_needs_the_right_to_read_its_key(bench: Bench) -> None:
    bench.call("SET", "zones", "z", "BOUNDS", "0", "0", "9", "9")
    client = client_of(bench, "+@all ~own:*")
    within = ("WITHIN", "own:1", "GET", "zones", "z")
    assert bench.call(*within, client=client) == WITHOUT_KEY
    bench.call("ACL", "SETUSER", "ann", "%R~zones")
    assert bench.call(*within, client=client).startswith(b"*2\r\n")


def test_channels_are_checked(bench: Bench) -> None:
    client = client_of(bench, "+@all &news:*")
    assert bench.call("PUBLISH", "news:1", "x", client=client) == b":0\r\n"
    assert bench.call("PUBLISH", "other", "x", client=client) == WITHOUT_CHANNEL
    assert bench.call("SUBSCRIBE", "news:1", "other", client=client) == WITHOUT_CHANNEL
    assert bench.call("PSUBSCRIBE", "news:1*", client=client) == WITHOUT_CHANNEL
    assert b"psubscribe" in bench.call("PSUBSCRIBE", "news:*", client=client)


def test_a_subscriber_may_not_subscribe_to_more_than_its_channels(bench: Bench) -> None:
    client = client_of(bench, "+@all &news:*")
    bench.call("SUBSCRIBE", "news:1", client=client)
    assert bench.call("SUBSCRIBE", "other", client=client) == WITHOUT_CHANNEL
    assert b":2\r\n" in bench.call("SUBSCRIBE", "news:2", client=client)


def test_a_change_holds_for_present_connections_at_once(bench: Bench) -> None:
    client = client_of(bench, "+@all ~*")
    assert bench.call("GET", "fleet", "a", client=client) == b"$-1\r\n"
    bench.call("ACL", "SETUSER", "ann", "-get")
    assert bench.call("GET", "fleet", "a", client=client) == WITHOUT_COMMAND % b"get"


def test_the_connections_of_a_deleted_user_are_closed(bench: Bench) -> None:
    client = client_of(bench, "+@all ~*")
    other = client_of(bench, "+@all ~*", "ben")
    assert bench.call("ACL", "DELUSER", "ann", "nobody") == b":1\r\n"
    assert (client.is_gone, other.is_gone) == (True, False)
    assert bench.call("ACL", "DELUSER", "ben", client=other) == b":1\r\n"
    assert other.is_gone


def test_pipelined_requests_are_checked_one_by_one(bench: Bench) -> None:
    client = client_of(bench, "+@all ~own")
    bench.send(
        b"SET own a POINT 1 2\r\n",
    )
    lines = b"".join(
        b"*3\r\n$3\r\nGET\r\n$%d\r\n%b\r\n$1\r\na\r\n" % (len(key), key)
        for key in (b"own", b"not", b"own", b"not")
    )
    replies = bench.send(lines, client)
    assert replies.count(WITHOUT_KEY) == 2
    assert replies.startswith(b"$") and replies.endswith(WITHOUT_KEY)


def test_commands_of_a_transaction_are_checked_twice(bench: Bench) -> None:
    client = client_of(bench, "+@all ~*")
    bench.call("MULTI", client=client)
    assert bench.call("GET", "fleet", "a", client=client) == b"+QUEUED\r\n"
    bench.call("ACL", "SETUSER", "ann", "-get", "-set")
    assert bench.call("SET", "k", "i", "POINT", "1", "2", client=client) == WITHOUT_COMMAND % b"set"
    assert bench.call("EXEC", client=client).startswith(b"-EXECABORT")
    bench.call("ACL", "SETUSER", "ann", "+get")
    bench.call("MULTI", client=client)
    bench.call("GET", "fleet", "a", client=client)
    bench.call("ACL", "SETUSER", "ann", "-get")
    assert bench.call("EXEC", client=client).startswith(b"*1\r\n-NOPERM ACLs rules changed")


@pytest.mark.parametrize("command", ["EVAL", "EVALRO", "EVALNA"])
def test_calls_of_scripts_are_checked(bench: Bench, command: str) -> None:
    bench.call("SET", "secret", "a", "STRING", "x")
    client = client_of(bench, "+@all -ttl ~own")
    get = "return tile38.call('GET', 'secret', 'a')"
    assert b"can't access at least one of the keys" in bench.call(command, get, "0", client=client)
    ttl = "return tile38.call('TTL', 'own', 'a')"
    assert b"can't run this command" in bench.call(command, ttl, "0", client=client)
    assert bench.call(command, "return 1", "1", "secret", client=client) == WITHOUT_KEY
    assert bench.call(command, "return 1", "1", "own", client=client) == b":1\r\n"


def test_lists_show_only_what_the_user_may_see(bench: Bench) -> None:
    for key in ("own", "secret"):
        bench.call("SET", key, "a", "POINT", "1", "2")
        area = ("FENCE", "POINT", "1", "2", "3")
        bench.call("SETCHAN", f"{key}-channel", "NEARBY", key, *area)
        bench.call("SETHOOK", f"{key}-hook", "http://127.0.0.1:1/", "NEARBY", key, *area)
    client = client_of(bench, "+@all ~own &*")
    for command, word in (
        ("KEYS", b"own"),
        ("CHANS", b"own-channel"),
        ("HOOKS", b"own-hook"),
        ("HOOKSTATS", b"own-hook"),
    ):
        reply = bench.call(command, "*", client=client)
        assert word in reply
        assert b"secret" not in reply


def test_hooks_and_channels_need_the_rights_of_who_sets_them(bench: Bench) -> None:
    area = ("FENCE", "POINT", "1", "2", "3")
    client = client_of(bench, "+@all %R~own &news:*")
    set_channel = ("SETCHAN", "news:1", "NEARBY", "own", *area)
    assert bench.call(*set_channel, client=client) == b":1\r\n"
    other = ("SETCHAN", "other", "NEARBY", "own", *area)
    assert bench.call(*other, client=client) == WITHOUT_CHANNEL
    assert bench.call("SETCHAN", "news:2", "NEARBY", "not", *area, client=client) == WITHOUT_KEY
    local = ("SETHOOK", "h", "local://other", "NEARBY", "own", *area)
    assert bench.call(*local, client=client) == WITHOUT_CHANNEL
    bench.call("SETHOOK", "theirs", "local://x", "NEARBY", "not", *area)
    for words in (("DELHOOK", "theirs"), ("PDELHOOK", "*")):
        assert bench.call(*words, client=client) == WITHOUT_KEY
    replacing = ("SETHOOK", "theirs", "local://news:1", "NEARBY", "own", *area)
    assert bench.call(*replacing, client=client) == WITHOUT_KEY


def test_commands_about_all_keys_need_the_right_to_all(bench: Bench) -> None:
    client = client_of(bench, "+@all ~a* &*")
    for words in (("FLUSHDB",), ("MONITOR",), ("SLOWLOG", "GET"), ("AOFMD5", "0", "0")):
        assert bench.call(*words, client=client) == WITHOUT_KEY
    bench.call("ACL", "SETUSER", "ann", "allkeys")
    assert bench.call("FLUSHDB", client=client) == b"+OK\r\n"


def test_the_password_of_the_default_user_is_requirepass(bench: Bench) -> None:
    bench.config.set("requirepass", "secret")
    client = bench.new_client()
    assert b"authentication required" in bench.call("KEYS", "*", client=client)
    assert bench.call("AUTH", "secret", client=client) == b"+OK\r\n"
    bench.config.set("requirepass", "")
    assert bench.call("KEYS", "*", client=bench.new_client()) == b"*0\r\n"


def test_an_inactive_user_cannot_log_in(bench: Bench) -> None:
    bench.call("ACL", "SETUSER", "ann", "off", ">pw", "+@all", "~*")
    assert bench.call("AUTH", "ann", "pw").startswith(b"-WRONGPASS ")
    assert bench.client.session.user == b"default"


def test_a_restricted_default_user_is_that_of_connections_without_a_login(bench: Bench) -> None:
    admin = client_of(bench, "+@all ~* &*")
    bench.call("ACL", "SETUSER", "default", "-@all", "+get", client=admin)
    assert bench.call("KEYS", "*") == WITHOUT_COMMAND % b"keys"
    assert bench.call("GET", "fleet", "a") == b"$-1\r\n"
    bench.call("ACL", "SETUSER", "default", "off", client=admin)
    assert b"authentication required" in bench.call("GET", "fleet", "a")


def test_the_default_user_keeps_what_is_not_taken_from_it(bench: Bench) -> None:
    bench.call("ACL", "SETUSER", "default", "-get")
    assert bench.call("GET", "fleet", "a") == WITHOUT_COMMAND % b"get"
    assert bench.call("KEYS", "*") == b"*0\r\n"
    bench.call("ACL", "SETUSER", "default", "+get")
    assert bench.call("GET", "fleet", "a") == b"$-1\r\n"
