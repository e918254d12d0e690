"""Searches give objects in the order of the index model, beyond what one node holds, too."""

import random

import pytest

from tests.support.embedded import EngineClient
from tests.support.models.index import IndexModel, float32_box
from tests.support.models.seeds import seeds

WORLD = ("BOUNDS", -90, -180, 90, 180)
LIMIT = ("LIMIT", 100_000)
Place = tuple[float, float]  # latitude, longitude


class Pair:
    """An engine and the model, which go through the same changes."""

    def __init__(self) -> None:
        self.client = EngineClient()
        self.model = IndexModel()
        self.places: dict[str, Place] = {}

    def set(self, name: str, place: Place) -> None:
        latitude, longitude = place
        assert self.client.call("SET", "k", name, "POINT", latitude, longitude) == "+OK"
        self._forget(name)
        self.places[name] = place
        self.model.insert(name, box_of(place))

    def delete(self, name: str) -> None:
        assert self.client.call("DEL", "k", name) == ":1"
        self._forget(name)

    def _forget(self, name: str) -> None:
        if name in self.places:
            self.model.remove(name, box_of(self.places.pop(name)))

    def check(self) -> None:
        reply = self.client.call("INTERSECTS", "k", *LIMIT, "IDS", *WORLD)
        assert names_in(reply) == self.model.names()


def box_of(place: Place) -> tuple[float, float, float, float]:
    latitude, longitude = place
    return float32_box(longitude, latitude, longitude, latitude)


def names_in(reply: object) -> list[str]:
    assert isinstance(reply, list), reply
    return [str(name).removeprefix("$ ") for name in reply[1]]


def numbers(*parts: int | range) -> list[str]:
    """The names of objects that are numbered."""
    return [str(n) for part in parts for n in (part if isinstance(part, range) else [part])]


@pytest.mark.parametrize(
    ("places", "order"),
    [
        pytest.param(
            [*((i * 0.1, i * 0.01) for i in range(63)), (0.0, 100.0), (1.0, 0.5)],
            numbers(0, 63, range(1, 50), 64, range(50, 63)),
            id="a half that lacks entries gets those of the least upper edge",
        ),
        pytest.param(
            [(float(i), 7.0) for i in range(66)],
            numbers(range(63, 31, -1), 65, 64, range(32)),
            id="equals of the root are moved whenever it grows",
        ),
    ],
)
def test_orders_that_tile38_gave(places: list[Place], order: list[str]) -> None:
    pair = Pair()
    for number, place in enumerate(places):
        pair.set(str(number), place)
    pair.check()
    assert pair.model.names() == order


def test_the_order_of_65_objects_at_one_place() -> None:
    pair = Pair()
    for number in range(65):
        pair.set(str(number), (1.0, 1.0))
    pair.check()
    found = pair.model.names()
    assert found[:4] + found[-4:] == numbers(31, 62, 32, 0, 23, 64, 63, 15)


@pytest.mark.parametrize("seed", seeds(8))
def test_the_index_has_the_order_of_the_model(seed: int) -> None:
    numbers = random.Random(seed)
    # Coarse places make many equals; a track makes the root grow with every object.
    step = numbers.choice([0.001, 1.0, 15.0])
    names = [str(number) for number in range(numbers.choice([100, 300, 900]))]
    pair = Pair()
    for turn in range(4 * len(names)):
        name = numbers.choice(names)
        if name in pair.places and numbers.random() < 0.4:
            pair.delete(name)
        elif numbers.random() < 0.2:
            pair.set(name, (round(turn * step / 100, 3) % 80, 7.0))
        else:
            latitude, longitude = numbers.uniform(-80, 80), numbers.uniform(-170, 170)
            pair.set(name, (latitude // step * step, longitude // step * step))
        if turn % 97 == 0:
            pair.check()
    for name in list(pair.places)[2:]:
        pair.delete(name)
    pair.check()
    for name in names:
        pair.set(name, (numbers.uniform(-80, 80) // step * step, 7.0))
    pair.check()


@pytest.mark.parametrize("seed", seeds(4))
def test_equally_distant_objects_have_the_order_of_the_model(seed: int) -> None:
    numbers = random.Random(seed)
    pair = Pair()
    for number in range(numbers.choice([65, 130, 700])):
        pair.set(str(number), (1.0, 1.0))
        if numbers.random() < 0.3:
            pair.delete(numbers.choice(list(pair.places)))
    reply = pair.client.call("NEARBY", "k", *LIMIT, "IDS", "POINT", 1, 1)
    assert names_in(reply) == pair.model.nearest(lambda _box: 0.0)
