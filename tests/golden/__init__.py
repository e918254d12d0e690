"""Replies recorded from a real Tile38, and their replay. Sees a server only from outside."""
