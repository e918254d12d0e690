"""WITHIN and INTERSECTS with circles."""

import pytest

from tests.support.embedded import EngineClient

CIRCLE = (
    '{{"type":"Feature","geometry":{{"type":"Point","coordinates":[{x},{y}]}},'
    '"properties":{{"type":"Circle","radius":{meters}}}}}'
)


@pytest.mark.parametrize(
    ("point", "circle", "is_within"),
    [
        ((38.13, -78.45), (19.13, 72.8, 20_000_000), True),
        ((52, 14.5), (52, 0, 1_000_000), True),  # east of the 64 corners of Tile38
        ((88, 25), (88, 0, 100_000), True),
        ((89.9, 50), (89.9, 0, 10_000), True),
        ((89.5, 180), (90, 0, 60_000), True),
        ((0, -179.9), (0, 179.9, 30_000), True),
        ((0, -179.9), (0, 179.9, 20_000), False),
        ((0, 180), (0, 0, 20_015_086), False),
        ((0, 180), (0, 0, 20_015_087), True),
        ((0, 90), (0, 0, 41_000_000), True),  # more than once round the earth
    ],
)
def test_a_circle_is_the_same_on_the_whole_sphere(
    point: tuple[float, float], circle: tuple[float, float, float], is_within: bool
) -> None:
    client = EngineClient()
    assert client.call("SET", "k", "p", "POINT", *point) == "+OK"
    count = f":{int(is_within)}"
    for relation in ("WITHIN", "INTERSECTS"):
        assert client.call(relation, "k", "COUNT", "CIRCLE", *circle) == count
        assert client.call("TEST", "POINT", *point, relation, "CIRCLE", *circle) == count
    assert client.call("NEARBY", "k", "COUNT", "POINT", *circle) == count


def test_a_stored_circle_is_found_by_every_search_of_areas_and_by_none_of_strings() -> None:
    client = EngineClient()
    circle = CIRCLE.format(x=0, y=0, meters=100_000)
    assert client.call("SET", "k", "c", "OBJECT", circle) == "+OK"
    for search, count in (
        (("WITHIN", "k", "COUNT", "BOUNDS", -1, -1, 1, 1), ":1"),
        (("WITHIN", "k", "COUNT", "BOUNDS", -0.5, -1, 1, 1), ":0"),
        (("WITHIN", "k", "COUNT", "CIRCLE", 0, 0.5, 160_000), ":1"),
        (("WITHIN", "k", "COUNT", "CIRCLE", 0, 0.5, 150_000), ":0"),
        (("INTERSECTS", "k", "COUNT", "BOUNDS", 0.8, 0, 1, 1), ":1"),
        (("INTERSECTS", "k", "COUNT", "BOUNDS", 0.8, 0.8, 1, 1), ":0"),  # beside the arc
        (("NEARBY", "k", "COUNT", "POINT", 0, 1, 11_196), ":1"),
        (("NEARBY", "k", "COUNT", "POINT", 0, 1, 11_194), ":0"),
        (("SEARCH", "k", "IDS"), [":0", []]),
        (("SCAN", "k", "COUNT"), ":1"),
    ):
        assert client.call(*search) == count, search
    assert client.call("GET", "k", "c") == "$ " + circle.replace("}}", ',"radius_units":"m"}}')


def test_a_circle_is_within_another_only_as_a_whole() -> None:
    client = EngineClient()
    inner, outer = ("CIRCLE", 0.5, 0, 1), ("CIRCLE", 0.5, 0, 20_000)
    assert client.call("TEST", *inner, "WITHIN", *outer) == ":1"
    assert client.call("TEST", *outer, "WITHIN", *inner) == ":0"
    assert client.call("TEST", *outer, "INTERSECTS", *inner) == ":1"
    beside = ("CIRCLE", 0.5, 0.2, 3000)
    assert client.call("TEST", *beside, "INTERSECTS", *outer) == ":1"
    assert client.call("TEST", *beside, "WITHIN", *outer) == ":0"
