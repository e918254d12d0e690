"""ACL side by side with redis-server: the same requests get the same replies."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bench import Bench
from tests.support.brokers import Broker, redis_broker
from tests.support.resp import Connection, encode_command, parse_reply

# Each conversation begins on a server without users. `name> words` are sent as that user.
CONVERSATIONS = [
    *(
        [f"ACL SETUSER ann {rule}", "ACL GETUSER ann", "ACL LIST"]
        for rule in (
            *("on", "off", "ON NoPass", "nopass resetpass", ">pw", ">pw >pw2 <pw", "<pw", ">"),
            *("#abc", "!abc", f"#{'a' * 64}", f"#{'A' * 64}", f"#{'a' * 64} !{'a' * 64}"),
            *("~a", "~a ~b ~a", "~* ~a", "~a ~*", "allkeys resetkeys ~b", "allkeys ~b", "~"),
            *("%R~a", "%W~a", "%RW~a", "%WR~a", "%R~a %W~a", "%r~a", "%RR~a", "%X~a", "%~a"),
            *("%R~*", "%RW~*", "%", "%R"),
            *("&a", "&a &b", "&* &a", "&a &*", "allchannels resetchannels", "&"),
            *("+get", "+GET", "+nope", "-nope", "+", "-", "+|", "+get|", "+nope|x"),
            *("+@read", "+@READ -get", "+@nope", "-@nope", "+@", "+@all", "+@all -get", "-@all"),
            *("allcommands", "nocommands", "+config|get", "+config|nope", "+config|get|x"),
            *("+select|0", "+select|0 +select", "-select|0", "+client -client|kill"),
            *("maybe", "@all", "+@all maybe ~x", "(+get ~x)", "(+get", "(on)", "(~a) (&b)"),
            *("(+get) clearselectors", "+@all ~* &* on"),
        )
    ),
    ["ACL SETUSER", "ACL GETUSER nobody", "ACL GETUSER", "ACL DELUSER", "ACL DELUSER default"],
    ["ACL SETUSER ann", "ACL DELUSER ann nobody ann", "ACL USERS", "ACL WHOAMI", "ACL WHOAMI x"],
    ["ACL CAT nope", "ACL NOPE", "ACL SAVE", "ACL LOAD", "ACL SETUSER a\\0b on"],
    ["ACL GENPASS 0", "ACL GENPASS 4097", "ACL GENPASS x", "ACL GENPASS 1 2", "ACL GENPASS -1"],
    ["ACL LOG x", "ACL LOG 1 2", "ACL LOG RESET", "ACL LOG", "ACL LOG -1"],
    ["AUTH nobody pw", "AUTH pw", "ACL SETUSER ann >pw", "AUTH ann pw", "AUTH ann wrong"],
    [
        "ACL SETUSER ann on >pw ~own:* %R~shared:* &news:* +@all -config -ttl",
        *(
            f"ACL DRYRUN ann {words}"
            for words in (
                *("GET own:1 x", "SET own:1 x POINT 1 2", "TTL own:1 x", "CONFIG GET x"),
                *("PUBLISH news:1 x", "PUBLISH other x", "PSUBSCRIBE news:*", "PSUBSCRIBE news:1"),
                *("SUBSCRIBE news:1 other", "NOPE x", "PUBLISH x", "CONFIG NOPE x"),
            )
            if not words.startswith(("GET", "SET", "TTL"))  # others take other arguments
        ),
        "ACL DRYRUN nobody PUBLISH x y",
    ],
    [
        "ACL SETUSER ann on >pw ~own:* &news:* +@all -acl|whoami -config|get",
        *(
            f"ann> {words}"
            for words in (
                *("TYPE own:1", "TYPE other", "KEYS *", "ACL WHOAMI", "CONFIG GET maxmemory"),
                *("PUBLISH news:1 x", "PUBLISH other x", "MULTI", "TYPE other", "EXEC"),
                "SUBSCRIBE other",
            )
        ),
        "ACL SETUSER ann -@all",
        *(f"ann> {words}" for words in ("TYPE own:1", "CONFIG SET a b", "PUBLISH news:1 x")),
    ],
    [
        "ACL SETUSER ann on >pw ~* +@all",
        "ann> MULTI",
        "ann> TYPE a",
        "ACL SETUSER ann -type resetkeys",
        "ann> EXEC",
        "ACL SETUSER ann +type",
        "ann> MULTI",
        "ann> TYPE a",
    ],
]


class Ours:
    """Our server, in this process."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.clients = {"": self.bench.client}

    def ask(self, name: str, words: list[bytes]) -> object:
        """Send a request as a user."""
        if name not in self.clients:
            self.clients[name] = self.bench.new_client()
            self.bench.call("AUTH", name, "pw", client=self.clients[name])
        parsed = parse_reply(self.bench.send(encode_command(words), self.clients[name]))
        assert parsed is not None
        return parsed[0]


class Theirs:
    """A redis-server."""

    def __init__(self, server: Broker) -> None:
        self.address = ("127.0.0.1", server.port)
        self.connections = {"": Connection(self.address)}
        for name in ("ann", "ben", "a"):
            self.connections[""].call("ACL", "DELUSER", name)

    def ask(self, name: str, words: list[bytes]) -> object:
        """Send a request as a user."""
        if name not in self.connections:
            self.connections[name] = Connection(self.address)
            self.connections[name].call("AUTH", name, "pw")
        return self.connections[name].call(*words)

    def close(self) -> None:
        """Close all connections."""
        for connection in self.connections.values():
            connection.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Broker]:
    """A redis-server without users."""
    broker = redis_broker(tmp_path)
    broker.start()
    yield broker
    broker.kill()


def test_requests_get_the_replies_of_redis(server: Broker) -> None:
    different: list[tuple[str, object, object]] = []
    for conversation in CONVERSATIONS:
        ours, theirs = Ours(), Theirs(server)
        for line in conversation:
            name, arrow, text = line.rpartition("> ")
            if not arrow or " " in name:
                name, text = "", line
            words = [word.replace("\\0", "\0").encode() for word in text.split(" ")]
            found, expected = ours.ask(name, words), theirs.ask(name, words)
            if found != expected:
                different.append((line, found, expected))
        theirs.close()
    assert not different, "\n".join(map(str, different))
