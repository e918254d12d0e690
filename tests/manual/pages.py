"""The files of the manual: what each should hold, and what is wrong with those that are there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.manual import blocks, index
from tests.manual.head import head
from tests.manual.server import JSON_NAME
from tests.support.process import ROOT
from tests.support.records import all_records
from tile38py._engine import CommandRecord
from tile38py.commands.syntax import parse

BEGIN: Final = "<!-- begin of what `make docs` writes -->"
END: Final = "<!-- end of what `make docs` writes -->"
UNWRITTEN: Final = "(to be written)"
INDEX: Final = "README.md"
SECTIONS: Final = ("Examples", "Arguments", "Reply", "Errors")
SKELETON: Final = f"""
{UNWRITTEN}: what the command is for

## Examples

```session
```

## Arguments

ARGUMENTS

## Reply

| | RESP | JSON |
| --- | --- | --- |
| {UNWRITTEN} | | |

## Errors

{blocks.ERROR_HEADER}
| --- | --- | --- |
| | {UNWRITTEN} | |
"""
LINK: Final = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]+))?\)")
HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
ANCHOR: Final = re.compile(r'<a id="([^"]+)">')

# Commands whose pages show no request that succeeds in an output, and the reason.
NO_EXAMPLE: Final[dict[tuple[str, str], str]] = {
    ("AOF", "JSON"): "the reply is the same",
    ("HELLO", "JSON"): "as in RESP",
    ("HELLO", "RESP"): "it is refused until there is a newer protocol",
    ("MONITOR", "JSON"): "the reply is the same",
    ("QUIT", "JSON"): "there is no reply",
    ("SHUTDOWN", "JSON"): "as in RESP",
    ("SHUTDOWN", "RESP"): "it ends the process, here that of the tests",
}


@dataclass(frozen=True, slots=True)
class Manual:
    """The manual in a repository."""

    root: Path = ROOT
    records: list[CommandRecord] = field(default_factory=all_records)

    @property
    def folder(self) -> Path:
        """Where the pages are."""
        return self.root / "docs" / "commands"

    def page(self, record: CommandRecord) -> Path:
        """The page of a command."""
        return self.folder / index.file_name(record)

    def others(self) -> list[Path]:
        """The pages that are about no single command: the index and the topics."""
        return [self.folder / INDEX, *sorted(self.folder.glob("*/*.md"))]

    def write(self) -> Iterator[str]:
        """Write all that the code tells: the names of the files that changed, and faults."""
        runs = {self.page(record): self.render_page(record) for record in self.records}
        runs |= {path: self.render_other(path) for path in self.others()}
        runs[self.root / INDEX] = blocks.Run(self.render_readme())
        for path, run in runs.items():
            name = path.relative_to(self.root)
            yield from (f"{name}: {fault}" for fault in run.faults)
            if _read(path) != run.text:
                path.write_text(run.text, encoding="utf-8")
                yield f"{name}"

    def render_page(self, record: CommandRecord) -> blocks.Run:
        """A command's page as it should be; where there is none, one to be filled in."""
        text = _read(self.page(record)) or f"{BEGIN}\n{END}\n{_skeleton(record)}"
        return blocks.run(with_region(text, head(record)))

    def render_other(self, path: Path) -> blocks.Run:
        """The index or the page of a topic as it should be."""
        text = _read(path)
        if path.name == INDEX:
            text = with_region(text, index.full_index(self.records))
        return blocks.run(text)

    def render_readme(self) -> str:
        """The README of the repository as it should be."""
        table = index.short_index(self.records, "docs/commands")
        return with_region(_read(self.root / INDEX), table)

    def unknown_pages(self) -> list[str]:
        """Pages about commands that don't exist."""
        known = {self.page(record) for record in self.records} | set(self.others())
        return [path.name for path in sorted(self.folder.glob("*.md")) if path not in known]

    def page_faults(self, record: CommandRecord) -> Iterator[str]:
        """What is wrong with a command's page."""
        path = self.page(record)
        if not path.exists():
            yield f"{path.name}: there is no such page; `make docs` begins one"
            return
        text = _read(path)
        rendered = self.render_page(record)
        yield from (f"{path.name}: {fault}" for fault in rendered.faults)
        if rendered.text != text:
            yield f"{path.name}: not what `make docs` writes"
        if UNWRITTEN in text:
            yield f"{path.name}: something is still {UNWRITTEN}"
        yield from (
            f"{path.name}: no section '{title}'"
            for title in SECTIONS
            if f"\n## {title}\n" not in text
        )
        for output in missing_outputs(record.name, rendered):
            if (record.name, output) not in NO_EXAMPLE:
                yield f"{path.name}: no example in {output} that succeeds"

    def dead_links(self, path: Path) -> Iterator[str]:
        """Links of a file to files or headings that aren't there."""
        for target, anchor in LINK.findall(_read(path)):
            if "://" in target:
                continue
            linked = (path.parent / target).resolve() if target else path
            if not linked.exists():
                yield f"{path.name}: {target} doesn't exist"
            elif anchor and anchor not in _anchors(_read(linked)):
                yield f"{path.name}: {target} has no #{anchor}"


def with_region(text: str, written: str) -> str:
    """The text with something new between the marks."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"there have to be one {BEGIN} and one {END}")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{written}\n{END}{rest.partition(END)[2]}"


def missing_outputs(name: str, run: blocks.Run) -> list[str]:
    """The outputs in which no request of the command succeeded."""
    shown = {
        "JSON" if client.endswith(JSON_NAME) else "RESP"
        for client, words in run.succeeded
        if b" ".join(words[: len(name.split(" "))]).decode().upper() == name
    }
    return sorted({"RESP", "JSON"} - shown)


def _skeleton(record: CommandRecord) -> str:
    names = [argument.token or f"`{argument.name}`" for argument in parse(record.syntax)]
    rows = [f"| {name} | {UNWRITTEN} |" for name in names]
    table = "\n".join(["| Argument | Meaning |", "| --- | --- |", *rows])
    return SKELETON.replace("ARGUMENTS", table if rows else "None.")


def _anchors(text: str) -> set[str]:
    """The places of a page that links may name."""
    titles = (re.sub(r"[^\w\- ]", "", title.lower()) for title in HEADING.findall(text))
    return {title.replace(" ", "-") for title in titles} | set(ANCHOR.findall(text))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
