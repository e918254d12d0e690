"""An HTTP endpoint that checks the numbers of the events that it gets, and fails on demand."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class NumberReceiver:
    """An endpoint on a free port of this machine.

    It drops repetitions of the last events, as consumers do, and records everything else that isn't
    the next number.
    """

    def __init__(self) -> None:
        """Listen, and accept events."""
        self.last: dict[str, int] = {}  # hook -> the number of the last event
        self.bodies: list[dict[str, object]] = []  # of all events but repetitions
        self.repeated = 0
        self.faults: list[str] = []
        self.is_up = True
        self._loses_reply = False
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # the library's name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not receiver.take(body):
                    self.close_connection = True
                    return
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_words: object) -> None:
                """Log nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_words: object) -> None:
                """Ignore errors: the server under test was killed."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def __enter__(self) -> Self:
        """Return the receiver."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def kill(self) -> None:
        """End each connection without a reply, the first one behind its event."""
        self.is_up, self._loses_reply = False, True

    def revive(self) -> None:
        """Accept events again."""
        self.is_up = True

    def take(self, body: bytes) -> bool:
        """Take one event; return whether it is acknowledged."""
        with self._lock:
            if not self.is_up and not self._loses_reply:
                return False
            self._note(json.loads(body))
            self._loses_reply = False
            return self.is_up

    def _note(self, message: dict[str, object]) -> None:
        hook, number = str(message["hook"]), message["sequence"]
        assert isinstance(number, int)
        last = self.last.get(hook, 0)
        if number <= last:
            self.repeated += 1
        elif number > last + 1:
            self.faults.append(f"{hook}: {number} behind {last}")
        if number > last:
            self.last[hook] = number
            self.bodies.append(message)
