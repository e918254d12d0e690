"""Following a leader: its log, piece by piece, becomes our log and our data."""
