"""Circles of imports between files, in the Python package and in the engine."""

import ast
import re
from collections.abc import Iterator, Mapping, Set

from tests.support.tidy import python, rust
from tests.support.tidy.files import SourceFile

Graph = Mapping[str, Set[str]]

# The circles that docs/ARCHITECTURE.md explains, each by a module that all its files belong to.
EXPLAINED = (
    frozenset({"engine", "session", "commands", "commands::table"}),
    frozenset({f"json::path::{name}" for name in ("build", "modifier", "pretty", "query", "read")}),
    frozenset({f"geometry::predicates::{name}" for name in ("exact", "segment")}),
)
USE = re.compile(r"\b(crate|super(?:::super)*)((?:::\w+)*)(::\{)?")


def deepest(name: str, separator: str, modules: Set[str]) -> str:
    """Return the longest prefix of a dotted name that is a module; empty if none is."""
    parts = name.split(separator)
    while parts and separator.join(parts) not in modules:
        parts.pop()
    return separator.join(parts)


def python_graph(sources: list[SourceFile]) -> Graph:
    """Return which modules of the package each of them imports."""
    files = [file for file in sources if file.path.suffix == ".py"]
    trees = {python.module_name(file): ast.parse(file.text) for file in files}
    modules = {name for name in trees if name.split(".")[0] == python.PACKAGE}
    targets = modules | {f"{python.PACKAGE}._engine"}
    return {
        name: {deepest(target, ".", targets) for _, target in python.imports(trees[name])}
        - {"", name}
        for name in modules
    }


def used_paths(code: str) -> Iterator[tuple[str, str]]:
    """Yield the paths in Rust code: `crate` or its `super`s, and what follows, lists resolved."""
    for match in USE.finditer(code):
        base, path = match[1], match[2]
        if match[3] is None:
            yield base, path
            continue
        depth, name = 0, ""
        for character in code[match.end() :]:
            if character in "{,}" and depth == 0:
                yield base, f"{path}::{name.strip()}"
                name = ""
            elif depth == 0:
                name += character
            depth += (character == "{") - (character == "}")
            if depth < 0:
                break


def rust_module(file: SourceFile) -> str:
    """Return the path of an engine's file as a module: `commands::table`."""
    name = str(file.path).removeprefix(rust.ENGINE).removesuffix(".rs").removesuffix("/mod")
    return name.replace("/", "::")


def rust_graph(sources: list[SourceFile]) -> Graph:
    """Return which files of the engine each of them uses. A module and its children are one."""
    files = [file for file in sources if str(file.path).startswith(rust.ENGINE)]
    modules = {rust_module(file) for file in files}
    graph: dict[str, set[str]] = {}
    for file in files:
        own = rust_module(file)
        graph[own] = set()
        for base, path in used_paths(rust.code_only(rust.without_tests(file.text))):
            above = own.split("::")
            start = [] if base == "crate" else above[: len(above) - base.count("super")]
            target = deepest("::".join(start) + path if start else path[2:], "::", modules)
            if target not in {"", own} and not own.startswith(f"{target}::"):
                graph[own].add(target)
    return graph


def reached(graph: Graph, start: str) -> set[str]:
    """Return all modules that a module imports, directly or through others."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def circles(graph: Graph) -> set[frozenset[str]]:
    """Return the largest groups of modules that all import each other."""
    reach = {name: reached(graph, name) for name in graph}
    return {
        frozenset(other for other in reach[name] if name in reach.get(other, ()))
        for name in graph
        if name in reach[name]
    }


def findings(sources: list[SourceFile]) -> Iterator[str]:
    """Yield a line for each circle that isn't explained."""
    for graph in (python_graph(sources), rust_graph(sources)):
        for group in circles(graph):
            if not any(group <= explained for explained in EXPLAINED):
                yield f"{', '.join(sorted(group))}: these import each other"
