"""Key and id of an event, for brokers that sort by them. Reads the message, changes nothing."""

import json
import re
from functools import lru_cache
from typing import Final, NamedTuple

SUBJECTS_REMEMBERED_COUNT: Final = 16_384
TEXT: Final = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
# The members before the output come in a fixed order, so that a large object needn't be read.
HEAD: Final = re.compile(
    rb'.\s*"command":"[a-z]+"(?:,"group":"[^"]*")?(?:,"detect":"[a-z]+")?'
    rb'(?:,"hook":' + TEXT + rb")?"
    rb'(?:,"meta":.(?:' + TEXT + rb":" + TEXT + rb",?)*\})?"
    rb',"key":(' + TEXT + rb')(?:,"time":"[^"]*")?(?:,"id":(?:.\s*"id":)?(' + TEXT + rb"))?",
    re.DOTALL,
)


class Subject(NamedTuple):
    """What an event is about; a drop has no id."""

    key: str
    object_id: str


NO_SUBJECT: Final = Subject("", "")


def subject_of(body: bytes) -> Subject:
    """The key and id of an event; empty for what isn't one."""
    match = HEAD.match(body)
    return NO_SUBJECT if match is None else read_subject(*match.groups())


@lru_cache(SUBJECTS_REMEMBERED_COUNT)
def read_subject(key: bytes, object_id: bytes | None) -> Subject:
    """A subject from the JSON of its two words."""
    return Subject(text_of(key), text_of(object_id) if object_id else "")


def text_of(word: bytes) -> str:
    """A JSON string's text."""
    if b"\\" not in word:
        return word[1:-1].decode("utf-8", "replace")
    try:
        return str(json.loads(word))
    except ValueError:
        return word[1:-1].decode("utf-8", "replace")
