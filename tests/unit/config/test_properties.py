"""How values of properties are read and shown."""

import pytest

from tile38py.config import PROPERTIES, Config
from tile38py.config.properties import parse_size, show_size
from tile38py.errors import CommandError


@pytest.mark.parametrize(
    ("text", "size", "shown"),
    [
        ("", 0, ""),
        ("0", 0, ""),
        ("1023", 1023, "1023"),
        ("1500", 1500, "1kb"),
        ("1536mb", 1536 << 20, "1gb"),
        ("1023KB", 1023 << 10, "1023kb"),
        ("9999Gb", 9999 << 30, "9999gb"),
    ],
)
def test_sizes(text: str, size: int, shown: str) -> None:
    assert (parse_size(text), show_size(size)) == (size, shown)


@pytest.mark.parametrize(
    "text", ["1k", "1b", "1.5gb", " 1", "+1", "-1", "0x10", "gb", "1 gb", "17179869184gb", "٣"]
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_size(text)


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("aofshrink-min-size", "256mb", "256mb"),
        ("appendfsync", "ALWAYS", "always"),
        ("autogc", "", "0"),
        ("autogc", "60", "60"),
        ("hook-queue-max-size", "", "256mb"),
        ("hook-queue-max-size", "0", "0"),
        ("hook-queue-max-size", "1536MB", "1gb"),
        ("hook-queue-ttl", "", "30"),
        ("hook-queue-ttl", "0", "0"),
        ("keepalive", "", "300"),
        ("keepalive", "0", "0"),
        ("protected-mode", "YES", "yes"),
        ("read-threads", "", ""),
        ("read-threads", "128", "128"),
        ("replica-priority", "+7", "7"),
        ("replica_announce_port", "70000", "70000"),
        ("replica_announce_ip", "anything", "anything"),
        ("logconfig", "anything", "anything"),
    ],
)
def test_values_and_how_they_are_shown(name: str, text: str, shown: str) -> None:
    config = Config()
    config.set(name, text)
    assert config.text(name) == shown


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("aofshrink-min-size", "1.5mb"),
        ("appendfsync", "sometimes"),
        ("hook-queue-max-size", "1.5mb"),
        ("hook-queue-max-size", "-1"),
        ("hook-queue-ttl", "-1"),
        ("hook-queue-ttl", "1.5"),
        ("keepalive", "-1"),
        ("keepalive", "1.5"),
        ("protected-mode", ""),
        ("protected-mode", "1"),
        ("read-threads", "129"),
        ("read-threads", "-1"),
        ("replica-priority", ""),
        ("replica-priority", "-1"),
        ("replica-priority", str(2**63)),
        ("replica_announce_port", str(2**64)),
    ],
)
def test_refused_values(name: str, text: str) -> None:
    with pytest.raises(CommandError) as caught:
        Config().set(name, text)
    assert str(caught.value) == f"Invalid argument '{text}' for CONFIG SET '{name}'"


def test_autogc_has_an_error_of_its_own() -> None:
    with pytest.raises(CommandError) as caught:
        Config().set("autogc", "abc")
    assert str(caught.value) == 'strconv.ParseUint: parsing "abc": invalid syntax'


@pytest.mark.parametrize("name", ["MAXMEMORY", "", "nope"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(CommandError) as caught:
        Config().set(name, "1")
    assert str(caught.value) == f"Unsupported CONFIG parameter: {name}"


def test_every_default_is_what_its_text_means() -> None:
    for each in PROPERTIES.values():
        if each.show(each.default):
            assert each.parse(each.show(each.default)) == each.default
