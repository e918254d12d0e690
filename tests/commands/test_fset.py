"""FSET."""

import pytest

from tests.support.embedded import EngineClient


@pytest.fixture
def client() -> EngineClient:
    """A session with an engine that holds an object without fields."""
    client = EngineClient()
    assert client.call("SET", "fleet", "a", "POINT", 1, 2) == "+OK"
    return client


@pytest.mark.parametrize(
    ("present", "sent", "shown"),
    [
        ("on", "ON", "ON"),
        ("8301034833169298414", "8301034833169298415", "8301034833169298415"),
        ("1.10", "1.1", "1.1"),
        ("1", "1.0", "1.0"),
        ("nan", "5", "5"),
        ("5", "nan", "NaN"),
        ("1", '"1"', "1"),
        ("0.0", "-0", "-0"),
        ("true", '"true"', "true"),
        ('{"a":1}', '{"a":1.0}', '{"a":1.0}'),
    ],
)
def test_a_value_is_stored_as_it_was_sent_although_it_compares_as_equal(
    client: EngineClient, present: str, sent: str, shown: str
) -> None:
    client.call("FSET", "fleet", "a", "s", present)
    assert client.call("FSET", "fleet", "a", "s", sent) == ":1"
    assert client.call("FSET", "fleet", "a", "s", sent) == ":0"
    assert client.call("FGET", "fleet", "a", "s") == f"$ {shown}"
    client.call("FSET", "fleet", "a", "s", present)
    client.call("SET", "fleet", "a", "FIELD", "s", sent, "POINT", 1, 2)
    assert client.call("FGET", "fleet", "a", "s") == f"$ {shown}"


def test_only_changes_are_counted_and_logged(client: EngineClient) -> None:
    client.call("FSET", "fleet", "a", "s", "on")
    client.log = b""
    assert client.call("FSET", "fleet", "a", "s", "on", "t", "0") == ":0"
    assert client.log == b""
    assert client.call("FSET", "fleet", "a", "s", "On", "s", "On", "s", "oN") == ":2"
    assert client.log.startswith(b"*9\r\n$4\r\nFSET\r\n")


@pytest.mark.parametrize("zero", ["0.0", "-0", "nan", '"0"'])
def test_only_the_number_0_deletes_a_field(client: EngineClient, zero: str) -> None:
    assert client.call("FSET", "fleet", "a", "n", zero) == ":1"
    assert client.call("FEXISTS", "fleet", "a", "n") == ":1"
    assert client.call("FSET", "fleet", "a", "n", "0") == ":1"
    assert client.call("FEXISTS", "fleet", "a", "n") == ":0"
    assert client.call("FSET", "fleet", "a", "n", "0") == ":0"


def test_a_name_with_a_dot_is_stored_whatever_its_path_reads(client: EngineClient) -> None:
    client.call("FSET", "fleet", "a", "j", '{"b":5}')
    assert client.call("FSET", "fleet", "a", "j.b", "5") == ":1"
    assert client.call("FSET", "fleet", "a", "j.b", "5") == ":0"
    assert client.call("FSET", "fleet", "a", "j.b", "6") == ":1"
    assert client.call("FGET", "fleet", "a", "j.b") == "$ 5"
    client.call("FSET", "fleet", "a", "j", "0")
    assert client.call("FGET", "fleet", "a", "j.b") == "$ 6"


def test_json_under_a_name_with_a_dot_counts_as_changed_once(client: EngineClient) -> None:
    for count in (1, 0):
        assert client.call("FSET", "fleet", "a", "x.y", '{"q":1}') == f":{count}"
        # FGET can't read such a field.
        assert client.call("FGET", "fleet", "a", "x.y") == "$ 0"
