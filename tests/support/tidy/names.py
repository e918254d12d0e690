"""A rule: only records of commands may compare a command's name with a literal."""

import ast
import re
from collections.abc import Iterable, Iterator

from tests.support.tidy import rust
from tests.support.tidy.files import SourceFile

PRODUCTION = ("crates/engine/src/", "crates/python/src/", "tile38py/")
RECORDS = (
    "crates/engine/src/commands/",
    "crates/engine/src/session/connection.rs",
    "tile38py/commands/",
)
# Files that compare such a word for other reasons.
REASONS = {
    "crates/engine/src/fence/change.rs": "the words of a fence's COMMANDS",
    "crates/engine/src/fence/delivery_values.rs": "options of SETHOOK",
    "crates/engine/src/geometry/geojson/parse.rs": "members of GeoJSON",
    "crates/engine/src/json/path/modifier.rs": "a modifier of paths",
    "crates/engine/src/query/area.rs": "GET and BOUNDS are keywords of areas",
    "crates/engine/src/query/expression/tree.rs": "an identifier of expressions",
    "crates/engine/src/query/options.rs": "keywords of outputs",
    "crates/engine/src/request.rs": "Tile38's native framing quotes differently behind `set`",
    "tile38py/cli/command_table.py": "a kind of keys in records",
    "tile38py/cli/prompt.py": "words that the prompt itself acts on",
    "tile38py/cli/server_options.py": "an option of the command line",
    "tile38py/cli/suggestions.py": "a kind of keys in records",
    "tile38py/embedded.py": "a member of GeoJSON",
    "tile38py/endpoints/kafka.py": "a parameter of kafka's URLs",
    "tile38py/server/hook_options.py": "options of SETHOOK",
}


def _words(names: Iterable[str]) -> frozenset[str]:
    return frozenset(word for name in names for word in (name, name.lower()))


def _compared_in_python(text: str) -> Iterator[tuple[int, str]]:
    """Yield the texts that comparisons, patterns and sets hold, with their lines."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare | ast.MatchValue | ast.Set):
            for part in ast.walk(node):
                match part:
                    case ast.Constant(value=str(word)):
                        yield part.lineno, word
                    case ast.Constant(value=bytes(word)):
                        yield part.lineno, word.decode("ascii", "replace")


RUST_LITERAL = r'b?"([A-Za-z0-9 ]+)"'
RUST_COMPARED = re.compile(
    rf"(?:==|!=|eq_ignore_ascii_case\(|\|)\s*{RUST_LITERAL}|{RUST_LITERAL}\s*(?:=>|\||==|!=)"
)


def _compared_in_rust(text: str) -> Iterator[tuple[int, str]]:
    text = rust.without_tests(text)
    for found in RUST_COMPARED.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, found[1] or found[2]


def stray_names(names: Iterable[str], sources: list[SourceFile]) -> Iterator[str]:
    """Yield the places outside of the records where production code compares a command's name."""
    words = _words(names)
    for file in sources:
        path = str(file.path)
        is_ours = path.startswith(PRODUCTION) and not path.startswith(RECORDS)
        if not is_ours or file.path.suffix not in {".py", ".rs"} or file.path.stem == "tests":
            continue
        compared = _compared_in_rust if file.path.suffix == ".rs" else _compared_in_python
        found = [(line, word) for line, word in compared(file.text) if word in words]
        if path in REASONS:
            if not found:
                yield f"{path}: compares no command's name; take it off the list of reasons"
            continue
        for line, word in found:
            yield f"{path}:{line}: '{word}' is a command's name: let its record tell"
