"""Words of a line: quotes as in redis-cli, JSON without quotes."""

import pytest

from tile38py.cli.words import QuoteError, split_words

LINES = {
    "": [],
    "  GET  a\tb ": [b"GET", b"a", b"b"],
    '"a b" \'c d\'': [b"a b", b"c d"],
    r'"\x41\n\"\\\q"': [b'A\n"\\q'],
    r"'it\'s \n'": [rb"it's \n"],
    '""': [b""],
    "O'Hara 5\"": [b"O'Hara", b'5"'],
    'SET k i OBJECT {"type":"Point", "coordinates":[1, 2]} x': [
        b"SET", b"k", b"i", b"OBJECT", b'{"type":"Point", "coordinates":[1, 2]}', b"x",
    ],
    "MATCH [a-c]* {x": [b"MATCH", b"[a-c]*", b"{x"],
    '{"a":1}b c': [b'{"a":1}b', b"c"],
    "é \udcff": ["é".encode(), b"\xff"],
    r'"\xff"': [b"\xff"],
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_split(line: str) -> None:
    assert split_words(line) == LINES[line]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('GET "a', "the double quote at column 5 isn't closed"),
        ("GET 'a\\'", "the single quote at column 5 isn't closed"),
        ('GET "a\\"', "the double quote at column 5 isn't closed"),
        ('GET "a"b', "a space has to follow the closing quote at column 7"),
        ('"', "the double quote at column 1 isn't closed"),
    ],
)
def test_unbalanced_quotes_are_told_with_their_place(line: str, reason: str) -> None:
    with pytest.raises(QuoteError) as caught:
        split_words(line)
    assert str(caught.value) == reason
