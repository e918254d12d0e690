"""Runs the steps of a case: connections and directives. Doesn't compare the replies."""

import http.client
import re
import time

from tests.golden.compare import MASK, Aliases, normalise, render, sort_items
from tests.golden.language import CaseError, CaseStep
from tests.support.resp import CLOSED, TIMEOUT, Address, Connection, Reply, decode, encode_command

HTTP_HEADERS = ("content-type", "access-control-allow-origin", "sec-websocket-accept")
HTTP_HEADER = re.compile(r"[A-Za-z-]+: ")
LENGTH = re.compile(r"^(< \$|< Content-Length: )\d+", re.IGNORECASE)


class Conversation:
    """The connections of a running case, and the aliases of its volatile values."""

    def __init__(self, address: Address, timeout_seconds: float) -> None:
        """Prepare a case. Connections are opened on first use."""
        self.address = address
        self.timeout_seconds = timeout_seconds
        self.connections: dict[str, Connection] = {}
        self.current = "main"
        self.aliases: Aliases = {}

    @property
    def connection(self) -> Connection:
        """The current connection, opened if necessary."""
        if self.current not in self.connections:
            self.connections[self.current] = Connection(self.address, self.timeout_seconds)
        return self.connections[self.current]

    def run(self, step: CaseStep) -> list[str]:
        """Run a step; return the lines of its normalised replies."""
        is_directive = step.words[0].startswith(b"@")
        try:
            replies = self.direct(step) if is_directive else self.command(step.words)
        except OSError:
            replies = [CLOSED]
        if any(str(reply).startswith("(") for reply in replies):
            self.close()  # the connection failed: the next command gets a new one
        replies = [normalise(reply, step.rules, self.aliases) for reply in replies]
        if step.rules.is_set:
            replies = sorted(map(sort_items, replies), key=str)
        return [line for reply in replies for line in render(reply)]

    def direct(self, step: CaseStep) -> list[Reply]:
        """Run a directive; return its replies."""
        match step.words:
            case [b"@resp" | b"@json" as output]:
                return self.command([b"OUTPUT", output[1:]])[1:]
            case [b"@conn", name]:
                self.current = decode(name)
            case [b"@close"]:
                self.close()
            case [b"@expect-push", count, *seconds]:
                timeout_seconds = float(seconds[0]) if seconds else self.timeout_seconds
                return self.expect_push(int(count), timeout_seconds)
            case [b"@sleep", seconds]:
                time.sleep(float(seconds))
            case [b"@send", data]:
                self.connection.send(data)
            case [b"@raw", data]:
                return self.raw(data)
            case [b"@http", method, path, *rest]:
                return self.http(method, path, rest)
            case _:
                raise CaseError(f"line {step.line}: unknown directive {step.text}")
        return []

    def command(self, words: list[bytes]) -> list[Reply]:
        """Send a command; return its reply."""
        self.connection.send(encode_command(words))
        return [self.connection.read()]

    def close(self) -> None:
        """Close the current connection. Its next use opens a new one."""
        if connection := self.connections.pop(self.current, None):
            connection.close()

    def close_all(self) -> None:
        """Close all connections."""
        for connection in self.connections.values():
            connection.close()

    def expect_push(self, count: int, timeout_seconds: float) -> list[Reply]:
        """Read a number of messages that the server pushes; with 0, none may come."""
        if count == 0:
            reply = self.connection.read(timeout_seconds)
            return [] if reply == TIMEOUT else [reply]
        replies: list[Reply] = []
        while len(replies) < count and TIMEOUT not in replies and CLOSED not in replies:
            replies.append(self.connection.read(timeout_seconds))
        return replies

    def raw(self, data: bytes) -> list[Reply]:
        """Send bytes; return the received lines. Lengths that depend on elapsed are masked."""
        self.connection.send(data)
        received, is_closed = self.connection.read_raw()
        lines = ["< " + decode(line) for line in received.splitlines(keepends=True)]
        if any('"elapsed"' in line for line in lines):
            lines = [LENGTH.sub(rf"\1{MASK}", line) for line in lines]
        return [*lines, *[CLOSED] * is_closed]

    def http(self, method: bytes, path: bytes, rest: list[bytes]) -> list[Reply]:
        """Send an HTTP request on a new connection. Words like 'Name: value' are headers."""
        words = [decode(word) for word in rest]
        headers = dict(word.split(": ", 1) for word in words if HTTP_HEADER.match(word))
        body = "".join(word for word in words if not HTTP_HEADER.match(word)).encode()
        client = http.client.HTTPConnection(*self.address, timeout=self.timeout_seconds)
        try:
            client.request(decode(method), decode(path), body or None, headers)
            response = client.getresponse()
            is_upgraded = response.status == http.HTTPStatus.SWITCHING_PROTOCOLS
            data = b"" if is_upgraded else response.read()
        except (http.client.HTTPException, ConnectionError):
            return ["(not HTTP)"]
        finally:
            client.close()
        head = {name.lower(): f"{name.lower()}: {value}" for name, value in response.getheaders()}
        lines = [head[name] for name in HTTP_HEADERS if name in head]
        return [f"HTTP {response.status}", *lines, "$ " + decode(data)]
