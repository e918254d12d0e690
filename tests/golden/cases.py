"""Golden files: finding, reading, replaying, checking and recording them."""

import contextlib
import dataclasses
import enum
import fnmatch
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from tests.golden.compare import settle, short_difference
from tests.golden.conversation import Conversation
from tests.golden.language import CaseError, CaseStep, parse_case
from tests.support.resp import TIMEOUT, Address

FOLDER = Path(__file__).parent / "cases"
REPLY_SECONDS_MAX = 5.0

# Commands that run before each case. Only the last has to succeed, so that servers without the
# others can be checked, too. FOLLOW and READONLY come first: their states refuse other commands.
RESET = (
    b"FOLLOW no one",
    b"READONLY no",
    b"SCRIPT FLUSH",
    b"CONFIG SET requirepass ",
    b"CONFIG SET leaderauth ",
    b"CONFIG SET protected-mode yes",
    b"CONFIG SET maxmemory ",
    b"CONFIG SET autogc 0",
    b"CONFIG SET keepalive 300",
    b"CONFIG SET logconfig ",
    b"CONFIG SET replica_announce_ip ",
    b"CONFIG SET replica_announce_port 0",
    b"FLUSHDB",
)


class Source(enum.Enum):
    """The server that a file of replies was recorded from; the value is the file's suffix."""

    TILE38 = ".golden"
    OURS = ".ours"  # deliberate differences, which docs/differences.md explains


# Written by hand into an .ours file in place of a reply that another test compares.
TESTED_ELSEWHERE = ["(tested elsewhere)"]


@dataclasses.dataclass(frozen=True, slots=True)
class Mismatch:
    """A step whose replies differ from the recorded ones."""

    case: str
    line: int
    command: str
    expected: list[str]
    got: list[str]

    def __str__(self) -> str:
        """Return the place, and the lines that differ."""
        head = f"{self.case}:{self.line}: {self.command}"
        return "\n    ".join([head, *short_difference(self.expected, self.got)])


@dataclasses.dataclass(frozen=True, slots=True)
class GoldenCase:
    """A case file, with files of recorded replies beside it."""

    path: Path

    @property
    def name(self) -> str:
        """The folder and the stem of the file, such as search/limit."""
        return "/".join(self.path.with_suffix("").parts[-2:])

    @property
    def has_ours(self) -> bool:
        """Whether our replies differ deliberately from Tile38's."""
        return self.path.with_suffix(Source.OURS.value).exists()

    def steps(self) -> list[CaseStep]:
        """Parse the case."""
        return list(parse_case(self.path.read_text(encoding="utf-8")))

    def write(self, source: Source, blocks: Iterable[tuple[CaseStep, list[str]]]) -> None:
        """Write the replies to each step."""
        lines = [line for step, replies in blocks for line in (f"> {step.text}", *replies)]
        file = self.path.with_suffix(source.value)
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")

    def read(self, source: Source) -> list[tuple[str, list[str]]]:
        """Read the recorded replies to each step."""
        blocks: list[tuple[str, list[str]]] = []
        text = self.path.with_suffix(source.value).read_text(encoding="utf-8")
        for line in text.removesuffix("\n").split("\n"):
            if line.startswith("> "):
                blocks.append((line[2:], []))
            else:
                blocks[-1][1].append(line)
        return blocks


def reset_server(address: Address, passwords: Iterable[bytes] = ()) -> None:
    """Empty the keyspace and restore the settings. Raises CaseError if FLUSHDB is refused."""
    conversation = Conversation(address, REPLY_SECONDS_MAX)
    try:
        for password in passwords:
            conversation.command([b"AUTH", password])
        replies = [conversation.command(command.split(b" ")) for command in RESET]
    finally:
        conversation.close_all()
    if replies[-1] != ["+OK"]:
        raise CaseError(f"can't reset the server: FLUSHDB answers {replies[-1]}")


def replay(steps: list[CaseStep], address: Address) -> Generator[tuple[CaseStep, list[str]]]:
    """Run the steps of a case on an empty keyspace; yield their replies. A time-out ends it."""
    requirepass = [b"config", b"set", b"requirepass"]
    settings = [step for step in steps if [w.lower() for w in step.words[:3]] == requirepass]
    reset_server(address)
    conversation = Conversation(address, REPLY_SECONDS_MAX)
    try:
        for step in steps:
            lines = conversation.run(step)
            yield step, lines
            if TIMEOUT in lines:
                return
    finally:
        conversation.close_all()
        if settings:
            reset_server(address, [step.words[-1] for step in settings])


def record(case: GoldenCase, source: Source, address: Address) -> None:
    """Record the replies of a server to a case; keep the marks of replies tested elsewhere."""
    is_recorded = case.path.with_suffix(source.value).exists()
    earlier = case.read(source) if is_recorded else []
    marked = {text for text, replies in earlier if replies == TESTED_ELSEWHERE}
    blocks = replay(case.steps(), address)
    case.write(
        source,
        [(step, TESTED_ELSEWHERE if step.text in marked else replies) for step, replies in blocks],
    )


def check(case: GoldenCase, source: Source, address: Address) -> Iterator[Mismatch]:
    """Run a case and yield its mismatches. It runs only as far as the caller iterates."""
    steps, blocks = case.steps(), case.read(source)
    if [step.text for step in steps] != [text for text, _ in blocks]:
        yield Mismatch(case.name, 0, "", [], ["the replies are stale: record them again"])
        return
    with contextlib.closing(replay(steps, address)) as replies:
        for (step, got), (_, expected) in zip(replies, blocks, strict=False):
            if source is Source.OURS and expected == TESTED_ELSEWHERE:
                continue
            settled = settle(expected, got, step.rules.tolerance)
            if settled != expected:
                yield Mismatch(case.name, step.line, step.text, expected, settled)


def find_cases(pattern: str = "*") -> list[GoldenCase]:
    """Return the cases whose names match a pattern, sorted by name."""
    cases = sorted(map(GoldenCase, FOLDER.rglob("*.txt")), key=lambda case: case.name)
    return [case for case in cases if fnmatch.fnmatch(case.name, pattern)]
