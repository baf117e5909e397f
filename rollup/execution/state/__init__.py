"""Accounts, storage and code: at one root, during a block, and over the history of blocks."""
