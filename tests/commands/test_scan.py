"""WHERE and WHEREIN, whose rules are those of every search, by SCAN."""

import pytest

from tests.support.embedded import EngineClient

LOW, HIGH = "8301034833169298414", "8301034833169298415"


@pytest.fixture
def client() -> EngineClient:
    """A session with an engine that holds two objects, whose ids of 64 bits share a double."""
    client = EngineClient()
    for name, number in (("low", LOW), ("high", HIGH)):
        feature = (
            f'{{"type":"Feature","geometry":{{"type":"Point","coordinates":[1,2]}},'
            f'"properties":{{"tid":{number}}}}}'
        )
        fields = ("FIELD", "tid", number, "FIELD", "doc", f'{{"id":{number}}}')
        assert client.call("SET", "k", name, *fields, "OBJECT", feature) == "+OK"
    return client


def found(client: EngineClient, *options: str | int) -> list[str]:
    reply = client.call("SCAN", "k", *options, "IDS")
    assert isinstance(reply, list), reply
    return [str(name).removeprefix("$ ") for name in reply[1]]


@pytest.mark.parametrize("field", ["tid", "doc.id", "properties.tid"])
def test_integers_that_share_a_double_are_told_apart(client: EngineClient, field: str) -> None:
    assert found(client, "WHERE", field, "==", LOW) == ["low"]
    assert found(client, "WHERE", field, "!=", LOW) == ["high"]
    assert found(client, "WHERE", field, "<", HIGH) == ["low"]
    assert found(client, "WHERE", field, ">=", HIGH) == ["high"]
    assert found(client, "WHERE", field, LOW, LOW) == ["low"]
    assert found(client, "WHERE", field, f"({LOW}", HIGH) == ["high"]
    assert found(client, "WHEREIN", field, 1, HIGH) == ["high"]
    assert found(client, "WHERE", f"{field} == {LOW}") == ["low"]
    assert found(client, "WHERE", f"{field} > {LOW}") == ["high"]
    assert found(client, "WHERE", f"-{field} < -{LOW}") == ["high"]


@pytest.mark.parametrize("double", [f"{LOW}.0", "8.301034833169298414e18"])
def test_other_numbers_compare_as_doubles(client: EngineClient, double: str) -> None:
    assert found(client, "WHERE", "tid", "==", double) == ["high", "low"]
    assert found(client, "WHEREIN", "tid", 1, double) == ["high", "low"]
    assert found(client, "WHERE", f"tid == {double}") == ["high", "low"]


def test_an_empty_expression_is_false_for_every_object(client: EngineClient) -> None:
    assert found(client, "WHERE", "") == []
    arity = "-ERR wrong number of arguments for 'scan' command"
    assert client.call("SCAN", "k", "WHERE", "", "") == arity


def test_wherein_names_the_empty_word_that_is_no_number(client: EngineClient) -> None:
    assert client.call("SCAN", "k", "WHEREIN", "n", "") == "-ERR invalid argument ''"


@pytest.mark.parametrize("option", ["CURSOR", "LIMIT", "SPARSE", "DETECT", "COMMANDS"])
def test_an_option_twice_is_a_duplicate_whatever_stands_behind_it(
    client: EngineClient, option: str
) -> None:
    value = {"DETECT": "inside", "COMMANDS": "set"}.get(option, "5")
    for rest in ((), ("",), ("x",), (value,)):
        words = ("SCAN", "k", option, value, option.lower(), *rest)
        assert client.call(*words) == f"-ERR duplicate argument '{option}'"


def test_a_repeated_item_is_named_as_it_was_typed(client: EngineClient) -> None:
    refused = client.call("SCAN", "k", "DETECT", "inside, INSIDE ")
    assert refused == "-ERR duplicate argument 'INSIDE'"
    assert client.call("SCAN", "k", "COMMANDS", "Set,sEt") == "-ERR duplicate argument 'sEt'"


def test_a_third_ordinate_is_a_double(client: EngineClient) -> None:
    client.call("SET", "k", "up", "POINT", 1, 2, LOW)
    assert found(client, "MATCH", "up", "WHERE", "z", "==", HIGH) == ["up"]


def test_a_number_beyond_doubles_is_a_text_in_expressions(client: EngineClient) -> None:
    client.call("FSET", "k", "low", "n", "1e400")
    assert found(client, "WHERE", "n === '+inf'") == ["low"]
    assert found(client, "WHERE", "n === Infinity") == []
    assert found(client, "WHERE", "n", 5, "inf") == ["low"]


@pytest.mark.parametrize("expression", ["doc != 1", "0 != doc", "doc != doc", "doc !== doc"])
def test_an_object_is_unequal_to_everything(client: EngineClient, expression: str) -> None:
    assert found(client, "WHERE", expression) == ["high", "low"]
    assert found(client, "WHERE", expression.replace("!=", "==", 1)) == []
