"""Real processes: crashes, limits, other people's clients. Slow ones are marked so."""
