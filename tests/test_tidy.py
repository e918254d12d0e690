"""The repository keeps the rules that no linter knows, and each rule finds what it is for."""

from pathlib import PurePosixPath

import pytest

from tests.support.process import ROOT
from tests.support.tidy import circles, class_names, files, names, python, repository, rust
from tests.support.tidy.files import SourceFile

HEADER = '"""A module."""\n'


def source(path: str, text: str) -> SourceFile:
    return SourceFile(PurePosixPath(path), text)


@pytest.mark.timeout(180)  # it reads every file
def test_the_repository_keeps_the_rules() -> None:
    found = list(repository.findings(ROOT))
    assert not found, "\n" + "\n".join(found)


PYTHON_FAULTS = {
    "upward import": ("commands/keys.py", "from tile38py.server import listener", "may not import"),
    "upward import of a name": ("errors.py", "from tile38py import dispatch", "may not import"),
    "services meet": ("expiry.py", "import tile38py.metrics", "may not import"),
    "no layer": ("misc.py", "", "has no layer"),
    "socket below": ("config.py", "import socket", "belongs in the server"),
    "coroutine below": ("dispatch.py", "async def run() -> None: ...", "nothing awaits"),
    "file below": ("config.py", "open('x')", "files belong"),
    "time": ("server/lifecycle.py", "import time", "is passed in"),
    "chance": ("delivery/worker.py", "from random import choice", "is passed in"),
    "now": ("metrics.py", "from datetime import datetime\ndatetime.now()", "time is passed in"),
    "bare task": ("expiry.py", "import asyncio\nasyncio.create_task(f())", "TaskGroup"),
    "own error": ("commands/keys.py", "raise ValueError('no')", "raise errors."),
    "JSON by hand": ("metrics.py", "text = '{\"ok\":true}'", "not by hand"),
    "unclear name": ("metrics.py", "cfg = 1", "spell out 'cfg'"),
    "unclear argument": ("metrics.py", "def f(oid: str) -> None: ...", "spell out 'oid'"),
    "unclear file": ("server/utils.py", "", "called by what it owns"),
    "long function": ("metrics.py", "def f():\n" + "    x = 1\n" * 60, "f has 61 lines"),
    "commented code": ("metrics.py", "# total = total + 1", "commented-out"),
}


@pytest.mark.parametrize("fault", PYTHON_FAULTS)
def test_a_fault_in_python_is_found(fault: str) -> None:
    path, code, expected = PYTHON_FAULTS[fault]
    found = list(python.findings(source(f"tile38py/{path}", f"{HEADER}{code}\n")))
    assert [text for text in found if expected in text], found


PYTHON_VIRTUES = {
    "downward import": ("server/listener.py", "from tile38py import dispatch, errors"),
    "import of its own": ("persistence/load.py", "from tile38py.persistence.aof import Log"),
    "socket in a service": ("delivery/worker.py", "import asyncio"),
    "the clock": ("clock.py", "import time"),
    "task of a group": ("expiry.py", "group.create_task(f())"),
    "error of errors.py": ("commands/keys.py", "raise errors.wrong_arity('persist')"),
    "JSON in a docstring": ("metrics.py", 'def f():\n    """Gives {"ok":true}."""'),
    "JSON that is looked for": ("metrics.py", "is_json = text.startswith('{\"type\":')"),
    "sentence": ("metrics.py", "# The limit (see above) is in bytes."),
    "limits": ("metrics.py", "def f():\n" + "    x = 1\n" * 59),
}


@pytest.mark.parametrize("virtue", PYTHON_VIRTUES)
def test_clean_python_passes(virtue: str) -> None:
    path, code = PYTHON_VIRTUES[virtue]
    assert not list(python.findings(source(f"tile38py/{path}", f"{HEADER}{code}\n")))


RUST_FAULTS = {
    "upward use": ("geometry/a.rs", "use crate::collection::Collection;", "geometry may not use"),
    "upward use in a list": ("index.rs", "use crate::{number, query::Area};", "index may not use"),
    "clock": ("keyspace.rs", "let now = std::time::Instant::now();", "passed in"),
    "file": ("keyspace.rs", "use std::fs::File;", "passed in"),
    "JSON by hand": ("commands/keys.rs", 'out.push("{\\"ok\\":true}");', "encoded in one place"),
    "unclear name": ("keyspace.rs", "let cfg = 1;", "spell out 'cfg'"),
    "long function": ("number.rs", "fn f() {\n" + "    g();\n" * 59 + "}", "f has 61 lines"),
    "commented code": ("number.rs", "// let x = 1;", "commented-out"),
}


@pytest.mark.parametrize("fault", RUST_FAULTS)
def test_a_fault_in_rust_is_found(fault: str) -> None:
    path, code, expected = RUST_FAULTS[fault]
    found = list(rust.findings(source(f"crates/engine/src/{path}", f"//! A.\n{code}\n")))
    assert [text for text in found if expected in text], found


RUST_VIRTUES = {
    "downward use": ("collection.rs", "use crate::{geometry::Shape, index};"),
    "time in a test": ("index.rs", "#[cfg(test)]\nmod tests { use std::time::Instant; }"),
    "braces in texts": ("number.rs", 'fn f() {\n    g(\'{\', "{", r#"{"#); // {\n}\n' * 30),
    "declared function": ("number.rs", "trait T {\n    fn f();\n" + "    // Why.\n" * 70 + "}"),
    "attribute": ("number.rs", "#[cfg(test)]\nmod tests {}"),
}


