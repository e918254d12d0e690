"""The command line of the server and its environment variables.

Like Tile38, it parses the line twice. The first pass takes `--name value` out of the line wherever
it stands; the second pass reads `-n value` and `-n=value` up to the first other word. Of repeated
options the last one counts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tile38py.config import PROPERTIES
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
  --port port             : as -p, but 0 = no plain port
  --<setting> value       : any setting of CONFIG SET, such as --maxmemory 4gb

TLS Options:
  --tls-port port              : listening port for TLS (default: 0 = none)
  --tls-cert-file path         : certificate of the server, in PEM
  --tls-key-file path          : its key (default: in the certificate's file)
  --tls-key-file-pass text     : password of the key
  --tls-ca-cert-file path      : certificates of the authorities that are trusted
  --tls-ca-cert-dir path       : directory of such certificates, as c_rehash makes it
  --tls-auth-clients yes/no/optional
                               : whether clients have to show a certificate (default: yes)
  --tls-replication yes/no     : follow leaders over TLS (default: no)
  --tls-metrics yes/no         : serve --metrics-addr over TLS (default: no)
  --tls-protocols versions     : such as TLSv1.3 (default: TLSv1.2 TLSv1.3)
  --tls-ciphers list           : ciphers of TLS 1.2, as OpenSSL names them

Developer Options:
  --dev                   : enable developer mode

Without a server:
  --version                    : show the version
  --print-completion bash/zsh/fish
                               : show the completion of this command for a shell
"""


