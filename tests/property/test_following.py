"""Fences that follow an object send what the model of zones says about a single zone."""

from hypothesis import given
from hypothesis import strategies as st

from tests.property.test_zones import (
    CHANNELS,
    DETECTS,
    STEPS,
    ZONE_THINGS,
    ZONES,
    Step,
    World,
    set_channel,
    set_zone,
)
from tests.support.models.zones import ZoneFence


@st.composite
def fences(draw: st.DrawFn) -> ZoneFence:
    detect = draw(DETECTS)
    if detect is not None:
        detect |= draw(st.sampled_from([set(), {"cross"}]))
    return ZoneFence(
        verb=draw(st.sampled_from(["WITHIN", "INTERSECTS"])),
        detect=None if detect is None else frozenset(detect),
        commands=draw(st.sampled_from([None, None, frozenset({"set", "drop"})])),
        least_speed=draw(st.sampled_from([None, 2.0])),
        pattern=draw(ZONES),
        is_following=True,
    )


SET_CHANNEL = st.builds(set_channel, CHANNELS, fences())


@given(
    SET_CHANNEL,
    st.lists(st.builds(set_zone, ZONES, ZONE_THINGS)),
    st.lists(st.one_of(STEPS, SET_CHANNEL), max_size=60),
)
def test_channels_send_what_the_model_says(
    first: Step, zones: list[Step], steps: list[Step]
) -> None:
    world = World()
    for step in (*zones, first, *steps):
        step(world)
