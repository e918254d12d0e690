"""tile38py-cli on a pseudo-terminal: prompt, history, completion, hints, lost connections."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.support.process import ServerProcess
from tests.support.tools import Terminal, open_terminal

TAB, UP, CTRL_C, CTRL_D = "\t", "\x1b[A", "\x03", "\x04"


def complete(terminal: Terminal, beginning: str, added: str) -> None:
    """Type the beginning of a word and have it completed."""
    terminal.send(beginning + TAB)
    terminal.expect_exact(added)


@pytest.fixture
def terminal(server: ServerProcess, tmp_path: Path) -> Iterator[Terminal]:
    """The client at its prompt."""
    process = open_terminal(server, tmp_path)
    process.expect(f"127.0.0.1:{server.port}>")
    yield process
    process.close(force=True)


def answer(terminal: Terminal, line: str, expected: str) -> None:
    """Type a line and wait for a text of its output."""
    terminal.send(line + "\r")
    terminal.expect_exact(expected)


def test_commands_are_typed_and_replies_shown(terminal: Terminal) -> None:
    answer(terminal, "SET fleet truck1 POINT 33 -115", '"ok": true')
    answer(terminal, "SCAN fleet POINTS", "(1 point, cursor 0")
    answer(terminal, "GET nope id", "(error) key not found")
    answer(terminal, 'GET "a', "the double quote at column 5 isn't closed")
    answer(terminal, "help del", "summary: ")
    answer(terminal, "", "pong")
    terminal.send(CTRL_D)
    terminal.expect(pexpect.EOF)


def test_errors_are_red(terminal: Terminal) -> None:
    answer(terminal, "GET nope id", "\x1b[31m(error) key not found\x1b[0m")


def test_lines_are_kept_but_for_passwords(
    terminal: Terminal, server: ServerProcess, tmp_path: Path
) -> None:
    answer(terminal, "KEYS x*", "(0 keys")
    answer(terminal, "AUTH secret", "(error)")
    answer(terminal, " KEYS hidden*", "(0 keys")
    terminal.send(CTRL_D)
    terminal.expect(pexpect.EOF)
    history = (tmp_path / "history").read_text("utf-8")
    assert "KEYS x*" in history
    assert "secret" not in history
    assert "hidden" not in history
    assert (tmp_path / "history").stat().st_mode & 0o077 == 0
    again = open_terminal(server, tmp_path)
    again.expect(f"127.0.0.1:{server.port}>")
    again.send(UP + "\r")
    again.expect_exact("(0 keys")
    again.close(force=True)


def test_tab_completes_commands_keys_ids_and_options(
    terminal: Terminal, server: ServerProcess
) -> None:
    server.call("SET", "my fleet", "truck1", "POINT", 33, -115)
    complete(terminal, "INTERS", "ECTS")
    complete(terminal, " my", '"my fleet"')
    terminal.send(CTRL_C)
    server.call("SET", "fleet", "lorry1", "POINT", 33, -115)
    complete(terminal, "get fl", "eet")
    complete(terminal, " lor", "ry1")
    complete(terminal, " withf", "ields")
    terminal.send("\r")
    terminal.expect_exact('"coordinates": [-115, 33]')


def test_a_hint_shows_the_arguments(terminal: Terminal) -> None:
    terminal.send("DEL fleet ")
    terminal.expect_exact("[ERRON404]")


def test_messages_are_shown_until_ctrl_c_and_the_prompt_goes_on(
    terminal: Terminal, server: ServerProcess
) -> None:
    answer(terminal, "SUBSCRIBE news", '"subscribe"')
    server.call("PUBLISH", "news", "hello")
    terminal.expect_exact('"hello"\r\n')
    terminal.send(CTRL_C)
    terminal.expect("not connected>")
    answer(terminal, "PING", "pong")
    terminal.expect(f"127.0.0.1:{server.port}>")


def test_a_lost_connection_is_opened_anew(terminal: Terminal, server: ServerProcess) -> None:
    server.stop()
    answer(terminal, "SET fleet a POINT 1 2", "Could not connect to Tile38")
    terminal.expect("not connected>")
    server.start(port=server.port)
    answer(terminal, "KEYS *", "The connection was lost, and is open again")
    terminal.expect_exact("(0 keys")


def test_an_interrupted_command_leaves_the_prompt(server: ServerProcess, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        terminal = open_terminal(server, tmp_path, "--resp", "-p", str(port))
        connection, _ = silent.accept()
        terminal.expect(f"127.0.0.1:{port}>")
        terminal.send("PING\r")
        assert connection.recv(100) == b"*1\r\n$4\r\nPING\r\n"
        terminal.send(CTRL_C)
        terminal.expect_exact("Interrupted")
        terminal.expect("not connected>")
        terminal.close(force=True)
        connection.close()
