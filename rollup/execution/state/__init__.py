"""Accounts, storage and code: at one root, as a block changes them, and over the history of blocks."""
