"""Random WHERE expressions select the objects that the model of the specification selects."""

import random

import pytest

from tests.support.embedded import EngineClient
from tests.support.models.expression import Scope, holds, value_of_json
from tests.support.models.seeds import seeds
from tests.support.models.value import Double, UnspecifiedError, Value

POINT = ("POINT", "1", "2")
FEATURE = '{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},%s}'
PROPERTIES = '{"age":30,"name":"Bob","tags":["x",2],"tid":8301034833169298415,"no":null}'
DOCUMENT = '{"k":5,"l":[1,2,null,"x"],"s":"T","b":true,"n":null,"big":9007199254740993,"d":{}}'
# Each object's id, type, GeoJSON members, stored fields, and what stores its shape.
OBJECTS: list[tuple[str, str | None, dict[str, str], dict[str, str], tuple[str, ...]]] = [
    ("a", "Point", {}, {"n": "1", "s": "abc", "b": "true", "m": "-0"}, POINT),
    ("b", "Point", {}, {"n": "-3.5", "s": "ABD", "b": "false", "y": "null"}, POINT),
    ("c", "Point", {}, {"n": "10", "s": '"10"', "doc": DOCUMENT, "list": "[1,2]"}, POINT),
    ("d", "Polygon", {}, {}, ("BOUNDS", "1", "2", "3", "4")),
    ("e", "Feature", {"properties": PROPERTIES}, {"n": "8301034833169298414"}, ()),
    ("f", None, {}, {"n": "9007199254740993", "s": '"8301034833169298414"'}, ("STRING", "x")),
    ("g", "Point", {}, {"n": "nan", "s": "inf", "m": "-inf", "list": "[]", "b": '"true"'}, POINT),
    ("h", "Feature", {"n": "7", "id": '"Z"', "properties": "{}"}, {"n": "9", "m": "1e400"}, ()),
    ("i", "Point", {}, {"n": "9007199254740992.0", "s": "a?c", "m": "1E2", "doc": "{}"}, POINT),
    ("j", "Point", {}, {"n": "-9007199254740993", "s": "", "m": "0.1", "list": '["abc"]'}, POINT),
]
NAMES = ["n", "s", "b", "y", "m", "doc", "list", "nothing", "id", "type"]
PATHS = [
    *("doc.k", "doc.l[0]", "doc.l[2]", "doc.big", "doc.s", "doc.nope", "doc.d", "doc['#']"),
    *("list[0]", "list['#']", "properties", "properties.age", "properties.tid", "properties.no"),
    *("properties.tags[1]", "properties.nope", "properties.nope?.x", "properties.nope.x"),
    *("this", "this.n", "this.type", "this['s']", "s.match('a*')", "n.match('*4')", "s.nope"),
    *("id.match('?')", "(nothing).match('0')", "s.match(s)"),
]
LITERALS = [
    *("0", "1", "2.5", "10", "-1", "007", ".5", "5.", "1_000", "1e2", "0x1F", "1e-7"),
    *("8301034833169298414", "8301034833169298415", "8301034833169298414.0", "-9007199254740993"),
    *("9007199254740992", "9007199254740993", "0x20000000000001", "18446744073709551616"),
    *("5i64", "0i64", "9007199254740993i64", "9223372036854775807i64", "2u64", "0u64"),
    *("18446744073709551615u64", "9007199254740992u64", "8301034833169298414i64"),
    *("true", "false", "null", "undefined", "NaN", "Infinity"),
    *("''", "'abc'", '"ABC"', "'10'", "' 1'", "'9007199254740993'", "'1e2'", "'true'", "'+Inf'"),
    *("[]", "[5]", "[1,2]", "['abc']", "[9007199254740993]", "[null]", "[n, s]"),
]
OPERATORS = [
    *("==", "!=", "===", "!==", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "&&", "||", "??"),
    *("&", "|", "^"),
]
PATTERNS = ["'a'", "'^[a-c]+$'", "'(?i)ABC'", "'('", "s", "'1'"]
BATCH_COUNT = 2  # in each run
BATCH_SIZE = 500


def field_value(text: str) -> Value:
    """A stored field as expressions see it."""
    if text.lower() in {"nan", "inf", "-inf", "1e400"}:
        return {"nan": b"NaN", "inf": b"+Inf", "-inf": b"-Inf", "1e400": b"+Inf"}[text.lower()]
    if text[:1] in {"{", "[", '"'} or text in {"true", "false", "null"}:
        return value_of_json(text)
    try:
        return Double.of_text(text)
    except ValueError:
        return text.encode()


SCOPES = [
    Scope(
        name,
        kind,
        {field: field_value(text) for field, text in fields.items()},
        {member: value_of_json(text) for member, text in members.items()},
    )
    for name, kind, members, fields, _ in OBJECTS
]


@pytest.fixture(scope="module")
def client() -> EngineClient:
    """A session with an engine that holds the objects."""
    client = EngineClient()
    for name, _, members, fields, shape in OBJECTS:
        texts = ",".join(f'"{member}":{text}' for member, text in members.items())
        stored = shape or ("OBJECT", FEATURE % texts)
        words = [word for pair in fields.items() for word in ("FIELD", *pair)]
        assert client.call("SET", "k", name, *words, *stored) == "+OK"
    return client


class Generator:
    """Makes random expressions."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def expression(self) -> str:
        """Two or three operators, now and then a condition or a list around them."""
        operands = [self._operand() for _ in range(self._random.choice([2, 3, 3, 4]))]
        text = operands[0]
        for operand in operands[1:]:
            text = self._joined(text, operand)
        match self._random.randrange(12):
            case 0:
                return f"{text} ? {self._operand()} : {self._operand()}"
            case 1:
                return f"{self._operand()}, {text}"
            case 2:
                return f"!({text})"
            case _:
                return text

    def _joined(self, left: str, right: str) -> str:
        if self._random.random() < 0.06:
            return f"{left} =~ {self._random.choice(PATTERNS)}"
        blank = self._random.choice([" ", " ", ""])
        text = f"{left}{blank}{self._random.choice(OPERATORS)}{blank}{right}"
        return f"({text})" if self._random.random() < 0.25 else text

    def _operand(self) -> str:
        large = str((1 << self._random.randint(52, 64)) + self._random.randint(-3, 3))
        text = self._random.choice(self._random.choice([NAMES, NAMES, PATHS, LITERALS, [large]]))
        prefix = self._random.choice(["", "", "", "", "", "", "!", "-", "+", "!!", "- -"])
        return prefix + text


def found_by_model(expression: str) -> list[str] | None:
    """The objects that the model selects; None where the specification doesn't say."""
    try:
        return [scope.object_id for scope in SCOPES if holds(expression, scope)]
    except UnspecifiedError:
        return None


def compare(client: EngineClient, expressions: list[str]) -> int:
    """Fail at the first difference; how many were compared."""
    commands = [("SCAN", "k", "WHERE", text, "IDS") for text in expressions]
    compared = 0
    for text, reply in zip(expressions, client.call_many(commands), strict=True):
        expected = found_by_model(text)
        assert isinstance(reply, list), (text, reply)
        if expected is not None:
            assert [str(name)[2:] for name in reply[1]] == expected, text
            compared += 1
    return compared


def test_random_expressions_select_what_the_model_selects(client: EngineClient) -> None:
    batches = seeds(BATCH_COUNT)
    compared = 0
    for seed in batches:
        generator = Generator(seed)
        compared += compare(client, [generator.expression() for _ in range(BATCH_SIZE)])
    assert compared > len(batches) * BATCH_SIZE * 0.9
