"""TEST."""

from tests.support.embedded import EngineClient


def test_a_stored_string_is_an_operand_of_clip_that_nothing_touches() -> None:
    client = EngineClient()
    assert client.call("SET", "k", "s", "STRING", "x") == "+OK"
    area = ("BOUNDS", 0, 0, 9, 9)
    assert client.call("TEST", "GET", "k", "s", "INTERSECTS", "CLIP", *area) == ":0"
    refused = client.call("TEST", "(", *area, ")", "INTERSECTS", "CLIP", *area)
    assert refused == "-ERR invalid argument 'clip'"
