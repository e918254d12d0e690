"""A server that gives prepared answers: one to each piece that it receives, then it closes.

It serves one connection after the other, each with its own answers.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence

RECEIVE_BYTES = 1 << 16


@contextlib.contextmanager
def serve_answers(listener: socket.socket, *conversations: Sequence[bytes]) -> Iterator[None]:
    """Serve connections of a listener on a thread for the length of a block."""

    def serve() -> None:
        for answers in conversations:
            connection, _ = listener.accept()
            with connection:
                converse(connection, answers)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def converse(connection: socket.socket, answers: Sequence[bytes]) -> None:
    """Answer each piece; an empty answer only receives it."""
    for answer in answers:
        if not connection.recv(RECEIVE_BYTES):
            return
        connection.sendall(answer)
