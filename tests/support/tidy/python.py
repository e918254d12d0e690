"""Rules for the Python package: layers, bans, names, lengths. Parses it without importing it."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from tests.support.tidy.files import SourceFile

FUNCTION_LINES_MAX = 60
PACKAGE = "tile38py"

# From the top down; a module imports from its own package and from layers below its own.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"__main__", "cli", "demo", "embedded"}),
    frozenset({"server"}),
    frozenset(
        {
            "persistence",
            "replication",
            "delivery",
            "endpoints",
            "subscriptions",
            "expiry",
            "metrics",
            "router",
        }
    ),
    frozenset({"dispatch"}),
    frozenset({"commands"}),
    frozenset({"access", "hooks", "config", "protocol", "clients", "gates", "slow_log"}),
    frozenset({"interfaces"}),
    frozenset({"_engine", "errors", "clock", "time_zones", "limits", "version"}),
)
TOP, BOTTOM = 0, len(LAYERS) - 1
DISPATCH = 3
OUTSIDE_WORLD = frozenset(
    {"asyncio", "socket", "ssl", "select", "selectors", "subprocess", "threading", "uvloop"}
)
FILE_CALLS = frozenset({"open", "read_text", "write_text", "read_bytes", "write_bytes", "mkdir"})
CHANCE_AND_TIME = frozenset({"time", "random", "secrets", "uuid"})
NOW_CALLS = frozenset({"now", "utcnow", "today"})
UNCLEAR_NAMES = frozenset({"oid", "col", "cols", "cfg", "mgr", "util", "utils", "helpers"})
COMMENTED_CODE = (ast.Assign, ast.AugAssign, ast.Import, ast.ImportFrom, ast.Return, ast.Raise)


def layer_of(module: str) -> int | None:
    """Return the number of a module's layer, 0 at the top; None if it has none."""
    parts = module.split(".")
    if parts[0] != PACKAGE or len(parts) == 1:
        return None
    return next((rank for rank, names in enumerate(LAYERS) if parts[1] in names), None)


def module_name(file: SourceFile) -> str:
    """Return the dotted name of a file's module."""
    parts = file.path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield each imported name with its line; `from a import b` imports a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def called_name(node: ast.AST) -> str:
    """Return the last part of a called function's name; empty for nodes that aren't calls."""
    if not isinstance(node, ast.Call):
        return ""
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def against_layers(file: SourceFile, tree: ast.Module) -> Iterator[str]:
    """Find imports that don't point to a lower layer."""
    module = module_name(file)
    rank = layer_of(module)
    if rank is None:
        if module != PACKAGE:
            yield f"{file.path}: {module} has no layer; the map in STYLE names them"
        return
    for line, name in imports(tree):
        below = layer_of(name)
        is_own = name.split(".")[:2] == module.split(".")[:2]
        is_free = below in {TOP, BOTTOM} and below == rank
        if below is not None and below <= rank and not is_own and not is_free:
            yield f"{file.path}:{line}: {module} may not import {name}: it isn't below"


def worldly(file: SourceFile, tree: ast.Module) -> Iterator[str]:
    """Find sockets, files and coroutines in dispatch and below, where all code is synchronous."""
    rank = layer_of(module_name(file))
    if rank is None or rank < DISPATCH:
        return
    for line, name in imports(tree):
        if name.split(".")[0] in OUTSIDE_WORLD:
            yield f"{file.path}:{line}: {name} belongs in the server or a service"
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await):
            yield f"{file.path}:{node.lineno}: nothing awaits in dispatch or below"
        if called_name(node) in FILE_CALLS and isinstance(node, ast.Call):
            yield f"{file.path}:{node.lineno}: files belong in the server or a service"


