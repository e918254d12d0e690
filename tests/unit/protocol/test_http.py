"""HTTP requests from bytes, at any split, and the heads of replies."""

from base64 import b64encode
from http import HTTPStatus

import pytest

from tile38py.limits import HTTP_HEAD_BYTES_MAX
from tile38py.protocol.http import Parser, Refusal, Request, reply


def parse(data: bytes, *, step: int = 0) -> Request | Refusal | None:
    parser = Parser()
    result = None
    for start in range(0, len(data), step or len(data)):
        assert result is None
        result = parser.receive(data[start : start + (step or len(data))])
    return result


def text_of(data: bytes) -> bytes:
    request = parse(data)
    assert isinstance(request, Request)
    return request.text


@pytest.mark.parametrize("step", [0, 1, 7])
def test_path_and_body_are_the_command(step: int) -> None:
    data = b"POST /set+k%20a HTTP/1.1\r\nContent-Length: 10\r\n\r\n point 1 2"
    request = parse(data, step=step)
    assert isinstance(request, Request)
    assert (request.method, request.text) == (b"POST", b"set k a point 1 2")


def test_a_body_is_read_with_get_too() -> None:
    assert text_of(b"GET /PI HTTP/1.1\r\ncontent-length: 2\r\n\r\nNG") == b"PING"


def test_a_chunked_body_is_read() -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert text_of(head + b"4\r\nPING\r\n0\r\n\r\n") == b"PING"


def test_raw_bytes_in_the_path_are_taken() -> None:
    assert text_of("GET /set+k+é HTTP/1.0\r\n\r\n".encode()) == "set k é".encode()


def test_neither_an_old_version_nor_a_missing_host_matters() -> None:
    assert text_of(b"GET /PING HTTP/1.0\r\n\r\n") == b"PING"
    assert text_of(b"GET /PING HTTP/1.1\r\nHost: here\r\n\r\n") == b"PING"
    assert text_of(b"GET /PING HTTP/1.1\r\nA: b\r\nHOST: here\r\n\r\n") == b"PING"


@pytest.mark.parametrize(("version", "takes_chunks"), [(b"1.0", False), (b"1.1", True)])
def test_chunks_are_for_who_knows_them(version: bytes, *, takes_chunks: bool) -> None:
    request = parse(b"GET /PING HTTP/%b\r\n\r\n" % version)
    assert isinstance(request, Request)
    assert request.takes_chunks == takes_chunks


@pytest.mark.parametrize(
    ("header", "login"),
    [
        (b"secret", None),
        (b" Basic abc ", None),
        (b"Basic " + b64encode(b"user:a:b"), (b"user", b"a:b")),
        (b"basic  " + b64encode(b":secret"), (b"", b"secret")),
        (b"Basic " + b64encode(b"secret"), None),
        (b"Basic !", None),
        (b"BEARER a b", (None, b"a b")),
        (b"Digest x", None),
    ],
)
def test_the_login_is_the_header_or_what_a_scheme_makes_of_it(
    header: bytes, login: tuple[bytes | None, bytes] | None
) -> None:
    request = parse(b"GET /PING HTTP/1.1\r\nauthorization: %b\r\n\r\n" % header)
    assert isinstance(request, Request)
    logins = [(None, header.strip()), *([] if login is None else [login])]
    assert list(request.logins) == logins


def test_without_the_header_there_is_no_login() -> None:
    request = parse(b"GET /PING HTTP/1.1\r\n\r\n")
    assert isinstance(request, Request)
    assert request.logins == ()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"PING\n", b"PING"),
        (b"PING\r\n", b"PING"),
        (b"PING\n\n", b"PING\n"),
        (b"PING\r", b"PING\r"),
        (b"\n", b""),
    ],
)
def test_the_last_line_end_of_a_body_belongs_to_no_word(body: bytes, text: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert text_of(head + body) == text


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"PUT /PING HTTP/1.1\r\n\r\n", 405),
        (b"PATCH /PING HTTP/1.1\r\n\r\n", 405),
        (b"GET /%zz HTTP/1.1\r\n\r\n", 400),
        (b"GET nope HTTP/1.1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET /a HTTP/1.1\r\nA: " + b"x" * HTTP_HEAD_BYTES_MAX, 431),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nContent-Length: 536870913\r\n\r\n", 413),
    ],
)
def test_bad_requests_get_a_status(data: bytes, status: int) -> None:
    refusal = parse(data)
    assert isinstance(refusal, Refusal)
    assert refusal.status == status


