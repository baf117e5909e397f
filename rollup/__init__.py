"""The node: what a user starts and talks to."""
