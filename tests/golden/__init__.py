"""Golden cases: replies recorded from a real Tile38, and their replay against any server."""
