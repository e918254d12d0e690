"""Golden files: finding, reading, replaying, checking and recording them."""

import contextlib
import dataclasses
import enum
import fnmatch
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from tests.golden.compare import settle, short_difference
from tests.golden.conversation import Conversation
from tests.golden.language import CaseError, Step, parse_case
from tests.support.resp import TIMEOUT, Address

FOLDER = Path(__file__).parent / "cases"
PENDING = Path(__file__).parent / "pending.txt"
REPLY_SECONDS_MAX = 5.0

# What each case begins with. Only the last has to succeed, so that a server which lacks the
# others can be checked too. FOLLOW and READONLY come first because they refuse writes.
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
    """Whose replies a file beside a case holds; the value is its suffix."""

    TILE38 = ".golden"
    OURS = ".ours"  # where we differ on purpose: docs/differences.md says why


# Stands in an .ours file, written by hand, for a reply that other tests compare.
TESTED_ELSEWHERE = ["(tested elsewhere)"]


@dataclasses.dataclass(frozen=True, slots=True)
class Mismatch:
    """A step whose replies aren't the recorded ones."""

    case: str
    line: int
    command: str
    expected: list[str]
    got: list[str]

    def __str__(self) -> str:
        """For people: where, and what differs."""
        head = f"{self.case}:{self.line}: {self.command}"
        return "\n    ".join([head, *short_difference(self.expected, self.got)])


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """A case file; its name is its folder and stem, its golden file lies beside it."""

    path: Path

    @property
    def name(self) -> str:
        """Such as search/limit."""
        return "/".join(self.path.with_suffix("").parts[-2:])

    @property
    def has_ours(self) -> bool:
        """Whether we differ from Tile38 in this case, on purpose."""
        return self.path.with_suffix(Source.OURS.value).exists()

    def steps(self) -> list[Step]:
        """The lines of the case."""
        return list(parse_case(self.path.read_text(encoding="utf-8")))

    def write(self, source: Source, blocks: Iterable[tuple[Step, list[str]]]) -> None:
        """Write the replies to each step."""
        lines = [line for step, replies in blocks for line in (f"> {step.text}", *replies)]
        file = self.path.with_suffix(source.value)
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")

    def read(self, source: Source) -> list[tuple[str, list[str]]]:
        """The replies to each step, as recorded."""
        blocks: list[tuple[str, list[str]]] = []
        text = self.path.with_suffix(source.value).read_text(encoding="utf-8")
        for line in text.removesuffix("\n").split("\n"):
            if line.startswith("> "):
                blocks.append((line[2:], []))
            else:
                blocks[-1][1].append(line)
        return blocks


def reset_server(address: Address, passwords: Iterable[bytes] = ()) -> None:
    """Empty the keyspace and put the settings back, whatever the case before left behind."""
    conversation = Conversation(address, REPLY_SECONDS_MAX)
    try:
        for password in passwords:
            conversation.command([b"AUTH", password])
        replies = [conversation.command(command.split(b" ")) for command in RESET]
    finally:
        conversation.close_all()
    if replies[-1] != ["+OK"]:
        raise CaseError(f"can't reset the server: FLUSHDB answers {replies[-1]}")


def replay(steps: list[Step], address: Address) -> Generator[tuple[Step, list[str]]]:
    """Run the steps of a case on a fresh keyspace. A time-out ends the case."""
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


def record(case: Case, source: Source, address: Address) -> None:
    """Write what the server replies to a case; keep the marks of replies tested elsewhere."""
    is_recorded = case.path.with_suffix(source.value).exists()
    earlier = case.read(source) if is_recorded else []
    marked = {text for text, replies in earlier if replies == TESTED_ELSEWHERE}
    blocks = replay(case.steps(), address)
    case.write(
        source,
        [(step, TESTED_ELSEWHERE if step.text in marked else replies) for step, replies in blocks],
    )


def check(case: Case, source: Source, address: Address) -> Iterator[Mismatch]:
    """Compare the replies to a case with the recorded ones, as far as the caller reads on."""
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


def find_cases(pattern: str = "*") -> list[Case]:
    """The cases whose names match, in the order of their names."""
    cases = sorted(map(Case, FOLDER.rglob("*.txt")), key=lambda case: case.name)
    return [case for case in cases if fnmatch.fnmatch(case.name, pattern)]


def read_pending() -> dict[str, str]:
    """The cases that can't pass yet, each with what it waits for."""
    lines = PENDING.read_text(encoding="utf-8").splitlines()
    entries = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return {name: reason.strip() for name, _, reason in entries}
