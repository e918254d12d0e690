"""The parts of a page that are run: `session` blocks and tables of errors.

A session has lines `> request`, or `name> request` for a client of that name, and
`(10 seconds later)`. A table of errors has the header ERROR_HEADER: the requests in the last cell
of a row are sent, and the error of the last one is written to the first cell. Replies and errors
are written anew, all other text is kept.
"""

import dataclasses
import json
import re
from collections.abc import Iterator

from tests.golden.language import CaseError, split_words
from tests.manual.server import JSON_NAME, MAIN, ExampleServer
from tests.support.resp import Reply

SESSION_START = "```session"
SESSION_END = "```"
ERROR_HEADER = "| Error | When | Request |"
ERROR_CELLS = 3
REQUEST = re.compile(r"([a-z-]*)> (.+)")
LATER = re.compile(r"\(([\d.]+) seconds? later\)")
CELL_END = re.compile(r"(?<!\\)\|")
CODE = re.compile(r"`([^`]+)`")


@dataclasses.dataclass(slots=True)
class Run:
    """The new text of a page, the requests in it that succeeded, and faults."""

    text: str = ""
    succeeded: list[tuple[str, list[bytes]]] = dataclasses.field(default_factory=list)
    faults: list[str] = dataclasses.field(default_factory=list)


def run(text: str) -> Run:
    """Run a page from top to bottom on a server that is empty at first."""
    result = Run()
    server = ExampleServer()
    lines = iter(text.split("\n"))
    result.text = "\n".join(_rewritten(lines, server, result))
    return result


def _rewritten(lines: Iterator[str], server: ExampleServer, result: Run) -> Iterator[str]:
    for line in lines:
        yield line
        if line == SESSION_START:
            yield from _session(lines, server, result)
        elif line == ERROR_HEADER:
            yield next(lines)
            yield from _errors(lines, server, result)


def _session(lines: Iterator[str], server: ExampleServer, result: Run) -> Iterator[str]:
    is_after_blank = False
    for line in lines:
        request, later = REQUEST.fullmatch(line), LATER.fullmatch(line)
        if is_after_blank and (request or later):
            yield ""
        is_after_blank = line == ""
        if line == SESSION_END:
            yield line
            return
        if not (request or later):
            continue
        yield line
        if request:
            yield from _answered(request[1], request[2], server, result)
        elif later:
            server.wait(float(later[1]))
        yield from _received(server)


def _answered(name: str, text: str, server: ExampleServer, result: Run) -> Iterator[str]:
    words = _words(text, result)
    replies = server.request(name, words)
    if not any(map(_error_of, replies)):
        result.succeeded.append((name, words))
    for reply in replies:
        yield from server.lines(name, reply)


def _received(server: ExampleServer) -> Iterator[str]:
    """Return the lines of messages that clients got unasked, each behind its client's name."""
    for name, (first, *rest) in server.received():
        yield f"{name}< {first}"
        yield from (" " * (len(name) + 2) + line for line in rest)


def _errors(lines: Iterator[str], server: ExampleServer, result: Run) -> Iterator[str]:
    for line in lines:
        if not line.startswith("|"):
            yield line
            return
        cells = [cell.strip() for cell in CELL_END.split(line)[1:-1]]
        requests = CODE.findall(cells[-1])
        if len(cells) != ERROR_CELLS:
            result.faults.append(f"{len(cells)} cells instead of {ERROR_CELLS}: {line}")
        elif requests:
            text = _error_text(requests, server, result).replace("|", r"\|")
            cells[0] = f"`{text}`"
        yield f"| {' | '.join(cells)} |"


def _error_text(requests: list[str], server: ExampleServer, result: Run) -> str:
    """Send requests and return the error of the last one."""
    text = ""
    for request in requests:
        name, is_named, rest = request.partition("> ")
        words = _words(rest if is_named and name == JSON_NAME else request, result)
        (reply,) = server.request(JSON_NAME if is_named else MAIN, words) or ("",)
        text = _error_of(reply)
    if not text:
        result.faults.append(f"no error: {requests[-1]}")
    return text


def _error_of(reply: Reply) -> str:
    """Return the text of an error reply, without ERR; empty for another reply."""
    if not isinstance(reply, str):
        return ""
    if reply.startswith("-"):
        return reply[1:].removeprefix("ERR ")
    is_json = reply.startswith('$ {"ok":false')
    return str(json.loads(reply[2:])["err"]) if is_json else ""


def _words(text: str, result: Run) -> list[bytes]:
    try:
        return split_words(text)
    except CaseError as error:
        result.faults.append(f"{error}: {text}")
        return text.encode().split()
