"""The index: a summary of the chain's attribution events, in SQLite next to the chain data."""
