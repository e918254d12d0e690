"""Tests of tile38py. Holds no code: see support/ for what they share."""
