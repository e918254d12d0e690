"""VALID sends in the hours that a model finds in the local time of zoneinfo."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.embedded import EngineClient, new_engine
from tests.support.resp import encode_words
from tile38py.time_zones import utc_offset_seconds

DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
# With changes at midnight, of half an hour, on the other half of the earth, of a whole day.
ZONES = st.sampled_from(
    [
        *("Europe/Zurich", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"),
        *("America/Sao_Paulo", "Asia/Kathmandu", "Africa/Casablanca", "Etc/GMT+12"),
    ]
)
SECONDS_PER_YEAR = 31_557_600
Rule = tuple[int, int, int, int]
RULES = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 1439), st.integers(1, 1440)),
    min_size=1,
    max_size=3,
).filter(lambda rules: all(start != end for _, _, start, end in rules))
CHANGES = [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)]
TIMES = st.one_of(
    st.integers(-10 * SECONDS_PER_YEAR, 130 * SECONDS_PER_YEAR),
    st.builds(
        lambda change, seconds: int(change.timestamp()) + seconds,
        *(st.sampled_from(CHANGES), st.integers(-90_000, 90_000)),
    ),
)


def text_of(rules: list[Rule], zone: str) -> str:
    def time_of(minutes: int) -> str:
        return f"{minutes // 60:02}:{minutes % 60:02}"

    parts = [
        f"{DAYS[first]}-{DAYS[last]} {time_of(start)}-{time_of(end)}"
        for first, last, start, end in rules
    ]
    return f"{', '.join(parts)} {zone}"


def is_valid(rules: list[Rule], local: datetime) -> bool:
    """Decide by the local day and minute, and by those of the day before."""
    minute = local.hour * 60 + local.minute
    for first, last, start, end in rules:
        days = [(first + at) % 7 for at in range((last - first) % 7 + 1)]
        is_overnight = end < start
        if local.weekday() in days and start <= minute and (minute < end or is_overnight):
            return True
        if (local.weekday() - 1) % 7 in days and is_overnight and minute < end:
            return True
    return False


@given(RULES, ZONES, st.lists(TIMES, min_size=1, max_size=10))
@example([(6, 6, 120, 180)], "Europe/Zurich", [int(change.timestamp()) for change in CHANGES])
def test_a_fence_tells_in_its_hours(rules: list[Rule], zone: str, times: list[int]) -> None:
    engine = new_engine()
    engine.set_time_zones(utc_offset_seconds)
    client = EngineClient(engine)
    words = ("SETCHAN", "c", "WITHIN", "k", "VALID", text_of(rules, zone), "BOUNDS", 0, 0, 9, 9)
    assert client.call(*words) == ":1"
    request = encode_words(("SET", "k", "a", "POINT", 5, 5))
    for seconds in times:
        batch = client.session.feed(request, seconds * 10**9 + 999_999_999)
        local = (datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)).astimezone(
            ZoneInfo(zone)
        )
        assert bool(batch.events) == is_valid(rules, local), (seconds, local)
