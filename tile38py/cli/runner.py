"""Runs the commands of tile38py-cli: sends, shows replies, opens lost connections anew."""

import threading
from collections.abc import Sequence

from tile38py.cli import command_table
from tile38py.cli.output import Printer
from tile38py.cli.server_connection import ConnectionLostError, ServerConnection, is_error
from tile38py.protocol.resp import ReplyValue


class CommandRunner:
    """Runs one command after the other on a connection."""

    def __init__(self, connection: ServerConnection, printer: Printer) -> None:
        self._connection = connection
        self._printer = printer
        self._was_open = False

    def connect(self) -> bool:
        """Open the connection if it isn't. Return whether it is open; tell why it isn't."""
        if not self._connection.is_gone():
            return True
        try:
            refusals = self._connection.open()
        except ConnectionLostError as error:
            self._printer.warn(str(error))
            return False
        if self._was_open:
            self._printer.warn("The connection was lost, and is open again")
        self._was_open = True
        for refusal in refusals:
            self._printer.warn(f"(error) {refusal}")
        return True

    def run(self, words: Sequence[bytes], repeat_count: int = 1, interval: float = 0.0) -> bool:
        """Run a command, -1: for ever. Return whether no reply was an error."""
        is_fine = True
        number = 0
        while number != repeat_count:
            is_fine &= self._run_once(words)
            number += 1
            if interval and number != repeat_count:
                # Nobody sets it: this is a pause.
                threading.Event().wait(interval)
        return is_fine

    def run_batch(self, requests: Sequence[Sequence[bytes]]) -> bool:
        """Run commands of which none streams, sent in one piece. Return whether all went well."""
        if not requests:
            return True
        if not self.connect():
            return False
        is_fine = True
        left = sum(map(command_table.reply_count, requests))
        try:
            self._connection.send(*requests)
            while left:
                reply = self._connection.read()
                left -= 1
                self._printer.show(reply)
                is_fine &= not is_error(reply)
        except ConnectionLostError as error:
            self._printer.warn(
                f"The connection was lost before {left} replies: {error}. Their commands may have "
                "been run or not, so they aren't sent again."
            )
            return False
        return is_fine

    def _run_once(self, words: Sequence[bytes]) -> bool:
        if not self.connect():
            return False
        try:
            reply = self._call(words)
            self._printer.show(reply)
            for _ in range(1, command_table.reply_count(words)):
                self._printer.show(self._connection.read())
        except ConnectionLostError as error:
            self._printer.warn(
                f"The connection was lost before the reply: {error}. The command may have been "
                "run or not, so it isn't sent again."
            )
            return False
        if is_error(reply):
            return False
        return self._follow() if _begins_stream(words, reply) else True

    def _call(self, words: Sequence[bytes]) -> ReplyValue:
        """Send a command and return the reply. What changes nothing is sent again once."""
        try:
            return self._connection.call(words)
        except ConnectionLostError:
            if not command_table.is_read(words) or not self.connect():
                raise
            return self._connection.call(words)

    def _follow(self) -> bool:
        """Show messages until Ctrl-C, or until the server closes the connection."""
        try:
            while True:
                self._printer.show(self._connection.read())
        except ConnectionLostError as error:
            self._printer.warn(f"The connection was lost: {error}")
            return False
        except KeyboardInterrupt:
            # The messages under way belong to no later command.
            self._connection.close()
            self._was_open = False
            return True


def _begins_stream(words: Sequence[bytes], reply: ReplyValue) -> bool:
    """Whether messages follow a reply. A search may have a key or an id called FENCE."""
    if not command_table.streams(words):
        return False
    if isinstance(reply, list):
        return bool(reply) and not isinstance(reply[0], int)
    if isinstance(reply, bytes):
        return not command_table.searches(words) or b'"live":true' in reply
    return isinstance(reply, str)
