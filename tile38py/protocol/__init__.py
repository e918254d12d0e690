"""HTTP, WebSocket, tile URLs and messages, as bytes in and bytes out. Opens no socket."""
