"""The check of endpoints at SETHOOK: what is remembered, missing clients, other packages."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from typing import Self

import pytest

from tests.support.embedded import EngineClient, new_engine
from tests.support.fakes import command
from tile38py._engine import EndpointRefusal
from tile38py.endpoints.address import AddressError
from tile38py.endpoints.checker import EndpointChecker
from tile38py.endpoints.registry import GROUP, Registry

FENCE = ("NEARBY", "f", "POINT", 1, 1, 1)
INSTALL = "its client isn't installed: pip install 'tile38py[{}]'"


@dataclass(frozen=True, slots=True)
class PickySettings:
    """Settings of another package, which takes one URL only."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Refuse some, fail at others."""
        if url == "picky://wrong":
            raise AddressError("it is wrong")
        if url == "picky://fails":
            raise KeyError("geheim")
        return cls()


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have a module look as if it weren't installed."""

    def hide(hidden: str) -> None:
        def find(name: str) -> ModuleSpec | None:
            return None if name == hidden else find_spec(name)

        monkeypatch.setattr("tile38py.endpoints.opening.find_spec", find)

    return hide


def refusal(url: str, *, requires_clients: bool = True) -> EndpointRefusal:
    checker = EndpointChecker(Registry(), requires_clients=requires_clients)
    found = checker(url.encode("utf-8", "surrogateescape"))
    assert found is not None
    assert checker.problem(url) == found.reason
    return found


def add_package(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    entry = EntryPoint("picky", path, GROUP)
    monkeypatch.setattr("tile38py.endpoints.registry.entry_points", lambda group: [entry])


def test_a_url_that_was_right_is_not_read_again_and_few_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tile38py.endpoints.checker.ENDPOINT_URLS_ACCEPTED_COUNT_MAX", 3)
    checked: list[str] = []
    checker = EndpointChecker(Registry())
    monkeypatch.setattr(checker, "_check", checked.append)
    for url in (b"a", b"a", b"b", b"c", b"a", b"d", b"a"):
        assert checker(url) is None
    assert checked == ["a", "b", "c", "d", "a"]


@pytest.mark.parametrize(
    ("url", "module", "extra"),
    [
        ("kafka://u:1/t", "aiokafka", "kafka"),
        ("redis://h", "redis", "redis"),
        ("pubsub://p:t", "google.pubsub_v1", "pubsub"),
        ("http://u:geheim@h/?x", "aiohttp", "http"),
    ],
)
def test_a_kind_whose_client_is_missing_is_refused_with_what_to_install(
    without: Callable[[str], None], url: str, module: str, extra: str
) -> None:
    assert EndpointChecker(Registry())(url.encode()) is None
    without(module)
    found = refusal(url)
    assert found.reason == INSTALL.format(extra)
    assert found.reply is not None
    assert found.reply.endswith(f"': {INSTALL.format(extra)}")
    assert "geheim" not in found.reply
    assert EndpointChecker(Registry(), requires_clients=False)(url.encode()) is None


def test_a_missing_namespace_is_a_missing_client(without: Callable[[str], None]) -> None:
    without("google")
    assert refusal("pubsub://p:t").reason == INSTALL.format("pubsub")


def test_a_refusal_for_a_missing_client_is_the_reply(without: Callable[[str], None]) -> None:
    without("aiokafka")
    client = EngineClient()
    client.engine.check_endpoints(EndpointChecker(Registry()))
    reply = client.call("SETHOOK", "h", "kafka://h/t", *FENCE)
    assert str(reply) == f"-ERR endpoint 'kafka://h/t': {INSTALL.format('kafka')}"


def test_another_packages_urls_are_its_own_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    add_package(monkeypatch, f"{__name__}:PickySettings")
    assert EndpointChecker(Registry())(b"picky://right") is None
    assert refusal("picky://wrong").reply is None
    assert refusal("picky://wrong").reason == "it is wrong"
    assert refusal("picky://fails").reply == "endpoint 'picky://fails': KeyError: 'geheim'"
    assert refusal("pickier://x").reason == "unknown scheme"


def test_another_package_that_is_broken_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    add_package(monkeypatch, "no_such_module:Settings")
    found = refusal("picky://\udcff")
    text = "ModuleNotFoundError: No module named 'no_such_module'"
    assert (found.reason, found.reply) == (text, f"endpoint 'picky://?': {text}")


def test_a_check_that_fails_is_a_refusal_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", lambda hook: told.append(hook.exc_value))
    client = EngineClient()
    client.engine.check_endpoints(lambda _url: 1 / 0)  # type: ignore[arg-type, return-value]
    reply = client.call("SETHOOK", "h", "http://x", *FENCE)
    assert str(reply) == "-ERR the endpoint could not be checked"
    assert isinstance(told[0], ZeroDivisionError)


def test_a_check_may_have_a_reply_of_its_own() -> None:
    client = EngineClient()
    client.engine.check_endpoints(lambda url: EndpointRefusal("why", f"not {url.decode()}"))
    batch = client.session.run(
        [b"SETHOOK", b"h", b"http://x,http://y", b"NEARBY", b"f", b"POINT", b"1", b"1"], 0
    )
    assert (batch.replies, batch.refused_urls) == (b"-ERR not http://x\r\n", ["why"])


def test_logs_and_leaders_may_name_any_endpoint() -> None:
    client = EngineClient()
    client.engine.check_endpoints(EndpointChecker(Registry()))
    urls = [b"bogus://x,y:1", b"", b"kafka://a:1,b:2/t", b"mqtts://h/t"]
    words = [b"NEARBY", b"f", b"POINT", b"1", b"1", b"1"]
    log = command(b"SETHOOK", b"h", b", ".join(urls).replace(b",y", b", y"), *words)
    assert client.engine.load(log, client.now_ns).error is None
    assert client.engine.follow(log.replace(b"\nh\r", b"\ni\r"), 0, client.now_ns).error is None
    for name in (b"h", b"i"):
        hook = client.engine.hook(name)
        assert hook is not None
        assert hook.endpoints == tuple(urls)
    # And what a client says is checked as before.
    client.engine.adopt(new_engine())
    reply = client.call("SETHOOK", "h", "bogus://x", *FENCE)
    assert str(reply) == "-ERR invalid argument 'bogus://x'"
