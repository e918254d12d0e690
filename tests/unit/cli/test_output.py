"""Replies as text: raw, as redis-cli shows them, as indented JSON, as tables."""

import json

import pytest

from tile38py.cli.client_options import Output
from tile38py.cli.json_text import JsonValue, indented
from tile38py.cli.output import Printer, formatted, raw
from tile38py.cli.tables import table
from tile38py.protocol.resp import ErrorReply, ReplyValue

FORMATTED: list[tuple[ReplyValue, str]] = [
    ("OK", "OK"),
    (b'a"\n\x1b\xff\xc2\x9b', r'"a\"\n\x1b\xff\xc2\x9b"'),
    ("é".encode(), '"é"'),
    (5, "(integer) 5"),
    (None, "(nil)"),
    ([], "(empty array)"),
    (ErrorReply("ERR no"), "(error) ERR no"),
    ([1, [b"a", []], None], '1) (integer) 1\n2) 1) "a"\n   2) (empty array)\n3) (nil)'),
    ([[0] * 10], "1) " + "\n   ".join(f"{number:>2}) (integer) 0" for number in range(1, 11))),
]


@pytest.mark.parametrize(("value", "text"), FORMATTED)
def test_resp_is_shown_as_by_redis_cli(value: ReplyValue, text: str) -> None:
    assert formatted(value) == text


def test_raw_texts_are_as_received() -> None:
    assert raw([b"\xff", 1, None, ["OK", ErrorReply("ERR no")]]) == b"\xff\n1\n\nOK\nERR no"


def test_json_that_fits_stays_on_a_line() -> None:
    value: JsonValue = {"a": [1, 2], "b": {"c": "x" * 20}, "d": []}
    text = indented(value, 30)
    assert text.splitlines()[1:3] == ['  "a": [1, 2],', '  "b": {']
    assert json.loads(text) == value
    assert indented({"a": 1}, 30) == '{"a": 1}'


def test_objects_become_a_table_with_a_column_for_each_field() -> None:
    objects: list[JsonValue] = [
        {"id": "a", "object": "x", "fields": {"speed": 1}},
        {"id": "ü", "object": "y"},
    ]
    text = table({"ok": True, "objects": objects, "count": 2, "cursor": 0}, 80)
    assert text == (
        "id  object  speed\n──  ──────  ─────\na   x       1\nü   y\n(2 objects, cursor 0)\n"
    )


def test_fields_may_be_named_once_for_all_objects() -> None:
    points: list[JsonValue] = [{"id": "a", "point": {"lat": 1, "lon": 2}, "fields": [7]}]
    text = table({"fields": ["speed"], "points": points}, 80)
    assert text is not None
    assert text.splitlines()[0].split() == ["id", "lat", "lon", "speed"]
    assert text.splitlines()[2].split() == ["a", "1", "2", "7"]


def test_a_table_fits_into_its_width() -> None:
    objects: list[JsonValue] = [{"id": "a" * 30, "object": "長" * 100}, {"id": "b", "object": "y"}]
    text = table({"objects": objects}, 40)
    assert text is not None
    first = text.splitlines()[2]
    assert len(first) + first.count("長") <= 40
    assert first.endswith("…")


def test_a_table_is_no_way_to_control_the_terminal() -> None:
    text = table({"ids": ["a\x1b[31m\n"]}, 80)
    assert text is not None
    assert "\x1b" not in text
    assert text.count("\n") == 4


def test_a_reply_without_a_list_is_no_table() -> None:
    assert table({"ok": True, "object": {"type": "Point"}}, 80) is None
    assert table({"ids": [], "keys": []}, 80) is None


def test_a_message_that_is_no_object_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Printer(Output.AUTO, is_raw=False, has_colors=False).show(b'"hello"')
    assert capsys.readouterr().out == '"hello"\n'


def test_errors_are_red_only_where_colours_are_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    for has_colors in (True, False):
        printer = Printer(Output.AUTO, is_raw=False, has_colors=has_colors)
        printer.show(json.dumps({"ok": False, "err": "no"}).encode().replace(b": ", b":"))
    assert capsys.readouterr().err == "\x1b[31m(error) no\x1b[0m\n(error) no\n"
