"""The type of bytes that may be many: they come as a view then, and nobody copies them."""

from typing import TypeAlias

ByteData: TypeAlias = bytes | memoryview
