"""Endpoints: one file for each URL scheme; pool.py owns their lives. Knows no hook.

Importing the package registers all kinds; a kind's client is imported at its first connect.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

FILES: Final = [import_module(f"{__name__}.{file.name}") for file in iter_modules(__path__)]
