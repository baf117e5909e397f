"""JSON-RPC over HTTP and WebSocket, a module a namespace."""
