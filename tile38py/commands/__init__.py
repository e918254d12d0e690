"""Server commands: commands that need the connection, the disk or the process.

Importing the package registers them all: each file is a family, and no list names the files.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

FAMILIES: Final = [import_module(f"{__name__}.{file.name}") for file in iter_modules(__path__)]
