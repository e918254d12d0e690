"""Requests that the command line of tile38py-cli stands for."""

import pytest

from tile38py.cli.client import script_request


@pytest.mark.parametrize(
    ("words", "request_words"),
    [
        ("", b"EVAL x 0"),
        ("a b", b"EVAL x 2 a b"),
        ("a , c d", b"EVAL x 1 a c d"),
        (", c", b"EVAL x 0 c"),
        ("a ,", b"EVAL x 1 a"),
    ],
)
def test_a_comma_parts_keys_from_arguments(words: str, request_words: bytes) -> None:
    assert script_request(b"x", words.encode().split()) == request_words.split()
