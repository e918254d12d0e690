"""A rule: no two classes of the package have the same name, so that a search finds the one."""

import ast
from collections.abc import Iterator

from tests.support.tidy.files import SourceFile

PACKAGE_FOLDER = "tile38py/"


def repeated_class_names(sources: list[SourceFile]) -> Iterator[str]:
    """Yield the classes of the package whose name another class of it has already."""
    first: dict[str, str] = {}
    for file in sources:
        if file.path.suffix != ".py" or not str(file.path).startswith(PACKAGE_FOLDER):
            continue
        for node in ast.walk(ast.parse(file.text)):
            if isinstance(node, ast.ClassDef):
                place = f"{file.path}:{node.lineno}"
                former = first.setdefault(node.name, place)
                if former != place:
                    yield f"{place}: {former} has a class '{node.name}', too"
