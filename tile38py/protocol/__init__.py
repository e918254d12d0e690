"""HTTP, WebSocket, replies, tile URLs, messages: bytes in and bytes out. Opens no socket."""
