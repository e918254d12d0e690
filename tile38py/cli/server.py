"""The command that runs the server: options, log, event loop, exit code."""

import asyncio
import os
import platform
import sys
from collections.abc import Callable
from typing import NoReturn

from tile38py.cli.completion import COMPLETION_OPTION, end_with_completion, parser_of_help
from tile38py.cli.server_options import USAGE, UsageError, parse
from tile38py.config import json_object, read_members
from tile38py.config.properties import TLS_PORT
from tile38py.errors import StartError
from tile38py.limits import SWITCH_SECONDS
from tile38py.persistence.config_file import ConfigFile
from tile38py.persistence.data_folder import make_data_folder
from tile38py.server.lifecycle import Server
from tile38py.server.log_config import configured_log
from tile38py.server.logs import (
    NOTHING,
    SHOWN,
    VERBOSE,
    VERY_VERBOSE,
    JsonStyle,
    Log,
    gather_libraries,
    is_json,
    make_log,
)
from tile38py.server.options import Options
from tile38py.version import VERSION

BANNER = """\

  tile38py {version} ({bits} bit, {machine}/{system})
  {address}
  PID: {pid}

"""


def main(words: list[str] | None = None) -> NoReturn:
    """Run the server with the words of the command line."""
    words = sys.argv[1:] if words is None else words
    if "--help" in words:
        print(USAGE, end="")  # noqa: T201 - asked for on stdout
        sys.exit(0)
    if "--version" in words:
        print(f"tile38-server version: {VERSION}")  # noqa: T201 - as above
        sys.exit(0)
    if words[:1] == [COMPLETION_OPTION]:
        end_with_completion(parser_of_help("tile38py-server", USAGE), words[1:])
    try:
        options = parse(words, os.environ)
    except UsageError as error:
        text = f"{error}\n" if str(error) else ""
        sys.stderr.write(text if error.code == 1 else text + USAGE)
        sys.exit(error.code)
    code = run(options)
    sys.stderr.flush()
    # Threads of long reads may still run; the log is complete, so there is no need to join them.
    os._exit(code)


def run(options: Options) -> int:
    """Run a server; return the exit code."""
    try:
        make_data_folder(options.directory)
        log = log_for(options)
    except StartError as error:
        make_log(SHOWN).critical("%s", error)
        return 1
    gather_libraries(log)
    # grpc's C part has a log of its own.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    show_banner(options, log)
    if options.warns_of_evio:
        log.warning("evio is not currently supported")
    if options.warns_of_threads:
        log.warning("thread flag is deprecated use GOMAXPROCS to set number of threads instead")
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(serve(options, log))
    except StartError as error:
        log.critical("%s", error)
        return 1


async def serve(options: Options, log: Log) -> int:
    """Create a server and run it; return the exit code."""
    return await Server(options, log).run()


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's factory of event loops, None if uvloop isn't installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def log_for(options: Options) -> Log:
    """Create the log as the options and the configuration file say."""
    levels = SHOWN
    if options.is_quiet:
        levels = NOTHING
    elif options.is_very_verbose:
        levels = VERY_VERBOSE
    elif options.is_verbose:
        levels = VERBOSE
    members = read_members(ConfigFile(options.directory / "config").read()) or {}
    configuration = json_object(members.get("logconfig", ""))
    if configuration.get("encoding") == "json":
        return configured_log(configuration, is_quiet=options.is_quiet)
    return make_log(levels, style=JsonStyle() if options.logs_json else None)


def show_banner(options: Options, log: Log) -> None:
    """Print the version, the address and the process id."""
    if options.is_quiet:
        return
    tls_port = options.settings.get(TLS_PORT.name, "?")
    port = options.port if options.has_plain_port else f"{tls_port} (TLS only)"
    place = options.socket_path or f"{options.host or '*'}:{port}"
    text = BANNER.format(
        version=VERSION,
        bits=64 if sys.maxsize > 2**32 else 32,
        machine=platform.machine(),
        system=platform.system().lower(),
        address=f"Socket: {place}" if options.socket_path else f"Address: {place}",
        pid=os.getpid(),
    )
    if is_json(log):
        log.info("%s", " ".join(text.split()))
    else:
        sys.stderr.write(text)
