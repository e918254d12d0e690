"""Binding: what is in the way is told, and nothing but a dead socket is removed."""

import socket
from pathlib import Path

import pytest

from tile38py.errors import StartError
from tile38py.server.listener import address_text, bind_tcp, bind_unix


def test_a_port_that_is_taken_is_told() -> None:
    with bind_tcp("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        assert address_text(first) == f"127.0.0.1:{port}"
        text = f"listen tcp 127.0.0.1:{port}: bind: address already in use"
        with pytest.raises(StartError, match=text):
            bind_tcp("127.0.0.1", port)


def test_all_interfaces_are_one_socket() -> None:
    with (
        bind_tcp("", 0) as listener,
        socket.create_connection(("127.0.0.1", listener.getsockname()[1]), 5),
    ):
        assert address_text(listener).endswith(str(listener.getsockname()[1]))


def test_a_dead_socket_is_replaced_and_a_living_one_is_not(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with bind_unix(path), pytest.raises(StartError, match="address already in use"):
        bind_unix(path)
    bind_unix(path).close()


def test_nothing_else_is_removed(tmp_path: Path) -> None:
    with pytest.raises(StartError):
        bind_unix(str(tmp_path))
    file = tmp_path / "file"
    file.write_text("precious")
    with pytest.raises(StartError):
        bind_unix(str(file))
    assert file.read_text() == "precious"
