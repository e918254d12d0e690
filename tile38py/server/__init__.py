"""The server: connections and their transports, start and stop, periodic work, metrics."""
