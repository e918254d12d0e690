"""Addresses and who is let in."""

import pytest

from tests.support.fakes import FakeTransport
from tile38py._engine import Engine
from tile38py.clients import Clients
from tile38py.config import Config
from tile38py.gates import Gates
from tile38py.server.peers import ConnectionFilter, address_of


@pytest.mark.parametrize(
    ("peer", "text"),
    [
        (("127.0.0.1", 5), "127.0.0.1:5"),
        (("::1", 5), "[::1]:5"),
        (("::ffff:10.0.0.1", 5), "10.0.0.1:5"),
        (("fe80::1", 5), "[fe80::1]:5"),
    ],
)
def test_addresses_are_texts(peer: tuple[str, int], text: str) -> None:
    assert address_of(FakeTransport(peer), 1) == text


def test_unix_peers_have_names_of_their_own() -> None:
    transport = FakeTransport()
    transport._extra["peername"] = ""  # type: ignore[attr-defined]
    assert address_of(transport, 7) == "@7"


def connection_filter(host: str = "", *, is_protected: bool = True) -> ConnectionFilter:
    return ConnectionFilter(Config(), Clients(10), Gates(Engine()), host, is_protected)


@pytest.mark.parametrize("address", ["127.0.0.1:5", "[::1]:5", "@7"])
def test_local_peers_are_welcome(address: str) -> None:
    assert connection_filter().refusal(address) == b""


@pytest.mark.parametrize("address", ["127.0.0.2:5", "10.0.0.1:5", "[fe80::1]:5"])
def test_others_are_not_as_long_as_nothing_protects(address: str) -> None:
    assert connection_filter().refusal(address).startswith(b"-DENIED")
    assert connection_filter("localhost").refusal(address).startswith(b"-DENIED")
    assert connection_filter("10.0.0.9").refusal(address) == b""
    assert connection_filter(is_protected=False).refusal(address) == b""


def test_settings_act_at_once() -> None:
    keeper = connection_filter()
    keeper.config.set("protected-mode", "no")
    assert keeper.refusal("10.0.0.1:5") == b""
    keeper.config.set("protected-mode", "yes")
    assert keeper.refusal("10.0.0.1:5") != b""
    keeper.gates.require_password(True)
    assert keeper.refusal("10.0.0.1:5") == b""


def test_the_refusal_is_one_line() -> None:
    assert connection_filter().refusal("10.0.0.1:5").count(b"\n") == 1


def test_the_refusal_names_the_safest_solution_first() -> None:
    refusal = connection_filter().refusal("10.0.0.1:5")
    places = [refusal.index(word) for word in (b"requirepass", b"'-h'", b"protected-mode no")]
    assert places == sorted(places)
