"""Random writes leave what the model of the specification has: live, in the log, on a follower."""

import random
from dataclasses import replace

from tests.support.embedded import EngineClient, new_engine
from tests.support.models import documents
from tests.support.models.keyspace import SECOND_NS, KeyspaceModel, Stored, point
from tests.support.models.seeds import seeds
from tests.support.resp import Reply

RUN_COUNT = 100
COMMAND_COUNT = 100  # in each run
KEYS = ["k", "l"]
IDS = ["1", "2", "3"]
NAMES = ["f", "g", "h"]
VALUES = [
    *("0", "0.0", "-0", '"0"', "1", "1.0", "1.10", "1.1", "1e2", "100", "-5", "007", ".5", "+5"),
    *("8301034833169298414", "8301034833169298415", "8301034833169298414.0", "9007199254740993"),
    *("nan", '"NaN"', "inf", "-Infinity", "1e400", "on", "ON", "true", "True", "false", "null"),
    *('{"a":1}', '{ "a" : 1 }', "[1,2]", '{"a":', " x ", '" x "', "", "é", "É"),
]
PATHS = [
    *(
        "a",
        "b",
        "x y",
        "a.b",
        "a.0",
        "a.2",
        "a.-1",
        "a.x y",
        "list.1",
        "list.-1",
        "list.",
        "list.q",
    ),
    *("0", "-1", "2.b", "", "a.b.c", "properties.a", "properties.x y", "properties.list.0"),
]
# Over these a geometry is no longer one.
PATHS_OF_STRINGS = ["type", "coordinates", "coordinates.0"]
JSON_VALUES = [
    *("1", "1.50", "-2", "8301034833169298415", ".5", "-.5", "e5", ".1e1", "01", "true", "null"),
    *("x", "x y", "", 'a"b', "{oops", '{"b":[1]}', '["x",{"y":2}]', '"q"', "1 2", "[1,]"),
]
FEATURE = (
    '{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},'
    '"properties":{"a":1,"list":[1,2],"x y":{}}}'
)
TEXTS = ["plain", "", "5", '{"a":{"b":1},"list":[1,2],"x y":"v"}', '[1,{"b":2}]', '"s"']


