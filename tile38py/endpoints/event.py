"""Key and id of an event, for brokers that sort by them. Reads the message, changes nothing."""

import json
import re
from dataclasses import dataclass
from typing import Final

TEXT: Final = rb'"(?:[^"\\]|\\.)*"'
# The members before the output come in a fixed order, so that a large object needn't be read.
HEAD: Final = re.compile(
    rb'.\s*"command":"[a-z]+"(?:,"group":"[^"]*")?(?:,"detect":"[a-z]+")?'
    rb'(?:,"hook":' + TEXT + rb")?"
    rb'(?:,"meta":.(?:' + TEXT + rb":" + TEXT + rb",?)*\})?"
    rb',"key":(' + TEXT + rb')(?:,"time":"[^"]*")?(?:,"id":(?:.\s*"id":)?(' + TEXT + rb"))?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about; a drop has no id."""

    key: str
    object_id: str


def subject_of(body: bytes) -> Subject:
    """The key and id of an event; empty for what isn't one."""
    match = HEAD.match(body)
    if match is None:
        return Subject("", "")
    key, object_id = match.groups()
    return Subject(text_of(key), text_of(object_id) if object_id else "")


def text_of(word: bytes) -> str:
    """A JSON string's text."""
    if b"\\" not in word:
        return word[1:-1].decode("utf-8", "replace")
    try:
        return str(json.loads(word))
    except ValueError:
        return word[1:-1].decode("utf-8", "replace")
