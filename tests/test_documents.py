"""The documents name files, functions and make targets that exist."""

import re
from pathlib import Path

import pytest

from tests.support.process import ROOT

DOCUMENTS = ["README.md", "CONTRIBUTING.md", *sorted(map(str, Path("docs").glob("*.md")))]
ROW = re.compile(r"\| `([\w/]+\.(?:py|rs))` \| `([\w.]+)` \|")
FOLDERS = "crates|tile38py|tests|config|docs|benchmarks|requirements"
FILE = re.compile(rf"`((?:{FOLDERS})/[\w/-]+\.(?:py|rs|md|json|yaml|conf|txt))`")


def text_of(document: str) -> str:
    return (ROOT / document).read_text("utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_files_exist(document: str) -> None:
    named = set(FILE.findall(text_of(document)))
    assert {name for name in named if not (ROOT / name).exists()} == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_make_targets_exist(document: str) -> None:
    makefile = text_of("Makefile")
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", text_of(document), re.MULTILINE))
    assert {name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)} == set()


def test_the_walks_name_functions_of_their_files() -> None:
    rows = ROW.findall(text_of("docs/ARCHITECTURE.md"))
    assert len(rows) > 25
    # `Class.method` in Python; in Rust the function alone.
    missing = {
        (file, name)
        for file, name in rows
        for part in name.split(".")
        if not re.search(rf"\b(?:def|class|fn) {part}\b", text_of(file))
    }
    assert missing == set()
