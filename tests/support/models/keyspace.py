"""Objects with fields, expiry and JSON documents, modelled from the specification.

Each method is a command and gives its reply in RESP, as tests.support.resp shows replies.
"""

from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from tests.support.models import documents
from tests.support.models.documents import Document, Number
from tests.support.models.fields import (
    ABSENT,
    FieldValue,
    passes_where,
    passes_where_in,
    typed,
)
from tests.support.resp import Reply

SECOND_NS: Final = 1_000_000_000
KEY_MISSING: Final = "-ERR key not found"
ID_MISSING: Final = "-ERR id not found"

Key: TypeAlias = dict[str, "Stored"]


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored object: a text, or the GeoJSON of a geometry."""

    text: str = ""
    geometry: Document = None
    fields: dict[str, FieldValue] = field(default_factory=dict)
    deadline_ns: int | None = None

    @property
    def is_spatial(self) -> bool:
        """Whether the object is a geometry."""
        return self.geometry is not None

    @property
    def document(self) -> Document:
        """The object's JSON; a text that isn't JSON is a string."""
        if self.is_spatial:
            return self.geometry
        try:
            return documents.parsed(self.text)
        except ValueError:
            return self.text


def point(latitude: str, longitude: str) -> Document:
    """Return the GeoJSON of a point."""
    return {"type": "Point", "coordinates": [Number(longitude), Number(latitude)]}


class KeyspaceModel:
    """The objects of all keys."""

    def __init__(self) -> None:
        self.keys: dict[str, Key] = {}

    def expire(self, now_ns: int) -> None:
        """Remove all expired objects."""
        for key in list(self.keys):
            for name, stored in list(self.keys[key].items()):
                if stored.deadline_ns is not None and stored.deadline_ns <= now_ns:
                    self.delete(key, name)

    def set(
        self, key: str, name: str, shape: Stored, pairs: list[tuple[str, str]], condition: str
    ) -> Reply:
        """Run SET with a shape that has the deadline."""
        present = self._find(key, name)
        if (condition == "NX" and present) or (condition == "XX" and not present):
            return "$-1"
        values = dict(present.fields) if present else {}
        for field_name, text in pairs:
            _change(values, field_name, typed(text))
        self._store(key, name, replace(shape, fields=values))
        return "+OK"

    def fset(
        self, key: str, name: str, pairs: list[tuple[str, str]], *, is_optional: bool
    ) -> Reply:
        """Run FSET, with XX if is_optional."""
        if key not in self.keys:
            return KEY_MISSING
        present = self._find(key, name)
        if present is None:
            return ":0" if is_optional else ID_MISSING
        values = dict(present.fields)
        changes = sum(_change(values, field_name, typed(text)) for field_name, text in pairs)
        self._store(key, name, replace(present, fields=values))
        return f":{changes}"

    def fget(self, key: str, name: str, field_name: str) -> Reply:
        """Run FGET."""
        if key not in self.keys:
            return KEY_MISSING
        present = self._find(key, name)
        if present is None:
            return ID_MISSING
        return f"$ {present.fields.get(field_name, ABSENT).text}"

    def delete(self, key: str, name: str) -> Reply:
        """Run DEL."""
        if self._find(key, name) is None:
            return ":0"
        del self.keys[key][name]
        if not self.keys[key]:
            del self.keys[key]
        return ":1"

    def expire_at(self, key: str, name: str, deadline_ns: int) -> Reply:
        """Run EXPIRE."""
        present = self._find(key, name)
        if present is None:
            return ":0"
        self._store(key, name, replace(present, deadline_ns=deadline_ns))
        return ":1"

    def persist(self, key: str, name: str) -> Reply:
        """Run PERSIST."""
        present = self._find(key, name)
        if present is None or present.deadline_ns is None:
            return ":0"
        self._store(key, name, replace(present, deadline_ns=None))
        return ":1"

    def ttl(self, key: str, name: str, now_ns: int) -> Reply:
        """Run TTL."""
        present = self._find(key, name)
        if present is None:
            return ":-2"
        if present.deadline_ns is None:
            return ":-1"
        return f":{max(present.deadline_ns - now_ns, 0) // SECOND_NS}"

    def jset(self, key: str, name: str, path: str, value: str, mode: str) -> Reply:
        """Run JSET, which keeps the deadline and the fields."""
        present = self._find(key, name) or Stored()
        try:
            content = documents.stored_value(value, mode)
            changed = documents.written(present.document, path, content)
        except documents.InvalidValueError:
            return f"-ERR invalid argument '{value}'"
        except documents.PathError as error:
            return f"-ERR {error}"
        self._store_document(key, name, present, changed)
        return "+OK"

    def jdel(self, key: str, name: str, path: str) -> Reply:
        """Run JDEL."""
        present = self._find(key, name)
        if key not in self.keys:
            return ":0"
        try:
            changed, is_removed = documents.without(present.document if present else "", path)
        except documents.PathError as error:
            return f"-ERR {error}"
        if present is None or not is_removed:
            return ":0"
        self._store_document(key, name, present, changed)
        return "+OK" if present.is_spatial else ":1"

    def scan_where(self, key: str, field_name: str, low: str, high: str) -> Reply:
        """Run SCAN key WHERE field low high IDS."""
        return self._scan(
            [
                name
                for name, stored in self._sorted(key)
                if passes_where(stored.fields.get(field_name, ABSENT), low, high)
            ]
        )

    def scan_where_in(self, key: str, field_name: str, operands: list[str]) -> Reply:
        """Run SCAN key WHEREIN field n … IDS."""
        return self._scan(
            [
                name
                for name, stored in self._sorted(key)
                if passes_where_in(stored.fields.get(field_name, ABSENT), operands)
            ]
        )

    def _scan(self, names: list[str]) -> Reply:
        return [":0", [f"$ {name}" for name in names]]

    def _sorted(self, key: str) -> list[tuple[str, Stored]]:
        return sorted(self.keys.get(key, {}).items())

    def _find(self, key: str, name: str) -> Stored | None:
        return self.keys.get(key, {}).get(name)

    def _store(self, key: str, name: str, stored: Stored) -> None:
        self.keys.setdefault(key, {})[name] = stored

    def _store_document(self, key: str, name: str, present: Stored, document: Document) -> None:
        if present.is_spatial:
            self._store(key, name, replace(present, geometry=document))
        else:
            self._store(key, name, replace(present, text=dumped(document)))


def _change(values: dict[str, FieldValue], name: str, value: FieldValue) -> bool:
    """Store or delete a field; return whether that changed anything."""
    present = values.get(name)
    if value.deletes:
        values.pop(name, None)
        return present is not None
    values[name] = value
    return present != value


def dumped(document: Document) -> str:
    """Return a document as JSON."""
    match document:
        case dict():
            pairs = (f"{dumped(name)}:{dumped(value)}" for name, value in document.items())
            return "{" + ",".join(pairs) + "}"
        case list():
            return "[" + ",".join(map(dumped, document)) + "]"
        case str():
            return '"' + document.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case Number():
            return document.text
        case None:
            return "null"
        case _:
            return "true" if document else "false"
