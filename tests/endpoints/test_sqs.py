"""sqs:// against moto's server."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from aiohttp import web
from moto.server import ThreadedMotoServer

from tests.endpoints.test_http import serving
from tests.support.sending import batch_of, event, new_pool


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    yield address
    server.stop()


def call(address: str, operation: str, **words: object) -> dict[str, list[dict[str, str]]]:
    """One request in SQS's JSON protocol."""
    headers = {
        "X-Amz-Target": f"AmazonSQS.{operation}",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": "AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/sqs/aws4_request",
    }
    with urlopen(Request(address, json.dumps(words).encode(), headers)) as answer:
        found: dict[str, list[dict[str, str]]] = json.load(answer)
    return found


def receive(address: str, queue: str) -> list[dict[str, str]]:
    """All that waits in a queue."""
    found: list[dict[str, str]] = []
    url = f"{address}/123456789012/{queue}"
    while rows := call(
        address,
        "ReceiveMessage",
        QueueUrl=url,
        MaxNumberOfMessages=10,
        AttributeNames=["All"],
    ).get("Messages"):
        for row in rows:
            call(address, "DeleteMessage", QueueUrl=url, ReceiptHandle=row["ReceiptHandle"])
        found += rows
    return found


async def test_events_arrive_in_a_fifo_queue_in_order_and_by_object(moto: str) -> None:
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    call(moto, "CreateQueue", QueueName="q.fifo", Attributes=attributes)
    pool = new_pool()
    expected = [event(number) for number in range(25)]
    batch = batch_of(*expected)
    assert await pool.send("sqs://us-east-1:123456789012/q.fifo", batch) is None
    assert len(batch.delivered) == 25
    await pool.close()
    found = receive(moto, "q.fifo")
    assert [row["Body"].encode() for row in found] == expected
    groups = {json.loads(json.dumps(row["Attributes"]))["MessageGroupId"] for row in found}
    assert groups == {"f#a"}


async def test_a_queue_that_is_missing_is_told_and_createqueue_makes_it(moto: str) -> None:
    pool = new_pool()
    url = "sqs://us-east-1:123456789012/new"
    reason = await pool.send(url, batch_of(event(1)))
    assert reason is not None
    assert "does not exist" in reason
    batch = batch_of(event(1))
    assert await pool.send(f"{url}?createqueue=1", batch) is None
    assert batch.delivered == {0}
    await pool.close()


@pytest.mark.parametrize(("query", "login"), [("", "ONE"), ("&credprofile=other", "OTHER")])
async def test_credentials_come_from_the_named_file_and_profile(
    query: str, login: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "credentials"
    path.write_text(
        "[default]\naws_access_key_id = ONE\naws_secret_access_key = a\n"
        "[other]\naws_access_key_id = OTHER\naws_secret_access_key = b\n"
    )
    seen: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.json_response({"Successful": [{"Id": "0", "MessageId": "1"}], "Failed": []})

    async with serving(handle) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name, raising=False)
        pool = new_pool()
        batch = batch_of(event(1))
        assert await pool.send(f"sqs://us-east-1:1/q?credpath={path}{query}", batch) is None
        await pool.close()
    assert batch.delivered == {0}
    assert f"Credential={login}/" in seen[0]
