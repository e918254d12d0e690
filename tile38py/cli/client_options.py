"""The command line of tile38py-cli and its environment variables, as tile38-cli and redis-cli."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, NoReturn
from urllib.parse import unquote, urlsplit

from tile38py.cli.completion import COMPLETION_OPTION, SHELLS, end_with_completion
from tile38py.version import VERSION

PORT: Final = 9851
EPILOG: Final = """\
Without a command, commands are read from the standard input: typed at a prompt, or a line each
from a file or a pipe. The exit code is 1 after an error reply.

environment: TILE38_HOSTNAME, TILE38_PORT, TILE38_PASSWORD (or REDISCLI_AUTH), TILE38_OUTPUT
(json or resp), TILE38_HISTFILE, NO_COLOR
"""


class Output(Enum):
    """The form of replies."""

    AUTO = auto()  # JSON; on a terminal, results as tables
    JSON = auto()
    RESP = auto()


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """The certificates and checks of an encrypted connection."""

    ca_file: str | None
    cert_file: str | None
    key_file: str | None
    is_insecure: bool
    server_name: str | None


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """The options of tile38py-cli."""

    host: str
    port: int
    socket_path: str | None
    user: str | None
    password: str | None
    database: int | None
    tls: TlsOptions | None
    output: Output
    is_raw: bool | None  # None: raw unless stdout is a terminal
    repeat_count: int  # -1: for ever
    interval_seconds: float
    reads_last_word: bool
    script_file: str | None
    words: tuple[str, ...]

    @property
    def address(self) -> str:
        """The server's address in messages and in the prompt."""
        return self.socket_path or f"{self.host}:{self.port}"


class _Parser(argparse.ArgumentParser):
    """A parser whose errors end with exit code 2 and one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}: see --help\n")


def make_parser() -> argparse.ArgumentParser:
    """Create the parser, from which help and shell completion are made."""
    parser = _Parser(
        prog="tile38py-cli",
        description="A client of Tile38 servers for the terminal and for scripts.",
        epilog=EPILOG,
        add_help=False,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("-h", dest="host", metavar="HOST", help="server (default: 127.0.0.1)")
    add("-p", dest="port", type=_port, metavar="PORT", help=f"server's port (default: {PORT})")
    add("-s", dest="socket_path", metavar="SOCKET", help="unix socket of the server")
    add("-a", "--pass", dest="password", metavar="PASSWORD", help="password")
    add("--user", metavar="NAME", help="user of the password")
    add("-u", dest="uri", metavar="URI", help="tile38://[[user]:password@]host[:port][/n]")
    add("-n", dest="database", type=int, metavar="NUMBER", help="SELECT it; servers have 0 only")
    add("--tls", action="store_true", help="encrypt the connection")
    add("--cacert", metavar="FILE", help="certificates to trust; implies --tls")
    add("--cert", metavar="FILE", help="own certificate; implies --tls")
    add("--key", metavar="FILE", help="key of the own certificate")
    add("--insecure", action="store_true", help="trust any certificate; implies --tls")
    add("--sni", metavar="NAME", help="name to expect and to send; implies --tls")
    _add_output_options(parser)
    add("-r", dest="repeat", type=int, default=1, metavar="COUNT", help="repeat, -1: for ever")
    add("-i", dest="interval", type=_seconds, default=0.0, metavar="SECONDS", help="between -r's")
    add("-x", dest="reads_last_word", action="store_true", help="last argument is read from stdin")
    add("--eval", metavar="FILE", help="run a Lua script; words: key… , argument…")
    add("--version", action="version", version=f"tile38py-cli {VERSION}", help="show the version")
    add("-?", "--help", action="help", help="show this text")
    add(COMPLETION_OPTION, choices=SHELLS, help="show the completion for a shell")
    add("words", nargs=argparse.REMAINDER, metavar="command", help="a command and its arguments")
    return parser


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="JSON replies, on a terminal indented")
    output.add_argument("--resp", action="store_true", help="RESP replies, shown as by redis-cli")
    raw = parser.add_mutually_exclusive_group()
    raw.add_argument("--raw", action="store_true", help="as received (default unless a terminal)")
    raw.add_argument("--no-raw", action="store_true", help="as on a terminal")


def parse(words: Sequence[str], environment: Mapping[str, str]) -> ClientOptions:
    """Parse the words and the environment. Ends the process for a wrong line, as argparse does."""
    parser = make_parser()
    found = parser.parse_args(words)
    if found.print_completion:
        end_with_completion(parser, [found.print_completion])
    uri = _parse_uri(parser, found.uri) if found.uri else _Uri()
    output = environment.get("TILE38_OUTPUT", "").lower()
    is_resp = found.resp or (output == "resp" and not found.json)
    is_json = found.json or output == "json"
    port = environment.get("TILE38_PORT", "")
    return ClientOptions(
        host=found.host or uri.host or environment.get("TILE38_HOSTNAME") or "127.0.0.1",
        # Like tile38-cli, a port that isn't a number is ignored.
        port=found.port or uri.port or (int(port) if port.isdigit() else PORT),
        socket_path=found.socket_path,
        user=found.user or uri.user,
        password=_first(
            found.password,
            uri.password,
            environment.get("TILE38_PASSWORD"),
            environment.get("REDISCLI_AUTH"),
        ),
        database=found.database if found.database is not None else uri.database,
        tls=_tls(found, is_asked=uri.is_tls),
        output=Output.RESP if is_resp else Output.JSON if is_json else Output.AUTO,
        is_raw=True if found.raw else False if found.no_raw else None,
        repeat_count=found.repeat,
        interval_seconds=found.interval,
        reads_last_word=found.reads_last_word,
        script_file=found.eval,
        words=tuple(found.words),
    )


def _first(*texts: str | None) -> str | None:
    return next((text for text in texts if text), None)


def _tls(found: argparse.Namespace, *, is_asked: bool) -> TlsOptions | None:
    names = (found.cacert, found.cert, found.insecure, found.sni)
    if not (is_asked or found.tls or any(names)):
        return None
    return TlsOptions(found.cacert, found.cert, found.key, found.insecure, found.sni)


@dataclass(frozen=True, slots=True)
class _Uri:
    """The parts of -u."""

    host: str | None = None
    port: int | None = None
    user: str | None = None
    password: str | None = None
    database: int | None = None
    is_tls: bool = False


def _parse_uri(parser: argparse.ArgumentParser, text: str) -> _Uri:
    schemes = {"tile38": False, "redis": False, "tile38s": True, "rediss": True, "valkey": False}
    try:
        url = urlsplit(text)
        is_tls = schemes[url.scheme]
        path = url.path.strip("/")
        return _Uri(
            url.hostname,
            url.port,
            unquote(url.username) if url.username else None,
            unquote(url.password) if url.password else None,
            int(path) if path else None,
            is_tls,
        )
    except (ValueError, KeyError):
        parser.error(f"'{text}' isn't a URI like tile38://user:password@host:port")


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 1 << 16:
        raise ValueError(text)
    return port


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise ValueError(text)
    return seconds