class UsageError(Exception):
    """The command line is wrong; the text says why, the code is the exit code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class FirstPassOption:
    """An option of the first pass: a function that applies its value, and the error text."""

    apply: Callable[[Options, str], None]  # raises ValueError
    error: str


def parse(words: list[str], environment: Mapping[str, str]) -> Options:
    """Parse the words and the environment. Raises UsageError."""
    options = Options()
    options.requires_valid = bool(environment.get("REQUIREVALID"))
    options.fails_with_500 = environment.get("T38HTTP500ERRORS") in TRUE_WORDS
    _second_pass(options, _first_pass(options, words))
    return options


def _first_pass(options: Options, words: list[str]) -> list[str]:
    """Apply the options of the first pass; return the other words."""
    left: list[str] = []
    queue = iter(words)
    for word in queue:
        name = name_of(word)
        if name in FIRST_PASS_SWITCHES:
            FIRST_PASS_SWITCHES[name](options)
        elif name in FIRST_PASS and (name != "o" or not word.startswith("--")):
            option = FIRST_PASS[name]
            try:
                option.apply(options, next(queue, ""))
            except ValueError:
                raise UsageError(option.error, 1) from None
        elif name in PROPERTIES:
            options.settings[name] = next(queue, "")
        else:
            left.append(word)
    return left


def name_of(word: str) -> str:
    """Return the name of an option with one dash or two; empty for other words."""
    name = word.lstrip("-")
    return name if word in (f"-{name}", f"--{name}") else ""


def _second_pass(options: Options, words: list[str]) -> None:
    queue = iter(words)
    for word in queue:
        flag = name_of(word)
        if not flag:
            return
        name, equals, value = flag.partition("=")
        if name in SECOND_PASS_SWITCHES:
            if equals and value not in TRUE_WORDS:
                raise UsageError(f'invalid boolean value "{value}" for -{name}', 2)
            SECOND_PASS_SWITCHES[name](options)
            continue
        if name == "help":
            raise UsageError("", 0)
        apply = SECOND_PASS.get(name)
        if apply is None:
            raise UsageError(f"flag provided but not defined: -{name}", 2)
        if not equals:
            following = next(queue, None)
            if following is None:
                raise UsageError(f"flag needs an argument: -{name}", 2)
            value = following
        try:
            apply(options, value)
        except ValueError:
            raise UsageError(f'invalid value "{value}" for flag -{name}: parse error', 2) from None


def _set_port(options: Options, text: str) -> None:
    port = int(text)
    if not 0 <= port <= PORT_MAX:
        raise ValueError(text)
    options.port = port


def _set_redis_port(options: Options, text: str) -> None:
    """Set the port like -p, but as in Redis 0 means that there is no plain port."""
    _set_port(options, text)
    options.has_plain_port = options.port > 0


def _check_number(_options: Options, text: str) -> None:
    int(text)


def _ignore(_options: Options, _text: str) -> None:
    """Accept an option that has no effect here."""


def _refuse_receiver(_options: Options, _text: str) -> None:
    # With this option Tile38 is a receiver of hooks' messages for tests, instead of a server.
    raise UsageError("the receiver for tests of webhooks isn't part of this server", 2)


def _set_text(name: str) -> Callable[[Options, str], None]:
    def apply(options: Options, text: str) -> None:
        setattr(options, name, text)

    return apply


def _set_path(name: str) -> Callable[[Options, str], None]:
    def apply(options: Options, text: str) -> None:
        if not text:
            raise ValueError(text)
        setattr(options, name, Path(text))

    return apply


def _set_choice(name: str, choices: Mapping[str, bool]) -> Callable[[Options, str], None]:
    def apply(options: Options, text: str) -> None:
        if text.lower() not in choices:
            raise ValueError(text)
        setattr(options, name, choices[text.lower()])

    return apply


def _set_output(options: Options, text: str) -> None:
    if text.lower() not in ("resp", "json"):
        raise ValueError(text)
    options.output = text.lower()


def _set_encoding(options: Options, text: str) -> None:
    options.logs_json = text == "json"


def _switch_on(name: str) -> Callable[[Options], None]:
    def switch(options: Options) -> None:
        setattr(options, name, True)

    return switch


def _set_evio(options: Options, text: str) -> None:
    if text.lower() not in YES_NO:
        raise ValueError(text)
    options.warns_of_evio = YES_NO[text.lower()]


def _set_threads(options: Options, text: str) -> None:
    options.warns_of_threads = int(text) >= 0


FIRST_PASS: Final[Mapping[str, FirstPassOption]] = {
    "port": FirstPassOption(_set_redis_port, "port must be a number from 0 to 65535"),
    "o": FirstPassOption(_set_output, "output must be 'resp' or 'json'"),
    "appendonly": FirstPassOption(
        _set_choice("keeps_log", YES_NO), "appendonly must be 'yes' or 'no'"
    ),
    "appendfilename": FirstPassOption(_set_path("log_path"), "appendfilename must have a value"),
    "queuefilename": FirstPassOption(_set_path("queue_path"), "queuefilename must have a value"),
    "http-transport": FirstPassOption(
        _set_choice("is_http_enabled", TRANSPORT), "http-transport must be 'yes' or 'no'"
    ),
    "protected-mode": FirstPassOption(
        _set_choice("is_protected", YES_NO), "protected-mode must be 'yes' or 'no'"
    ),
    "evio": FirstPassOption(_set_evio, "evio must be 'yes' or 'no'"),
    "threads": FirstPassOption(_set_threads, "threads must be a valid number"),
}
FIRST_PASS_SWITCHES: Final[Mapping[str, Callable[[Options], None]]] = {
    "nohup": _switch_on("ignores_hangup"),
    "dev": _switch_on("is_developer"),
    "spinlock": lambda _options: None,
}
SECOND_PASS: Final[Mapping[str, Callable[[Options, str], None]]] = {
    "h": _set_text("host"),
    "p": _set_port,
    "s": _set_text("socket_path"),
    "d": _set_path("directory"),
    "l": _set_encoding,
    "pidfile": _set_text("pid_file"),
    "metrics-addr": _set_text("metrics_address"),
    "pprofport": _check_number,
    "cpuprofile": _ignore,
    "memprofile": _ignore,
    "webhook-http-consumer-port": _refuse_receiver,
    "webhook-grpc-consumer-port": _refuse_receiver,
}
SECOND_PASS_SWITCHES: Final[Mapping[str, Callable[[Options], None]]] = {
    "q": _switch_on("is_quiet"),
    "v": _switch_on("is_verbose"),
    "vv": _switch_on("is_very_verbose"),
}
