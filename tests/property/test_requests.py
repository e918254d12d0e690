"""Requests mean the same however the network cuts them."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tests.support.embedded import EngineClient
from tests.support.resp import encode_command

WORDS = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([b"SET", b"GET", b"fleet", b"a", b"POINT", b"STRING", b"1", b"\r\n", b"$3"]),
)
SET_STRING = st.tuples(
    st.just(b"SET"), st.binary(max_size=6), st.binary(max_size=6), st.just(b"STRING"), WORDS
)
GET = st.tuples(st.just(b"GET"), st.binary(max_size=6), st.binary(max_size=6))
JUNK = st.lists(WORDS, min_size=1, max_size=6).filter(
    # What isn't the engine's, or ends the connection, is another test's subject.
    lambda words: words[0] != b""
)
COMMANDS = st.lists(st.one_of(SET_STRING, GET, JUNK).map(list), max_size=8)


def is_the_engines(words: list[bytes]) -> bool:
    return words[0].upper() in {b"SET", b"GET", b"PING"}


def batch_of(commands: list[list[bytes]]) -> bytes:
    data = b""
    for words in commands:
        data += encode_command(words) if is_the_engines(words) else b"PING\r\n"
        data += b"$4 PING\r\n" if len(words) % 2 else b"*0\r\n\r\n"
    return data


def run(pieces: list[bytes]) -> tuple[bytes, bytes]:
    client = EngineClient()
    replies = b"".join(client.feed(piece) for piece in pieces)
    return replies, client.log


@given(COMMANDS)
def test_replies_are_the_same_whether_split_at_every_byte_or_not(
    commands: list[list[bytes]],
) -> None:
    data = batch_of(commands)
    assert run([data]) == run([data[index : index + 1] for index in range(len(data))])


@given(COMMANDS, st.lists(st.integers(0, 400), max_size=10))
def test_replies_are_the_same_wherever_split(commands: list[list[bytes]], cuts: list[int]) -> None:
    data = batch_of(commands)
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(places)]
    assert run([data]) == run(pieces)


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=5))
def test_any_bytes_are_stored_and_read_back(values: list[bytes]) -> None:
    client = EngineClient()
    for value in values:
        assert client.call("SET", value, value, "STRING", value) == "+OK"
        raw = client.feed(encode_command([b"GET", value, value]))
        assert raw == b"$%d\r\n%s\r\n" % (len(value), value)


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_bytes_without_sense_do_no_harm(data: bytes, more: bytes) -> None:
    client = EngineClient()
    assert client.call("SET", "fleet", "a", "POINT", 1, 2) == "+OK"
    vandal = EngineClient(client.engine)
    vandal.session.feed(data, vandal.now_ns)
    vandal.session.feed(more, vandal.now_ns)
    assert client.call("GET", "fleet", "a", "POINT") == ["$ 1", "$ 2"]
