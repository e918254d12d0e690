"""Rules for the Rust crates: layers, bans, names, lengths. Works on text, without a parser."""

import re
from collections.abc import Iterator

from tests.support.tidy.files import SourceFile

FUNCTION_LINES_MAX = 60
ENGINE = "crates/engine/src/"

# Paths may not point to a higher rank. Modules without a rank are free.
RANKS = {
    "commands": 5,
    "query": 4,
    "fence": 4,
    "script": 4,
    "keyspace": 3,
    "collection": 2,
    "index": 1,
    "geometry": 1,
}
# The keyspace holds fences and scripts like collections, since snapshots include all of them.
EXCEPTIONS = {("keyspace", "fence"), ("keyspace", "script")}
OUTSIDE_WORLD = re.compile(
    r"\bstd::(?:fs|net|process|thread|env)\b|\bSystemTime\b|\bInstant::now\b|\brand::|\bgetrandom\b"
)
UNCLEAR_NAMES = re.compile(r"\b(?:let|let mut|fn|mod|struct|enum) (oid|col|cfg|mgr|utils?)\b")
COMMENTED_CODE = re.compile(r"^\s*// ?(?:let |use |pub |fn |if .*\{$|return\b.*;|.*\);$|\}$)")
# Strings, characters and comments, whose braces aren't code.
OPAQUE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|b?r(\#*)".*?"\1|b?"(?:\\.|[^"\\])*"|b?'(?:\\[^\n]{1,8}?|[^'\\\n])'""",
    re.DOTALL,
)
FUNCTION = re.compile(
    r"^[ \t]*(?:pub(?:\([^)]*\))? )?(?:default )?(?:const )?(?:async )?(?:unsafe )?"
    r"(?:extern \"\w+\" )?fn (\w+)",
    re.MULTILINE,
)
TESTS = re.compile(r"^#\[cfg\(test\)\]", re.MULTILINE)


def code_only(text: str) -> str:
    """Blank strings, characters and comments; lines and columns stay."""
    return OPAQUE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def without_tests(text: str) -> str:
    """Return the text before the tests at the end of a file."""
    match = TESTS.search(text)
    return text[: match.start()] if match else text


def line_of(text: str, position: int) -> int:
    """Return the line number of a position."""
    return text.count("\n", 0, position) + 1


def function_lengths(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the name, the first line and the number of lines of each function with a body."""
    code = code_only(text)
    for match in FUNCTION.finditer(code):
        opening = re.compile(r"[{;]").search(code, match.end())
        if opening is None or opening[0] == ";":
            continue
        depth = 0
        for brace in re.compile(r"[{}]").finditer(code, opening.start()):
            depth += 1 if brace[0] == "{" else -1
            if depth == 0:
                first = line_of(code, match.start(1))
                yield match[1], first, line_of(code, brace.start()) - first + 1
                break


def long_functions(file: SourceFile) -> Iterator[str]:
    """Find functions with too many lines."""
    for name, line, length in function_lengths(file.text):
        if length > FUNCTION_LINES_MAX:
            yield f"{file.path}:{line}: {name} has {length} lines"


def against_layers(file: SourceFile) -> Iterator[str]:
    """Find paths that point to a higher rank."""
    if not str(file.path).startswith(ENGINE):
        return
    own = str(file.path).removeprefix(ENGINE).removesuffix(".rs").split("/")[0]
    rank = RANKS.get(own)
    code = code_only(file.text)
    for match in re.finditer(r"\bcrate::(?:(\w+)|\{([^}]*)\})", code):
        for name in re.findall(r"\w+", match[1] or match[2]):
            if (own, name) in EXCEPTIONS:
                continue
            if rank is not None and RANKS.get(name, 0) > rank:
                line = line_of(code, match.start())
                yield f"{file.path}:{line}: {own} may not use {name}: it isn't below"


def worldly(file: SourceFile) -> Iterator[str]:
    """Find time, random numbers, files, sockets and threads in the engine."""
    if not str(file.path).startswith(ENGINE):
        return
    code = code_only(without_tests(file.text))
    for match in OUTSIDE_WORLD.finditer(code):
        yield f"{file.path}:{line_of(code, match.start())}: {match[0]} is passed in"


def hand_made_json(file: SourceFile) -> Iterator[str]:
    """Find JSON objects that commands write as text."""
    if str(file.path).startswith(ENGINE + "commands/"):
        text = without_tests(file.text)
        for match in re.finditer(r'\{\\"|r#"[^#]*\{"', text):
            yield f"{file.path}:{line_of(text, match.start())}: JSON is encoded in one place"


def unclear_names(file: SourceFile) -> Iterator[str]:
    """Find abbreviations, where names should be spelled out."""
    code = code_only(file.text)
    for match in UNCLEAR_NAMES.finditer(code):
        yield f"{file.path}:{line_of(code, match.start())}: spell out '{match[1]}'"


def commented_code(file: SourceFile) -> Iterator[str]:
    """Find comments that are statements."""
    for number, line in enumerate(file.lines, 1):
        if COMMENTED_CODE.match(line):
            yield f"{file.path}:{number}: commented-out code"


def orphans(files: list[SourceFile]) -> Iterator[str]:
    """Find files that no module declares, so that they aren't compiled."""
    text = {str(file.path): file.text for file in files if file.path.suffix == ".rs"}
    for file in files:
        path = file.path
        is_root = path.name in {"lib.rs", "main.rs", "build.rs"} or "src" not in path.parts
        if path.suffix != ".rs" or is_root or path.parent.name in {"bin", "tests", "benches"}:
            continue
        is_folder = path.name == "mod.rs"
        name = path.parent.name if is_folder else path.stem
        folder = path.parent.parent if is_folder else path.parent
        parents = [folder / name for name in ("mod.rs", "lib.rs", "main.rs")]
        parents.append(folder.with_suffix(".rs"))
        declaration = re.compile(rf"^\s*(?:pub(?:\([^)]*\))? )?mod {name};", re.MULTILINE)
        if not any(declaration.search(text.get(str(parent), "")) for parent in parents):
            yield f"{path}: no module declares it"


RULES = (long_functions, against_layers, worldly, hand_made_json, unclear_names, commented_code)


def findings(file: SourceFile) -> Iterator[str]:
    """Yield the findings of all rules in a Rust file."""
    if file.path.suffix == ".rs":
        for rule in RULES:
            yield from rule(file)