@pytest.mark.parametrize("virtue", RUST_VIRTUES)
def test_clean_rust_passes(virtue: str) -> None:
    path, code = RUST_VIRTUES[virtue]
    assert not list(rust.findings(source(f"crates/engine/src/{path}", f"//! A.\n{code}\n")))


@pytest.mark.parametrize(
    ("path", "count_max"),
    [("tile38py/metrics.py", 400), ("crates/engine/src/lib.rs", 600), ("tests/test_tidy.py", 500)],
)
def test_files_have_a_greatest_length(path: str, count_max: int) -> None:
    assert not list(files.too_long(source(path, "x\n" * count_max)))
    assert list(files.too_long(source(path, "x\n" * (count_max + 1))))


def test_lines_have_a_greatest_width() -> None:
    assert not list(files.too_long(source("crates/engine/src/lib.rs", "x" * 100)))
    assert list(files.too_long(source("crates/engine/src/lib.rs", "x" * 101)))


@pytest.mark.parametrize(
    "text", ["see /wor" + "k/notes", "as in sha" + "red/golden", "as the sp" + "ec says"]
)
def test_what_readers_cannot_follow_is_found(text: str) -> None:
    assert list(files.unfit_words(source("README.md", text)))


def test_work_left_for_later_needs_an_issue() -> None:
    assert list(files.unfit_words(source("tile38py/metrics.py", "# TO" + "DO: count")))
    assert not list(files.unfit_words(source("tile38py/metrics.py", "# TO" + "DO #12: count")))


def test_a_rust_file_opens_with_its_purpose() -> None:
    assert list(files.without_header(source("crates/engine/src/lib.rs", "pub mod a;")))


def test_a_rust_file_that_no_module_declares_is_found() -> None:
    library = source("crates/engine/src/lib.rs", "pub mod declared;")
    declared = source("crates/engine/src/declared.rs", "")
    orphan = source("crates/engine/src/orphan.rs", "")
    assert len(list(rust.orphans([library, declared, orphan]))) == 1


def test_a_python_module_that_nothing_imports_is_found() -> None:
    used = source("tile38py/used.py", HEADER)
    dead = source("tile38py/dead.py", "from tile38py import used\n")
    assert [text.split(":")[0] for text in repository.dead_modules([used, dead])] == [
        "tile38py/dead.py"
    ]


def test_a_circle_of_imports_is_found_in_python() -> None:
    first = source("tile38py/first.py", "from tile38py.middle import name\n")
    middle = source("tile38py/middle.py", "import tile38py.last\n")
    last = source("tile38py/last.py", "from tile38py import first\n")
    assert not list(circles.findings([first, middle]))
    (finding,) = circles.findings([first, middle, last])
    assert finding.startswith("tile38py.first, tile38py.last, tile38py.middle: ")


@pytest.mark.parametrize("use", ["crate::b::last::B", "super::b::{C, last::{A, B}}"])
def test_a_circle_of_uses_is_found_in_rust(use: str) -> None:
    first = source("crates/engine/src/a.rs", f"use {use};")
    last = source("crates/engine/src/b/last.rs", "use super::super::a::A;")
    parent = source("crates/engine/src/b/mod.rs", "mod last;\nuse last::B;")
    assert not list(circles.findings([first, parent]))
    (finding,) = circles.findings([first, parent, last])
    assert finding.startswith("a, b::last: ")


def test_a_second_class_of_the_same_name_is_found() -> None:
    first = source("tile38py/first.py", "class Link: ...\n")
    other = source("tile38py/other.py", "class Hook:\n    class Name: ...\n")
    test = source("tests/unit/test_first.py", "class Link: ...\n")
    second = source("tile38py/second.py", "def f() -> None:\n    class Link: ...\n")
    assert not list(class_names.repeated_class_names([first, other, test]))
    assert list(class_names.repeated_class_names([first, other, second])) == [
        "tile38py/second.py:2: tile38py/first.py:1 has a class 'Link', too"
    ]


def test_a_command_without_a_test_is_found() -> None:
    commands = ["CONFIG GET", "TYPE"]
    assert len(list(repository.untested_commands(commands, [], []))) == 2
    assert len(list(repository.untested_commands(commands, [], ["@sort TYPE k"]))) == 1
    tested = [source("tests/commands/test_config_get.py", "")]
    assert len(list(repository.untested_commands(commands, tested, ["type k"]))) == 0


@pytest.mark.parametrize(
    ("path", "text", "is_found"),
    [
        ("tile38py/dispatch.py", 'is_get = name == "CONFIG GET"', True),
        ("tile38py/dispatch.py", "match name:\n    case b'type':\n        pass", True),
        ("crates/engine/src/session.rs", 'name.eq_ignore_ascii_case(b"TYPE")', True),
        ("crates/engine/src/session.rs", '#[cfg(test)]\nmod tests { run("TYPE") }', False),
        ("crates/engine/src/commands/keys.rs", 'read("TYPE", type_of)', False),
        ("tests/unit/test_dispatch.py", 'call("TYPE")', False),
        ("tile38py/dispatch.py", 'kind == "TYPES"', False),
        ("tile38py/dispatch.py", 'kind = "TYPE"', False),
    ],
)
def test_a_command_known_by_name_outside_its_record_is_found(
    path: str, text: str, is_found: bool
) -> None:
    found = names.stray_names(["CONFIG GET", "TYPE"], [source(path, text)])
    assert any("let its record tell" in finding for finding in found) == is_found
