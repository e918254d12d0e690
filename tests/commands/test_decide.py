"""DECIDE: the end of the wait for positions with earlier event times."""

from tests.support.embedded import START_NS, EngineClient
from tests.support.timed_track import INSIDE, OUTSIDE, WINDOW_MILLISECONDS, Track, at


def test_decide_ends_the_wait_up_to_a_time() -> None:
    track = Track()
    for second, place in ((1, INSIDE), (3, OUTSIDE), (5, INSIDE)):
        track.put(second, place)
    assert track.run("DECIDE", "fleet", "truck", at(4)) == b":1\r\n"
    assert track.taken() == ["enter 01", "exit 03"]
    assert track.run("DECIDE", "fleet", "truck", at(4)) == b":0\r\n"
    assert track.run("DECIDE", "ships", "truck", at(4)) == b":0\r\n"
    track.wait(10)
    assert track.taken() == ["enter 05"]


def test_a_follower_decides_with_its_leader() -> None:
    track = Track()
    track.put(1, INSIDE)
    track.wait(10)
    track.put(5, OUTSIDE)
    follower = EngineClient()
    follower.engine.set_event_window(WINDOW_MILLISECONDS)
    follower.engine.follow(track.client.log, 0, START_NS)
    waiting = follower.engine.statistics()["waiting_positions"]
    assert waiting == track.client.engine.statistics()["waiting_positions"] == 1
