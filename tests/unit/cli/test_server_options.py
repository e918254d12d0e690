"""The command line, in its two families."""

from pathlib import Path

import pytest

from tile38py.cli.server_options import UsageError, parse
from tile38py.server.options import Options


def options_of(line: str, **environment: str) -> Options:
    return parse(line.split(), environment)


def test_nothing_is_the_default() -> None:
    options = options_of("")
    assert (options.host, options.port, options.directory) == ("", 9851, Path("data"))
    assert options.append_path == Path("data/appendonly.aof")
    assert not options.is_protected


@pytest.mark.parametrize("line", ["-p 1", "-p=1", "--p 1", "--p=1", "-p 2 -p 1"])
def test_the_ways_to_name_a_port(line: str) -> None:
    assert options_of(line).port == 1


def test_all_options() -> None:
    options = options_of(
        "-h ::1 -p 0 -s /tmp/s -d /tmp/d -l json -v -vv -q -o JSON --pidfile /tmp/p "
        "--appendonly NO --appendfilename /tmp/a --queuefilename /tmp/q --http-transport 0 "
        "--protected-mode Yes --metrics-addr :1 --nohup --dev --spinlock --threads 2 --evio yes "
        "--pprofport 3",
        T38HTTP500ERRORS="1",
        REQUIREVALID="x",
    )
    assert options == Options(
        host="::1",
        port=0,
        socket_path="/tmp/s",
        directory=Path("/tmp/d"),
        logs_json=True,
        is_quiet=True,
        is_verbose=True,
        is_very_verbose=True,
        output="json",
        pid_file="/tmp/p",
        keeps_log=False,
        log_path=Path("/tmp/a"),
        queue_path=Path("/tmp/q"),
        is_http_enabled=False,
        is_protected=True,
        metrics_address=":1",
        ignores_hangup=True,
        is_developer=True,
        warns_of_threads=True,
        warns_of_evio=True,
        requires_valid=True,
        fails_with_500=True,
    )


def test_the_first_family_may_stand_anywhere() -> None:
    options = options_of("-p 1 word -p 2 --appendonly no -appendfilename x")
    assert (options.port, options.keeps_log, options.log_path) == (1, False, Path("x"))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("-o xml", "output must be 'resp' or 'json'"),
        ("--appendonly maybe", "appendonly must be 'yes' or 'no'"),
        ("--appendonly", "appendonly must be 'yes' or 'no'"),
        ("--appendfilename", "appendfilename must have a value"),
        ("--queuefilename", "queuefilename must have a value"),
        ("--http-transport on", "http-transport must be 'yes' or 'no'"),
        ("--protected-mode 1", "protected-mode must be 'yes' or 'no'"),
    ],
)
def test_bad_values_of_the_first_family(line: str, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        options_of(line)
    assert (str(caught.value), caught.value.code) == (text, 1)


@pytest.mark.parametrize(
    "line", ["-x", "-p", "-p x", "-p 65536", "-p -1", "--appendonly=no", "-v=x"]
)
def test_bad_flags_of_the_second_family(line: str) -> None:
    with pytest.raises(UsageError) as caught:
        options_of(line)
    assert caught.value.code == 2


def test_short_help_is_no_error() -> None:
    with pytest.raises(UsageError) as caught:
        options_of("-help")
    assert (str(caught.value), caught.value.code) == ("", 0)


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_the_receiver_for_tests_is_refused(kind: str) -> None:
    with pytest.raises(UsageError, match="receiver for tests"):
        options_of(f"--webhook-{kind}-consumer-port 1")
