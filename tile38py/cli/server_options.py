"""The command line of the server, in Tile38's two families of options, and its environment.

Family (a), `--name value` anywhere on the line, is taken out first; family (b), `-n value` or
`-n=value`, follows until the first other word. Of repeated options the last one counts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tile38py.server.options import Options

YES_NO: Final = {"yes": True, "no": False}
TRANSPORT: Final = YES_NO | {"1": True, "0": False, "true": True, "false": False}
TRUE_WORDS: Final = ("1", "t", "T", "true", "TRUE", "True")
PORT_MAX: Final = 65535

USAGE: Final = """\
Usage: tile38py-server [-p port]

Basic Options:
  -h hostname     : listening host
  -p port         : listening port (default: 9851, 0 = any free one)
  -d path         : data directory (default: data)
  -s socket       : listen on unix socket file
  -l encoding     : set log encoding to json or text (default: text)
  -q              : no logging. totally silent output
  -v              : enable verbose logging
  -vv             : enable very verbose logging

Advanced Options:
  --pidfile path          : file that contains the pid
  --appendonly yes/no     : AOF persistence (default: yes)
  --appendfilename path   : AOF path (default: data/appendonly.aof)
  --queuefilename path    : Event queue path (default: data/queue.db)
  --http-transport yes/no : HTTP transport (default: yes)
  --protected-mode yes/no : protected mode (default: no)
  --metrics-addr addr     : The listening addr for Prometheus metrics
  --nohup                 : do not exit on SIGHUP
  -o resp/json            : initial output of connections

Developer Options:
  --dev                   : enable developer mode
"""


class UsageError(Exception):
    """A line that can't be understood: what is told, and the exit code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Taken:
    """An option of family (a): how its value is used, and what is wrong with other values."""

    use: Callable[[Options, str], None] | None  # None: the option has no value
    complaint: str = ""


def parse(words: list[str], environment: Mapping[str, str]) -> Options:
    """The options of a start. Raises UsageError."""
    options = Options()
    options.requires_valid = bool(environment.get("REQUIREVALID"))
    options.fails_with_500 = environment.get("T38HTTP500ERRORS") in TRUE_WORDS
    _flags(options, _take(options, words))
    return options


def _take(options: Options, words: list[str]) -> list[str]:
    """Family (a); what is left."""
    left: list[str] = []
    queue = iter(words)
    for word in queue:
        name = name_of(word)
        if name in SWITCHES:
            SWITCHES[name](options)
        elif name in TAKEN and (name != "o" or not word.startswith("--")):
            taken = TAKEN[name]
            assert taken.use is not None
            try:
                taken.use(options, next(queue, ""))
            except ValueError:
                raise UsageError(taken.complaint, 1) from None
        else:
            left.append(word)
    return left


def name_of(word: str) -> str:
    """The name of an option with one dash or two; empty if it is none."""
    name = word.lstrip("-")
    return name if word in (f"-{name}", f"--{name}") else ""


def _flags(options: Options, words: list[str]) -> None:
    """Family (b)."""
    queue = iter(words)
    for word in queue:
        flag = name_of(word)
        if not flag:
            return
        name, equals, value = flag.partition("=")
        if name in PLAIN:
            if equals and value not in TRUE_WORDS:
                raise UsageError(f'invalid boolean value "{value}" for -{name}', 2)
            PLAIN[name](options)
            continue
        if name == "help":
            raise UsageError("", 0)
        use = VALUES.get(name)
        if use is None:
            raise UsageError(f"flag provided but not defined: -{name}", 2)
        if not equals:
            following = next(queue, None)
            if following is None:
                raise UsageError(f"flag needs an argument: -{name}", 2)
            value = following
        try:
            use(options, value)
        except ValueError:
            raise UsageError(f'invalid value "{value}" for flag -{name}: parse error', 2) from None


def _set_port(options: Options, text: str) -> None:
    port = int(text)
    if not 0 <= port <= PORT_MAX:
        raise ValueError(text)
    options.port = port


def _number(_options: Options, text: str) -> None:
    int(text)


def _nothing(_options: Options, _text: str) -> None:
    """An option that is accepted and has no effect."""


def _no_receiver(_options: Options, _text: str) -> None:
    # Tile38 would be a receiver of hooks then, for tests, in place of a server.
    raise UsageError("the receiver for tests of webhooks isn't part of this server", 2)


def _attribute(name: str) -> Callable[[Options, str], None]:
    def use(options: Options, text: str) -> None:
        setattr(options, name, text)

    return use


def _path(name: str) -> Callable[[Options, str], None]:
    def use(options: Options, text: str) -> None:
        if not text:
            raise ValueError(text)
        setattr(options, name, Path(text))

    return use


def _choice(name: str, choices: Mapping[str, bool]) -> Callable[[Options, str], None]:
    def use(options: Options, text: str) -> None:
        if text.lower() not in choices:
            raise ValueError(text)
        setattr(options, name, choices[text.lower()])

    return use


def _output(options: Options, text: str) -> None:
    if text.lower() not in ("resp", "json"):
        raise ValueError(text)
    options.output = text.lower()


def _encoding(options: Options, text: str) -> None:
    options.logs_json = text == "json"


def _on(name: str) -> Callable[[Options], None]:
    def switch(options: Options) -> None:
        setattr(options, name, True)

    return switch


def _evio(options: Options, text: str) -> None:
    options.warns_of_evio = YES_NO[text.lower()] if text.lower() in YES_NO else _fail(text)


def _threads(options: Options, text: str) -> None:
    options.warns_of_threads = int(text) >= 0


def _fail(text: str) -> bool:
    raise ValueError(text)


TAKEN: Final[Mapping[str, Taken]] = {
    "o": Taken(_output, "output must be 'resp' or 'json'"),
    "appendonly": Taken(_choice("keeps_log", YES_NO), "appendonly must be 'yes' or 'no'"),
    "appendfilename": Taken(_path("log_path"), "appendfilename must have a value"),
    "queuefilename": Taken(_path("queue_path"), "queuefilename must have a value"),
    "http-transport": Taken(
        _choice("is_http_enabled", TRANSPORT), "http-transport must be 'yes' or 'no'"
    ),
    "protected-mode": Taken(
        _choice("is_protected", YES_NO), "protected-mode must be 'yes' or 'no'"
    ),
    "evio": Taken(_evio, "evio must be 'yes' or 'no'"),
    "threads": Taken(_threads, "threads must be a valid number"),
}
SWITCHES: Final[Mapping[str, Callable[[Options], None]]] = {
    "nohup": _on("ignores_hangup"),
    "dev": _on("is_developer"),
    "spinlock": lambda _options: None,
}
PLAIN: Final[Mapping[str, Callable[[Options], None]]] = {
    "q": _on("is_quiet"),
    "v": _on("is_verbose"),
    "vv": _on("is_very_verbose"),
}
VALUES: Final[Mapping[str, Callable[[Options, str], None]]] = {
    "h": _attribute("host"),
    "p": _set_port,
    "s": _attribute("socket_path"),
    "d": _path("directory"),
    "l": _encoding,
    "pidfile": _attribute("pid_file"),
    "metrics-addr": _attribute("metrics_address"),
    "pprofport": _number,
    "cpuprofile": _nothing,
    "memprofile": _nothing,
    "webhook-http-consumer-port": _no_receiver,
    "webhook-grpc-consumer-port": _no_receiver,
}
