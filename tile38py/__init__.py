"""A geospatial database server that any Tile38 client can use, and its engine in process.

| module or package | is |
| --- | --- |
| `cli` | the command lines: `tile38py-server`, `-health`, `-cli`, `-benchmark` |
| `demo` | a server with the world's places and countries, and questions to it |
| `server` | listeners, connections and their transports; builds, starts and stops all parts |
| `dispatch` | a batch of requests: its log, events, server commands and replies |
| `persistence` | the log, its loading and rewriting, the data folder |
| `replication` | following a leader, and serving followers |
| `delivery` | the queue of hooks' messages and the workers that send them |
| `endpoints` | a client for each kind of endpoint, and their pool |
| `subscriptions` | channels, patterns, and live connections |
| `router` | events of fences, to hooks, channels and live connections |
| `expiry` | the periodic removal of expired objects and hooks |
| `metrics` | Prometheus' metrics |
| `commands` | a function and a record for each command that needs the server |
| `config` | properties that CONFIG sets, and their file |
| `protocol` | HTTP, WebSocket and RESP's replies, without sockets |
| `clients`, `gates`, `slow_log` | connected clients; the server's states; SLOWLOG |
| `interfaces` | the Protocols by which the services know each other |
| `embedded` | the engine in process |
| `errors`, `limits`, `clock`, `version` | errors of clients; bounds with their units; time |
| `_engine` | the binding of the Rust engine |
"""

from tile38py.embedded import Engine, GeoJSON
from tile38py.version import VERSION

__all__ = ["VERSION", "Engine", "GeoJSON"]
