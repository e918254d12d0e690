"""A decoder that knows nothing of us finds in each tile what was stored, within part of a pixel."""

import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from tests.support.embedded import EngineClient
from tests.support.shapes import WHOLE, shapes, shifted, whole_shapes
from tests.support.tiles import EXTENT, MARGIN, decode, tile_of, to_cells

CLIENT = EngineClient()
# A screen shows a tile on 512 pixels, so a pixel has 8 cells.
CELLS_MAX = 3.0
STEP_DEGREES = 0.05
# What is smaller than a cell isn't drawn.
LOST_CELLS_MAX = 2 * CELLS_MAX
DRAWN = shapely.box(0, 0, EXTENT, EXTENT)
LARGEST = shapely.box(*[-1.5 * MARGIN] * 2, *[EXTENT + 1.5 * MARGIN] * 2)


def tiles() -> st.SearchStrategy[tuple[int, int, int]]:
    """Tiles in the middle of the map, where the shapes are."""

    def near_middle(z: int) -> st.SearchStrategy[tuple[int, int, int]]:
        half, spread = 2**z // 2, min(2**z // 2, 2 ** max(0, z - 3))
        place = st.integers(half - spread, half + max(0, spread - 1))
        return st.tuples(place, place, st.just(z))

    return st.integers(0, 12).flatmap(near_middle)


def drawn(x: int, y: int, z: int) -> list[BaseGeometry]:
    """The shapes in a tile of the one stored object."""
    tile = tile_of(CLIENT, "INTERSECTS", "k", "MVT", x, y, z)
    return [feature.shape for feature in decode(tile)["tile38"]]


@given(
    st.one_of(
        shapes(WHOLE).filter(lambda shape: shape.is_valid),
        shapes(WHOLE.map(shifted)).filter(lambda shape: shape.is_valid),
        whole_shapes(),
    ),
    st.sampled_from((0.01, 1.0, 4.0)),
    tiles(),
)
def test_a_tile_shows_the_object_within_part_of_a_pixel(
    shape: BaseGeometry, scale: float, tile: tuple[int, int, int]
) -> None:
    shape = shapely.transform(shape, lambda places: places * scale)
    assert CLIENT.call("SET", "k", "id", "OBJECT", shapely.to_geojson(shape)) == "+OK"
    found = drawn(*tile)
    assert len(found) <= 1
    expected = to_cells(shapely.segmentize(shape, STEP_DEGREES), *tile)
    visible = expected.intersection(DRAWN)
    result = found[0] if found else shapely.GeometryCollection()
    assert result.is_valid
    assert result.difference(LARGEST).is_empty
    # Nothing is shown that isn't there, and nothing is missing that is more than a few cells wide.
    assert result.difference(expected.buffer(CELLS_MAX)).is_empty
    core = visible.buffer(-1) if shapely.get_dimensions(shape) == 2 else visible
    missing = core.difference(result.buffer(CELLS_MAX))
    assert missing.length <= LOST_CELLS_MAX
