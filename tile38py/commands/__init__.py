"""The server's commands, those that need the connection, the disk or the process.

Importing the package fills the registry: each file is a family, and no list names them.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

FAMILIES: Final = [import_module(f"{__name__}.{file.name}") for file in iter_modules(__path__)]
