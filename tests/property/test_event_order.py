"""A track whose positions arrive out of order causes the same messages as in order."""

import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.support.embedded import START_NS, EngineClient
from tests.support.resp import encode_words

SECOND = 1_000_000_000
WINDOW_SECONDS = 10
COUNT_MAX = 1000
FENCES = (
    "SETCHAN all WITHIN fleet FENCE IDS BOUNDS 0 0 4 4",
    "SETCHAN some INTERSECTS fleet FENCE DETECT enter,exit,cross IDS BOUNDS 2 2 6 6",
    "SETCHAN fast NEARBY fleet FENCE WHERE speed 3 9 IDS POINT 4 4 200000",
    "SETCHAN zoned WITHIN fleet FENCE DETECT enter,exit IDS IN zones",
)
ZONES = ("SET zones a BOUNDS 1 1 5 5", "SET zones b BOUNDS 3 0 8 8")
Position = tuple[int, int, int, int]  # second, lat, lon, speed

PLACES = st.integers(0, 8)


@st.composite
def tracks(draw: st.DrawFn) -> tuple[list[Position], list[Position]]:
    """Return a track in order, and as it arrives: each position within the window."""
    gaps = draw(st.lists(st.integers(1, 6), min_size=1, max_size=25))
    track, second = [], 0
    for gap in gaps:
        second += gap
        track.append((second, draw(PLACES), draw(PLACES), draw(st.integers(0, 9))))
    delays = {place: draw(st.floats(0, WINDOW_SECONDS - 0.001)) for place in track}
    return track, sorted(track, key=lambda place: place[0] + delays[place])


def messages(arriving: Sequence[Position], window_seconds: int) -> list[tuple[str | None, ...]]:
    """Return the messages of all channels about positions that arrive in this order."""
    client = EngineClient()
    told: list[tuple[str | None, ...]] = []

    def note(events: object) -> None:
        for event in getattr(events, "channels", []):
            message = json.loads(event.body)
            zone = message.get("fence", {}).get("id")
            told.append((message["hook"], message["at"], message["detect"], zone))

    client.engine.set_event_window(window_seconds * 1000)
    for text in (*ZONES, *FENCES):
        client.call(*text.split())
    for second, lat, lon, speed in arriving:
        words = ("SET", "fleet", "truck", "FIELD", "speed", speed, "AT", 1000 + second)
        batch = client.session.feed(encode_words((*words, "POINT", lat, lon)), client.now_ns)
        assert batch.replies == b"+OK\r\n"
        note(batch.events)
        client.engine.expire(client.now_ns, COUNT_MAX)
        note(client.engine.take_events())
    client.engine.expire(START_NS + WINDOW_SECONDS * SECOND, COUNT_MAX)
    note(client.engine.take_events())
    return told


@given(tracks())
def test_arrival_out_of_order_changes_no_message(
    orders: tuple[list[Position], list[Position]],
) -> None:
    in_order, arriving = orders
    # Without a window fences decide at once.
    assert messages(arriving, WINDOW_SECONDS) == messages(in_order, 0)
    newest = max(arriving)
    client = EngineClient()
    for second, lat, lon, _ in arriving:
        client.call("SET", "fleet", "truck", "AT", second, "POINT", lat, lon)
    assert client.call("GET", "fleet", "truck", "POINT") == [f"$ {n}" for n in newest[1:3]]