def own_time(file: SourceFile, tree: ast.Module) -> Iterator[str]:
    """Find time and random numbers that aren't passed in."""
    if file.path.name == "clock.py":
        return
    for line, name in imports(tree):
        if name.split(".")[0] in CHANCE_AND_TIME:
            yield f"{file.path}:{line}: {name} is passed in; only clock.py reads it"
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="datetime" | "date"), attr=attribute):
                if attribute in NOW_CALLS:
                    yield f"{file.path}:{node.lineno}: the time is passed in"


def loose_tasks(file: SourceFile, tree: ast.Module) -> Iterator[str]:
    """Find tasks outside of a TaskGroup."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(
                value=ast.Name(id="asyncio" | "loop"), attr="create_task" | "ensure_future"
            ):
                yield f"{file.path}:{node.lineno}: a task belongs to a TaskGroup"


def own_errors(file: SourceFile, tree: ast.Module) -> Iterator[str]:
    """Find errors for clients without a constructor in errors.py."""
    if layer_of(module_name(file)) != layer_of(f"{PACKAGE}.commands"):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Raise) or node.exc is None:
            continue
        match node.exc:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="errors"))):
                pass
            case _:
                yield f"{file.path}:{node.lineno}: raise errors.<constructor>(…)"


def hand_made_json(file: SourceFile, tree: ast.Module) -> Iterator[str]:
    """Find JSON objects that are written as text, except in comparisons."""
    allowed = {id(node) for node in docstrings_and_prefixes(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            is_json = '{"' in node.value if isinstance(node.value, str) else b'{"' in node.value
            if is_json and id(node) not in allowed:
                yield f"{file.path}:{node.lineno}: JSON is encoded in one place, not by hand"


def docstrings_and_prefixes(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield docstrings and the arguments of startswith()."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant() as constant):
                yield constant
            case ast.Call(func=ast.Attribute(attr="startswith"), args=[constant]):
                yield constant


def unclear_names(file: SourceFile, tree: ast.Module) -> Iterator[str]:
    """Find abbreviations, where names should be spelled out."""
    if file.path.stem in UNCLEAR_NAMES:
        yield f"{file.path}: a file is called by what it owns"
    for node in ast.walk(tree):
        match node:
            case (
                ast.Name(id=name, ctx=ast.Store())
                | ast.arg(arg=name)
                | ast.FunctionDef(name=name)
                | ast.ClassDef(name=name)
            ) if name in UNCLEAR_NAMES:
                yield f"{file.path}:{node.lineno}: spell out '{name}'"


def long_functions(file: SourceFile, tree: ast.Module) -> Iterator[str]:
    """Find functions with too many lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                yield f"{file.path}:{node.lineno}: {node.name} has {length} lines"


def commented_code(file: SourceFile, _tree: ast.Module) -> Iterator[str]:
    """Find comments that are statements."""
    for token in tokenize.generate_tokens(io.StringIO(file.text).readline):
        text = token.string.lstrip("#! ")
        if token.type != tokenize.COMMENT or not re.search(r"[=(]|^import |^from |^return", text):
            continue
        try:
            statements = ast.parse(text).body
        except SyntaxError:
            continue
        if any(isinstance(node, COMMENTED_CODE) or called_name_of(node) for node in statements):
            yield f"{file.path}:{token.start[0]}: commented-out code"


def called_name_of(statement: ast.stmt) -> str:
    """Return the name of the function that a statement calls, if the call is all of it."""
    return called_name(statement.value) if isinstance(statement, ast.Expr) else ""


EVERYWHERE = (unclear_names, long_functions, commented_code)
IN_PACKAGE = (against_layers, worldly, own_time, loose_tasks, own_errors, hand_made_json)


def findings(file: SourceFile) -> Iterator[str]:
    """Yield the findings of all rules in a Python file."""
    if file.path.suffix != ".py":
        return
    tree = ast.parse(file.text)
    rules = EVERYWHERE + (IN_PACKAGE if file.path.parts[0] == PACKAGE else ())
    for rule in rules:
        yield from rule(file, tree)
