"""Rules for the whole repository: modules without an importer, commands without a test."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.records import all_records
from tests.support.tidy import circles, class_names, files, names, python, rust
from tests.support.tidy.files import SourceFile

# Modules that are run by name, or imported by tools.
STARTED = frozenset({"__main__", "__init__", "conftest"})


def dead_modules(sources: list[SourceFile]) -> Iterator[str]:
    """Find Python modules that no other file imports."""
    trees = {file: ast.parse(file.text) for file in sources if file.path.suffix == ".py"}
    imported = {name for tree in trees.values() for _, name in python.imports(tree)}
    started = {match for file in sources for match in re.findall(r"-m ([\w.]+)", file.text)}
    # Packages with this call import all modules of their folder.
    gathered = {file.path.parent for file in trees if "iter_modules(__path__)" in file.text}
    for file in trees:
        module = python.module_name(file)
        is_started = file.path.stem in STARTED or file.is_test or module in started
        is_started |= file.path.parent in gathered
        is_used = any(name == module or name.startswith(module + ".") for name in imported)
        if not is_started and not is_used:
            yield f"{file.path}: nothing imports it"


def untested_commands(
    commands: list[str], sources: list[SourceFile], golden: list[str]
) -> Iterator[str]:
    """Yield the commands with neither a golden case nor a test file of their own."""
    lines = [line.lstrip("> ").lower() for text in golden for line in text.splitlines()]
    tests = {file.path.stem for file in sources if str(file.path).startswith("tests/commands/")}
    for name in commands:
        word = re.compile(rf"(?:@\S+ )*{name.lower()}(?: |$)|@http \w+ /{name.lower()}\b")
        has_case = any(word.match(line) for line in lines)
        if not has_case and f"test_{name.lower().replace(' ', '_')}" not in tests:
            yield f"{name}: no golden case and no tests/commands/test_… uses it"


def findings(root: Path) -> Iterator[str]:
    """Yield the findings of all rules in the repository."""
    sources = files.read_repository(root)
    for file in sources:
        for rule in (files.too_long, files.unfit_words, files.without_header):
            yield from rule(file)
        yield from python.findings(file)
        yield from rust.findings(file)
    cases = (root / "tests" / "golden" / "cases").rglob("*.txt")
    yield from rust.orphans(sources)
    yield from dead_modules(sources)
    yield from circles.findings(sources)
    yield from class_names.repeated_class_names(sources)
    commands = [record.name for record in all_records()]
    yield from names.stray_names(commands, sources)
    golden = [case.read_text(encoding="utf-8") for case in cases]
    yield from untested_commands(commands, sources, golden)
