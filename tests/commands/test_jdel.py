"""JDEL."""

import pytest

from tests.support.embedded import EngineClient

DOCUMENT = '{"x y":1,"p q":{"r s":2}}'
FEATURE = (
    '{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},'
    '"x y":1,"p q":{"r s":2},"properties":{}}'
)


@pytest.mark.parametrize("kind", [("STRING", DOCUMENT), ("OBJECT", FEATURE)])
@pytest.mark.parametrize("path", ["x y", "p q", "p q.r s", "x\\ y"])
def test_a_path_with_a_blank_is_removed_once(kind: tuple[str, str], path: str) -> None:
    client = EngineClient()
    client.call("SET", "k", "a", *kind)
    assert client.call("JDEL", "k", "a", path) == (":1" if kind[0] == "STRING" else "+OK")
    assert client.call("JGET", "k", "a", path) == "$-1"
    assert client.call("JDEL", "k", "a", path) == ":0"


@pytest.mark.parametrize("path", ["x", " x y", "x y ", "x  y", "p q.r", "x\ty"])
def test_a_path_with_a_blank_too_many_is_told_as_missing(path: str) -> None:
    client = EngineClient()
    client.call("SET", "k", "a", "STRING", DOCUMENT)
    assert client.call("JDEL", "k", "a", path) == ":0"
    assert client.call("GET", "k", "a") == f"$ {DOCUMENT}"
    assert client.log.count(b"JDEL") == 0