def first_refusal(data: bytes, step: int) -> Request | Refusal | None:
    """Return the first result of data in pieces of a size."""
    parser, size = Parser(), step or len(data)
    results = (parser.receive(data[at : at + size]) for at in range(0, len(data), size))
    return next((found for found in results if found is not None), None)


POST = b"POST /a HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (b"Content-Length: 3\r\nTransfer-Encoding: chunked", "both Content-Length and"),
        (b"transfer-encoding: chunked\r\ncontent-length: 0", "both Content-Length and"),
        (b"Content-Length: 3\r\nContent-Length: 4", "more than one Content-Length"),
        (b"Content-Length: 3\r\nContent-Length: 3", "more than one Content-Length"),
        (b"Content-Length: 3, 3", "more than one Content-Length"),
        (b"Content-Length: +3", "bad Content-Length"),
        (b"Content-Length : 3", "illegal header line"),
        (b"A: b\r\n c", "a header is folded"),
        (b"A: b\r\n\tTransfer-Encoding: chunked", "a header is folded"),
        (b"A: b\nTransfer-Encoding: chunked", "a line ends in a bare LF"),
        (b"A: b\n\n", "a line ends in a bare LF"),
        (b"A: b\rTransfer-Encoding: chunked", "illegal header line"),
        (b"A: b\x00c", "illegal header line"),
        (b"Transfer-Encoding:\x0bchunked", "illegal header line"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "multiple Transfer-Encoding"),
        (b"Transfer-Encoding: chunked, identity", "Only Transfer-Encoding: chunked is supported"),
        (b"Host: y", "Found multiple Host: headers"),
    ],
)
def test_a_request_whose_end_is_ambiguous_is_refused(
    headers: bytes, reason: str, step: int
) -> None:
    refusal = first_refusal(POST + headers + b"\r\n\r\nabc", step)
    assert isinstance(refusal, Refusal)
    assert refusal.text.startswith(f"invalid HTTP request: {reason}")


@pytest.mark.parametrize("chunks", [b"3\nabc\r\n", b"+3\r\nabc\r\n", b"3\r\nabcX\r\n", b"-1\r\n"])
def test_a_chunk_that_is_malformed_is_refused(chunks: bytes) -> None:
    refusal = parse(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert isinstance(refusal, Refusal)
    assert refusal.status == 400


def test_an_incomplete_request_has_bytes_that_wait() -> None:
    parser = Parser()
    assert parser.buffered == 0
    parser.receive(POST)
    assert parser.buffered == len(POST)
    parser.receive(b"Content-Length: 3\r\n\r\nab")
    assert parser.buffered > len(POST)
    parser.receive(b"c")
    assert parser.buffered == 0


def test_a_refusal_says_what_is_wrong_in_plain_words() -> None:
    for data, text in (
        (b"GET /a b HTTP/1.1\r\n\r\n", "illegal request line"),
        (b"GET /a HTTP/1.1\r\nno colon\r\n\r\n", "illegal header line"),
    ):
        refusal = parse(data)
        assert isinstance(refusal, Refusal)
        assert refusal.text == f"invalid HTTP request: {text}"


def test_a_client_that_waits_for_continue_is_known() -> None:
    parser = Parser()
    head = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    assert parser.receive(head) is None
    assert parser.wants_continue
    assert isinstance(parser.receive(b"PING"), Request)


def test_the_line_end_counts_as_body() -> None:
    assert reply(HTTPStatus.OK, b"{}") == (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8"
        b"\r\nContent-Length: 4\r\nAccess-Control-Allow-Origin: *\r\n\r\n{}\r\n"
    )


@pytest.mark.parametrize("step", [0, 1000])
def test_a_head_that_is_too_long_is_refused_however_it_arrives(step: int) -> None:
    refusal = first_refusal(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", step)
    assert isinstance(refusal, Refusal)
    assert refusal.status == 431
