"""The pages for browsers: static files, their headers, and the ports that serve them in addition to JSON-RPC."""