class Run:
    """An engine, its follower and the model, which go through the same commands."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.client = EngineClient()
        self.follower = EngineClient()
        self.model = KeyspaceModel()
        self.received = 0

    def step(self) -> None:
        """One random command, or time that passes."""
        often = [self._set, self._fset, self._jset]
        commands = [self._jdel, self._where, self._where_in, self._expire, self._others]
        self.random.choice([*often, *often, *commands, self._pass_time])()
        followed = self.follower.engine.follow(
            self.client.log[self.received :], 0, self.client.now_ns
        )
        assert followed.error is None, self.seed
        self.received += followed.consumed
        assert self.received == len(self.client.log)

    def _expect(self, expected: Reply, *words: str | int) -> None:
        assert self.client.call(*words) == expected, (self.seed, words)

    def _place(self) -> tuple[str, str]:
        return self.random.choice(KEYS), self.random.choice(IDS)

    def _pairs(self, count_min: int) -> list[tuple[str, str]]:
        count = self.random.randint(count_min, 3)
        return [(self.random.choice(NAMES), self._value()) for _ in range(count)]

    def _value(self) -> str:
        """A value of the list, or a number near one that other numbers share a double with."""
        if self.random.random() < 0.8:
            return self.random.choice(VALUES)
        number = self.random.choice([1, -1]) * ((1 << self.random.randint(50, 70)) + 3)
        text = str(number + self.random.randint(-4, 4))
        return text + self.random.choice(["", "", "", ".0", "e0"])

    def _set(self) -> None:
        key, name = self._place()
        pairs = self._pairs(0)
        seconds = self.random.choice([None, None, 10, 120])
        condition = self.random.choice(["", "", "", "NX", "XX"])
        words = [word for pair in pairs for word in ("FIELD", *pair)]
        words += [] if seconds is None else ["EX", str(seconds)]
        words += [condition] if condition else []
        text = self.random.choice(TEXTS)
        shapes: list[tuple[Stored, tuple[str, ...]]] = [
            (Stored(geometry=point("1", "2")), ("POINT", "1", "2")),
            (Stored(geometry=documents.parsed(FEATURE)), ("OBJECT", FEATURE)),
            (Stored(text), ("STRING", text)),
        ]
        shape, stored = self.random.choice(shapes)
        if seconds is not None:
            shape = replace(shape, deadline_ns=self.client.now_ns + seconds * SECOND_NS)
        expected = self.model.set(key, name, shape, pairs, condition)
        self._expect(expected, "SET", key, name, *words, *stored)

    def _fset(self) -> None:
        key, name = self._place()
        pairs = self._pairs(1)
        is_optional = self.random.random() < 0.3
        words = [word for pair in pairs for word in pair]
        expected = self.model.fset(key, name, pairs, is_optional=is_optional)
        self._expect(expected, "FSET", key, name, *words, *(["XX"] if is_optional else []))

    def _path(self, key: str, name: str) -> str:
        present = self.model.keys.get(key, {}).get(name)
        is_spatial = present is not None and present.is_spatial
        return self.random.choice(PATHS if is_spatial else PATHS + PATHS_OF_STRINGS)

    def _jset(self) -> None:
        key, name = self._place()
        path, value = self._path(key, name), self.random.choice(JSON_VALUES)
        mode = self.random.choice(["", "", "RAW", "STR"])
        expected = self.model.jset(key, name, path, value, mode)
        self._expect(expected, "JSET", key, name, path, value, *([mode] if mode else []))

    def _jdel(self) -> None:
        key, name = self._place()
        path = self._path(key, name)
        self._expect(self.model.jdel(key, name, path), "JDEL", key, name, path)

    def _where(self) -> None:
        key, field = self.random.choice(KEYS), self.random.choice(NAMES)
        low, high = self._value(), self._value()
        if self.random.random() < 0.5:
            low = self.random.choice(["<", "<=", ">", ">=", "==", "!="])
        elif self.random.random() < 0.3:
            low, high = f"({low}", f"({high}"
        if low == "" or (low[0].isalpha() and low != "inf"):
            return  # an expression
        expected = self.model.scan_where(key, field, low, high)
        self._expect(expected, "SCAN", key, "WHERE", field, low, high, "IDS")

    def _where_in(self) -> None:
        key, field = self.random.choice(KEYS), self.random.choice(NAMES)
        operands = [self._value() for _ in range(self.random.randint(0, 3))]
        expected = self.model.scan_where_in(key, field, operands)
        self._expect(expected, "SCAN", key, "WHEREIN", field, str(len(operands)), *operands, "IDS")

    def _expire(self) -> None:
        key, name = self._place()
        if self.random.random() < 0.3:
            self._expect(self.model.persist(key, name), "PERSIST", key, name)
            return
        seconds = self.random.choice([1, 30, 200])
        expected = self.model.expire_at(key, name, self.client.now_ns + seconds * SECOND_NS)
        self._expect(expected, "EXPIRE", key, name, seconds)

    def _others(self) -> None:
        key, name = self._place()
        match self.random.randrange(3):
            case 0:
                self._expect(self.model.delete(key, name), "DEL", key, name)
            case 1:
                self._expect(self.model.ttl(key, name, self.client.now_ns), "TTL", key, name)
            case _:
                field = self.random.choice(NAMES)
                self._expect(self.model.fget(key, name, field), "FGET", key, name, field)

    def _pass_time(self) -> None:
        self.client.now_ns += self.random.choice([0, 1, 5]) * SECOND_NS
        self.follower.now_ns = self.client.now_ns
        removed, _ = self.client.engine.expire(self.client.now_ns, 1000)
        self.client.log += removed
        self.model.expire(self.client.now_ns)

    def check(self) -> None:
        """The engine, its follower, its log and its rewritten log have what the model has."""
        now_ns = self.client.now_ns
        lifetimes = self._check(self.client)
        assert self._check(self.follower) == lifetimes, self.seed
        rewritten = bytes(self.client.engine.rewrite(now_ns).read(1 << 24))
        for log in (self.client.log, rewritten):
            engine = new_engine()
            assert engine.load(log, now_ns).error is None, self.seed
            # Seconds begin anew with the log, but who lives for ever stays the same.
            endless = {place for place, seconds in lifetimes.items() if seconds == ":-1"}
            found = self._check(EngineClient(engine))
            assert {place for place, seconds in found.items() if seconds == ":-1"} == endless

    def _check(self, client: EngineClient) -> dict[tuple[str, str], Reply]:
        assert client.call("KEYS", "*") == [f"$ {key}" for key in sorted(self.model.keys)]
        lifetimes: dict[tuple[str, str], Reply] = {}
        for key, objects in self.model.keys.items():
            expected = [":0", [f"$ {name}" for name in sorted(objects)]]
            assert client.call("SCAN", key, "IDS") == expected, self.seed
            for name, stored in objects.items():
                self._check_object(client, key, name, stored)
                lifetimes[key, name] = client.call("TTL", key, name)
                if client is self.client:
                    seconds = self.model.ttl(key, name, client.now_ns)
                    assert lifetimes[key, name] == seconds, (self.seed, key, name)
        return lifetimes

    def _check_object(self, client: EngineClient, key: str, name: str, stored: Stored) -> None:
        place = (self.seed, key, name)
        reply = client.call("GET", key, name, "WITHFIELDS")
        assert isinstance(reply, list), place
        text, *fields = reply
        assert isinstance(text, str), place
        if stored.document == stored.text:
            assert text == f"$ {stored.text}", place
        else:
            assert documents.parsed(text[2:]) == with_properties(stored), place
        values = sorted(stored.fields.items())
        flat = [f"$ {word}" for field, value in values for word in (field, value.text)]
        assert fields == ([flat] if flat else []), place


def with_properties(stored: Stored) -> documents.Document:
    """The document as it is printed: a Feature has properties, if need be empty ones."""
    document = stored.document
    if stored.is_spatial and isinstance(document, dict) and document.get("type") == "Feature":
        return {"properties": {}, **document}
    return document


def test_random_commands_leave_what_the_model_has() -> None:
    for seed in seeds(RUN_COUNT):
        run = Run(seed)
        for _ in range(COMMAND_COUNT):
            run.step()
        run.check()
