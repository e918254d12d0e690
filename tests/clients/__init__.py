"""Client libraries that others wrote, each driven by a small program in its own language."""
