"""The server's own parts on a clock, a disk and a network that one seed drives.

`make simulate SEED=n` runs one seed and prints its trail; the same seed always gives the same
trail. Nothing here waits, opens a socket or touches the real disk.
"""
