"""The command line of tile38py-cli and its environment."""

import pytest

from tile38py.cli.client_options import ClientOptions, Output, TlsOptions, parse


def parsed(line: str, **environment: str) -> ClientOptions:
    return parse(line.split(), environment)


def test_defaults_are_those_of_tile38_cli() -> None:
    options = parsed("")
    assert (options.address, options.output) == ("127.0.0.1:9851", Output.AUTO)
    assert (options.is_raw, options.tls, options.words) == (None, None, ())


def test_the_environment_fills_what_the_line_leaves_out() -> None:
    names = {"TILE38_HOSTNAME": "a", "TILE38_PORT": "5", "TILE38_PASSWORD": "p"}
    options = parsed("-p 6", **names, TILE38_OUTPUT="resp", REDISCLI_AUTH="other")
    assert (options.host, options.port, options.password) == ("a", 6, "p")
    assert options.output is Output.RESP
    assert parsed("--json", TILE38_OUTPUT="resp").output is Output.JSON
    assert parsed("", TILE38_PORT="x", REDISCLI_AUTH="other").port == 9851


def test_options_end_where_the_command_begins() -> None:
    options = parsed("-r 3 -i 0.5 SET k -r --json")
    assert options.words == ("SET", "k", "-r", "--json")
    assert (options.repeat_count, options.interval_seconds) == (3, 0.5)
    assert options.output is Output.AUTO


def test_a_uri_names_server_user_and_password() -> None:
    options = parsed("-u rediss://me:p%40ss@host:7/0")
    assert (options.host, options.port, options.user, options.password) == ("host", 7, "me", "p@ss")
    assert options.database == 0
    assert options.tls == TlsOptions(None, None, None, is_insecure=False, server_name=None)
    assert parsed("-u tile38://:pw@[::1]").host == "::1"


@pytest.mark.parametrize("flag", ["--tls", "--insecure", "--cacert f", "--cert f", "--sni name"])
def test_any_option_of_tls_encrypts(flag: str) -> None:
    assert parsed(flag).tls is not None


@pytest.mark.parametrize(
    "line", ["--nope", "-p x", "-p 0", "-u http://a", "-u tile38://a:x", "--raw --no-raw", "-i -1"]
)
def test_a_wrong_line_ends_with_code_2_and_one_sentence(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parsed(line)
    assert caught.value.code == 2
    shown = capsys.readouterr().err
    assert shown.startswith("tile38py-cli: ")
    assert shown.endswith(": see --help\n")
    assert shown.count("\n") == 1
