"""Requests with several events: their bodies, types, ids and signatures."""

import hmac
import json
from base64 import b64encode

import pytest

from tests.support.sending import batch_of
from tile38py.endpoints.event_request import request_of
from tile38py.interfaces.delivery import Batch, HookOptions, SendingRule

BODIES = (b'{"a":1}', b'{"a":2}', b'{"a":3}')


def batch(options: HookOptions) -> Batch:
    """Return a batch of three events of one hook."""
    made = batch_of(*BODIES)
    return Batch(made.events, options={"h": options}, now_ns=7 * 10**9)


@pytest.mark.parametrize(
    ("is_lines", "is_cloud_event", "content_type", "body"),
    [
        (False, False, "application/json", b'[{"a":1},{"a":2},{"a":3}]'),
        (True, False, "application/x-ndjson", b'{"a":1}\n{"a":2}\n{"a":3}\n'),
        (
            False,
            True,
            "application/cloudevents-batch+json; charset=utf-8",
            b'[{"a":1},{"a":2},{"a":3}]',
        ),
    ],
)
def test_a_batch_is_an_array_or_lines(
    content_type: str, body: bytes, *, is_lines: bool, is_cloud_event: bool
) -> None:
    rule = SendingRule(has_batches=True, batch_count=10, is_lines=is_lines)
    options = HookOptions(is_cloud_event=is_cloud_event, rule=rule)
    request = request_of(batch(options), [0, 1, 2])
    assert request.body == body
    assert request.headers == {"Content-Type": content_type}


def test_a_batch_of_one_has_the_form_of_a_batch() -> None:
    options = HookOptions(rule=SendingRule(has_batches=True, batch_count=10))
    assert json.loads(request_of(batch(options), [1]).body) == [{"a": 2}]
    timed = HookOptions(rule=SendingRule(timeout_seconds=1.0))
    assert json.loads(request_of(batch(timed), [1]).body) == {"a": 2}


def test_a_batch_is_signed_as_a_whole() -> None:
    options = HookOptions(keys=(b"key",), rule=SendingRule(has_batches=True, batch_count=10))
    request = request_of(batch(options), [1, 2])
    request_id = request.headers["webhook-id"]
    assert request_id == "msg_0_2_2"
    content = b"%b.7." % request_id.encode() + request.body
    digest = b64encode(hmac.digest(b"key", content, "sha256")).decode()
    assert request.headers["webhook-signature"] == f"v1,{digest}"
