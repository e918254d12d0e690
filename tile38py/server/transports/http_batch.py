"""A batch of commands in one HTTP request: lines of JSON in, a line of JSON for each out."""

from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from typing import ClassVar, Final

from tile38py import errors
from tile38py._engine import Close as SessionClose
from tile38py._engine import Session
from tile38py.commands.registry import LastReply
from tile38py.dispatch import BackgroundWork, Dispatcher, RunResult
from tile38py.interfaces import Client, Wire
from tile38py.limits import HTTP_TRANSACTION_BYTES_MAX, OUTPUT_BYTES_HIGH, SLICE_COMMANDS_COUNT_MAX
from tile38py.protocol import http, ndjson
from tile38py.server.transports import CLOSE, Outcome, Step, Then, Wait

JSON: Final = "json"
TYPES: Final = (b"application/x-ndjson", b"application/ndjson", b"application/jsonl")
# Whether the commands are one transaction, by the query of the URL.
QUERIES: Final = {b"": False, b"atomic=false": False, b"atomic=true": True}


def is_batch(request: http.Request) -> bool:
    """Whether a request carries a batch."""
    content_type = request.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    is_root = request.path.partition(b"?")[0] == b""
    return request.method == b"POST" and is_root and content_type in TYPES


def refusal_of(request: http.Request) -> tuple[HTTPStatus, str] | None:
    """Return why a batch is refused as a whole, None if it isn't."""
    if request.query not in QUERIES:
        return HTTPStatus.BAD_REQUEST, "invalid query: atomic=true or atomic=false is allowed"
    if QUERIES[request.query] and len(request.body) > HTTP_TRANSACTION_BYTES_MAX:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "transaction too large"
    return None


class HttpBatchTransport:
    """Runs the commands of one request, one after the other or as one transaction."""

    is_plain: ClassVar[bool] = True

    def __init__(self, session: Session, dispatcher: Dispatcher, request: http.Request) -> None:
        self.session = session
        self._dispatcher = dispatcher
        self._is_chunked = request.takes_chunks
        self._lines = ndjson.lines(request.body)
        self._output = [http.stream_head(is_chunked=self._is_chunked, content_type=http.NDJSON)]
        self._wrote = False
        self._ended = session.fail(str(errors.connection_in_batch()))
        self._commands: list[list[bytes]] | None = [] if QUERIES[request.query] else None

    @property
    def wire(self) -> Wire:
        """The framing of the lines."""
        return Wire.CHUNKED_HTTP if self._is_chunked else Wire.HTTP

    def receive(self, client: Client, data: bytes, now_ns: int) -> Outcome:
        """Run a time slice of the commands. What the client sends after its request is ignored."""
        del data
        if self._commands is None:
            return self._run_slice(client, self._lines, now_ns)
        return self._collect(client, self._commands, now_ns)

    @property
    def unfinished_bytes(self) -> int:
        """Nothing: the request is complete."""
        return 0

    def refusal(self, text: str) -> bytes:
        """An error as the last line."""
        self._add(self.session.fail(text))
        return self._take() + self._end()

    def end_of_input(self) -> Outcome:
        """Nothing to send: the replies are due all the same."""
        return b""

    def _run_slice(self, client: Client, lines: Iterator[bytes], now_ns: int) -> Step:
        size = 0
        for _ in range(SLICE_COMMANDS_COUNT_MAX):
            line = next(lines, None)
            if line is None:
                return self._last_step()
            try:
                words = ndjson.words_of(line)
            except errors.CommandError as error:
                self._add(self.session.fail(str(error)))
                continue
            result = self._dispatcher.drive(client, self.session.run(words, now_ns))
            self._wrote |= result.wrote
            if isinstance(result.stop, BackgroundWork):
                return self._step(Wait(result.stop, partial(self._worked, result.stop)))
            if client.listener is not None:
                # It would end the chunks once more.
                client.leave()
                self._add(self.session.fail(str(errors.live_in_batch())))
                return self._last_step()
            if isinstance(result.stop, SessionClose) or self.session.output != JSON:
                self._add(self._ended)
                return self._last_step()
            self._add(b"".join(result.replies))
            if isinstance(result.stop, LastReply):
                return self._last_step()
            size += result.size
            if size > OUTPUT_BYTES_HIGH:
                break
        return self._step(Then.CONTINUE)

    def _worked(self, work: BackgroundWork, result: object) -> Step:
        self._add(bytes(work.frame(result)))
        return self._step(Then.CONTINUE)

    def _collect(self, client: Client, commands: list[list[bytes]], now_ns: int) -> Step:
        """Parse a slice of the lines; run the transaction behind the last."""
        for _ in range(SLICE_COMMANDS_COUNT_MAX):
            line = next(self._lines, None)
            if line is None:
                batch = self.session.run_atomically(commands, now_ns)
                return self._settle(self._dispatcher.drive(client, batch))
            try:
                commands.append(ndjson.words_of(line))
            except errors.CommandError as error:
                number = len(commands) + 1
                self._add(self.session.fail(f"command {number}: {error}; none of them was run"))
                return self._last_step()
        return self._step(Then.CONTINUE)

    def _settle(self, result: RunResult) -> Step:
        self._wrote = result.wrote
        for reply in b"".join(result.replies).split(b"\n")[1:]:
            self._add(reply)
        return self._last_step()

    def _add(self, reply: bytes) -> None:
        self._output.append(http.stream_line(reply, is_chunked=self._is_chunked))

    def _take(self) -> bytes:
        output, self._output = b"".join(self._output), []
        return output

    def _end(self) -> bytes:
        return http.LAST_CHUNK if self._is_chunked else b""

    def _step(self, then: Wait | Then) -> Step:
        wrote, self._wrote = self._wrote, False
        return Step(self._take(), wrote, then)

    def _last_step(self) -> Step:
        return Step(self._take() + self._end(), self._wrote, CLOSE)
