"""Rules for text files of any language: sizes, lines, words."""

import dataclasses
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

COLUMNS_MAX = 100
PYTHON_LINES_MAX = 400
RUST_LINES_MAX = 600
TEST_LINES_MAX = 500
# Data files, and files that tools write.
NOT_OURS = ("tests/golden/cases/", "tests/data/", "Cargo.lock", "LICENSE", "fuzz/Cargo.lock")
CODE_SUFFIXES = frozenset({".py", ".pyi", ".rs"})
TEXT_SUFFIXES = CODE_SUFFIXES | {".md", ".toml", ".txt", ".yml", ".yaml", ".json", ""}

# References that readers can't follow: paths of a developer's machine, and papers outside of the
# repository. The brackets keep this list from matching itself.
PRIVATE = re.compile(r"(?<![\w.])/[w]ork/|(?<![\w./])/[r]oot/|\b[s]hared/|\bthe [s]pec\b|[s]pec/0")
UNFINISHED = re.compile(r"\b[F]IXME\b|\b[T]ODO\b(?! ?\(?#\d+)")


@dataclasses.dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the repository, with its path from the root."""

    path: PurePosixPath
    text: str

    @property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        return self.text.splitlines()

    @property
    def is_test(self) -> bool:
        """Whether the file is a Python module of tests."""
        return self.path.parts[0] == "tests" and self.path.name.startswith("test_")


def read_repository(root: Path) -> list[SourceFile]:
    """Read the text files of the repository: committed ones, and new ones that aren't ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    files = []
    for name in sorted(set(result.stdout.splitlines())):
        path = PurePosixPath(name)
        is_ours = path.suffix in TEXT_SUFFIXES and not name.startswith(NOT_OURS)
        if is_ours and (root / path).is_file():
            files.append(SourceFile(path, (root / path).read_text(encoding="utf-8")))
    return files


def lines_max(file: SourceFile) -> int | None:
    """Return the maximum number of lines of a file, None if it has none."""
    # A stub describes a Rust module, which can have only one.
    if file.path.suffix in {".rs", ".pyi"}:
        return RUST_LINES_MAX
    if file.path.suffix in CODE_SUFFIXES:
        return TEST_LINES_MAX if file.is_test else PYTHON_LINES_MAX
    return None


def too_long(file: SourceFile) -> Iterator[str]:
    """Find files with too many lines, and lines with too many columns."""
    limit = lines_max(file)
    if limit and len(file.lines) > limit:
        yield f"{file.path}: {len(file.lines)} lines, {limit} are allowed"
    if file.path.suffix in CODE_SUFFIXES:
        for number, line in enumerate(file.lines, 1):
            if len(line) > COLUMNS_MAX:
                yield f"{file.path}:{number}: {len(line)} columns, {COLUMNS_MAX} are allowed"


def unfit_words(file: SourceFile) -> Iterator[str]:
    """Find references that readers can't follow, and marks of unfinished work."""
    for number, line in enumerate(file.lines, 1):
        if match := PRIVATE.search(line):
            yield f"{file.path}:{number}: '{match[0]}' isn't part of the repository"
        if file.path.suffix in CODE_SUFFIXES and (match := UNFINISHED.search(line)):
            yield f"{file.path}:{number}: {match[0]} without an issue"


def without_header(file: SourceFile) -> Iterator[str]:
    """Find Rust files without a module comment. For Python, ruff's D100 does that."""
    if file.path.suffix == ".rs" and not file.text.startswith("//!"):
        yield f"{file.path}: doesn't open with //! and what it owns and refuses"
