"""Leading and following: a leader's log, piece by piece, becomes its followers' log and data."""
