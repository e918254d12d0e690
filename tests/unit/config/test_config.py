"""Settings and the text of their file."""

import pytest

from tile38py.config import Config
from tile38py.config.properties import (
    KEEPALIVE,
    LOGCONFIG,
    MAXMEMORY,
    PROTECTED_MODE,
    REPLICA_PRIORITY,
    REQUIREPASS,
)
from tile38py.errors import CommandError, StartError


def config_of(text: bytes) -> Config:
    config = Config()
    config.read(text)
    return config


def test_defaults_are_not_in_the_file() -> None:
    assert Config().file_text() == b"{}\n"


def test_the_file_is_indented_and_sorted() -> None:
    config = Config()
    config.identity.server_id = "ab"
    config.set("replica-priority", "7")
    config.set("protected-mode", "NO")
    config.set("maxmemory", "3072kb")
    config.store_values()
    assert config.file_text() == (
        b'{\n\t"maxmemory": "3mb",\n\t"protected-mode": "no",\n\t"replica-priority": 7,\n'
        b'\t"server_id": "ab"\n}\n'
    )


def test_settings_reach_the_file_only_when_kept() -> None:
    config = Config()
    config.set("requirepass", "secret")
    assert b"secret" not in config.file_text()
    config.store_values()
    assert config_of(config.file_text()).get(REQUIREPASS) == "secret"


def test_priority_and_log_configuration_go_out_with_any_write() -> None:
    config = Config()
    config.set("replica-priority", "0")
    config.set("logconfig", '{"encoding":"json"}')
    assert config.file_text() == (
        b'{\n\t"logconfig": {\n\t\t"encoding": "json"\n\t},\n\t"replica-priority": 0\n}\n'
    )
    assert config_of(config.file_text()).get(LOGCONFIG) == '{"encoding": "json"}'


def test_numbers_within_the_log_configuration_stay_numbers() -> None:
    config = config_of(b'{"logconfig":{"initialFields":{"shard":3}},"maxmemory":1500}')
    assert config.get(LOGCONFIG) == '{"initialFields": {"shard": 3}}'
    assert b'"maxmemory": "1500"' in config.file_text()


def test_a_log_configuration_that_is_no_object_is_not_written() -> None:
    config = Config()
    config.set("logconfig", "[1]")
    assert config.file_text() == b"{}\n"


def test_the_file_keeps_its_spelling_until_settings_are_kept() -> None:
    config = config_of(b'{"maxmemory":"1500kb","protected-mode":"NO","other":1}')
    assert config.get(MAXMEMORY) == 1500 * 1024
    assert b'"1500kb"' in config.file_text()
    assert b"other" not in config.file_text()
    assert config.left_out == "'other'"
    config.store_values()
    assert b'"maxmemory": "1mb"' in config.file_text()


def test_reading_is_lenient_about_types() -> None:
    config = config_of(
        b'{"maxmemory":1048576,"keepalive":"7","read_only":"true","follow_port":"12","autogc":null}'
    )
    assert (config.get(MAXMEMORY), config.get(KEEPALIVE)) == (1048576, 7)
    assert (config.identity.is_read_only, config.identity.follow_port) == (True, 12)


@pytest.mark.parametrize("text", [b"", b"nonsense", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_object_counts_as_empty(text: bytes) -> None:
    assert config_of(text).file_text() == b"{}\n"
    assert bool(config_of(text).left_out) == bool(text)


def test_a_bad_saved_value_stops_the_start() -> None:
    with pytest.raises(StartError, match="Invalid argument 'x' for CONFIG SET 'maxmemory'"):
        config_of(b'{"maxmemory":"x"}')


@pytest.mark.parametrize(("text", "value"), [("x", 0), ("-1", None), ("5", 5)])
def test_a_bad_saved_priority_does_not(text: str, value: int | None) -> None:
    config = config_of(b'{"replica-priority":"%b"}' % text.encode())
    assert config.get(REPLICA_PRIORITY) == value


def test_a_refused_value_changes_nothing() -> None:
    config = Config()
    config.set("protected-mode", "no")
    with pytest.raises(CommandError):
        config.set("protected-mode", "maybe")
    assert config.get(PROTECTED_MODE) is False


def test_those_who_want_to_know_are_told() -> None:
    config, told = Config(), list[str]()
    config.on_change(told.append)
    config.set("keepalive", "1")
    with pytest.raises(CommandError):
        config.set("keepalive", "x")
    assert told == ["keepalive"]


def test_a_password_of_any_bytes_survives_the_file() -> None:
    config = Config()
    password = b"\xff\xfe".decode("utf-8", "surrogateescape")
    config.set("requirepass", password)
    config.store_values()
    assert config_of(config.file_text()).get(REQUIREPASS) == password


def test_the_default_of_maxmemory_may_depend_on_the_machine() -> None:
    config = Config(maxmemory=3 << 20)
    assert (config.get(MAXMEMORY), config.text("maxmemory")) == (3 << 20, "3mb")
    assert config.is_default(MAXMEMORY)
    config.store_values()
    assert config.file_text() == b"{}\n"
    config.set("maxmemory", "0")
    assert (config.get(MAXMEMORY), config.text("maxmemory")) == (0, "0")
    assert not config.is_default(MAXMEMORY)
    config.store_values()
    assert config.file_text() == b'{\n\t"maxmemory": "0"\n}\n'
    again = Config(maxmemory=3 << 20)
    again.read(config.file_text())
    assert again.get(MAXMEMORY) == 0
    config.set("maxmemory", "")
    assert config.is_default(MAXMEMORY)
