"""Commands from a file or a pipe, a line each.

The lines that are there are sent in one piece, as each round trip would cost more than a command.
A program that writes a line and waits for the reply gets it.
"""

import os
from collections.abc import Iterator
from itertools import count
from typing import Final

from tile38py.cli import command_table
from tile38py.cli.client_options import ClientOptions
from tile38py.cli.output import Printer
from tile38py.cli.runner import CommandRunner
from tile38py.cli.words import QuoteError, split_words

# What is sent in one piece fits into the sockets' buffers, though no reply is read meanwhile.
READ_BYTES: Final = 32 * 1024
STDIN: Final = 0


def run_lines(options: ClientOptions, runner: CommandRunner, printer: Printer) -> bool:
    """Run the commands of stdin. Return whether there was no error."""
    is_fine = True
    numbers = count(1)
    for lines in _pieces():
        batch: list[list[bytes]] = []
        for line, number in zip(lines, numbers, strict=False):
            words = _split(line)
            if isinstance(words, list) and not _stands_alone(words, options):
                batch.append(words)
                continue
            is_fine &= runner.run_batch(batch)
            batch = []
            if isinstance(words, QuoteError):
                printer.warn(f"line {number}: {words}")
                is_fine = False
            elif words:
                is_fine &= runner.run(words, options.repeat_count, options.interval_seconds)
        is_fine &= runner.run_batch(batch)
    return is_fine


def _stands_alone(words: list[bytes], options: ClientOptions) -> bool:
    return not words or options.repeat_count != 1 or command_table.streams(words)


def _split(line: bytes) -> list[bytes] | QuoteError:
    try:
        return split_words(line.decode("utf-8", "surrogateescape"))
    except QuoteError as error:
        return error


def _pieces() -> Iterator[list[bytes]]:
    """Yield the complete lines of each read; at the end, what is left."""
    unfinished: list[bytes] = []
    while data := os.read(STDIN, READ_BYTES):
        head, newline, tail = data.rpartition(b"\n")
        if newline:
            yield b"".join((*unfinished, head)).split(b"\n")
            unfinished = []
        unfinished.append(tail)
    if any(unfinished):
        yield [b"".join(unfinished)]
