"""pyle38: typed commands and responses; it has neither logins, TLS, batches nor subscribers."""

import asyncio

from pyle38 import Tile38

from tests.clients.python.steps import HOST, PORT, expect, ok, wait_for_restart


async def expect_bus(tile38: Tile38) -> None:
    """Raise AssertionError if the object stored before isn't found."""
    response = await tile38.get("fleet", "bus").asPoint()
    expect((response.point.lat, response.point.lon), (1, 2))


async def take_steps() -> None:
    """Take all steps."""
    tile38 = Tile38(url=f"redis://{HOST}:{PORT}")
    expect((await tile38.ping()).ok, True)
    ok("connect")
    await tile38.set("fleet", "truck").point(33.5, -112.2).exec()
    await tile38.set("fleet", "bus").point(1, 2).exec()
    await expect_bus(tile38)
    ok("set")
    near = await tile38.nearby("fleet").limit(5).point(33.5, -112, 50_000).asIds()
    expect(near.ids, ["truck"])
    ok("nearby")
    wait_for_restart()
    await expect_bus(tile38)
    ok("restart")
    await tile38.quit()


if __name__ == "__main__":
    asyncio.run(take_steps())
