"""A small engine in Python that keeps the binding's contract, for tests of what surrounds it.

Knows RESP arrays and inline lines, PING, SET, GET, DEL, OUTPUT and QUIT, and two commands of its
own: SLOW text (a long read) and MANY n (a reply of n bytes). It has the gates that tests need.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

WRITES = ("SET", "DEL")
UNGATED = ("PING", "OUTPUT", "AUTH", "QUIT", "HEALTHZ")


class Simple(str):
    __slots__ = ()


@dataclass
class ServerCommand:
    name: str
    args: list[bytes]


@dataclass
class LongRead:
    reply: bytes

    def run(self) -> bytes:
        return self.reply


@dataclass
class Http:
    data: bytes


@dataclass
class Close:
    message: str


Stop = ServerCommand | LongRead | Http | Close | None


@dataclass
class Batch:
    replies: bytes = b""
    log: bytes = b""
    stop: Stop = None


@dataclass
class Load:
    consumed: int
    commands: int
    error: str | None = None
    skipped: list[tuple[str, int]] = field(default_factory=list)


class Engine:
    def __init__(self, *, require_valid: bool = False) -> None:
        self.require_valid = require_valid
        self.data: dict[tuple[bytes, bytes], bytes] = {}
        self.commands: dict[str, str] = {}
        self.state: dict[str, bool] = {}
        self.processed = 0
        self.heap = 1000
        self.overdue: list[bytes] = []

    def register(self, name: str, access: str) -> None:
        self.commands[name] = access

    def session(self, *, framing: str = "resp", output: str = "") -> "Session":
        return Session(self, framing, output)

    def set_state(self, **state: bool) -> None:
        self.state = state

    def load(self, data: bytes, now_ns: int) -> Load:
        del now_ns
        load = Load(0, 0)
        while (parsed := parse(data[load.consumed :])) is not None:
            args, size = parsed
            if args and args[0].upper() == b"SETHOOK":
                load.skipped.append(("sethook", 1))
            elif args and args[0].upper() not in (b"SET", b"DEL"):
                load.error = f"unknown command '{args[0].decode()}'"
                break
            elif args:
                self.apply(args)
            load.consumed += size
            load.commands += 1
        return load

    def apply(self, args: Sequence[bytes]) -> None:
        if args[0].upper() == b"SET":
            self.data[args[1], args[2]] = args[-1]
        else:
            self.data.pop((args[1], args[2]), None)

    def expire(self, now_ns: int, count_max: int) -> tuple[bytes, int]:
        del now_ns
        gone, self.overdue = self.overdue[:count_max], self.overdue[count_max:]
        return b"".join(command(b"del", b"k", name) for name in gone), len(gone)

    def statistics(self) -> dict[str, int]:
        names = ("num_collections", "num_points", "num_strings", "in_memory_size", "expired")
        counts = dict.fromkeys(names, 0)
        counts["num_objects"] = len(self.data)
        counts["commands_processed"] = self.processed
        return counts

    def memory(self) -> tuple[int, int]:
        return self.heap, 0


class Session:
    def __init__(self, engine: Engine, framing: str, output: str) -> None:
        self.authenticated = False
        self.output = output or ("json" if framing == "plain" else "resp")
        self._engine = engine
        self._is_plain = framing == "plain"
        self._buffer = b""
        self._typed = b""

    def feed(self, data: bytes, now_ns: int) -> Batch:
        del now_ns
        self._buffer += data
        replies: list[bytes] = []
        log: list[bytes] = []
        stop: Stop = None
        while stop is None:
            if re.match(rb"[GPO]\S* \S+ HTTP/", self._buffer):
                stop, self._buffer = Http(self._buffer), b""
                break
            parsed = parse(self._buffer)
            if parsed is None:
                break
            args, size = parsed
            self._buffer = self._buffer[size:]
            if args:
                reply, entry, stop = self._execute(args)
                replies.append(reply)
                log.append(entry)
        return Batch(b"".join(replies), b"".join(log), stop)

    def run(self, args: Sequence[bytes], now_ns: int) -> Batch:
        del now_ns
        return Batch(*self._execute(list(args)))

    def _execute(self, args: list[bytes]) -> tuple[bytes, bytes, Stop]:
        self._typed = args[0]
        self._engine.processed += 1
        name = args[0].decode("latin-1").upper()
        refusal = self._refusal(name)
        if refusal:
            return self.fail(refusal), b"", None
        two = " ".join(word.decode("latin-1").upper() for word in args[:2])
        for known, rest in ((two, args[2:]), (name, args[1:])):
            if known in self._engine.commands:
                return b"", b"", ServerCommand(known, rest)
        if name == "QUIT":
            return (b"" if self._is_plain else self.answer(Simple("OK"))), b"", Close("")
        if name == "SLOW":
            return b"", b"", LongRead(self.answer(args[1], (("slow", args[1]),)))
        handler = HANDLERS.get(name)
        if handler is None:
            return self.fail(f"unknown command '{args[0].decode('latin-1')}'"), b"", None
        return *handler(self, self._engine, args), None

    def _refusal(self, name: str) -> str:
        state = self._engine.state
        if state.get("loading") and name not in ("PING", "OUTPUT", "AUTH", "QUIT"):
            return "LOADING Tile38 is loading the dataset in memory"
        if state.get("requires_password") and not self.authenticated and name not in UNGATED:
            return "authentication required"
        if state.get("read_only") and name in WRITES:
            return "read only"
        return ""

    def answer(self, value: object, members: Sequence[tuple[str, object]] = ()) -> bytes:
        if self.output == "resp":
            return resp(value)
        return self._json({"ok": True, **{name: plain(item) for name, item in members}})

    def fail(self, text: str) -> bytes:
        if self.output == "json":
            return self._json({"ok": False, "err": text})
        prefix = "" if re.match(r"[A-Z]+( |$)", text) else "ERR "
        return f"-{prefix}{text}\r\n".encode()

    def wrong_arity(self) -> bytes:
        if self.output == "json":
            return self.fail("invalid number of arguments")
        return self.fail(f"wrong number of arguments for '{self._typed.decode().lower()}' command")

    def close_reason(self) -> str | None:
        return None

    def _json(self, members: Mapping[str, object]) -> bytes:
        text = json.dumps({**members, "elapsed": "1ns"}, separators=(",", ":")).encode()
        return text if self._is_plain else resp(text)


Handler = Callable[[Session, Engine, list[bytes]], tuple[bytes, bytes]]


def _ping(session: Session, _engine: Engine, _args: list[bytes]) -> tuple[bytes, bytes]:
    return session.answer(Simple("PONG"), (("ping", "pong"),)), b""


def _output(session: Session, _engine: Engine, args: list[bytes]) -> tuple[bytes, bytes]:
    session.output = args[1].decode()
    return session.answer(Simple("OK")), b""


def _set(session: Session, engine: Engine, args: list[bytes]) -> tuple[bytes, bytes]:
    engine.apply(args)
    return session.answer(Simple("OK")), command(*args)


def _get(session: Session, engine: Engine, args: list[bytes]) -> tuple[bytes, bytes]:
    return session.answer(engine.data.get((args[1], args[2]))), b""


def _many(session: Session, _engine: Engine, args: list[bytes]) -> tuple[bytes, bytes]:
    return session.answer(b"x" * int(args[1])), b""


HANDLERS: dict[str, Handler] = {
    "PING": _ping,
    "OUTPUT": _output,
    "SET": _set,
    "DEL": _set,
    "GET": _get,
    "MANY": _many,
}


def parse(data: bytes) -> tuple[list[bytes], int] | None:
    """The first command's words and its size; None if it isn't complete."""
    if not data.startswith(b"*"):
        line, end, _ = data.partition(b"\n")
        return (line.rstrip(b"\r").split(), len(line) + 1) if end else None
    position = data.find(b"\r\n")
    words: list[bytes] = []
    for _ in range(int(data[1:position]) if position > 0 else 0):
        end_of_size = data.find(b"\r\n", position + 2)
        if end_of_size < 0:
            return None
        size = int(data[position + 3 : end_of_size])
        position = end_of_size + 2 + size
        if len(data) < position + 2:
            return None
        words.append(data[end_of_size + 2 : position])
    return (words, position + 2) if position > 0 else None


def command(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)


def resp(value: object) -> bytes:
    match value:
        case None:
            return b"$-1\r\n"
        case Simple():
            return f"+{value}\r\n".encode()
        case int():
            return b":%d\r\n" % value
        case list() | tuple():
            return b"*%d\r\n" % len(value) + b"".join(resp(item) for item in value)
        case str():
            return resp(value.encode())
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(value), value)
        case _:
            raise TypeError(value)


def plain(value: object) -> object:
    match value:
        case bytes():
            return value.decode("utf-8", "replace")
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case _:
            return value


def split_native(text: bytes) -> list[bytes]:
    return text.split()
