"""The tracers that geth has natively, by name."""
