"""TEST."""

from tests.support.embedded import EngineClient


def test_an_empty_group_lacks_an_operand() -> None:
    client = EngineClient()
    area = ("BOUNDS", 0, 0, 9, 9)
    arity = "-ERR wrong number of arguments for 'test' command"
    assert client.call("TEST", "(", ")", "WITHIN", *area) == arity
    assert client.call("TEST", *area, "WITHIN", "(", ")") == arity
    assert client.call("TEST", *area, "AND", "(", "(", ")", ")", "WITHIN", *area) == arity
    for words in (("(", *area, "AND", ")"), ("(", "NOT", ")"), (")",)):
        assert client.call("TEST", *words, "WITHIN", *area) == "-ERR invalid argument ')'"


def test_a_stored_string_is_an_operand_of_clip_that_nothing_touches() -> None:
    client = EngineClient()
    assert client.call("SET", "k", "s", "STRING", "x") == "+OK"
    area = ("BOUNDS", 0, 0, 9, 9)
    assert client.call("TEST", "GET", "k", "s", "INTERSECTS", "CLIP", *area) == ":0"
    refused = client.call("TEST", "(", *area, ")", "INTERSECTS", "CLIP", *area)
    assert refused == "-ERR invalid argument 'clip'"
