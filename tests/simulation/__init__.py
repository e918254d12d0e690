"""Deterministic simulation: servers on a simulated clock, disk and network, driven by a seed.

`make simulate SEED=n` runs one seed and prints its trace; the same seed always gives the same
trace. Nothing here waits, opens a socket or touches the real disk.
"""
