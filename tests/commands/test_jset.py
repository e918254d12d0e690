"""JSET."""

import json

import pytest

from tests.support.bench import Bench
from tests.support.embedded import EngineClient, new_engine
from tests.support.resp import encode_command


def test_an_error_names_the_path_byte_by_byte(bench: Bench) -> None:
    bench.call("JSET", "fleet", "a", "list", "[]", "RAW")
    error = b"-ERR cannot set array element for non-numeric key '\xff'\r\n"
    assert bench.call("JSET", "fleet", "a", b"list.\xff", "1") == error


@pytest.mark.parametrize("kind", [("POINT", 1, 2), ("STRING", '{"a":1}')])
def test_the_expiry_stays_also_in_the_log_and_its_rewrite(kind: tuple[str | int, ...]) -> None:
    client = EngineClient()
    client.call("SET", "k", "a", "EX", 120, *kind)
    client.call("SET", "k", "b", *kind)
    for name in ("a", "b"):
        assert client.call("JSET", "k", name, "x", 1) == "+OK"
        assert client.call("JDEL", "k", name, "x") in {"+OK", ":1"}
    rewritten = client.engine.rewrite(client.now_ns)
    loaded, shrunk = new_engine(), new_engine()
    assert loaded.load(client.log, client.now_ns).error is None
    assert shrunk.load(bytes(rewritten.read(1 << 20)), client.now_ns).error is None
    for engine in (client.engine, loaded, shrunk):
        reader = EngineClient(engine)
        assert reader.call("TTL", "k", "a") == ":120"
        assert reader.call("TTL", "k", "b") == ":-1"


@pytest.mark.parametrize("text", [".5", "-.5", "e5", ".1e1", "1.", "+5", "007", "-", "1e", " 1"])
def test_what_is_no_json_number_becomes_a_string(text: str) -> None:
    client = EngineClient()
    assert client.call("JSET", "k", "a", "x", text) == "+OK"
    assert json.loads(str(client.call("GET", "k", "a")).removeprefix("$ ")) == {"x": text}


@pytest.mark.parametrize("text", ["{oops", "oops", "", ".5", "1 2", "'a'", "[1,]", "01"])
def test_raw_takes_json_only(text: str) -> None:
    client = EngineClient()
    client.call("JSET", "k", "a", "x", 1)
    client.log = b""
    assert client.call("JSET", "k", "a", "x", text, "RAW") == f"-ERR invalid argument '{text}'"
    assert client.call("GET", "k", "a") == '$ {"x":1}'
    assert client.log == b""


def test_raw_of_a_log_is_stored_as_it_is() -> None:
    client = EngineClient()
    log = encode_command([b"JSET", b"k", b"a", b"x", b"{oops", b"RAW"])
    assert client.engine.load(log, client.now_ns).error is None
    assert client.call("GET", "k", "a") == '$ {"x":{oops}'
